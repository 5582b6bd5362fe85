//! The columns, and what a socket has in each.

use std::net::IpAddr;

use super::Mark;
use crate::listing::{Entry, Held};
use crate::names::{Names, Number};
use crate::namespaces::Namespace;
use crate::process::Process;
use crate::render::{Look, Shown, harmless};
use crate::socket::{Endpoint, InternetSocket, Protocol, Socket, UnixSocket};

/// Characters that the name of the program at the other end may have.
const PEER: usize = 24;

/// The cost of a column that always stays.
pub(super) const KEEP: u8 = 0;

/// What makes a cell, of sockets of every sort or of one.
enum Cell {
    Any(fn(&Names, &Entry<'_>) -> String),
    Internet(fn(&Names, &InternetSocket) -> String),
    Unix(fn(&UnixSocket) -> String),
}
use Cell::{Any, Internet, Unix};

/// A column.
pub(super) struct Column {
    pub(super) title: &'static str,
    /// Numbers stand at the right.
    pub(super) is_number: bool,
    /// How soon it is left out where there is not enough room, the highest first.
    pub(super) cost: u8,
    cell: Cell,
}

impl Column {
    fn text(title: &'static str, cost: u8, cell: Cell) -> Self {
        Self { title, is_number: false, cost, cell }
    }

    fn number(title: &'static str, cost: u8, cell: Cell) -> Self {
        Self { title, is_number: true, cost, cell }
    }

    /// What a socket has in it.
    pub(super) fn cell(&self, names: &Names, entry: &Entry<'_>) -> String {
        match (&self.cell, entry.socket) {
            (Any(cell), _) => cell(names, entry),
            (Internet(cell), Socket::Internet(socket)) => cell(names, socket),
            (Unix(cell), Socket::Unix(socket)) => cell(socket),
            _ => String::new(),
        }
    }
}

/// Those of internet sockets; the last one holds the command.
pub(super) fn internet(look: &Look, entries: &[(Entry<'_>, Mark)]) -> Vec<Column> {
    let drops = entries.iter().filter_map(|(entry, _)| entry.socket.internet()?.drops);
    let any_drops = drops.max().is_some_and(|drops| drops > 0);
    let mut columns = vec![
        Column::text("Proto", KEEP, Internet(|_, it| it.table_name().to_owned())),
        Column::number("Recv-Q", 2, Internet(|_, it| it.queues.receive.to_string())),
        Column::number("Send-Q", 2, Internet(|_, it| it.queues.send.to_string())),
        Column::text("Local", KEEP, Internet(|names, it| endpoint(names, it.protocol, &it.local))),
        Column::text(
            "Foreign",
            KEEP,
            Internet(|names, it| endpoint(names, it.protocol, &it.remote)),
        ),
        Column::text("State", KEEP, Any(|_, entry| entry.socket.state_name().to_owned())),
    ];
    if look.timers {
        columns.push(Column::text(
            "Timer",
            KEEP,
            Internet(|_, it| {
                it.timer.map_or("-".to_owned(), |timer| Shown(it.protocol, &timer).to_string())
            }),
        ));
    }
    columns.extend(of_holder());
    columns.push(Column::text("User", 3, Internet(|names, it| user(names, it.uid))));
    if look.extended {
        columns.push(Column::number("Inode", KEEP, Internet(|_, it| it.inode.to_string())));
    }
    if any_drops {
        columns.push(Column::number(
            "Drops",
            KEEP,
            Internet(|_, it| it.drops.map_or(String::new(), |drops| drops.to_string())),
        ));
    }
    columns.extend(of_others(look));
    columns.push(Column::text("Program", KEEP, Any(|_, entry| program(entry.held))));
    columns
}

/// Those of UNIX sockets; the last one holds the command.
pub(super) fn unix(look: &Look) -> Vec<Column> {
    let mut columns = vec![
        Column::text("Proto", KEEP, Unix(|_| "unix".to_owned())),
        Column::text("Type", 2, Unix(|it| it.kind.name().to_owned())),
        Column::text("State", KEEP, Any(|_, entry| entry.socket.state_name().to_owned())),
        Column::number("Inode", 3, Unix(|it| it.inode.to_string())),
    ];
    columns.extend(of_holder());
    columns.extend(of_others(look));
    columns.push(Column::text(
        "Path",
        KEEP,
        Unix(|it| harmless(it.path.as_deref().unwrap_or_default()).collect()),
    ));
    columns.push(Column::text("Program", KEEP, Any(|_, entry| program(entry.held))));
    columns
}

/// Who holds it, in numbers.
fn of_holder() -> [Column; 2] {
    [
        Column::text(
            "PID",
            KEEP,
            Any(|_, entry| match entry.held.process() {
                Some(process) => counted(process.pid, entry.held.all().count()),
                None => nobody(entry.held).to_owned(),
            }),
        ),
        Column::text(
            "FD",
            1,
            Any(|_, entry| {
                let Some(holding) = entry.held.first() else { return String::new() };
                let first = holding.fds().next().unwrap_or_default();
                counted(first, holding.fds().count())
            }),
        ),
    ]
}

/// What else there is where it is asked for.
fn of_others(look: &Look) -> Vec<Column> {
    let mut columns = Vec::new();
    if look.peers {
        columns.push(Column::text(
            "Peer",
            KEEP,
            Any(|_, entry| {
                let Some(peer) = entry.peer else { return String::new() };
                let Some(process) = peer.process() else { return nobody(peer).to_owned() };
                let name: String = harmless(process.program()).take(PEER).collect();
                counted(format_args!("{}/{name}", process.pid), peer.all().count())
            }),
        ));
    }
    if look.namespaces {
        columns.push(Column::text(
            "Netns",
            KEEP,
            Any(|_, entry| {
                let label = entry.namespace.map(Namespace::label).unwrap_or_default();
                harmless(label.as_bytes()).collect()
            }),
        ));
    }
    columns
}

/// The first of them, and how many others there are.
fn counted(first: impl std::fmt::Display, all: usize) -> String {
    match all.saturating_sub(1) {
        0 => first.to_string(),
        others => format!("{first} +{others}"),
    }
}

/// `-` for a socket that nobody holds, `?` for one of which that is not to be seen.
fn nobody(held: Held<'_>) -> &'static str {
    if held.is_known() { "-" } else { "?" }
}

fn program(held: Held<'_>) -> String {
    let title = held.process().map(Process::title).unwrap_or_default();
    harmless(&title).collect()
}

fn user(names: &Names, uid: u32) -> String {
    match names.get(Number::User(uid)) {
        Some(name) => harmless(name.as_bytes()).collect(),
        None => uid.to_string(),
    }
}

fn endpoint(names: &Names, protocol: Protocol, end: &Endpoint) -> String {
    let foreign = |name: &str| harmless(name.as_bytes()).collect::<String>();
    let host = match (names.get(Number::Host(end.address)), end.address) {
        (Some(name), _) => foreign(name),
        (None, IpAddr::V4(address)) => address.to_string(),
        (None, IpAddr::V6(address)) => format!("[{address}]"),
    };
    match names.get(Number::Port(protocol.into(), end.port)) {
        Some(name) => format!("{host}:{}", foreign(name)),
        None if end.port == 0 => format!("{host}:*"),
        None => format!("{host}:{}", end.port),
    }
}
