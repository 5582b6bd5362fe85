//! The model: a socket as the kernel describes it. Does no I/O.
//!
//! Values are typed: a port is a number, a state an enum. Layouts turn them into text. What all
//! kinds of sockets have is a method of [`Socket`] with one `match` arm per kind, so that the
//! compiler finds each place that a new kind needs.

use std::num::NonZeroU32;

mod internet;
mod other;
mod sctp;
mod state;
mod tcp;
mod unix;

pub use internet::{Endpoint, Family, InternetSocket, Protocol, Queues, Timer, TimerKind};
pub use other::{OtherEnd, OtherKind, OtherSocket};
pub use sctp::{Association, SctpEnd, SctpSocket, SctpTable};
pub use state::State;
pub use tcp::{Facts, TcpInfo, TcpInfos, TcpPlace};
pub use unix::{SocketType, UnixSocket, UnixState};

/// One socket of any kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Socket {
    /// TCP, UDP, UDP-Lite, raw, ping or MPTCP.
    Internet(InternetSocket),
    /// SCTP.
    Sctp(SctpSocket),
    /// `AF_UNIX`.
    Unix(UnixSocket),
    /// Any other socket.
    Other(Box<OtherSocket>),
}

/// One end of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End<'a> {
    /// An IP address and a port, with the protocol that the port belongs to.
    Internet(Protocol, Endpoint),
    /// Several IP addresses and a port.
    Sctp(&'a SctpEnd),
    /// The path or abstract name that a UNIX socket is bound to.
    Path(&'a [u8]),
    /// An end of a socket of another family.
    Other(&'a OtherEnd),
}

impl Socket {
    /// The kind of this socket.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Internet(socket) => Kind::Internet(socket.protocol, socket.family),
            Self::Sctp(socket) => Kind::Sctp(socket.table()),
            Self::Unix(_) => Kind::Unix,
            Self::Other(socket) => Kind::Other(socket.kind),
        }
    }

    /// The inode, as in the links of `/proc/<pid>/fd`; 0 if no process can own the socket.
    pub fn inode(&self) -> u64 {
        match self {
            Self::Internet(socket) => socket.inode,
            Self::Sctp(socket) => socket.inode,
            Self::Unix(socket) => socket.inode,
            Self::Other(socket) => socket.inode,
        }
    }

    /// The user who opened the socket; `None` if it is unknown.
    pub fn user(&self) -> Option<u32> {
        match self {
            Self::Internet(socket) => socket.user(),
            Self::Sctp(socket) => socket.user(),
            Self::Unix(_) => None,
            Self::Other(socket) => socket.uid,
        }
    }

    /// Returns true if a listener can have accepted this connection.
    pub fn can_be_accepted(&self) -> bool {
        match self {
            Self::Internet(InternetSocket { protocol, state, .. }) => {
                use State::{Bound, Close, Listen, SynSent};
                let is_connected = !matches!(state, Bound | Close | Listen | SynSent);
                protocol.has_states() && is_connected
            }
            Self::Sctp(socket) => socket.association.is_some(),
            Self::Unix(UnixSocket { kind, state, .. }) => {
                *state == UnixState::Connected && *kind != SocketType::Datagram
            }
            Self::Other(socket) => socket.remote.is_some(),
        }
    }

    /// The data that waits for the program: bytes for TCP, the memory of datagrams for UDP. `None` if the
    /// kernel does not tell.
    pub fn receive_queue(&self) -> Option<u32> {
        match self {
            Self::Internet(socket) => Some(socket.queues.receive),
            Self::Sctp(socket) => Some(socket.association.as_ref()?.queues.receive),
            Self::Unix(_) => None,
            Self::Other(socket) => socket.receive,
        }
    }

    /// Returns true for a TCP server with as many waiting connections as it lets wait. One always can
    /// wait, also with a limit of 0.
    pub fn has_full_queue(&self) -> bool {
        match self {
            Self::Internet(socket) => {
                let limit = socket.facts.backlog.map(|limit| limit.max(1));
                limit.is_some_and(|limit| socket.queues.receive >= limit)
            }
            Self::Sctp(_) | Self::Unix(_) | Self::Other(_) => false,
        }
    }

    /// The data that the kernel has not sent, or, for TCP, that the other end has not acknowledged. `None`
    /// if the kernel does not tell.
    pub fn send_queue(&self) -> Option<u32> {
        match self {
            Self::Internet(socket) => Some(socket.queues.send),
            Self::Sctp(socket) => Some(socket.association.as_ref()?.queues.send),
            Self::Unix(_) => None,
            Self::Other(socket) => socket.send,
        }
    }

    /// The index of the network device that the socket is bound to; `None` if it is bound to none, or
    /// if the source does not tell.
    pub fn interface(&self) -> Option<u32> {
        match self {
            Self::Internet(socket) => socket.facts.interface.map(NonZeroU32::get),
            Self::Sctp(_) | Self::Unix(_) => None,
            Self::Other(socket) => socket.interface,
        }
    }

    /// Received datagrams that were dropped; `None` if the kernel does not tell.
    pub fn drops(&self) -> Option<u32> {
        match self {
            Self::Internet(socket) => socket.drops,
            Self::Sctp(_) | Self::Unix(_) => None,
            Self::Other(socket) => socket.drops,
        }
    }

    /// The state; `None` if the socket has none, like an unconnected UDP socket.
    pub fn state(&self) -> Option<State> {
        match self {
            Self::Internet(socket) => socket.state(),
            Self::Sctp(socket) => Some(socket.state),
            Self::Unix(socket) => socket.state(),
            Self::Other(socket) => socket.state,
        }
    }

    /// The end on this host; `None` for a UNIX socket without a name.
    pub fn local(&self) -> Option<End<'_>> {
        match self {
            Self::Internet(socket) => Some(End::Internet(socket.protocol, socket.local)),
            Self::Sctp(socket) => Some(End::Sctp(&socket.local)),
            Self::Unix(socket) => {
                socket.path.as_deref().filter(|path| !path.is_empty()).map(End::Path)
            }
            Self::Other(socket) => socket.local.as_ref().map(End::Other),
        }
    }

    /// The other end; `None` for UNIX sockets and servers of SCTP.
    pub fn remote(&self) -> Option<End<'_>> {
        match self {
            Self::Internet(socket) => Some(End::Internet(socket.protocol, socket.remote)),
            Self::Sctp(socket) => socket.remote().map(End::Sctp),
            Self::Unix(_) => None,
            Self::Other(socket) => socket.remote.as_ref().map(End::Other),
        }
    }
}

