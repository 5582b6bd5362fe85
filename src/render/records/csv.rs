//! Comma-separated values, RFC 4180 but for the ends of lines: a line for each process that holds a
//! socket, and one for a socket that nobody is known to hold.
//!
//! What is not known is empty. There is no other way to write a character that is harmful to a
//! terminal, so each becomes `.`.

use std::io::{self, Write};

use csv::WriterBuilder;

use super::{Internet, Maker, Process, Record, Unix};
use crate::listing::Listing;
use crate::render::harmless;
use crate::socket::Socket;

/// What a line is about: a socket, and one of the processes that hold it.
struct Line<'a> {
    time: Option<f64>,
    socket: &'a Socket,
    record: &'a Record<'a>,
    holder: Option<&'a Process<'a>>,
}

impl<'a> Line<'a> {
    fn internet(&self) -> Option<&'a Internet<'a>> {
        if let Record::Internet(it) = self.record { Some(it) } else { None }
    }

    fn unix(&self) -> Option<&'a Unix<'a>> {
        if let Record::Unix(it) = self.record { Some(it) } else { None }
    }
}

type Column = (&'static str, fn(&Line<'_>) -> Option<String>);

const TIME: Column = ("time", |it| it.time.map(float));

#[rustfmt::skip]
const COLUMNS: [Column; 34] = [
    ("protocol", |it| Some(it.internet().map_or("unix", |it| it.protocol).to_owned())),
    ("family", |it| Some(it.internet()?.family.to_owned())),
    ("type", |it| Some(it.unix()?.r#type.to_owned())),
    ("state", |it| Some(it.socket.state_name().to_owned())),
    ("recv_q", |it| Some(it.internet()?.recv_q.to_string())),
    ("send_q", |it| Some(it.internet()?.send_q.to_string())),
    ("local_address", |it| Some(it.internet()?.local.address.clone())),
    ("local_port", |it| Some(it.internet()?.local.port.to_string())),
    ("local_host", |it| it.internet()?.local.host.map(safe)),
    ("local_service", |it| it.internet()?.local.service.map(safe)),
    ("remote_address", |it| Some(it.internet()?.remote.address.clone())),
    ("remote_port", |it| Some(it.internet()?.remote.port.to_string())),
    ("remote_host", |it| it.internet()?.remote.host.map(safe)),
    ("remote_service", |it| it.internet()?.remote.service.map(safe)),
    ("uid", |it| Some(it.internet()?.uid.to_string())),
    ("user", |it| it.internet()?.user.map(safe)),
    ("inode", |it| Some(it.socket.inode().to_string())),
    ("timer", |it| Some(it.internet()?.timer.as_ref()?.kind?.to_owned())),
    ("timer_seconds", |it| Some(float(it.internet()?.timer.as_ref()?.seconds))),
    ("timer_retransmits", |it| Some(it.internet()?.timer.as_ref()?.retransmits.to_string())),
    ("timer_probes", |it| Some(it.internet()?.timer.as_ref()?.probes.to_string())),
    ("drops", |it| Some(it.internet()?.drops?.to_string())),
    ("flags", |it| Some(it.unix()?.flags.join(" "))),
    ("references", |it| Some(it.unix()?.references.to_string())),
    ("path", |it| it.unix()?.path.as_deref().map(safe)),
    ("netns", |it| Some(it.record.common().netns?.to_string())),
    ("netns_name", |it| it.record.common().netns_name.as_deref().map(safe)),
    ("processes", |it| Some(it.record.common().processes.as_ref()?.len().to_string())),
    ("pid", |it| Some(it.holder?.pid.to_string())),
    ("program", |it| Some(safe(&it.holder?.program))),
    ("command", |it| Some(safe(&it.holder?.command.join(" ")))),
    ("process_uid", |it| Some(it.holder?.uid?.to_string())),
    ("process_user", |it| it.holder?.user.map(safe)),
    ("fds", |it| Some(joined(&it.holder?.fds))),
];

const PEER: [Column; 2] = [
    ("peer_inode", |it| Some(it.record.common().peer.as_ref()?.as_ref()?.inode.to_string())),
    ("peer_pids", |it| {
        let pids: Vec<_> = it
            .record
            .common()
            .peer
            .as_ref()?
            .as_ref()?
            .processes
            .iter()
            .flatten()
            .map(|it| it.pid)
            .collect();
        Some(joined(&pids))
    }),
];

pub(super) fn write(
    listing: &Listing,
    maker: &Maker<'_>,
    heading: bool,
    out: &mut impl Write,
) -> io::Result<()> {
    let time = maker.look.time.then_some(TIME);
    let peer = PEER.into_iter().filter(|_| maker.look.peers);
    let columns: Vec<Column> = time.into_iter().chain(COLUMNS).chain(peer).collect();
    let mut writer = WriterBuilder::new().from_writer(out);
    if heading {
        writer.write_record(columns.iter().map(|(title, _)| title))?;
    }
    for entry in listing.entries() {
        let record = maker.record(&entry);
        let holders: Vec<_> = record.common().processes.iter().flatten().map(Some).collect();
        for &holder in if holders.is_empty() { &[None][..] } else { &holders } {
            let line = Line { time: maker.time(), socket: entry.socket, record: &record, holder };
            writer.write_record(columns.iter().map(|(_, cell)| cell(&line).unwrap_or_default()))?;
        }
    }
    writer.flush()
}

fn joined(numbers: &[u32]) -> String {
    numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

fn float(number: f64) -> String {
    format!("{number:?}")
}

fn safe(text: &str) -> String {
    harmless(text.as_bytes()).collect()
}
