//! JSON, RFC 8259. `fixtures/schema.json` describes the objects.

use std::borrow::Cow;
use std::io::{self, Write};

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::ser::Formatter;

use crate::fields::ShownTimer;
use crate::harmless::is_visible;
use crate::listing::{Entry, Mark, SocketOwners};
use crate::names::{Names, Number};
use crate::namespaces::Namespace;
use crate::owners::Owner;
use crate::process::Container;
use crate::render::parallel::write_each;
use crate::socket::{
    Endpoint, InternetSocket, OtherEnd, OtherSocket, Protocol, SctpEnd, SctpSocket, Socket,
    SocketType, State, TcpInfo, UnixSocket,
};

/// A listed socket. Serializes as one object.
pub(super) struct Record<'a> {
    pub(super) entry: Entry<'a>,
    pub(super) names: &'a Names,
    /// `--peers`: the object has the other end.
    pub(super) peers: bool,
    /// The time of the listing, if records have it.
    pub(super) time: Option<f64>,
    /// The change, if there is one.
    pub(super) mark: Mark,
}

impl Serialize for Record<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { entry, names, peers, time, mark } = self;
        let mut map = serializer.serialize_map(None)?;
        if let Some(time) = time {
            map.serialize_entry("time", time)?;
        }
        if let Some(event) = mark.event() {
            map.serialize_entry("event", event)?;
        }
        let protocol = match entry.socket {
            Socket::Other(socket) => socket.protocol.as_deref(),
            Socket::Internet(_) | Socket::Sctp(_) | Socket::Unix(_) => None,
        };
        let protocol = protocol.unwrap_or_else(|| entry.socket.kind().protocol_name());
        map.serialize_entry("protocol", protocol)?;
        match entry.socket {
            Socket::Internet(socket) => self.internet(socket, &mut map)?,
            Socket::Sctp(socket) => self.sctp(socket, &mut map)?,
            Socket::Unix(socket) => Self::unix(socket, &mut map)?,
            Socket::Other(socket) => self.other(socket, &mut map)?,
        }
        map.serialize_entry("netns", &entry.namespace.and_then(|namespace| namespace.number))?;
        map.serialize_entry("netns_name", &entry.namespace.and_then(Namespace::name))?;
        map.serialize_entry("processes", &processes(entry.owners, entry.socket, names))?;
        if *peers {
            let peer = entry.peer.map(|owners| PeerRecord {
                inode: owners.inode,
                processes: processes(owners, entry.socket, names),
            });
            map.serialize_entry("peer", &peer)?;
        }
        map.end()
    }
}