/// The kind of a socket. The kernel has one table for each kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// An internet socket.
    Internet(Protocol, Family),
    /// An SCTP socket. Its addresses can be of both families.
    Sctp(SctpTable),
    /// A UNIX socket.
    Unix,
    /// Any other socket.
    Other(OtherKind),
}

/// A section of a listing, with its own heading and columns. Variants are in the output's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Section {
    /// Internet sockets.
    Internet,
    /// UNIX sockets.
    Unix,
    /// All other sockets.
    Other,
}

impl Kind {
    /// Every kind, in the order in which netstat lists them.
    pub fn all() -> impl Iterator<Item = Self> + Clone {
        std::iter::successors(Some(Self::Internet(Protocol::Tcp, Family::Ipv4)), |kind| kind.next())
    }

    /// Returns the next kind in netstat's order. One arm per kind, so that none is forgotten.
    fn next(self) -> Option<Self> {
        use Family::{Ipv4, Ipv6};
        use Kind::{Internet, Other, Sctp, Unix};
        use OtherKind::{Generic, Netlink, Packet, Vsock};
        use Protocol::{Icmp, Mptcp, Raw, Tcp, Udp, UdpLite};
        use SctpTable::{Associations, Endpoints};
        Some(match self {
            Internet(protocol, Ipv4) => Internet(protocol, Ipv6),
            Internet(Tcp, Ipv6) => Internet(Mptcp, Ipv4),
            Internet(Mptcp, Ipv6) => Sctp(Endpoints),
            Sctp(Endpoints) => Sctp(Associations),
            Sctp(Associations) => Internet(Udp, Ipv4),
            Internet(Udp, Ipv6) => Internet(UdpLite, Ipv4),
            Internet(UdpLite, Ipv6) => Internet(Raw, Ipv4),
            Internet(Raw, Ipv6) => Internet(Icmp, Ipv4),
            Internet(Icmp, Ipv6) => Unix,
            Unix => Other(Packet),
            Other(Packet) => Other(Netlink),
            Other(Netlink) => Other(Vsock),
            Other(Vsock) => Other(Generic),
            Other(Generic) => return None,
        })
    }

