//! Decides which sockets are listed: one predicate over [`Socket`].

mod condition;
mod network;

use crate::interfaces::Interfaces;
use crate::process::{Container, Process};
use crate::socket::{Kind, OtherKind, Protocol, Section, Socket, State};
pub use condition::{Asked, AskedCondition, Candidate, Condition, Ports, Side, Values};
pub use network::Network;

/// Servers, the other sockets, or all. `is_server` has the definition of a server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// All sockets but servers, as netstat lists them by default.
    Connected,
    /// Servers, `-l`.
    Listening,
    /// All sockets, `-a`.
    #[default]
    All,
}

/// The sockets to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// Sockets of these kinds.
    pub kinds: Vec<Kind>,
    /// Servers, the other sockets, or all.
    pub scope: Scope,
    /// TCP sockets that are bound, but neither listen nor are connected, are selected too.
    pub bound: bool,
    /// The kernel's own netlink sockets are selected too.
    pub kernel: bool,
    /// The conditions that must all be met.
    pub conditions: Vec<Condition>,
}

impl Query {
    /// Returns true if sockets of this kind are selected.
    pub fn includes(&self, kind: Kind) -> bool {
        self.kinds.contains(&kind)
    }

    /// The sections of the selected kinds, in order.
    pub fn sections(&self) -> Vec<Section> {
        let mut sections: Vec<_> = self.kinds.iter().map(|kind| kind.section()).collect();
        sections.sort_unstable();
        sections.dedup();
        sections
    }

    /// Returns true if this socket is selected. Its owners are not considered, and its network device
    /// only if `devices` has the devices of its namespace.
    pub fn selects(&self, socket: &Socket, devices: Option<&Interfaces>) -> bool {
        self.includes(socket.kind())
            && (self.kernel || !is_kernels(socket))
            && self.scope.includes(socket)
            && self.conditions.iter().all(|condition| condition.can_pass(socket, devices))
    }

    /// The names of the network devices that the conditions are about.
    pub fn devices(&self) -> impl Iterator<Item = &str> {
        self.conditions.iter().flat_map(Condition::devices)
    }

    /// Returns the query for all sockets.
    pub fn all() -> Self {
        Self { kinds: Kind::all().collect(), bound: true, kernel: true, ..Self::default() }
    }

    /// Returns the query for all sockets that can be the other end of a selected socket.
    #[must_use]
    pub fn with_other_ends(&self) -> Self {
        // An IPv6 socket can be connected to an IPv4 socket.
        let is_like = |one: Kind, other: &Kind| match (one, *other) {
            (Kind::Internet(one, _), Kind::Internet(other, _)) => one == other,
            (one, other) => one == other,
        };
        let can_be_peer = |&kind: &Kind| self.kinds.iter().any(|other| is_like(kind, other));
        Self { kinds: Kind::all().filter(can_be_peer).collect(), ..Self::default() }
    }

    /// Returns true if the owners of a socket decide whether it is selected.
    pub fn is_about_owners(&self) -> bool {
        self.conditions.iter().any(|it| it.is_about_owners() || matches!(it, Condition::Users(_)))
    }

    /// Returns true if a socket without owners is not selected.
    pub fn wants_owner(&self) -> bool {
        self.conditions.iter().any(Condition::wants_owner)
    }

    /// Returns true if a socket with this owner can be selected: the owner has a wanted value of
    /// each condition.
    pub fn wants(&self, owner: Candidate<'_>) -> bool {
        self.conditions.iter().all(|it| it.verdict(owner).is_wanted)
    }

    /// Returns true if no socket with this owner is selected.
    pub fn excludes(&self, owner: Candidate<'_>) -> bool {
        self.conditions.iter().any(|it| it.verdict(owner).is_excluded)
    }

    /// Returns a value of `--container` that is the beginning of the identifiers of several
    /// containers of these processes, and those identifiers.
    pub fn ambiguous_container(&self, processes: &[Process]) -> Option<(&str, Vec<String>)> {
        let wanted = self.conditions.iter().filter_map(|condition| match condition {
            Condition::Containers(containers) => Some(containers.all()),
            _ => None,
        });
        wanted.flatten().find_map(|wanted| {
            let containers = processes.iter().filter_map(|it| it.service.container.as_ref());
            let begun = containers.filter(|it| it.id.starts_with(wanted) && !it.is_called(wanted));
            let mut begun: Vec<_> = begun.collect();
            begun.sort_unstable_by_key(|container| &container.id);
            begun.dedup_by_key(|container| &container.id);
            let is_short = begun.is_sorted_by(|one, other| one.short_id() < other.short_id());
            let id = |it: &&Container| if is_short { it.short_id() } else { &it.id }.to_owned();
            (begun.len() > 1).then(|| (wanted.as_str(), begun.iter().map(id).collect()))
        })
    }