impl Record<'_> {
    fn internet<M: SerializeMap>(
        &self,
        socket: &InternetSocket,
        map: &mut M,
    ) -> Result<(), M::Error> {
        map.serialize_entry("family", &self.entry.socket.kind().family_name())?;
        map.serialize_entry("state", &socket.state().map(State::name))?;
        map.serialize_entry("recv_q", &socket.queues.receive)?;
        map.serialize_entry("send_q", &socket.queues.send)?;
        map.serialize_entry("local", &EndRecord::new(socket.protocol, socket.local, self.names))?;
        map.serialize_entry("remote", &EndRecord::new(socket.protocol, socket.remote, self.names))?;
        self.user(socket.user(), map)?;
        map.serialize_entry("inode", &socket.inode)?;
        let timer = socket.timer.map(|timer| {
            let timer = ShownTimer(socket.protocol, timer);
            let (kind, seconds) = (timer.kind(), timer.seconds());
            TimerRecord { kind, seconds, retransmits: timer.retransmits(), probes: timer.1.probes }
        });
        map.serialize_entry("timer", &timer)?;
        map.serialize_entry("drops", &socket.drops)?;
        map.serialize_entry("interface", &self.interface())?;
        map.serialize_entry("backlog", &socket.facts.backlog)?;
        map.serialize_entry("ipv6_only", &socket.facts.ipv6_only)?;
        map.serialize_entry("mptcp", &socket.facts.mptcp)?;
        map.serialize_entry("tcp", &self.entry.tcp().map(TcpRecord))
    }

    /// Returns the network device that the socket is bound to.
    fn interface(&self) -> Option<Cow<'_, str>> {
        let index = self.entry.socket.interface()?;
        Some(match self.entry.interfaces.name(index) {
            Some(name) => name.into(),
            None => format!("if{index}").into(),
        })
    }

    /// Writes the entries of an internet socket. The text has no family, timer and drops.
    fn sctp<M: SerializeMap>(&self, socket: &SctpSocket, map: &mut M) -> Result<(), M::Error> {
        let queues = socket.association.as_ref().map(|it| it.queues);
        let remote = socket.remote().map(|end| SctpEndRecord::new(end, self.names));
        map.serialize_entry("family", &self.entry.socket.kind().family_name())?;
        map.serialize_entry("state", socket.state.name())?;
        map.serialize_entry("recv_q", &queues.map(|it| it.receive))?;
        map.serialize_entry("send_q", &queues.map(|it| it.send))?;
        map.serialize_entry("local", &SctpEndRecord::new(&socket.local, self.names))?;
        map.serialize_entry("remote", &remote)?;
        self.user(socket.user(), map)?;
        map.serialize_entry("inode", &socket.inode)?;
        map.serialize_entry("timer", &None::<TimerRecord>)?;
        map.serialize_entry("drops", &None::<u32>)
    }

    fn other<M: SerializeMap>(&self, socket: &OtherSocket, map: &mut M) -> Result<(), M::Error> {
        map.serialize_entry("type", &socket.socket_type.map(SocketType::name))?;
        map.serialize_entry("state", &socket.state.map(State::name))?;
        map.serialize_entry("recv_q", &socket.receive)?;
        map.serialize_entry("send_q", &socket.send)?;
        map.serialize_entry("local", &socket.local.as_ref().map(OtherEndRecord::new))?;
        map.serialize_entry("remote", &socket.remote.as_ref().map(OtherEndRecord::new))?;
        self.user(socket.uid, map)?;
        map.serialize_entry("inode", &socket.inode)?;
        map.serialize_entry("drops", &socket.drops)?;
        map.serialize_entry("interface", &self.interface())
    }

    fn user<M: SerializeMap>(&self, uid: Option<u32>, map: &mut M) -> Result<(), M::Error> {
        map.serialize_entry("uid", &uid)?;
        map.serialize_entry("user", &uid.and_then(|uid| self.names.get(Number::User(uid))))
    }

    fn unix<M: SerializeMap>(socket: &UnixSocket, map: &mut M) -> Result<(), M::Error> {
        map.serialize_entry("type", socket.kind.name())?;
        map.serialize_entry("state", &socket.state().map(State::name))?;
        map.serialize_entry("flags", &socket.flag_names().collect::<Vec<_>>())?;
        map.serialize_entry("references", &socket.references)?;
        map.serialize_entry("inode", &socket.inode)?;
        map.serialize_entry("path", &socket.path.as_deref().map(String::from_utf8_lossy))
    }
}

#[derive(serde::Serialize)]
struct EndRecord<'a> {
    address: String,
    port: u16,
    host: Option<&'a str>,
    service: Option<&'a str>,
}

impl<'a> EndRecord<'a> {
    fn new(protocol: Protocol, Endpoint { address, port }: Endpoint, names: &'a Names) -> Self {
        let host = names.get(Number::Host(address));
        let service = names.get(Number::port(protocol, port));
        Self { address: address.to_string(), port, host, service }
    }
}

/// How a connection is doing. Times are milliseconds, with a fraction for round trips.
struct TcpRecord<'a>(&'a TcpInfo);

impl Serialize for TcpRecord<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let tcp = self.0;
        let mut map = serializer.serialize_map(None)?;
        for (key, micros) in [("rtt", tcp.rtt), ("rtt_var", tcp.rtt_var), ("min_rtt", tcp.min_rtt)]
        {
            map.serialize_entry(key, &micros.map(|it| f64::from(it) / 1000.0))?;
        }
        for (key, number) in
            [("cwnd", tcp.cwnd), ("retrans", tcp.retrans), ("lost", tcp.lost), ("mss", tcp.mss)]
        {
            map.serialize_entry(key, &number)?;
        }
        map.serialize_entry("cc", &tcp.congestion_control().map(String::from_utf8_lossy))?;
        map.serialize_entry("sent", &tcp.sent)?;
        map.serialize_entry("received", &tcp.received)?;
        map.serialize_entry("last_rx", &tcp.last_rx)?;
        map.serialize_entry("last_tx", &tcp.last_tx)?;
        map.serialize_entry("rate_in", &tcp.rate_in)?;
        map.serialize_entry("rate_out", &tcp.rate_out)?;
        map.end()
    }
}

#[derive(serde::Serialize)]
struct OtherEndRecord<'a> {
    address: &'a str,
    port: Option<u32>,
}

impl<'a> OtherEndRecord<'a> {
    fn new(end: &'a OtherEnd) -> Self {
        Self { address: &end.address, port: end.port }
    }
}