    /// Returns true if netstat lists this kind.
    pub const fn is_netstats(self) -> bool {
        !matches!(self, Self::Internet(Protocol::Icmp | Protocol::Mptcp, _) | Self::Other(_))
    }

    /// The section that lists this kind.
    pub const fn section(self) -> Section {
        match self {
            Self::Internet(..) | Self::Sctp(_) => Section::Internet,
            Self::Unix => Section::Unix,
            Self::Other(_) => Section::Other,
        }
    }

    /// The name of the table: if there is a text, its path below `/proc/net`.
    pub const fn table(self) -> &'static str {
        match self {
            Self::Internet(Protocol::Tcp, Family::Ipv4) => "tcp",
            Self::Internet(Protocol::Tcp, Family::Ipv6) => "tcp6",
            Self::Internet(Protocol::Udp, Family::Ipv4) => "udp",
            Self::Internet(Protocol::Udp, Family::Ipv6) => "udp6",
            Self::Internet(Protocol::UdpLite, Family::Ipv4) => "udplite",
            Self::Internet(Protocol::UdpLite, Family::Ipv6) => "udplite6",
            Self::Internet(Protocol::Raw, Family::Ipv4) => "raw",
            Self::Internet(Protocol::Raw, Family::Ipv6) => "raw6",
            Self::Internet(Protocol::Icmp, Family::Ipv4) => "icmp",
            Self::Internet(Protocol::Icmp, Family::Ipv6) => "icmp6",
            Self::Internet(Protocol::Mptcp, Family::Ipv4) => "mptcp",
            Self::Internet(Protocol::Mptcp, Family::Ipv6) => "mptcp6",
            Self::Sctp(SctpTable::Endpoints) => "sctp/eps",
            Self::Sctp(SctpTable::Associations) => "sctp/assocs",
            Self::Unix => "unix",
            Self::Other(OtherKind::Packet) => "packet",
            Self::Other(OtherKind::Netlink) => "netlink",
            Self::Other(OtherKind::Vsock) => "vsock",
            Self::Other(OtherKind::Generic) => "other",
        }
    }

    /// The name in netstat's column Proto.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Internet(Protocol::UdpLite, Family::Ipv4) => "udpl",
            Self::Internet(Protocol::UdpLite, Family::Ipv6) => "udpl6",
            Self::Sctp(_) => "sctp",
            other => other.table(),
        }
    }

    /// The protocol in records: the name of the table without the family.
    pub fn protocol_name(self) -> &'static str {
        match self {
            Self::Internet(..) | Self::Unix | Self::Other(_) => self.table().trim_end_matches('6'),
            Self::Sctp(_) => self.name(),
        }
    }

    /// The address family in records; `None` if the protocol has only one, or if the kernel does
    /// not print it.
    pub const fn family_name(self) -> Option<&'static str> {
        match self {
            Self::Internet(_, Family::Ipv4) => Some("ipv4"),
            Self::Internet(_, Family::Ipv6) => Some("ipv6"),
            Self::Sctp(_) | Self::Unix | Self::Other(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_come_in_netstats_order() {
        let names: Vec<_> = Kind::all().map(Kind::name).collect();
        let expected = "tcp tcp6 mptcp mptcp6 sctp sctp udp udp6 udpl udpl6 raw raw6 icmp icmp6 \
                        unix packet netlink vsock other";
        assert_eq!(names.join(" "), expected);
    }

    #[test]
    fn other_kinds_do_not_enlarge_internet_sockets() {
        assert_eq!(size_of::<Socket>(), size_of::<InternetSocket>());
    }
}
