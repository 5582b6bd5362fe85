//! Which sockets are asked for, as one predicate over the model.

mod filter;

use crate::socket::{Family, InternetSocket, Protocol, Socket};
pub use filter::{Filter, HeldBy, Network, STATES};

/// Which of the two sorts of sockets are asked for: servers, or those that have a peer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// Sockets with a peer; what netstat shows unless told otherwise.
    Connected,
    /// Sockets without one, `-l`.
    Listening,
    /// Both, `-a`.
    #[default]
    All,
}

/// The sockets that are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// Internet sockets of these protocols.
    pub protocols: Vec<Protocol>,
    /// Internet sockets of these families.
    pub families: Vec<Family>,
    /// UNIX sockets.
    pub unix: bool,
    /// Servers, connections or both.
    pub scope: Scope,
    /// What they must be like.
    pub filter: Filter,
    /// Who must hold them.
    pub held_by: HeldBy,
}

impl Query {
    /// Whether sockets of this protocol and family are asked for at all.
    #[must_use]
    pub fn includes(&self, protocol: Protocol, family: Family) -> bool {
        self.protocols.contains(&protocol) && self.families.contains(&family)
    }

    /// Whether this socket is asked for, whoever holds it.
    #[must_use]
    pub fn selects(&self, socket: &Socket) -> bool {
        let (is_included, is_server) = match socket {
            Socket::Internet(it) => (self.includes(it.protocol, it.family), is_server(it)),
            Socket::Unix(it) => (self.unix, it.is_listening()),
        };
        is_included && self.scope.holds(is_server) && self.filter.passes(socket)
    }

    /// All that may be at the other end of what is asked for.
    #[must_use]
    pub fn with_other_ends(&self) -> Self {
        let Self { protocols, unix, .. } = self.clone();
        // An IPv6 socket can talk IPv4.
        let families = vec![Family::Ipv4, Family::Ipv6];
        Self { protocols, families, unix, ..Self::default() }
    }

    /// Whether not every socket of the sorts that are listed is asked for.
    #[must_use]
    pub fn has_filters(&self) -> bool {
        self.filter != Filter::default() || !self.held_by.is_empty()
    }
}

impl Scope {
    /// Whether servers, or sockets with a peer, are in it.
    fn holds(self, server: bool) -> bool {
        match self {
            Self::All => true,
            Self::Listening => server,
            Self::Connected => !server,
        }
    }
}

/// netstat's test for a socket without a peer: no remote port for tcp, no remote address for the
/// others.
///
/// An IPv4-mapped `0.0.0.0` is an address here, as it is to netstat.
fn is_server(socket: &InternetSocket) -> bool {
    match socket.protocol {
        Protocol::Tcp => socket.remote.port == 0,
        Protocol::Udp | Protocol::UdpLite | Protocol::Raw => socket.remote.address.is_unspecified(),
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

    use super::*;
    use crate::socket::{Endpoint, Queues, State};

    const PEER: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
    const NO_ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

    fn socket(protocol: Protocol, address: IpAddr, port: u16) -> InternetSocket {
        InternetSocket {
            protocol,
            family: Family::Ipv4,
            slot: 0,
            local: Endpoint { address: NO_ADDRESS, port: 1 },
            remote: Endpoint { address, port },
            state: State::Close,
            queues: Queues { receive: 0, send: 0 },
            timer: None,
            uid: 0,
            inode: 1,
            drops: None,
        }
    }

    fn shown(scope: Scope, socket: &InternetSocket) -> bool {
        let socket = Socket::Internet(*socket);
        let protocols = vec![Protocol::Tcp, Protocol::Udp];
        let families = vec![Family::Ipv4];
        Query { protocols, families, scope, ..Query::default() }.selects(&socket)
    }

    #[test]
    fn a_tcp_server_is_a_socket_without_a_remote_port() {
        for address in [NO_ADDRESS, PEER] {
            let server = socket(Protocol::Tcp, address, 0);
            let connection = socket(Protocol::Tcp, address, 443);
            assert!(shown(Scope::Listening, &server) && !shown(Scope::Connected, &server));
            assert!(!shown(Scope::Listening, &connection) && shown(Scope::Connected, &connection));
            assert!(shown(Scope::All, &server) && shown(Scope::All, &connection));
        }
    }

    #[test]
    fn a_udp_server_is_a_socket_without_a_remote_address() {
        for port in [0, 443] {
            let server = socket(Protocol::Udp, NO_ADDRESS, port);
            let connection = socket(Protocol::Udp, PEER, port);
            assert!(shown(Scope::Listening, &server) && !shown(Scope::Connected, &server));
            assert!(!shown(Scope::Listening, &connection) && shown(Scope::Connected, &connection));
        }
        let mapped = socket(Protocol::Udp, Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0).into(), 0);
        assert!(shown(Scope::Connected, &mapped));
    }

    #[test]
    fn other_families_and_protocols_are_not_asked_for() {
        let query = Query {
            protocols: vec![Protocol::Tcp],
            families: vec![Family::Ipv4],
            ..Query::default()
        };
        let tcp = socket(Protocol::Tcp, PEER, 1);
        let selects = |socket| query.selects(&Socket::Internet(socket));
        assert!(selects(tcp));
        assert!(!selects(socket(Protocol::Udp, PEER, 1)));
        assert!(!selects(InternetSocket { family: Family::Ipv6, ..tcp }));
    }
}