/// An end with several addresses. The first one is where that of another protocol is.
#[derive(serde::Serialize)]
struct SctpEndRecord<'a> {
    #[serde(flatten)]
    first: EndRecord<'a>,
    other_addresses: Vec<AddressRecord<'a>>,
}

#[derive(serde::Serialize)]
struct AddressRecord<'a> {
    address: String,
    host: Option<&'a str>,
}

impl<'a> SctpEndRecord<'a> {
    fn new(end: &SctpEnd, names: &'a Names) -> Self {
        let host = |address| names.get(Number::Host(address));
        let SctpEnd { address, ref others, port } = *end;
        let first =
            EndRecord { address: address.to_string(), port, host: host(address), service: None };
        let others = others.iter();
        let others = others.map(|&it| AddressRecord { address: it.to_string(), host: host(it) });
        Self { first, other_addresses: others.collect() }
    }
}

#[derive(serde::Serialize)]
struct TimerRecord {
    kind: Option<&'static str>,
    seconds: f64,
    retransmits: u32,
    probes: u32,
}

/// A sequence that is made while it is written.
struct Each<T>(T);

impl<T: Iterator<Item: Serialize> + Clone> Serialize for Each<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.clone())
    }
}

#[derive(serde::Serialize)]
#[serde(bound = "Each<W>: Serialize, Each<F>: Serialize")]
struct ProcessRecord<'a, W, F> {
    pid: u32,
    program: Cow<'a, str>,
    command: Each<W>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    command_truncated: bool,
    uid: Option<u32>,
    user: Option<&'a str>,
    fds: Each<F>,
    unit: Option<&'a str>,
    container: Option<&'a str>,
    cgroup: Option<&'a str>,
    cwd: Option<Cow<'a, str>>,
}

#[derive(serde::Serialize)]
struct PeerRecord<P> {
    inode: u64,
    processes: P,
}

/// Returns the owners of a socket; `None` if none is visible and a hidden process may own it.
fn processes<'a>(
    owners: SocketOwners<'a>,
    socket: &'a Socket,
    names: &'a Names,
) -> Option<Each<impl Iterator<Item: Serialize> + Clone>> {
    let record = move |owner: Owner<'a>| {
        let process = owner.process;
        ProcessRecord {
            pid: process.pid,
            program: String::from_utf8_lossy(process.command.program()),
            command: Each(process.command.words().map(String::from_utf8_lossy)),
            command_truncated: process.command.is_truncated(),
            uid: process.uid,
            user: process.uid.and_then(|uid| names.get(Number::User(uid))),
            fds: Each(owner.fds()),
            unit: owners.unit(owner, socket),
            container: process.service.container.as_ref().map(Container::label),
            cgroup: process.service.cgroup.as_deref(),
            cwd: process.cwd.as_deref().map(String::from_utf8_lossy),
        }
    };
    let all = owners.all();
    (all.clone().next().is_some() || owners.are_known()).then(|| Each(all.map(record)))
}

/// Writes all records as one array.
pub(in crate::render) fn write_array(
    records: impl Iterator<Item = impl Serialize + Sync>,
    out: &mut impl Write,
) -> io::Result<()> {
    let mut records = records.enumerate().peekable();
    if records.peek().is_none() {
        return out.write_all(b"[]\n");
    }
    out.write_all(b"[")?;
    write_each(records, out, |(index, record), text| {
        text.extend_from_slice(if *index == 0 { b"\n" } else { b",\n" });
        write(record, text)
    })?;
    out.write_all(b"\n]\n")
}

/// Writes one record per line.
pub(in crate::render) fn write_lines(
    records: impl Iterator<Item = impl Serialize + Sync>,
    out: &mut impl Write,
) -> io::Result<()> {
    write_each(records, out, |record, text| {
        write(record, text)?;
        text.push(b'\n');
        Ok(())
    })
}

fn write(record: &impl Serialize, out: &mut Vec<u8>) -> io::Result<()> {
    Ok(record.serialize(&mut serde_json::Serializer::with_formatter(out, Harmless))?)
}

/// Compact JSON that is harmless for a terminal. Characters that control a terminal, are invisible
/// or change the direction of writing are escaped.
struct Harmless;

impl Formatter for Harmless {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        // Keys and most values: the loop below would look at each character several times as long.
        if fragment.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            return writer.write_all(fragment.as_bytes());
        }
        let mut rest = fragment;
        while let Some((at, char)) = rest.char_indices().find(|&(_, char)| !is_visible(char)) {
            let (plain, from) = rest.split_at(at);
            writer.write_all(plain.as_bytes())?;
            for unit in char.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            rest = from.get(char.len_utf8()..).unwrap_or_default();
        }
        writer.write_all(rest.as_bytes())
    }
}
