//! The model: a socket as the kernel describes it. Does no I/O.
//!
//! Values are typed: a port is a number, a state an enum. Layouts turn them into text. What all
//! kinds of sockets have is a method of [`Socket`] with one `match` arm per kind, so that the
//! compiler finds each place that a new kind needs.

mod internet;
mod sctp;
mod state;
mod unix;

pub use internet::{Endpoint, Family, InternetSocket, Protocol, Queues, Timer, TimerKind};
pub use sctp::{Association, SctpEnd, SctpSocket, SctpTable};
pub use state::State;
pub use unix::{SocketType, UnixSocket, UnixState};

/// One socket of any kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Socket {
    /// TCP, UDP, UDP-Lite or raw.
    Internet(InternetSocket),
    /// SCTP.
    Sctp(SctpSocket),
    /// `AF_UNIX`.
    Unix(UnixSocket),
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
}

impl Socket {
    /// The kind of this socket.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Internet(socket) => Kind::Internet(socket.protocol, socket.family),
            Self::Sctp(socket) => Kind::Sctp(socket.table()),
            Self::Unix(_) => Kind::Unix,
        }
    }

    /// The inode, as in the links of `/proc/<pid>/fd`; 0 if no process can own the socket.
    pub fn inode(&self) -> u64 {
        match self {
            Self::Internet(socket) => socket.inode,
            Self::Sctp(socket) => socket.inode,
            Self::Unix(socket) => socket.inode,
        }
    }

    /// The user who opened the socket; `None` if it is unknown.
    pub fn user(&self) -> Option<u32> {
        match self {
            Self::Internet(socket) => socket.user(),
            Self::Sctp(socket) => socket.user(),
            Self::Unix(_) => None,
        }
    }

    /// Returns true if a listener can have accepted this connection.
    pub fn can_be_accepted(&self) -> bool {
        match self {
            Self::Internet(InternetSocket { protocol, state, .. }) => {
                let is_connected = !matches!(state, State::Listen | State::SynSent | State::Close);
                *protocol == Protocol::Tcp && is_connected
            }
            Self::Sctp(socket) => socket.association.is_some(),
            Self::Unix(UnixSocket { kind, state, .. }) => {
                *state == UnixState::Connected && *kind != SocketType::Datagram
            }
        }
    }

    /// The bytes in the queues; `None` if the kernel does not show them.
    pub fn queues(&self) -> Option<Queues> {
        match self {
            Self::Internet(socket) => Some(socket.queues),
            Self::Sctp(socket) => socket.association.as_ref().map(|it| it.queues),
            Self::Unix(_) => None,
        }
    }

    /// The state; `None` if the socket has none, like an unconnected UDP socket.
    pub fn state(&self) -> Option<State> {
        match self {
            Self::Internet(socket) => socket.state(),
            Self::Sctp(socket) => Some(socket.state),
            Self::Unix(socket) => socket.state(),
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
        }
    }

    /// The other end; `None` for UNIX sockets and servers of SCTP.
    pub fn remote(&self) -> Option<End<'_>> {
        match self {
            Self::Internet(socket) => Some(End::Internet(socket.protocol, socket.remote)),
            Self::Sctp(socket) => socket.remote().map(End::Sctp),
            Self::Unix(_) => None,
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
}

/// A section of a listing, with its own heading and columns. Variants are in the output's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Section {
    /// Internet sockets.
    Internet,
    /// UNIX sockets.
    Unix,
}

impl Kind {
    /// Every kind, in the order in which netstat lists them.
    pub fn all() -> impl Iterator<Item = Self> + Clone {
        std::iter::successors(Some(Self::Internet(Protocol::Tcp, Family::Ipv4)), |kind| kind.next())
    }

    /// Returns the next kind in netstat's order. One arm per kind, so that none is forgotten.
    fn next(self) -> Option<Self> {
        use Family::{Ipv4, Ipv6};
        use Kind::{Internet, Sctp, Unix};
        use Protocol::{Raw, Tcp, Udp, UdpLite};
        use SctpTable::{Associations, Endpoints};
        Some(match self {
            Internet(protocol, Ipv4) => Internet(protocol, Ipv6),
            Internet(Tcp, Ipv6) => Sctp(Endpoints),
            Sctp(Endpoints) => Sctp(Associations),
            Sctp(Associations) => Internet(Udp, Ipv4),
            Internet(Udp, Ipv6) => Internet(UdpLite, Ipv4),
            Internet(UdpLite, Ipv6) => Internet(Raw, Ipv4),
            Internet(Raw, Ipv6) => Unix,
            Unix => return None,
        })
    }

    /// The section that lists this kind.
    pub const fn section(self) -> Section {
        match self {
            Self::Internet(..) | Self::Sctp(_) => Section::Internet,
            Self::Unix => Section::Unix,
        }
    }

    /// The name of the table, which is its path below `/proc/net`.
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
            Self::Sctp(SctpTable::Endpoints) => "sctp/eps",
            Self::Sctp(SctpTable::Associations) => "sctp/assocs",
            Self::Unix => "unix",
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
            Self::Internet(..) | Self::Unix => self.table().trim_end_matches('6'),
            Self::Sctp(_) => self.name(),
        }
    }

    /// The address family in records; `None` if the protocol has only one, or if the kernel does
    /// not print it.
    pub const fn family_name(self) -> Option<&'static str> {
        match self {
            Self::Internet(_, Family::Ipv4) => Some("ipv4"),
            Self::Internet(_, Family::Ipv6) => Some("ipv6"),
            Self::Sctp(_) | Self::Unix => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_come_in_netstats_order() {
        let names: Vec<_> = Kind::all().map(Kind::name).collect();
        let expected = "tcp tcp6 sctp sctp udp udp6 udpl udpl6 raw raw6 unix";
        assert_eq!(names.join(" "), expected);
    }

    #[test]
    fn other_kinds_do_not_enlarge_internet_sockets() {
        assert_eq!(size_of::<Socket>(), size_of::<InternetSocket>());
    }
}
