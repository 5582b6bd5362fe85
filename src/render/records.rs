//! For programs: an array of JSON objects, an object a line, and comma-separated values.
//!
//! Numbers stay numbers, what is not known is null, and all text is valid UTF-8: a byte that is
//! none becomes U+FFFD.

mod csv;
mod json;

use std::borrow::Cow;
use std::io::{self, Write};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;

use super::{Format, Look, Shown};
use crate::listing::{Entry, Held, Listing};
use crate::names::{Names, Number};
use crate::namespaces::Namespace;
use crate::socket::{Endpoint, Family, InternetSocket, Protocol, Socket, UnixSocket};

/// Writes listings as records.
pub(super) struct Records {
    look: Look,
    /// A heading is still to be written.
    heading: bool,
}

impl Records {
    pub(super) fn new(look: Look) -> Self {
        Self { look, heading: look.header }
    }

    /// Writes a listing.
    ///
    /// # Errors
    ///
    /// Those of the output.
    pub(super) fn write(
        &mut self,
        listing: &Listing,
        names: &Names,
        out: &mut impl Write,
    ) -> io::Result<()> {
        let maker = Maker { names, look: &self.look, time: listing.time };
        match self.look.format {
            Format::Csv => csv::write(listing, &maker, std::mem::take(&mut self.heading), out),
            Format::Json => json::write_array(maker.records(listing), out),
            _ => json::write_lines(maker.records(listing), out),
        }
    }
}

/// A socket.
#[derive(Serialize)]
#[serde(untagged)]
enum Record<'a> {
    Internet(Box<Internet<'a>>),
    Unix(Box<Unix<'a>>),
}

#[derive(Serialize)]
struct Internet<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<f64>,
    protocol: &'static str,
    family: &'static str,
    state: &'static str,
    recv_q: u32,
    send_q: u32,
    local: End<'a>,
    remote: End<'a>,
    uid: u32,
    user: Option<&'a str>,
    inode: u64,
    timer: Option<Timer>,
    drops: Option<u32>,
    #[serde(flatten)]
    common: Common<'a>,
}

#[derive(Serialize)]
struct Unix<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<f64>,
    protocol: &'static str,
    r#type: &'static str,
    state: &'static str,
    flags: Vec<&'static str>,
    references: u32,
    inode: u64,
    path: Option<Cow<'a, str>>,
    #[serde(flatten)]
    common: Common<'a>,
}

/// What every socket has.
#[derive(Serialize)]
#[expect(clippy::option_option, reason = "not asked for, or nobody there")]
struct Common<'a> {
    netns: Option<u64>,
    netns_name: Option<Cow<'a, str>>,
    processes: Option<Vec<Process<'a>>>,
    /// Only where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    peer: Option<Option<Peer<'a>>>,
}

#[derive(Serialize)]
struct End<'a> {
    address: String,
    port: u16,
    host: Option<&'a str>,
    service: Option<&'a str>,
}

#[derive(Serialize)]
struct Timer {
    kind: Option<&'static str>,
    seconds: f64,
    retransmits: u32,
    probes: u32,
}

#[derive(Serialize)]
struct Process<'a> {
    pid: u32,
    program: Cow<'a, str>,
    command: Vec<Cow<'a, str>>,
    uid: Option<u32>,
    user: Option<&'a str>,
    fds: Vec<u32>,
}

/// The socket at the other end.
#[derive(Serialize)]
struct Peer<'a> {
    inode: u64,
    processes: Option<Vec<Process<'a>>>,
}

/// What a namespace is called; of one whose number is not told, what there is in its place.
fn name(namespace: &Namespace) -> Option<Cow<'_, str>> {
    let is_named = !namespace.names.is_empty() || namespace.number.is_none();
    Some(namespace.label()).filter(|label| is_named && !label.is_empty())
}

/// Makes records.
struct Maker<'a> {
    names: &'a Names,
    look: &'a Look,
    time: SystemTime,
}

