//! The layout of net-tools, byte for byte.
//!
//! Internet sockets and UNIX sockets have a section each, with its own columns. A value wider than
//! its column moves the rest of its row to the right; the other rows stay as they are.

mod cells;

use std::io::{self, Write};
use std::net::IpAddr;

use crate::fields::{Field, NETNS, PEER, PID, ShownTimer, TIMER};
use crate::listing::{Entry, Listing, SocketOwners};
use crate::names::{Names, Number};
use crate::namespaces::Namespace;
use crate::query::Scope;
use crate::request::Look;
use crate::socket::{
    Endpoint, InternetSocket, Protocol, Queues, Section, Socket, State, Timer, UnixSocket,
};
use cells::RowBuffer;

/// The maximum length of an address and its port together, in bytes, unless `-W` is given.
const ENDPOINT: usize = 22;
/// The maximum length of `PID/Program name`, in bytes.
const PROGRAM: usize = 19;
/// The width of the column with the namespace, in bytes.
const NAMESPACE: usize = 12;

/// Returns the fields of the optional columns that are shown. They can need more than the sockets.
pub(super) fn fields(look: &Look) -> Vec<&'static Field> {
    let Look { programs, timers, peers, namespaces, .. } = *look;
    let columns = [(programs, &PID), (timers, &TIMER), (peers, &PEER), (namespaces, &NETNS)];
    columns.into_iter().filter_map(|(is_shown, field)| is_shown.then_some(field)).collect()
}

/// Writes a listing.
pub(super) fn write(
    look: &Look,
    listing: &Listing,
    names: &Names,
    out: impl Write,
) -> io::Result<()> {
    let mut layout = Layout { look, names, out, row: RowBuffer::default() };
    let mut entries = listing.entries().peekable();
    for &section in &look.sections {
        let is_here = |entry: &Entry<'_>| entry.socket.kind().section() == section;
        if look.header && (look.empty_sections || entries.peek().is_some_and(is_here)) {
            layout.heading(section)?;
        }
        while let Some(entry) = entries.next_if(is_here) {
            match entry.socket {
                Socket::Internet(socket) => layout.internet(&entry, socket)?,
                Socket::Unix(socket) => layout.unix(&entry, socket)?,
            }
        }
    }
    Ok(())
}

/// Writes the lines of a listing.
struct Layout<'a, W> {
    look: &'a Look,
    names: &'a Names,
    out: W,
    /// The current row; its buffer is reused.
    row: RowBuffer,
}