    /// Returns true if the conditions about users are met by a socket that this user opened.
    /// `has_owner` tells whether an owner runs as a user.
    pub fn selects_users(&self, opener: Option<u32>, has_owner: &dyn Fn(u32) -> bool) -> bool {
        self.conditions.iter().all(|it| it.passes_users(opener, has_owner))
    }
}

impl Scope {
    /// Returns true if the scope has this socket.
    pub(crate) fn includes(self, socket: &Socket) -> bool {
        // A socket that is only bound is neither.
        let is_bound = || socket.state() == Some(State::Bound);
        match self {
            Self::All => true,
            Self::Listening => is_server(socket) && !is_bound(),
            Self::Connected => !is_server(socket) && !is_bound(),
        }
    }
}

/// Returns true if netstat regards this socket as a server: a UNIX socket that listens, an SCTP
/// socket that is no association, a TCP socket without a remote port, or another socket without a
/// remote address. To netstat, an IPv4-mapped `0.0.0.0` is an address.
fn is_server(socket: &Socket) -> bool {
    match socket {
        Socket::Internet(socket) => match socket.protocol {
            Protocol::Tcp | Protocol::Mptcp => socket.remote.port == 0,
            Protocol::Udp | Protocol::UdpLite | Protocol::Raw | Protocol::Icmp => {
                socket.remote.address.is_unspecified()
            }
        },
        Socket::Sctp(socket) => socket.association.is_none(),
        Socket::Unix(socket) => socket.is_listening(),
        Socket::Other(socket) => socket.remote.is_none(),
    }
}

/// Returns true for the netlink sockets of the kernel itself. It has one for each protocol.
fn is_kernels(socket: &Socket) -> bool {
    socket.kind() == Kind::Other(OtherKind::Netlink) && socket.inode() == 0
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

    use super::*;
    use crate::socket::{Endpoint, Family, InternetSocket};

    const PEER: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
    const NO_ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

    fn socket(protocol: Protocol, address: IpAddr, port: u16) -> InternetSocket {
        let remote = Endpoint { address, port };
        InternetSocket { protocol, remote, ..InternetSocket::example() }
    }

    fn is_shown(scope: Scope, socket: &InternetSocket) -> bool {
        let socket = Socket::Internet(*socket);
        Query { kinds: vec![socket.kind()], scope, ..Query::default() }.selects(&socket, None)
    }

    #[test]
    fn tcp_socket_without_remote_port_is_a_server() {
        for address in [NO_ADDRESS, PEER] {
            let server = socket(Protocol::Tcp, address, 0);
            let connection = socket(Protocol::Tcp, address, 443);
            assert!(is_shown(Scope::Listening, &server) && !is_shown(Scope::Connected, &server));
            assert!(!is_shown(Scope::Listening, &connection));
            assert!(is_shown(Scope::Connected, &connection));
            assert!(is_shown(Scope::All, &server) && is_shown(Scope::All, &connection));
        }
    }

    #[test]
    fn udp_socket_without_remote_address_is_a_server() {
        for port in [0, 443] {
            let server = socket(Protocol::Udp, NO_ADDRESS, port);
            let connection = socket(Protocol::Udp, PEER, port);
            assert!(is_shown(Scope::Listening, &server) && !is_shown(Scope::Connected, &server));
            assert!(!is_shown(Scope::Listening, &connection));
            assert!(is_shown(Scope::Connected, &connection));
        }
        let mapped = socket(Protocol::Udp, Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0).into(), 0);
        assert!(is_shown(Scope::Connected, &mapped));
    }

    #[test]
    fn sockets_of_kinds_outside_the_query_are_not_selected() {
        let tcp = socket(Protocol::Tcp, PEER, 1);
        let kinds = vec![Kind::Internet(Protocol::Tcp, Family::Ipv4)];
        let query = Query { kinds, ..Query::default() };
        let selects = |socket| query.selects(&Socket::Internet(socket), None);
        assert!(selects(tcp));
        assert!(!selects(socket(Protocol::Udp, PEER, 1)));
        assert!(!selects(InternetSocket { family: Family::Ipv6, ..tcp }));
    }

    #[test]
    fn other_end_can_have_the_other_address_family() {
        let tcp = |family| Kind::Internet(Protocol::Tcp, family);
        for (kinds, expected) in [
            (vec![tcp(Family::Ipv6)], vec![tcp(Family::Ipv4), tcp(Family::Ipv6)]),
            (vec![Kind::Unix], vec![Kind::Unix]),
        ] {
            assert_eq!(Query { kinds, ..Query::default() }.with_other_ends().kinds, expected);
        }
    }
}
