//! net-tools' own layout, byte for byte, row by row.
//!
//! Internet sockets and UNIX sockets have a section each, with columns of their own.
//! A value wider than its column pushes what follows it in its own row; nothing is re-aligned.

mod cells;

use std::io::{self, Write};
use std::net::IpAddr;

use crate::names::{Names, Naming, Number};
use crate::process::Process;
use crate::query::Scope;
use crate::socket::{
    Endpoint, Family, Protocol, Queues, Socket, SocketType, State, Timer, UnixSocket, UnixState,
};
use cells::Row;

/// Bytes that an address and its port may have together, unless addresses are shown whole.
const ENDPOINT: usize = 22;
/// Bytes that `PID/Program name` may have.
const PROGRAM: usize = 19;

/// Which parts of the layout are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of netstat's")]
pub struct Layout {
    /// What the headings say is listed.
    pub scope: Scope,
    /// `-W`: addresses are not cut.
    pub wide: bool,
    /// `-e`: the columns with user and inode.
    pub extended: bool,
    /// `-p`: the column with process and program.
    pub programs: bool,
    /// `-o`: the column with the timer.
    pub timers: bool,
    /// What is shown by name, where the name is known.
    pub naming: Naming,
}

/// Writes a listing.
pub struct Table<'a, W> {
    layout: Layout,
    names: &'a Names,
    out: W,
    /// The row that is being made, reused.
    row: Row,
}

impl<'a, W: Write> Table<'a, W> {
    /// A listing on `out`.
    pub fn new(layout: Layout, names: &'a Names, out: W) -> Self {
        Self { layout, names, out, row: Row::default() }
    }

    /// Writes the two lines above the internet sockets.
    ///
    /// # Errors
    ///
    /// Those of the output, as for all that follows.
    pub fn internet_heading(&mut self) -> io::Result<()> {
        writeln!(self.out, "Active Internet connections ({})", self.scope())?;
        self.row.text(
            "Proto Recv-Q Send-Q Local Address           Foreign Address         State      ",
        );
        if self.layout.extended {
            self.row.text(" User       Inode     ");
        }
        self.program_heading();
        if self.layout.timers {
            self.row.text(" Timer");
        }
        self.row.end(&mut self.out)
    }

    /// Writes one internet socket. The process is shown when the layout has a column for it.
    ///
    /// # Errors
    ///
    /// Those of the output.
    pub fn internet(&mut self, socket: &Socket, process: Option<&Process>) -> io::Result<()> {
        let Queues { receive, send } = socket.queues;
        self.row.cell(5, |row| row.text(label(socket)));
        self.row.text(" ");
        self.row.right(6, receive);
        self.row.text(" ");
        self.row.right(6, send);
        self.row.text(" ");
        for end in [&socket.local, &socket.remote] {
            self.endpoint(socket.protocol, end);
            self.row.text(" ");
        }
        self.row.cell(11, |row| match state(socket) {
            Some(state) => row.text(state),
            None => row.number(socket.state as u8),
        });
        if self.layout.extended {
            self.row.text(" ");
            self.row.cell(10, |row| match self.names.get(Number::User(socket.uid)) {
                Some(name) => row.foreign(name.as_bytes()),
                None => row.number(socket.uid),
            });
            self.row.text(" ");
            self.row.cell(10, |row| row.number(socket.inode));
        }
        self.program(process);
        if self.layout.timers {
            self.timer(socket.protocol, socket.timer.as_ref());
        }
        self.row.end(&mut self.out)
    }

    /// Writes the two lines above the UNIX sockets.
    ///
    /// # Errors
    ///
    /// Those of the output.
    pub fn unix_heading(&mut self) -> io::Result<()> {
        writeln!(self.out, "Active UNIX domain sockets ({})", self.scope())?;
        self.row.text("Proto RefCnt Flags       Type       State         I-Node  ");
        self.program_heading();
        self.row.text(" Path");
        self.row.end(&mut self.out)
    }

