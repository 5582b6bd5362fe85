//! net-tools' own layout, byte for byte, row by row.
//!
//! Internet sockets and UNIX sockets have a section each, with columns of their own.
//! A value wider than its column pushes what follows it in its own row; nothing is re-aligned.

mod cells;

use std::io::{self, Write};
use std::net::IpAddr;

use super::{Look, Shown};
use crate::listing::{Entry, Held, Listing};
use crate::names::{Names, Number};
use crate::namespaces::Namespace;
use crate::process::Process;
use crate::query::Scope;
use crate::socket::{Endpoint, InternetSocket, Protocol, Queues, Socket, Timer, UnixSocket};
use cells::Row;

/// Bytes that an address and its port may have together, unless addresses are shown whole.
const ENDPOINT: usize = 22;
/// Bytes that `PID/Program name` may have.
const PROGRAM: usize = 19;
/// Bytes of the column with the namespace.
const NAMESPACE: usize = 12;

/// Writes all of a listing.
///
/// # Errors
///
/// Those of the output.
pub(super) fn write(
    look: &Look,
    listing: &Listing,
    names: &Names,
    out: impl Write,
) -> io::Result<()> {
    let mut table = Table::new(look, names, out);
    let is_internet = |entry: &Entry<'_>| entry.socket.internet().is_some();
    let has_heading = |any: bool| look.header && (look.empty_sections || any);
    if look.internet && has_heading(listing.entries().next().as_ref().is_some_and(is_internet)) {
        table.internet_heading()?;
    }
    let mut unix_due = look.unix && look.header;
    for entry in listing.entries() {
        match entry.socket {
            Socket::Internet(socket) => table.internet(&entry, socket)?,
            Socket::Unix(socket) => {
                if std::mem::take(&mut unix_due) {
                    table.unix_heading()?;
                }
                table.unix(&entry, socket)?;
            }
        }
    }
    if unix_due && look.empty_sections {
        table.unix_heading()?;
    }
    Ok(())
}

/// Writes a listing, line by line.
struct Table<'a, W> {
    look: &'a Look,
    names: &'a Names,
    out: W,
    /// The row that is being made, reused.
    row: Row,
}

impl<'a, W: Write> Table<'a, W> {
    /// A listing on `out`.
    fn new(look: &'a Look, names: &'a Names, out: W) -> Self {
        Self { look, names, out, row: Row::default() }
    }

    /// Writes the two lines above the internet sockets.
    fn internet_heading(&mut self) -> io::Result<()> {
        writeln!(self.out, "Active Internet connections ({})", self.scope())?;
        self.row.text(
            "Proto Recv-Q Send-Q Local Address           Foreign Address         State      ",
        );
        if self.look.extended {
            self.row.text(" User       Inode     ");
        }
        self.program_heading();
        self.more_headings();
        if self.look.timers {
            self.row.text(" Timer");
        }
        self.row.end(&mut self.out)
    }

    /// Writes one internet socket.
    fn internet(&mut self, entry: &Entry<'_>, socket: &InternetSocket) -> io::Result<()> {
        let Queues { receive, send } = socket.queues;
        self.row.cell(5, |row| row.text(socket.table_name()));
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
            _ => row.text(socket.state_name()),
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
        self.program(entry.held);
        self.more(entry);
        if self.look.timers {
            self.timer(socket.protocol, socket.timer.as_ref());
        }
        self.row.end(&mut self.out)
    }

    /// Writes the two lines above the UNIX sockets.
    fn unix_heading(&mut self) -> io::Result<()> {
        writeln!(self.out, "Active UNIX domain sockets ({})", self.scope())?;
        self.row.text("Proto RefCnt Flags       Type       State         I-Node  ");
        self.program_heading();
        self.more_headings();
        self.row.text(" Path");
        self.row.end(&mut self.out)
    }

    /// Writes one UNIX socket.
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
        self.row.cell(13, |row| row.text(socket.state_name()));
        self.row.text(" ");
        self.row.cell(8, |row| row.number(socket.inode));
        self.program(entry.held);
        self.more(entry);
        self.row.text(" ");
        self.row.foreign(socket.path.as_deref().unwrap_or_default());
        self.row.end(&mut self.out)
    }

    fn scope(&self) -> &'static str {
        match self.look.scope {
            Scope::All => "servers and established",
            Scope::Listening => "only servers",
            Scope::Connected => "w/o servers",
        }
    }

    fn program_heading(&mut self) {
        if self.look.programs {
            self.row.text(" ");
            self.row.cell(PROGRAM + 1, |row| row.text("PID/Program name"));
        }
    }

    /// `PID/name`, cut to its column between two characters; `-` where nobody is known.
    fn program(&mut self, held: Held<'_>) {
        if self.look.programs {
            self.row.text(" ");
            self.row.cell(PROGRAM + 1, |row| program(row, held.process()));
        }
    }

    fn more_headings(&mut self) {
        for (is_shown, title, width) in
            [(self.look.peers, "Peer", PROGRAM + 1), (self.look.namespaces, "Netns", NAMESPACE)]
        {
            if is_shown {
                self.row.text(" ");
                self.row.cell(width, |row| row.text(title));
            }
        }
    }

    /// The columns that netstat does not have.
    fn more(&mut self, entry: &Entry<'_>) {
        if self.look.peers {
            self.row.text(" ");
            self.row.cell(PROGRAM + 1, |row| {
                if let Some(peer) = entry.peer {
                    program(row, peer.process());
                }
            });
        }
        if self.look.namespaces {
            self.row.text(" ");
            let label = entry.namespace.map(Namespace::label).unwrap_or_default();
            self.row.cell(NAMESPACE, |row| row.foreign(label.as_bytes()));
        }
    }

    /// `address:port` in its column, cut to it unless it is wide.
    fn endpoint(&mut self, protocol: Protocol, end: &Endpoint) {
        let Self { names, look, .. } = self;
        let Look { naming, wide, .. } = **look;
        let host = |row: &mut Row| match (names.get(Number::Host(end.address)), end.address) {
            (Some(name), _) => row.foreign(name.as_bytes()),
            (None, IpAddr::V6(any)) if naming.hosts && any.is_unspecified() => row.text("[::]"),
            (None, address) => row.address(address),
        };
        let port = |row: &mut Row| match names.get(Number::Port(protocol.into(), end.port)) {
            Some(name) => row.foreign(name.as_bytes()),
            None if end.port == 0 => row.text("*"),
            None => row.number(end.port),
        };
        self.row.cell(ENDPOINT + 1, |row| row.endpoint(wide, host, port));
    }

    /// ` on (0.20/1/0)`: which timer, its seconds, retransmits and probes; `-` where it is not told.
    fn timer(&mut self, protocol: Protocol, timer: Option<&Timer>) {
        let Some(timer) = timer else { return self.row.text(" -") };
        self.row.format(format_args!(" {}", Shown(protocol, timer)));
    }
}

fn program(row: &mut Row, process: Option<&Process>) {
    let Some(process) = process else { return row.text("-") };
    let start = row.len();
    row.number(process.pid);
    row.text("/");
    row.foreign_within(process.program(), PROGRAM - (row.len() - start));
}