impl<W: Write> Layout<'_, W> {
    /// Writes the two lines above a section.
    fn heading(&mut self, section: Section) -> io::Result<()> {
        let Look { extended, timers, .. } = *self.look;
        let scope = match self.look.scope {
            Scope::All => "servers and established",
            Scope::Listening => "only servers",
            Scope::Connected => "w/o servers",
        };
        match section {
            Section::Internet => {
                writeln!(self.out, "Active Internet connections ({scope})")?;
                self.row
                    .text("Proto Recv-Q Send-Q Local Address           Foreign Address         ");
                self.row.text(if extended {
                    "State       User       Inode     "
                } else {
                    "State      "
                });
                self.more_headings();
                self.row.text(if timers { " Timer" } else { "" });
            }
            Section::Unix => {
                writeln!(self.out, "Active UNIX domain sockets ({scope})")?;
                self.row.text("Proto RefCnt Flags       Type       State         I-Node  ");
                self.more_headings();
                self.row.text(" Path");
            }
        }
        self.row.end(&mut self.out)
    }

    fn internet(&mut self, entry: &Entry<'_>, socket: &InternetSocket) -> io::Result<()> {
        let Queues { receive, send } = socket.queues;
        self.row.cell(5, |row| row.text(entry.socket.kind().name()));
        self.row.text(" ");
        self.row.right(6, receive);
        self.row.text(" ");
        self.row.right(6, send);
        self.row.text(" ");
        for end in [&socket.local, &socket.remote] {
            self.endpoint(socket.protocol, end);
            self.row.text(" ");
        }
        self.row.cell(11, |row| match socket.protocol {
            Protocol::Raw => row.number(socket.state as u8),
            _ => row.text(socket.state().map_or("", State::name)),
        });
        if self.look.extended {
            self.row.text(" ");
            self.row.cell(10, |row| match self.names.get(Number::User(socket.uid)) {
                Some(name) => row.foreign(name.as_bytes()),
                None => row.number(socket.uid),
            });
            self.row.text(" ");
            self.row.cell(10, |row| row.number(socket.inode));
        }
        self.more(entry);
        if self.look.timers {
            self.timer(socket.protocol, socket.timer);
        }
        self.row.end(&mut self.out)
    }

    fn unix(&mut self, entry: &Entry<'_>, socket: &UnixSocket) -> io::Result<()> {
        self.row.text("unix  ");
        self.row.cell(6, |row| row.number(socket.references));
        self.row.text(" ");
        self.row.cell(11, |row| {
            row.text("[ ");
            for name in socket.flag_names() {
                row.text(name);
                row.text(" ");
            }
            row.text("]");
        });
        self.row.text(" ");
        self.row.cell(10, |row| row.text(socket.kind.name()));
        self.row.text(" ");
        self.row.cell(13, |row| row.text(socket.state().map_or("", State::name)));
        self.row.text(" ");
        self.row.cell(8, |row| row.number(socket.inode));
        self.more(entry);
        self.row.text(" ");
        self.row.foreign(socket.path.as_deref().unwrap_or_default());
        self.row.end(&mut self.out)
    }

    fn more_headings(&mut self) {
        let Look { programs, peers, namespaces, .. } = *self.look;
        for (is_shown, title, width) in [
            (programs, "PID/Program name", PROGRAM + 1),
            (peers, "Peer", PROGRAM + 1),
            (namespaces, "Netns", NAMESPACE),
        ] {
            if is_shown {
                self.row.text(" ");
                self.row.cell(width, |row| row.text(title));
            }
        }
    }

    /// Writes the owner, and the columns that net-tools does not have.
    fn more(&mut self, entry: &Entry<'_>) {
        let Look { programs, peers, namespaces, .. } = *self.look;
        for (is_shown, owners) in [(programs, Some(entry.owners)), (peers, entry.peer)] {
            if is_shown {
                self.row.text(" ");
                self.row.cell(PROGRAM + 1, |row| {
                    if let Some(owners) = owners {
                        program(row, owners);
                    }
                });
            }
        }
        if namespaces {
            self.row.text(" ");
            let label = entry.namespace.map(Namespace::label).unwrap_or_default();
            self.row.cell(NAMESPACE, |row| row.foreign(label.as_bytes()));
        }
    }

    /// Writes `address:port`, cut to its column unless `-W` is given.
    fn endpoint(&mut self, protocol: Protocol, end: &Endpoint) {
        let Self { names, look, .. } = self;
        let Look { naming, wide, .. } = **look;
        let host = |row: &mut RowBuffer| match (names.get(Number::Host(end.address)), end.address) {
            (Some(name), _) => row.foreign(name.as_bytes()),
            (None, IpAddr::V6(any)) if naming.hosts && any.is_unspecified() => row.text("[::]"),
            (None, address) => row.address(address),
        };
        let port = |row: &mut RowBuffer| match names.get(Number::port(protocol, end.port)) {
            Some(name) => row.foreign(name.as_bytes()),
            None if end.port == 0 => row.text("*"),
            None => row.number(end.port),
        };
        self.row.cell(ENDPOINT + 1, |row| row.endpoint(wide, host, port));
    }

    /// Writes a timer such as ` on (0.20/1/0)`; `-` if the source does not give it.
    fn timer(&mut self, protocol: Protocol, timer: Option<Timer>) {
        let Some(timer) = timer else { return self.row.text(" -") };
        self.row.format(format_args!(" {}", ShownTimer(protocol, timer)));
    }
}

/// Writes `PID/name`, cut to its column between two characters; `-` if no owner is known.
fn program(row: &mut RowBuffer, owners: SocketOwners<'_>) {
    let Some(owner) = owners.first() else { return row.text("-") };
    let start = row.len();
    row.number(owner.process.pid);
    row.text("/");
    row.foreign_within(owner.process.command.program(), PROGRAM - (row.len() - start));
}
