//! Comma-separated values, RFC 4180 but for the ends of lines: a line for each process that holds a
//! socket, and one for a socket that nobody is known to hold.
//!
//! What is not known is empty. There is no other way to write a character that is harmful to a
//! terminal, so each becomes `.`.

use std::io::{self, Write};

use csv::{Writer, WriterBuilder};
use serde::Serialize;

use super::{Common, End, Internet, Peer, Process, Record, Unix};
use crate::render::{Look, harmless};

pub(super) fn write<'a>(
    look: &Look,
    records: impl Iterator<Item = Record<'a>>,
    heading: bool,
    out: &mut impl Write,
) -> io::Result<()> {
    let mut writer = WriterBuilder::new().has_headers(false).from_writer(out);
    if heading {
        writer.write_record(titles(look)?.iter())?;
    }
    for record in records {
        let (line, common) = match record {
            Record::Internet(internet) => Line::internet(*internet),
            Record::Unix(unix) => Line::unix(*unix),
        };
        let line = line.with(&common);
        let processes = common.processes.unwrap_or_default();
        for process in &processes {
            writer.serialize(line.clone().held_by(process))?;
        }
        if processes.is_empty() {
            writer.serialize(line)?;
        }
    }
    writer.flush()
}

/// The titles of the columns.
fn titles(look: &Look) -> io::Result<csv::StringRecord> {
    let mut writer = Writer::from_writer(Vec::new());
    let peer = look.peers.then_some(None);
    writer.serialize(Line {
        time: look.time.then_some(0.0),
        peer_inode: peer,
        peer_pids: look.peers.then(String::new),
        ..Line::default()
    })?;
    let text = writer.into_inner().map_err(csv::IntoInnerError::into_error)?;
    Ok(csv::Reader::from_reader(&text[..]).headers()?.clone())
}

/// A line, with all that internet sockets have and all that UNIX sockets have.
#[derive(Clone, Default, Serialize)]
#[expect(clippy::option_option, reason = "not asked for, or nobody there")]
struct Line {
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<f64>,
    protocol: &'static str,
    family: Option<&'static str>,
    r#type: Option<&'static str>,
    state: &'static str,
    recv_q: Option<u32>,
    send_q: Option<u32>,
    local_address: Option<String>,
    local_port: Option<u16>,
    local_host: Option<String>,
    local_service: Option<String>,
    remote_address: Option<String>,
    remote_port: Option<u16>,
    remote_host: Option<String>,
    remote_service: Option<String>,
    uid: Option<u32>,
    user: Option<String>,
    inode: u64,
    timer: Option<&'static str>,
    timer_seconds: Option<f64>,
    timer_retransmits: Option<u32>,
    timer_probes: Option<u32>,
    drops: Option<u32>,
    flags: Option<String>,
    references: Option<u32>,
    path: Option<String>,
    netns: Option<u64>,
    netns_name: Option<String>,
    /// How many processes hold it, where that is known.
    processes: Option<usize>,
    pid: Option<u32>,
    program: Option<String>,
    command: Option<String>,
    process_uid: Option<u32>,
    process_user: Option<String>,
    fds: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    peer_inode: Option<Option<u64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    peer_pids: Option<String>,
}

impl Line {
    fn internet(internet: Internet<'_>) -> (Self, Common<'_>) {
        let Internet { local, remote, timer, .. } = internet;
        let End { address, port, host, service } = local;
        let line = Self {
            time: internet.time,
            protocol: internet.protocol,
            family: Some(internet.family),
            state: internet.state,
            recv_q: Some(internet.recv_q),
            send_q: Some(internet.send_q),
            local_address: Some(address),
            local_port: Some(port),
            local_host: host.map(safe),
            local_service: service.map(safe),
            remote_address: Some(remote.address),
            remote_port: Some(remote.port),
            remote_host: remote.host.map(safe),
            remote_service: remote.service.map(safe),
            uid: Some(internet.uid),
            user: internet.user.map(safe),
            inode: internet.inode,
            timer: timer.as_ref().and_then(|timer| timer.kind),
            timer_seconds: timer.as_ref().map(|timer| timer.seconds),
            timer_retransmits: timer.as_ref().map(|timer| timer.retransmits),
            timer_probes: timer.as_ref().map(|timer| timer.probes),
            drops: internet.drops,
            ..Self::default()
        };
        (line, internet.common)
    }

    fn unix(unix: Unix<'_>) -> (Self, Common<'_>) {
        let line = Self {
            time: unix.time,
            protocol: unix.protocol,
            r#type: Some(unix.r#type),
            state: unix.state,
            inode: unix.inode,
            flags: Some(unix.flags.join(" ")),
            references: Some(unix.references),
            path: unix.path.as_deref().map(safe),
            ..Self::default()
        };
        (line, unix.common)
    }

    fn with(self, common: &Common<'_>) -> Self {
        let pids = |peer: &Peer<'_>| {
            let pids = peer.processes.iter().flatten().map(|process| process.pid.to_string());
            pids.collect::<Vec<_>>().join(" ")
        };
        let peer = common.peer.as_ref().map(Option::as_ref);
        Self {
            netns: common.netns,
            netns_name: common.netns_name.as_deref().map(safe),
            processes: common.processes.as_ref().map(Vec::len),
            peer_inode: peer.map(|peer| peer.map(|peer| peer.inode)),
            peer_pids: peer.map(|peer| peer.map(pids).unwrap_or_default()),
            ..self
        }
    }

    fn held_by(self, process: &Process<'_>) -> Self {
        let fds: Vec<_> = process.fds.iter().map(ToString::to_string).collect();
        Self {
            pid: Some(process.pid),
            program: Some(safe(&process.program)),
            command: Some(safe(&process.command.join(" "))),
            process_uid: process.uid,
            process_user: process.user.map(safe),
            fds: Some(fds.join(" ")),
            ..self
        }
    }
}

fn safe(text: &str) -> String {
    harmless(text.as_bytes()).collect()
}