    /// Writes one UNIX socket. The process is shown when the layout has a column for it.
    ///
    /// # Errors
    ///
    /// Those of the output.
    pub fn unix(&mut self, socket: &UnixSocket, process: Option<&Process>) -> io::Result<()> {
        let kind = match socket.kind {
            SocketType::None => "UNKNOWN",
            SocketType::Stream => "STREAM",
            SocketType::Datagram => "DGRAM",
            SocketType::Raw => "RAW",
            SocketType::ReliableDatagram => "RDM",
            SocketType::SequentialPacket => "SEQPACKET",
        };
        let state = match socket.state {
            UnixState::Free => "FREE",
            UnixState::Unconnected if socket.is_listening() => "LISTENING",
            UnixState::Unconnected => "",
            UnixState::Connecting => "CONNECTING",
            UnixState::Connected => "CONNECTED",
            UnixState::Disconnecting => "DISCONNECTING",
        };
        self.row.text("unix  ");
        self.row.cell(6, |row| row.number(socket.references));
        self.row.text(" ");
        self.row.cell(11, |row| {
            row.text("[ ");
            for (bit, mark) in [
                (UnixSocket::ACCEPTS, "ACC "),
                (UnixSocket::WAITS, "W "),
                (UnixSocket::NO_SPACE, "N "),
            ] {
                row.text(if socket.flags & bit == 0 { "" } else { mark });
            }
            row.text("]");
        });
        self.row.text(" ");
        self.row.cell(10, |row| row.text(kind));
        self.row.text(" ");
        self.row.cell(13, |row| row.text(state));
        self.row.text(" ");
        self.row.cell(8, |row| row.number(socket.inode));
        self.program(process);
        self.row.text(" ");
        self.row.foreign(socket.path.as_deref().unwrap_or_default());
        self.row.end(&mut self.out)
    }

    /// Ends the listing: all of it is with the output.
    ///
    /// # Errors
    ///
    /// Those of the output.
    pub fn finish(mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn scope(&self) -> &'static str {
        match self.layout.scope {
            Scope::All => "servers and established",
            Scope::Listening => "only servers",
            Scope::Connected => "w/o servers",
        }
    }

    fn program_heading(&mut self) {
        if self.layout.programs {
            self.row.text(" ");
            self.row.cell(PROGRAM + 1, |row| row.text("PID/Program name"));
        }
    }

    /// `PID/name`, cut to its column between two characters; `-` where nobody is known.
    fn program(&mut self, process: Option<&Process>) {
        if !self.layout.programs {
            return;
        }
        self.row.text(" ");
        self.row.cell(PROGRAM + 1, |row| match process {
            None => row.text("-"),
            Some(process) => {
                let start = row.len();
                row.number(process.pid);
                row.text("/");
                row.foreign_within(process.program(), PROGRAM - (row.len() - start));
            }
        });
    }

    /// `address:port` in its column, cut to it unless it is wide.
    fn endpoint(&mut self, protocol: Protocol, end: &Endpoint) {
        let Self { names, layout, .. } = self;
        let Layout { naming, wide, .. } = *layout;
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
        let kinds: &[&str] = match protocol {
            Protocol::Tcp => &["off", "on", "keepalive", "timewait", "probe"],
            Protocol::Udp | Protocol::UdpLite | Protocol::Raw => &["off", "on1", "on2"],
        };
        let retransmits = match protocol {
            Protocol::Udp | Protocol::UdpLite => 0,
            Protocol::Tcp | Protocol::Raw => timer.retransmits,
        };
        #[expect(clippy::cast_precision_loss, reason = "hundredths of a second, for people")]
        let seconds = timer.ticks as f64 / procfs::ticks_per_second() as f64;
        self.row.text(" ");
        match kinds.get(usize::from(timer.kind)) {
            Some(kind) => self.row.text(kind),
            None => self.row.format(format_args!("unkn-{}", timer.kind)),
        }
        self.row.format(format_args!(" ({seconds:.2}/{retransmits}/{})", timer.probes));
    }
}

fn label(socket: &Socket) -> &'static str {
    match (socket.protocol, socket.family) {
        (Protocol::Tcp, Family::Ipv4) => "tcp",
        (Protocol::Tcp, Family::Ipv6) => "tcp6",
        (Protocol::Udp, Family::Ipv4) => "udp",
        (Protocol::Udp, Family::Ipv6) => "udp6",
        (Protocol::UdpLite, Family::Ipv4) => "udpl",
        (Protocol::UdpLite, Family::Ipv6) => "udpl6",
        (Protocol::Raw, Family::Ipv4) => "raw",
        (Protocol::Raw, Family::Ipv6) => "raw6",
    }
}

/// The state's name; a raw socket's state is shown as its number.
fn state(socket: &Socket) -> Option<&'static str> {
    Some(match (socket.protocol, socket.state) {
        (Protocol::Raw, _) => return None,
        (_, State::Established) => "ESTABLISHED",
        (Protocol::Udp | Protocol::UdpLite, State::Close) => "",
        (Protocol::Udp | Protocol::UdpLite, _) => "UNKNOWN",
        (Protocol::Tcp, state) => match state {
            State::Established => "ESTABLISHED",
            State::SynSent => "SYN_SENT",
            // netstat has no name for the second and prints what it finds behind its table.
            State::SynRecv | State::NewSynRecv => "SYN_RECV",
            State::FinWait1 => "FIN_WAIT1",
            State::FinWait2 => "FIN_WAIT2",
            State::TimeWait => "TIME_WAIT",
            State::Close => "CLOSE",
            State::CloseWait => "CLOSE_WAIT",
            State::LastAck => "LAST_ACK",
            State::Listen => "LISTEN",
            State::Closing => "CLOSING",
        },
    })
}
