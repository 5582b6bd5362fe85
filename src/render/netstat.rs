//! net-tools' own layout, byte for byte, row by row.
//!
//! Internet sockets and UNIX sockets have a section each, with columns of their own.
//! A value wider than its column pushes what follows it in its own row; nothing is re-aligned.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::net::IpAddr;

use super::harmless;
use crate::names::{Names, Naming, Number};
use crate::process::Process;
use crate::query::Scope;
use crate::socket::{
    Endpoint, Family, Protocol, Queues, Socket, SocketType, State, Timer, UnixSocket, UnixState,
};

/// Bytes that an address and its port may have together, unless addresses are shown whole.
const ENDPOINT: usize = 22;
/// Of these, the most that the port keeps.
const PORT: usize = 18;
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
    /// The cell that is being made, reused.
    cell: String,
}

impl<'a, W: Write> Table<'a, W> {
    /// A listing on `out`.
    pub fn new(layout: Layout, names: &'a Names, out: W) -> Self {
        Self { layout, names, out, cell: String::new() }
    }

    /// Writes the two lines above the internet sockets.
    ///
    /// # Errors
    ///
    /// Those of the output, as for all that follows.
    pub fn internet_heading(&mut self) -> io::Result<()> {
        writeln!(self.out, "Active Internet connections ({})", self.scope())?;
        write!(
            self.out,
            "Proto Recv-Q Send-Q Local Address           Foreign Address         State      "
        )?;
        if self.layout.extended {
            write!(self.out, " {:<10} {:<10}", "User", "Inode")?;
        }
        self.program_heading()?;
        if self.layout.timers {
            write!(self.out, " Timer")?;
        }
        writeln!(self.out)
    }

    /// Writes one internet socket. The process is shown when the layout has a column for it.
    ///
    /// # Errors
    ///
    /// Those of the output.
    pub fn internet(&mut self, socket: &Socket, process: Option<&Process>) -> io::Result<()> {
        let Queues { receive, send } = socket.queues;
        write!(self.out, "{:<5} {receive:>6} {send:>6} ", label(socket))?;
        for end in [&socket.local, &socket.remote] {
            self.endpoint(socket.protocol, end);
            self.pad(ENDPOINT + 1)?;
            write!(self.out, " ")?;
        }
        match state(socket) {
            Some(state) => write!(self.out, "{state:<11}")?,
            None => write!(self.out, "{:<11}", socket.state as u8)?,
        }
        if self.layout.extended {
            self.cell.clear();
            match self.names.get(Number::User(socket.uid)) {
                Some(name) => self.cell.extend(harmless(name.as_bytes())),
                None => push(&mut self.cell, format_args!("{}", socket.uid)),
            }
            write!(self.out, " ")?;
            self.pad(10)?;
            write!(self.out, " {:<10}", socket.inode)?;
        }
        self.program(process)?;
        if self.layout.timers {
            self.timer(socket.protocol, &socket.timer)?;
        }
        writeln!(self.out)
    }

    /// Writes the two lines above the UNIX sockets.
    ///
    /// # Errors
    ///
    /// Those of the output.
    pub fn unix_heading(&mut self) -> io::Result<()> {
        writeln!(self.out, "Active UNIX domain sockets ({})", self.scope())?;
        write!(self.out, "Proto RefCnt Flags       Type       State         I-Node  ")?;
        self.program_heading()?;
        writeln!(self.out, " Path")
    }

