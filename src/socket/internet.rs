//! Internet sockets: TCP, UDP, UDP-Lite, raw, ping and MPTCP.

use std::net::IpAddr;

use super::{Facts, State};

/// The transport protocol of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// Transmission Control Protocol.
    Tcp,
    /// User Datagram Protocol.
    Udp,
    /// UDP with a partial checksum, RFC 3828.
    UdpLite,
    /// Raw IP. The local port is the number of the IP protocol.
    Raw,
    /// ICMP echo, which every user may send (`man 7 icmp`, `ping_group_range`). The local port is
    /// the identifier of the echo.
    Icmp,
    /// Multipath TCP, RFC 8684. Each of its subflows is a TCP socket with the same inode.
    Mptcp,
}

/// The address family that a socket was opened with.
///
/// An IPv6 socket with an IPv4 peer is [`Family::Ipv6`]; its addresses are IPv4-mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// `AF_INET`.
    Ipv4,
    /// `AF_INET6`.
    Ipv6,
}

/// An address and a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint {
    /// The address; all zeros if the end is not bound or not connected.
    pub address: IpAddr,
    /// The port; 0 if there is none.
    pub port: u16,
}

/// Bytes that wait in the queues of a socket.
///
/// On a listening TCP socket `receive` counts the connections that wait to be accepted.
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
    /// The purpose of the timer.
    pub kind: TimerKind,
    /// Clock ticks (`sysconf(_SC_CLK_TCK)`) from the reading of the table to the expiry; 0 if no timer
    /// is pending.
    pub ticks: u64,
    /// Unanswered retransmissions.
    pub retransmits: u32,
    /// Unanswered keepalive or zero-window probes.
    pub probes: u32,
}

/// The purpose of a timer, with the number of the kernel in column `tr` (`net/ipv4/tcp_ipv4.c`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimerKind {
    /// 0: no timer is pending.
    Off,
    /// 1: retransmission.
    Retransmit,
    /// 2: keepalive.
    Keepalive,
    /// 3: end of `TIME_WAIT`.
    TimeWait,
    /// 4: zero-window probe.
    Probe,
    /// Any other number.
    Other(u8),
}

impl TimerKind {
    /// Returns the kind with this number of the kernel.
    pub fn from_kernel(number: u8) -> Self {
        use TimerKind::{Keepalive, Off, Other, Probe, Retransmit, TimeWait};
        let kinds = [Off, Retransmit, Keepalive, TimeWait, Probe];
        kinds.get(usize::from(number)).copied().unwrap_or(Other(number))
    }

    /// The kernel's number.
    pub fn number(self) -> u8 {
        match self {
            Self::Off => 0,
            Self::Retransmit => 1,
            Self::Keepalive => 2,
            Self::TimeWait => 3,
            Self::Probe => 4,
            Self::Other(number) => number,
        }
    }
}

/// An internet socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InternetSocket {
    /// The transport protocol.
    pub protocol: Protocol,
    /// The address family.
    pub family: Family,
    /// The end on this host.
    pub local: Endpoint,
    /// The other end.
    pub remote: Endpoint,
    /// The kernel's state. A UDP or raw socket is [`State::Established`] when connected and
    /// [`State::Close`] otherwise. [`State::Unset`] if a system that is not Linux gives none.
    pub state: State,
    /// The bytes in the queues.
    pub queues: Queues,
    /// The pending timer; `None` if the source does not give it.
    pub timer: Option<Timer>,
    /// The user who opened the socket, as the kernel prints it: 0 also if it is unknown.
    pub uid: u32,
    /// The inode, as in `/proc/<pid>/fd`; 0 if no process can own it (`TIME_WAIT`, handshakes).
    pub inode: u64,
    /// Received datagrams that were dropped; `None` if the kernel does not count them, as for TCP, or
    /// before Linux 2.6.27.
    pub drops: Option<u32>,
    /// What only netlink tells.
    pub facts: Facts,
}

impl Protocol {
    /// Returns true if sockets have the states of TCP.
    pub const fn has_states(self) -> bool {
        matches!(self, Self::Tcp | Self::Mptcp)
    }

    /// Returns true if ports can belong to services.
    pub const fn has_services(self) -> bool {
        !matches!(self, Self::Raw | Self::Icmp)
    }

    /// Returns true if ends have ports, which belong to programs. Those of ping sockets are the
    /// identifiers of their messages.
    pub const fn has_ports(self) -> bool {
        !matches!(self, Self::Raw)
    }
}

impl InternetSocket {
    /// The state as netstat shows it; `None` for a UDP or raw socket that is not connected, and for a
    /// TCP socket without a state.
    pub fn state(&self) -> Option<State> {
        match (self.protocol, self.state) {
            (Protocol::Tcp | Protocol::Mptcp, State::Unset) => None,
            (Protocol::Tcp | Protocol::Mptcp, state) => Some(state),
            (_, State::Established) => Some(State::Established),
            (_, State::Close) => None,
            _ => Some(State::Unknown),
        }
    }

    /// The user who opened the socket; `None` if it is unknown. The kernel prints 0 for a connection
    /// that its program has closed or not accepted yet. Such a connection has no inode either. A
    /// handshake has no inode, but the user of its listener.
    pub fn user(&self) -> Option<u32> {
        let is_handshake = matches!(self.state, State::SynRecv | State::NewSynRecv);
        (self.uid != 0 || self.inode != 0 || is_handshake).then_some(self.uid)
    }
}

#[cfg(test)]
impl InternetSocket {
    /// A listening TCP socket at 127.0.0.1:5000.
    pub(crate) fn example() -> Self {
        use std::net::Ipv4Addr;
        Self {
            protocol: Protocol::Tcp,
            family: Family::Ipv4,
            local: Endpoint { address: Ipv4Addr::LOCALHOST.into(), port: 5000 },
            remote: Endpoint { address: Ipv4Addr::UNSPECIFIED.into(), port: 0 },
            state: State::Listen,
            queues: Queues { receive: 0, send: 0 },
            timer: None,
            uid: 0,
            inode: 1,
            drops: None,
            facts: Facts::default(),
        }
    }
}