impl Record<'_> {
    fn common(&self) -> &Common<'_> {
        match self {
            Self::Internet(it) => &it.common,
            Self::Unix(it) => &it.common,
        }
    }
}

impl<'a> Maker<'a> {
    fn records(&self, listing: &'a Listing) -> impl Iterator<Item = Record<'a>> {
        listing.entries().map(|entry| self.record(&entry))
    }

    fn record(&self, entry: &Entry<'a>) -> Record<'a> {
        match entry.socket {
            Socket::Internet(socket) => self.internet(entry, socket),
            Socket::Unix(socket) => self.unix(entry, socket),
        }
    }

    fn internet(&self, entry: &Entry<'a>, socket: &'a InternetSocket) -> Record<'a> {
        Record::Internet(Box::new(Internet {
            time: self.time(),
            protocol: match socket.protocol {
                Protocol::Tcp => "tcp",
                Protocol::Udp => "udp",
                Protocol::UdpLite => "udplite",
                Protocol::Raw => "raw",
            },
            family: match socket.family {
                Family::Ipv4 => "ipv4",
                Family::Ipv6 => "ipv6",
            },
            state: socket.state_name(),
            recv_q: socket.queues.receive,
            send_q: socket.queues.send,
            local: self.end(socket.protocol, &socket.local),
            remote: self.end(socket.protocol, &socket.remote),
            uid: socket.uid,
            user: self.user(Some(socket.uid)),
            inode: socket.inode,
            timer: socket.timer.map(|timer| {
                let shown = Shown(socket.protocol, &timer);
                Timer {
                    kind: shown.kind(),
                    seconds: shown.seconds(),
                    retransmits: shown.retransmits(),
                    probes: timer.probes,
                }
            }),
            drops: socket.drops,
            common: self.common(entry),
        }))
    }

    fn unix(&self, entry: &Entry<'a>, socket: &'a UnixSocket) -> Record<'a> {
        Record::Unix(Box::new(Unix {
            time: self.time(),
            protocol: "unix",
            r#type: socket.kind.name(),
            state: socket.state_name(),
            flags: socket.flag_names().collect(),
            references: socket.references,
            inode: socket.inode,
            path: socket.path.as_deref().map(String::from_utf8_lossy),
            common: self.common(entry),
        }))
    }

    fn common(&self, entry: &Entry<'a>) -> Common<'a> {
        let peer = |held: Held<'a>| Peer { inode: held.inode, processes: self.processes(held) };
        Common {
            netns: entry.namespace.and_then(|namespace| namespace.number),
            netns_name: entry.namespace.and_then(name),
            processes: self.processes(entry.held),
            peer: self.look.peers.then(|| entry.peer.map(peer)),
        }
    }

    /// Seconds since 1970, where it matters.
    fn time(&self) -> Option<f64> {
        let time = self.time.duration_since(UNIX_EPOCH).unwrap_or_default();
        self.look.time.then(|| (time.as_secs_f64() * 1000.0).round() / 1000.0)
    }

    fn end(&self, protocol: Protocol, end: &Endpoint) -> End<'a> {
        End {
            address: end.address.to_string(),
            port: end.port,
            host: self.names.get(Number::Host(end.address)),
            service: self.names.get(Number::Port(protocol.into(), end.port)),
        }
    }

    fn user(&self, uid: Option<u32>) -> Option<&'a str> {
        self.names.get(Number::User(uid?))
    }

    /// Everyone who holds a socket; none where that is not to be seen.
    fn processes(&self, held: Held<'a>) -> Option<Vec<Process<'a>>> {
        let all = held.all().map(|holding| {
            let process = holding.process;
            Process {
                pid: process.pid,
                program: String::from_utf8_lossy(process.program()),
                command: process.words().map(String::from_utf8_lossy).collect(),
                uid: process.uid,
                user: self.user(process.uid),
                fds: holding.fds().collect(),
            }
        });
        held.is_known().then(|| all.collect())
    }
}
