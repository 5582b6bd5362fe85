//! The columns, and what a socket has in each.

use std::net::IpAddr;

use super::Mark;
use crate::listing::{Entry, Held};
use crate::names::{Names, Number};
use crate::namespaces::Namespace;
use crate::process::Process;
use crate::render::{Look, Shown, harmless};
use crate::socket::{Endpoint, Protocol, Socket, UnixSocket};

/// Characters that the name of the program at the other end may have.
const PEER: usize = 24;

/// The cost of a column that always stays.
pub(super) const KEEP: u8 = 0;

/// What makes a cell.
type Cell<S> = fn(&Names, &Entry<'_, S>) -> String;

/// A column.
pub(super) struct Column<S> {
    pub(super) title: &'static str,
    /// Numbers stand at the right.
    pub(super) is_number: bool,
    /// How soon it is left out where there is not enough room, the highest first.
    pub(super) cost: u8,
    pub(super) cell: Cell<S>,
}

impl<S> Column<S> {
    fn text(title: &'static str, cost: u8, cell: Cell<S>) -> Self {
        Self { title, is_number: false, cost, cell }
    }

    fn number(title: &'static str, cost: u8, cell: Cell<S>) -> Self {
        Self { title, is_number: true, cost, cell }
    }
}

/// Those of internet sockets; the last one holds the command.
pub(super) fn internet(look: &Look, entries: &[(Entry<'_, Socket>, Mark)]) -> Vec<Column<Socket>> {
    let any_drops =
        entries.iter().any(|(entry, _)| entry.socket.drops.is_some_and(|drops| drops > 0));
    let mut columns: Vec<Column<Socket>> = vec![
        Column::text("Proto", KEEP, |_, entry| entry.socket.table_name().to_owned()),
        Column::number("Recv-Q", 2, |_, entry| entry.socket.queues.receive.to_string()),
        Column::number("Send-Q", 2, |_, entry| entry.socket.queues.send.to_string()),
        Column::text("Local", KEEP, |names, entry| {
            endpoint(names, entry.socket.protocol, &entry.socket.local)
        }),
        Column::text("Foreign", KEEP, |names, entry| {
            endpoint(names, entry.socket.protocol, &entry.socket.remote)
        }),
        Column::text("State", KEEP, |_, entry| entry.socket.state_name().to_owned()),
    ];
    if look.timers {
        columns.push(Column::text("Timer", KEEP, |_, entry| {
            let Socket { protocol, timer, .. } = entry.socket;
            timer.map_or("-".to_owned(), |timer| Shown(*protocol, &timer).to_string())
        }));
    }
    columns.extend(of_holder());
    columns.push(Column::text("User", 3, |names, entry| user(names, entry.socket.uid)));
    if look.extended {
        columns.push(Column::number("Inode", KEEP, |_, entry| entry.socket.inode.to_string()));
    }
    if any_drops {
        columns.push(Column::number("Drops", KEEP, |_, entry| {
            entry.socket.drops.map_or(String::new(), |drops| drops.to_string())
        }));
    }
    columns.extend(of_others(look));
    columns.push(Column::text("Program", KEEP, |_, entry| program(entry.held)));
    columns
}

/// Those of UNIX sockets; the last one holds the command.
pub(super) fn unix(look: &Look) -> Vec<Column<UnixSocket>> {
    let mut columns: Vec<Column<UnixSocket>> = vec![
        Column::text("Proto", KEEP, |_, _| "unix".to_owned()),
        Column::text("Type", 2, |_, entry| entry.socket.kind.name().to_owned()),
        Column::text("State", KEEP, |_, entry| entry.socket.state_name().to_owned()),
        Column::number("Inode", 3, |_, entry| entry.socket.inode.to_string()),
    ];
    columns.extend(of_holder());
    columns.extend(of_others(look));
    columns.push(Column::text("Path", KEEP, |_, entry| {
        harmless(entry.socket.path.as_deref().unwrap_or_default()).collect()
    }));
    columns.push(Column::text("Program", KEEP, |_, entry| program(entry.held)));
    columns
}

/// Who holds it, in numbers.
fn of_holder<S>() -> [Column<S>; 2] {
    [
        Column::text("PID", KEEP, |_, entry| match entry.held.process() {
            Some(process) => counted(process.pid, entry.held.all().count()),
            None => nobody(entry.held).to_owned(),
        }),
        Column::text("FD", 1, |_, entry| {
            let Some(holding) = entry.held.first() else { return String::new() };
            let first = holding.fds().next().unwrap_or_default();
            counted(first, holding.fds().count())
        }),
    ]
}

/// What else there is where it is asked for.
fn of_others<S>(look: &Look) -> Vec<Column<S>> {
    let mut columns = Vec::new();
    if look.peers {
        columns.push(Column::text("Peer", KEEP, |_, entry| {
            let Some(peer) = entry.peer else { return String::new() };
            let Some(process) = peer.process() else { return nobody(peer).to_owned() };
            let name: String = harmless(process.program()).take(PEER).collect();
            counted(format_args!("{}/{name}", process.pid), peer.all().count())
        }));
    }
    if look.namespaces {
        columns.push(Column::text("Netns", KEEP, |_, entry| {
            let label = entry.namespace.map(Namespace::label).unwrap_or_default();
            harmless(label.as_bytes()).collect()
        }));
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
