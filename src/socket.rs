//! The model: one socket as the kernel describes it. Typed, compact, no I/O.
//!
//! Values stay what they are (a port is a number, a state an enum) until a layout renders them.

use std::net::IpAddr;

/// The transport protocol of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// Transmission Control Protocol.
    Tcp,
    /// User Datagram Protocol.
    Udp,
    /// UDP with a partial checksum, RFC 3828.
    UdpLite,
    /// An IP protocol without a transport of the kernel's; the ports are the protocol's number.
    Raw,
}

/// The address family that a socket was opened with.
///
/// An IPv6 socket that talks IPv4 stays [`Family::Ipv6`]; its addresses are IPv4-mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// `AF_INET`.
    Ipv4,
    /// `AF_INET6`.
    Ipv6,
}

/// One end of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// The address; all zeros where the end is not bound or not connected.
    pub address: IpAddr,
    /// The port; 0 where there is none.
    pub port: u16,
}

/// A socket's state, with the kernel's numbers (`include/net/tcp_states.h`).
///
/// A udp or raw socket is [`Established`](State::Established) when connected and
/// [`Close`](State::Close) otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[expect(missing_docs, reason = "the names are the protocol's own, RFC 9293")]
pub enum State {
    Established = 1,
    SynSent = 2,
    SynRecv = 3,
    FinWait1 = 4,
    FinWait2 = 5,
    TimeWait = 6,
    Close = 7,
    CloseWait = 8,
    LastAck = 9,
    Listen = 10,
    Closing = 11,
    /// A handshake in progress that has no full socket yet.
    NewSynRecv = 12,
}

impl State {
    /// The state with the kernel's number `number`, if there is one.
    #[must_use]
    pub fn from_kernel(number: u8) -> Option<Self> {
        Some(match number {
            1 => Self::Established,
            2 => Self::SynSent,
            3 => Self::SynRecv,
            4 => Self::FinWait1,
            5 => Self::FinWait2,
            6 => Self::TimeWait,
            7 => Self::Close,
            8 => Self::CloseWait,
            9 => Self::LastAck,
            10 => Self::Listen,
            11 => Self::Closing,
            12 => Self::NewSynRecv,
            _ => return None,
        })
    }

    /// The state's name as netstat has it for tcp.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Established => "ESTABLISHED",
            Self::SynSent => "SYN_SENT",
            // netstat has no name for the second and prints what it finds behind its table.
            Self::SynRecv | Self::NewSynRecv => "SYN_RECV",
            Self::FinWait1 => "FIN_WAIT1",
            Self::FinWait2 => "FIN_WAIT2",
            Self::TimeWait => "TIME_WAIT",
            Self::Close => "CLOSE",
            Self::CloseWait => "CLOSE_WAIT",
            Self::LastAck => "LAST_ACK",
            Self::Listen => "LISTEN",
            Self::Closing => "CLOSING",
        }
    }
}

/// Bytes that wait in a socket's queues.
///
/// On a listening tcp socket `receive` counts the connections that wait to be accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Queues {
    /// Received and not yet read by the program.
    pub receive: u32,
    /// Sent by the program and not yet acknowledged by the other end.
    pub send: u32,
}

/// The timer that is pending on a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timer {
    /// Which timer, in the kernel's numbers for tcp: 0 none, 1 retransmission, 2 keepalive,
    /// 3 `TIME_WAIT`, 4 zero-window probe. Other protocols have none.
    pub kind: u8,
    /// When it expires, in clock ticks (`sysconf(_SC_CLK_TCK)`) from the reading of the table.
    pub ticks: u64,
    /// Retransmissions that have not been answered.
    pub retransmits: u32,
    /// Keepalive or zero-window probes that have not been answered.
    pub probes: u32,
}

/// One internet socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InternetSocket {
    /// Its protocol.
    pub protocol: Protocol,
    /// Its address family.
    pub family: Family,
    /// Its place in the kernel's table.
    pub slot: u32,
    /// This host's end.
    pub local: Endpoint,
    /// The other end.
    pub remote: Endpoint,
    /// Its state.
    pub state: State,
    /// What waits in its queues, in bytes.
    pub queues: Queues,
    /// Its timer; none where the source does not tell it.
    pub timer: Option<Timer>,
    /// The user who opened it.
    pub uid: u32,
    /// Its inode, by which processes hold it; 0 where no process can (`TIME_WAIT`, handshakes).
    pub inode: u64,
    /// Received datagrams that were dropped; none where the kernel does not count them.
    pub drops: Option<u32>,
}

impl InternetSocket {
    /// Its state's name; of those that have no states of their own, only the connected have one.
    #[must_use]
    pub fn state_name(&self) -> &'static str {
        match (self.protocol, self.state) {
            (Protocol::Tcp, state) => state.name(),
            (_, State::Established) => State::Established.name(),
            (_, State::Close) => "",
            _ => "UNKNOWN",
        }
    }

    /// The name of its protocol and family, as netstat has it.
    #[must_use]
    pub fn table_name(&self) -> &'static str {
        match (self.protocol, self.family) {
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
}

