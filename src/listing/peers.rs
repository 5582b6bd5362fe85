//! Finds the socket at the other end of a connection within this host.

use std::collections::HashMap;
use std::iter;
use std::net::IpAddr;

use super::{Part, Position};
use crate::socket::{Endpoint, Protocol, SctpEnd, Socket};

/// The connected internet sockets, keyed by protocol and both ends.
#[derive(Debug)]
pub(super) struct Peers(HashMap<Ends, Vec<Position>>);

/// The ends of a connection, as one of its sockets sees them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Ends {
    /// `None` for SCTP.
    protocol: Option<Protocol>,
    local: Endpoint,
    remote: Endpoint,
}

impl Peers {
    pub(super) fn new(parts: &[Part]) -> Self {
        let mut peers: HashMap<Ends, Vec<Position>> = HashMap::new();
        for (part, sockets) in (0..).zip(parts.iter().map(|part| &part.sockets)) {
            for (index, socket) in (0..).zip(sockets) {
                for ends in Ends::of(socket) {
                    peers.entry(ends).or_default().push(Position { part, index });
                }
            }
        }
        Self(peers)
    }

    /// Returns the other end of a socket of this part. Prefers a socket in the same part. Accepts
    /// one in another part if it is the only candidate and no address is local to a namespace.
    pub(super) fn of(&self, part: u32, socket: &Socket) -> Option<Position> {
        let candidates = || {
            Ends::of(socket).filter_map(|Ends { protocol, local, remote }| {
                let other = Ends { protocol, local: remote, remote: local };
                Some((other, self.0.get(&other)?))
            })
        };
        let here = |(_, found): (Ends, &Vec<Position>)| {
            found.iter().find(|position| position.part == part).copied()
        };
        let only = |(ends, found): (Ends, &Vec<Position>)| match found[..] {
            [only] if ![ends.local, ends.remote].iter().any(|end| is_local(end.address)) => {
                Some(only)
            }
            _ => None,
        };
        candidates().find_map(here).or_else(|| candidates().find_map(only))
    }
}

impl Ends {
    /// Returns nothing if the socket is not connected. IPv4-mapped addresses become IPv4, because
    /// the other end can be an IPv4 socket.
    ///
    /// An SCTP socket has one item for each of its addresses, with the first address of the other
    /// end. Each end knows at least the addresses of the other one that are listed first.
    fn of(socket: &Socket) -> impl Iterator<Item = Self> {
        let ends = match socket {
            Socket::Internet(it) if !it.protocol.has_ports() || it.remote.port == 0 => None,
            Socket::Internet(it) => Some((Some(it.protocol), it.local, &[][..], it.remote)),
            Socket::Sctp(it) => {
                let SctpEnd { others, .. } = &it.local;
                it.remote().map(|remote| (None, it.local.first(), &**others, remote.first()))
            }
            // Peers of UNIX sockets need no search: netlink gives them.
            Socket::Unix(_) | Socket::Other(_) => None,
        };
        let canonical = |end: Endpoint| Endpoint { address: end.address.to_canonical(), ..end };
        ends.into_iter().flat_map(move |(protocol, first, others, remote)| {
            let others = others.iter().map(move |&address| Endpoint { address, ..first });
            iter::once(first).chain(others).map(move |local| {
                let (local, remote) = (canonical(local), canonical(remote));
                Self { protocol, local, remote }
            })
        })
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
    use crate::socket::{InternetSocket, SctpSocket, State};

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
        Part { sockets: ends.iter().map(socket).collect(), ..Part::default() }
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

    #[test]
    fn other_end_of_an_association_has_the_address_listed_first_among_its_own() {
        let server = Some("10.0.0.3,10.0.0.4:9");
        let sockets = [
            ("10.0.0.1,10.0.0.2:5", server),
            ("10.0.0.5:5", server),
            ("10.0.0.4,10.0.0.3:9", Some("10.0.0.2,10.0.0.1:5")),
            ("10.0.0.4,10.0.0.3:9", None),
        ];
        let sockets = sockets.map(|(local, remote)| Socket::Sctp(SctpSocket::at(local, remote)));
        let part = Part { sockets: sockets.into(), ..Part::default() };
        assert_eq!(found(&[part]), [Some((0, 2)), None, Some((0, 0)), None]);
    }
}