    /// Writes one UNIX socket. The process is shown when the layout has a column for it.
    ///
    /// # Errors
    ///
    /// Those of the output.
    pub fn unix(&mut self, socket: &UnixSocket, process: Option<&Process>) -> io::Result<()> {
        let UnixSocket { references, inode, .. } = socket;
        self.cell.clear();
        self.cell.push_str("[ ");
        for (bit, mark) in
            [(UnixSocket::ACCEPTS, "ACC "), (UnixSocket::WAITS, "W "), (UnixSocket::NO_SPACE, "N ")]
        {
            if socket.flags & bit != 0 {
                self.cell.push_str(mark);
            }
        }
        self.cell.push(']');
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
        let flags = &self.cell;
        write!(self.out, "unix  {references:<6} {flags:<11} {kind:<10} {state:<13} {inode:<8}")?;
        self.program(process)?;
        self.cell.clear();
        self.cell.extend(harmless(socket.path.as_deref().unwrap_or_default()));
        writeln!(self.out, " {}", self.cell)
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

    fn program_heading(&mut self) -> io::Result<()> {
        if self.layout.programs {
            write!(self.out, " {:<width$}", "PID/Program name", width = PROGRAM + 1)?;
        }
        Ok(())
    }

    /// `PID/name`, cut to its column between two characters; `-` where nobody is known.
    fn program(&mut self, process: Option<&Process>) -> io::Result<()> {
        if !self.layout.programs {
            return Ok(());
        }
        self.cell.clear();
        match process {
            None => self.cell.push('-'),
            Some(process) => {
                push(&mut self.cell, format_args!("{}/", process.pid));
                for char in harmless(process.program()) {
                    if self.cell.len() + char.len_utf8() > PROGRAM {
                        break;
                    }
                    self.cell.push(char);
                }
            }
        }
        write!(self.out, " ")?;
        self.pad(PROGRAM + 1)
    }

    /// Makes the cell `address:port`, cut to the column unless it is wide: the address gives way
    /// to the port.
    fn endpoint(&mut self, protocol: Protocol, end: &Endpoint) {
        let cell = &mut self.cell;
        cell.clear();
        match (self.names.get(Number::Host(end.address)), end.address) {
            (Some(name), _) => cell.extend(harmless(name.as_bytes())),
            (None, IpAddr::V6(any)) if self.layout.naming.hosts && any.is_unspecified() => {
                cell.push_str("[::]");
            }
            (None, number) => address(cell, number),
        }
        let mut split = cell.len();
        match self.names.get(Number::Port(protocol.into(), end.port)) {
            Some(name) => cell.extend(harmless(name.as_bytes())),
            None if end.port == 0 => cell.push('*'),
            None => push(cell, format_args!("{}", end.port)),
        }
        if !self.layout.wide && cell.len() > ENDPOINT {
            cell.truncate(boundary(cell, split + PORT));
            let kept = boundary(cell, split.min(ENDPOINT - (cell.len() - split)));
            cell.replace_range(kept..split, "");
            split = kept;
        }
        cell.insert(split, ':');
    }

    /// ` on (0.20/1/0)`: which timer, its seconds, retransmits and probes.
    fn timer(&mut self, protocol: Protocol, timer: &Timer) -> io::Result<()> {
        let kinds: &[&str] = match protocol {
            Protocol::Tcp => &["off", "on", "keepalive", "timewait", "probe"],
            Protocol::Udp | Protocol::UdpLite | Protocol::Raw => &["off", "on1", "on2"],
        };
        match kinds.get(usize::from(timer.kind)) {
            Some(kind) => write!(self.out, " {kind}")?,
            None => write!(self.out, " unkn-{}", timer.kind)?,
        }
        let retransmits = match protocol {
            Protocol::Udp | Protocol::UdpLite => 0,
            Protocol::Tcp | Protocol::Raw => timer.retransmits,
        };
        #[expect(clippy::cast_precision_loss, reason = "hundredths of a second, for people")]
        let seconds = timer.ticks as f64 / procfs::ticks_per_second() as f64;
        write!(self.out, " ({seconds:.2}/{retransmits}/{})", timer.probes)
    }

    /// Writes the cell and pads it as C does: by bytes, whatever they show.
    fn pad(&mut self, width: usize) -> io::Result<()> {
        let padding = width.saturating_sub(self.cell.len());
        write!(self.out, "{}{:padding$}", self.cell, "")
    }
}

/// The last boundary between characters that is not behind `index`.
fn boundary(text: &str, index: usize) -> usize {
    (0..=index).rev().find(|&index| text.is_char_boundary(index)).unwrap_or(0)
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

/// An address as glibc's `inet_ntop` prints it, but an IPv4-mapped one as IPv4.
fn address(cell: &mut String, address: IpAddr) {
    let IpAddr::V6(ipv6) = address else { return push(cell, format_args!("{address}")) };
    match (ipv6.to_ipv4_mapped(), ipv6.segments()) {
        (Some(mapped), _) => push(cell, format_args!("{mapped}")),
        // IPv4-compatible; Rust prints these in hex.
        (None, [0, 0, 0, 0, 0, 0, high, low]) if high != 0 => {
            let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
            push(cell, format_args!("::{a}.{b}.{c}.{d}"));
        }
        _ => push(cell, format_args!("{ipv6}")),
    }
}

fn push(cell: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = cell.write_fmt(text);
}