/// A socket of either sort.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Socket {
    /// TCP, UDP, UDP-Lite or raw.
    Internet(InternetSocket),
    /// `AF_UNIX`.
    Unix(UnixSocket),
}

impl Socket {
    /// Its inode; 0 where no process can hold it.
    #[must_use]
    pub fn inode(&self) -> u64 {
        match self {
            Self::Internet(socket) => socket.inode,
            Self::Unix(socket) => socket.inode,
        }
    }

    /// Its state's name, as netstat has it.
    #[must_use]
    pub fn state_name(&self) -> &'static str {
        match self {
            Self::Internet(socket) => socket.state_name(),
            Self::Unix(socket) => socket.state_name(),
        }
    }

    /// The internet socket, if it is one.
    #[must_use]
    pub fn internet(&self) -> Option<&InternetSocket> {
        match self {
            Self::Internet(socket) => Some(socket),
            Self::Unix(_) => None,
        }
    }

    /// The UNIX socket, if it is one.
    #[must_use]
    pub fn unix(&self) -> Option<&UnixSocket> {
        match self {
            Self::Internet(_) => None,
            Self::Unix(socket) => Some(socket),
        }
    }
}

/// The type of a UNIX socket, with the kernel's numbers (`include/linux/net.h`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are those of socket(2)")]
pub enum SocketType {
    /// Of a connection that waits for a place in its listener's queue.
    None = 0,
    Stream = 1,
    Datagram = 2,
    Raw = 3,
    ReliableDatagram = 4,
    SequentialPacket = 5,
}

impl SocketType {
    /// The type with the kernel's number `number`, if there is one.
    #[must_use]
    pub fn from_kernel(number: u16) -> Option<Self> {
        Some(match number {
            0 => Self::None,
            1 => Self::Stream,
            2 => Self::Datagram,
            3 => Self::Raw,
            4 => Self::ReliableDatagram,
            5 => Self::SequentialPacket,
            _ => return None,
        })
    }

    /// The type's name as netstat has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "UNKNOWN",
            Self::Stream => "STREAM",
            Self::Datagram => "DGRAM",
            Self::Raw => "RAW",
            Self::ReliableDatagram => "RDM",
            Self::SequentialPacket => "SEQPACKET",
        }
    }
}

/// The state of a UNIX socket, with the kernel's numbers (`include/uapi/linux/net.h`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum UnixState {
    Free = 0,
    /// Listening too: see [`UnixSocket::is_listening`].
    Unconnected = 1,
    Connecting = 2,
    Connected = 3,
    Disconnecting = 4,
}

impl UnixState {
    /// The state with the kernel's number `number`, if there is one.
    #[must_use]
    pub fn from_kernel(number: u8) -> Option<Self> {
        Some(match number {
            0 => Self::Free,
            1 => Self::Unconnected,
            2 => Self::Connecting,
            3 => Self::Connected,
            4 => Self::Disconnecting,
            _ => return None,
        })
    }
}

/// One UNIX socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnixSocket {
    /// Users of the socket within the kernel.
    pub references: u32,
    /// Bits of the kernel's, of which [`ACCEPTS`](Self::ACCEPTS) is one.
    pub flags: u32,
    /// Its type.
    pub kind: SocketType,
    /// Its state.
    pub state: UnixState,
    /// Its inode, by which processes hold it; 0 where nobody has accepted it yet.
    pub inode: u64,
    /// What it is bound to: a path, or a name that begins with `@` and is no file. None for most.
    pub path: Option<Box<[u8]>>,
    /// The inode of the socket that it is connected to, 0 if that has none; none where it is not
    /// connected, or the source does not tell.
    pub peer: Option<u64>,
}

impl UnixSocket {
    /// The bit of [`flags`](Self::flags) that says that it accepts connections.
    pub const ACCEPTS: u32 = 1 << 16;
    /// The bit that says that it waits for data; kernels of old set it.
    pub const WAITS: u32 = 1 << 17;
    /// The bit that says that it has no space left; kernels of old set it.
    pub const NO_SPACE: u32 = 1 << 18;

    /// Whether it waits for connections.
    #[must_use]
    pub fn is_listening(&self) -> bool {
        self.state == UnixState::Unconnected && self.flags & Self::ACCEPTS != 0
    }

    /// Its state's name, as netstat has it; none of those that neither listen nor are connected.
    #[must_use]
    pub fn state_name(&self) -> &'static str {
        match self.state {
            UnixState::Free => "FREE",
            UnixState::Unconnected if self.is_listening() => "LISTENING",
            UnixState::Unconnected => "",
            UnixState::Connecting => "CONNECTING",
            UnixState::Connected => "CONNECTED",
            UnixState::Disconnecting => "DISCONNECTING",
        }
    }

    /// The names of the flags that are set, as netstat has them.
    pub fn flag_names(&self) -> impl Iterator<Item = &'static str> {
        let names = [(Self::ACCEPTS, "ACC"), (Self::WAITS, "W"), (Self::NO_SPACE, "N")];
        names.into_iter().filter(|&(bit, _)| self.flags & bit != 0).map(|(_, name)| name)
    }
}
