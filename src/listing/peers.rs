//! Finds the socket at the other end of a connection within this host.

use std::collections::HashMap;
use std::net::IpAddr;

use super::{Part, Position};
use crate::socket::{Endpoint, InternetSocket, Protocol, Socket};

/// The connected internet sockets, keyed by protocol and both ends.
#[derive(Debug)]
pub(super) struct Peers(HashMap<Ends, Vec<Position>>);

/// The ends of a connection, as one of its sockets sees them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Ends {
    protocol: Protocol,
    local: Endpoint,
    remote: Endpoint,
}

impl Peers {
    pub(super) fn new(parts: &[Part]) -> Self {
        let mut peers: HashMap<Ends, Vec<Position>> = HashMap::new();
        for (part, sockets) in (0..).zip(parts.iter().map(|part| &part.sockets)) {
            for (index, socket) in (0..).zip(sockets) {
                if let Some(ends) = Ends::of(socket) {
                    peers.entry(ends).or_default().push(Position { part, index });
                }
            }
        }
        Self(peers)
    }

    /// Returns the other end of a socket of this part. Prefers a socket in the same part. Accepts
    /// one in another part if it is the only candidate and no address is local to a namespace.
    pub(super) fn of(&self, part: u32, socket: &Socket) -> Option<Position> {
        let Ends { protocol, local, remote } = Ends::of(socket)?;
        let found = self.0.get(&Ends { protocol, local: remote, remote: local })?;
        let here = found.iter().find(|position| position.part == part);
        let only = match found[..] {
            [only] if ![local, remote].iter().any(|end| is_local(end.address)) => Some(only),
            _ => None,
        };
        here.copied().or(only)
    }
}

impl Ends {
    /// Returns `None` if the socket is not connected. IPv4-mapped addresses become IPv4, because
    /// the other end can be an IPv4 socket.
    fn of(socket: &Socket) -> Option<Self> {
        let InternetSocket { protocol, local, remote, .. } = *match socket {
            Socket::Internet(socket) => socket,
            // Peers of UNIX sockets need no search: netlink gives them.
            Socket::Unix(_) => return None,
        };
        if protocol == Protocol::Raw || remote.port == 0 {
            return None;
        }
        let canonical = |end: Endpoint| Endpoint { address: end.address.to_canonical(), ..end };
        Some(Self { protocol, local: canonical(local), remote: canonical(remote) })
    }
}

/// Returns true for loopback and link-local addresses: each namespace has its own.
fn is_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_loopback() || address.is_link_local(),
        IpAddr::V6(address) => address.is_loopback() || address.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::socket::State;

    /// Returns a part with a socket for each pair of local and remote end.
    fn part(ends: &[(&str, &str)]) -> Part {
        let end = |text: &str| {
            let (address, port) = text.rsplit_once(':').unwrap();
            Endpoint { address: address.parse().unwrap(), port: port.parse().unwrap() }
        };
        let socket = |&(local, remote): &(&str, &str)| {
            let (local, remote, state) = (end(local), end(remote), State::Established);
            Socket::Internet(InternetSocket { local, remote, state, ..InternetSocket::example() })
        };
        Part { namespace: None, sockets: ends.iter().map(socket).collect() }
    }

    /// Returns the part and the index of the other end of each socket.
    fn found(parts: &[Part]) -> Vec<Option<(u32, u32)>> {
        let peers = Peers::new(parts);
        let sockets = (0..)
            .zip(parts)
            .flat_map(|(number, part)| part.sockets.iter().map(move |socket| (number, socket)));
        let found = sockets.map(|(part, socket)| peers.of(part, socket));
        found.map(|found| found.map(|Position { part, index }| (part, index))).collect()
    }

    #[test]
    fn other_end_in_another_namespace_must_be_unambiguous() {
        // Two containers with the same address.
        let inside = [("10.0.2.100:80", "10.0.2.100:5"), ("10.0.2.100:5", "10.0.2.100:80")];
        let expected = [Some((0, 1)), Some((0, 0)), Some((1, 1)), Some((1, 0))];
        assert_eq!(found(&[part(&inside), part(&inside)]), expected);
        let (one, other) = ([("10.0.0.1:5", "10.0.0.2:80")], [("10.0.0.2:80", "10.0.0.1:5")]);
        assert_eq!(found(&[part(&one), part(&other)]), [Some((1, 0)), Some((0, 0))]);
        let two_equal_pairs = [part(&one), part(&other), part(&one), part(&other)];
        assert_eq!(found(&two_equal_pairs), [None; 4]);
        // Each namespace has its own loopback and link-local addresses, so these do not match.
        for (one, other) in [("127.0.0.1:5", "127.0.0.1:80"), ("fe80::1:5", "fe80::2:80")] {
            assert_eq!(found(&[part(&[(one, other)]), part(&[(other, one)])]), [None; 2]);
        }
    }
}
