//! net-tools' own layout, byte for byte, row by row.
//!
//! A value wider than its column pushes what follows it in its own row; nothing is re-aligned.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::net::IpAddr;

use super::harmless;
use crate::process::Process;
use crate::query::Scope;
use crate::socket::{Endpoint, Family, Protocol, Queues, Socket, State};

/// Characters that an address and its port may have together, unless addresses are shown whole.
const ENDPOINT: usize = 22;
/// Bytes that `PID/Program name` may have.
const PROGRAM: usize = 19;

/// Which parts of the layout are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// What the heading says is listed.
    pub scope: Scope,
    /// `-W`: addresses are not cut.
    pub wide: bool,
    /// `-p`: the column with process and program.
    pub programs: bool,
}

/// Writes a listing.
pub struct Table<W> {
    layout: Layout,
    out: W,
    /// The cell that is being made, reused.
    cell: String,
}

impl<W: Write> Table<W> {
    /// Starts a listing with its two lines of heading.
    ///
    /// # Errors
    ///
    /// Those of `out`.
    pub fn new(layout: Layout, mut out: W) -> io::Result<Self> {
        let scope = match layout.scope {
            Scope::All => "servers and established",
            Scope::Listening => "only servers",
            Scope::Connected => "w/o servers",
        };
        writeln!(out, "Active Internet connections ({scope})")?;
        write!(
            out,
            "Proto Recv-Q Send-Q Local Address           Foreign Address         State      "
        )?;
        if layout.programs {
            write!(out, " {:<width$}", "PID/Program name", width = PROGRAM + 1)?;
        }
        writeln!(out)?;
        Ok(Self { layout, out, cell: String::new() })
    }

    /// Writes one row. The process is shown when the layout has a column for it.
    ///
    /// # Errors
    ///
    /// Those of the output.
    pub fn row(&mut self, socket: &Socket, process: Option<&Process>) -> io::Result<()> {
        let Queues { receive, send } = socket.queues;
        write!(self.out, "{:<5} {receive:>6} {send:>6} ", label(socket))?;
        for end in [&socket.local, &socket.remote] {
            self.cell.clear();
            endpoint(&mut self.cell, end, self.layout.wide);
            self.pad(ENDPOINT + 1)?;
            write!(self.out, " ")?;
        }
        write!(self.out, "{:<11}", state(socket))?;
        if self.layout.programs {
            write!(self.out, " ")?;
            self.cell.clear();
            program(&mut self.cell, process);
            self.pad(PROGRAM + 1)?;
        }
        writeln!(self.out)
    }

    /// Writes the cell and pads it as C does: by bytes, whatever they show.
    fn pad(&mut self, width: usize) -> io::Result<()> {
        let padding = width.saturating_sub(self.cell.len());
        write!(self.out, "{}{:padding$}", self.cell, "")
    }

    /// Ends the listing: all of it is with the output.
    ///
    /// # Errors
    ///
    /// Those of the output.
    pub fn finish(mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn label(socket: &Socket) -> &'static str {
    match (socket.protocol, socket.family) {
        (Protocol::Tcp, Family::Ipv4) => "tcp",
        (Protocol::Tcp, Family::Ipv6) => "tcp6",
        (Protocol::Udp, Family::Ipv4) => "udp",
        (Protocol::Udp, Family::Ipv6) => "udp6",
    }
}

fn state(socket: &Socket) -> &'static str {
    match (socket.protocol, socket.state) {
        (_, State::Established) => "ESTABLISHED",
        (Protocol::Udp, State::Close) => "",
        (Protocol::Udp, _) => "UNKNOWN",
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
    }
}

/// `address:port`, cut to the column unless it is `wide`: the address gives way to the port.
fn endpoint(cell: &mut String, end: &Endpoint, wide: bool) {
    address(cell, end.address);
    let mut split = cell.len();
    match end.port {
        0 => cell.push('*'),
        port => push(cell, format_args!("{port}")),
    }
    if !wide && cell.len() > ENDPOINT {
        let kept = ENDPOINT - (cell.len() - split);
        cell.replace_range(kept..split, "");
        split = kept;
    }
    cell.insert(split, ':');
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

/// `PID/name`, cut to the column between two characters; `-` where nobody is known.
fn program(cell: &mut String, process: Option<&Process>) {
    let Some(process) = process else { return cell.push('-') };
    push(cell, format_args!("{}/", process.pid));
    for char in harmless(process.program()) {
        if cell.len() + char.len_utf8() > PROGRAM {
            break;
        }
        cell.push(char);
    }
}

fn push(cell: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = cell.write_fmt(text);
}
