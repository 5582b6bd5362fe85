//! The layout of net-tools, byte for byte.
//!
//! Internet sockets and UNIX sockets have a section each, with its own columns. A value wider than
//! its column moves the rest of its row to the right; the other rows stay as they are.

pub(super) mod cells;

use std::io::{self, Write};
use std::net::IpAddr;

use crate::fields::{Field, NETNS, PEER, PID, ShownTimer, TIMER};
use crate::listing::{Entry, Listing, Mark, SocketOwners};
use crate::names::{Names, Number};
use crate::namespaces::Namespace;
use crate::query::Scope;
use crate::request::Look;
use crate::socket::{
    Association, Endpoint, InternetSocket, Kind, OtherSocket, Protocol, Queues, SctpEnd,
    SctpSocket, Section, Socket, State, Timer, UnixSocket,
};
use cells::RowBuffer;

/// The maximum length of an address and its port together, in bytes, unless `-W` is given.
const ENDPOINT: usize = 22;
/// The width of the column with an address and its port, in bytes.
const END: usize = ENDPOINT + 1;
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
            layout.entry(&entry)?;
        }
    }
    Ok(())
}

/// Writes the sockets that are new or gone, with a sign before each.
pub(super) fn write_changes(
    look: &Look,
    entries: &[(Entry<'_>, Mark)],
    names: &Names,
    out: impl Write,
) -> io::Result<()> {
    let mut layout = Layout { look, names, out, row: RowBuffer::default() };
    for (entry, mark) in entries {
        layout.row.text(mark.sign());
        layout.row.text(" ");
        layout.entry(entry)?;
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
    fn entry(&mut self, entry: &Entry<'_>) -> io::Result<()> {
        match entry.socket {
            Socket::Internet(socket) => self.internet(entry, socket),
            Socket::Sctp(socket) => self.sctp(entry, socket),
            Socket::Unix(socket) => self.unix(entry, socket),
            Socket::Other(socket) => self.other(entry, socket),
        }
    }

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
            Section::Other => {
                writeln!(self.out, "Active other sockets ({scope})")?;
                self.row.text("Proto       Recv-Q Send-Q Local Address           Foreign Address");
                self.row.text("         State       ");
                self.row.text(if extended { "User       " } else { "" });
                self.row.text("I-Node  ");
                self.more_headings();
            }
        }
        self.row.end(&mut self.out)
    }

    fn internet(&mut self, entry: &Entry<'_>, socket: &InternetSocket) -> io::Result<()> {
        let Queues { receive, send } = socket.queues;
        let name = entry.socket.kind().name();
        self.row.cell(6, |row| row.text(name));
        // mptcp6 is longer than the names that netstat has.
        self.row.text(if name.len() > 5 && receive > 99_999 { " " } else { "" });
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
        self.extended(socket.uid, socket.inode);
        self.more(entry);
        if self.look.timers {
            self.timer(socket.protocol, socket.timer);
        }
        self.row.end(&mut self.out)
    }

    /// Writes a line for each address of the end that has more. The last line has the owner.
    fn sctp(&mut self, entry: &Entry<'_>, socket: &SctpSocket) -> io::Result<()> {
        self.row.cell(5, |row| row.text(entry.socket.kind().name()));
        match socket.association.as_deref() {
            None => self.row.cell(15, |_| ()),
            Some(Association { queues, .. }) => {
                self.row.text(" ");
                self.row.right(6, queues.receive);
                self.row.text(" ");
                self.row.right(6, queues.send);
                self.row.text(" ");
            }
        }
        let (local, remote) = (&socket.local, socket.remote());
        let others = remote.map_or(0, |end| end.others.len()).max(local.others.len());
        let mut addresses = local.addresses();
        let mut remote_addresses = remote.into_iter().flat_map(SctpEnd::addresses);
        for line in 0..=others {
            let is_first = line == 0;
            if !is_first {
                self.row.end(&mut self.out)?;
                self.row.cell(20, |_| ());
            }
            // An association has its ports only in its first line.
            let port = |end: &SctpEnd| (is_first || remote.is_none()).then_some(end.port);
            // A server has no other end, and its address takes the place of both.
            let width = if remote.is_some() { END } else { END + 1 + END };
            self.sctp_end(width, addresses.next(), port(local));
            if let Some(remote) = remote {
                self.sctp_end(width, remote_addresses.next(), port(remote));
            }
            self.row.cell(11, |row| row.text(if is_first { socket.state.name() } else { "" }));
        }
        self.extended(socket.uid, socket.inode);
        self.more(entry);
        self.row.text(if self.look.timers { " " } else { "" });
        self.row.end(&mut self.out)
    }

    /// Writes an address and a port of SCTP. netstat neither cuts them nor shows a service.
    fn sctp_end(&mut self, width: usize, address: Option<IpAddr>, port: Option<u16>) {
        self.row.cell(width, |row| {
            if let Some(address) = address {
                host(row, address, self.names, self.look.naming.sctp_hosts);
                row.text(if port.is_some() { ":" } else { "" });
            }
            match port {
                Some(0) => row.text("*"),
                Some(port) => row.number(port),
                None => {}
            }
        });
        self.row.text(" ");
    }

    /// Writes the user and the inode, with `-e`.
    fn extended(&mut self, uid: u32, inode: u64) {
        if self.look.extended {
            self.row.text(" ");
            self.user(Some(uid));
            self.row.text(" ");
            self.row.cell(10, |row| row.number(inode));
        }
    }

    fn user(&mut self, uid: Option<u32>) {
        self.row.cell(10, |row| match uid.map(|uid| (uid, self.names.get(Number::User(uid)))) {
            Some((_, Some(name))) => row.foreign(name.as_bytes()),
            Some((uid, None)) => row.number(uid),
            None => {}
        });
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

    fn other(&mut self, entry: &Entry<'_>, socket: &OtherSocket) -> io::Result<()> {
        self.row.cell(11, |row| match &socket.protocol {
            Some(protocol) => row.foreign(protocol.as_bytes()),
            None => row.text(Kind::Other(socket.kind).name()),
        });
        for queue in [socket.receive, socket.send] {
            self.row.text(" ");
            match queue {
                Some(bytes) => self.row.right(6, bytes),
                None => self.row.cell(6, |_| ()),
            }
        }
        for end in [&socket.local, &socket.remote] {
            self.row.text(" ");
            self.row.cell(END, |row| match end {
                Some(end) => row.format(format_args!("{end}")),
                None => row.text("*"),
            });
        }
        self.row.text(" ");
        self.row.cell(11, |row| row.text(socket.state.map_or("", State::name)));
        self.row.text(" ");
        if self.look.extended {
            self.user(socket.uid);
            self.row.text(" ");
        }
        self.row.cell(8, |row| row.number(socket.inode));
        self.more(entry);
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
        let host = |row: &mut RowBuffer| host(row, end.address, names, look.naming.hosts);
        let port = |row: &mut RowBuffer| match names.get(Number::port(protocol, end.port)) {
            Some(name) => row.foreign(name.as_bytes()),
            None if end.port == 0 => row.text("*"),
            None => row.number(end.port),
        };
        self.row.cell(END, |row| row.endpoint(look.wide, host, port));
    }

    /// Writes a timer such as ` on (0.20/1/0)`; `-` if the source does not give it.
    fn timer(&mut self, protocol: Protocol, timer: Option<Timer>) {
        let Some(timer) = timer else { return self.row.text(" -") };
        self.row.format(format_args!(" {}", ShownTimer(protocol, timer)));
    }
}

/// Writes the name of a host if it is known and to be shown, else the address.
fn host(row: &mut RowBuffer, address: IpAddr, names: &Names, by_name: bool) {
    match (names.get(Number::Host(address)), address) {
        (Some(name), _) if by_name => row.foreign(name.as_bytes()),
        (_, IpAddr::V6(any)) if by_name && any.is_unspecified() => row.text("[::]"),
        (_, address) => row.address(address),
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
