//! Which socket is at the other end of a connection within this host.

use std::collections::HashMap;
use std::net::IpAddr;

use super::{Part, Place};
use crate::socket::{Endpoint, InternetSocket, Protocol};

/// The connected sockets, by their ends.
#[derive(Debug)]
pub(super) struct Peers(HashMap<Ends, Vec<Place>>);

/// What tells a connected socket from others of its namespace, seen from one end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Ends {
    protocol: Protocol,
    local: Endpoint,
    remote: Endpoint,
}

impl Peers {
    pub(super) fn new(parts: &[Part]) -> Self {
        let mut peers: HashMap<Ends, Vec<Place>> = HashMap::new();
        for (part, sockets) in (0..).zip(parts.iter().map(|part| &part.sockets)) {
            for (index, socket) in (0..).zip(sockets) {
                if let Some(ends) = socket.internet().and_then(Ends::of) {
                    peers.entry(ends).or_default().push(Place { part, index });
                }
            }
        }
        Self(peers)
    }

    /// The socket at the other end of one in this part: in the same namespace, or else the only
    /// one in others that have the address from each other, not of their own.
    pub(super) fn of(&self, part: u32, socket: &InternetSocket) -> Option<Place> {
        let Ends { protocol, local, remote } = Ends::of(socket)?;
        let found = self.0.get(&Ends { protocol, local: remote, remote: local })?;
        let here = found.iter().find(|place| place.part == part);
        let alone = match found[..] {
            [place] if ![local, remote].iter().any(|end| is_local(end.address)) => Some(place),
            _ => None,
        };
        here.copied().or(alone)
    }
}

impl Ends {
    /// An end may be IPv4 and the other an IPv6 socket that talks IPv4.
    fn of(socket: &InternetSocket) -> Option<Self> {
        let InternetSocket { protocol, local, remote, .. } = *socket;
        if protocol == Protocol::Raw || remote.port == 0 {
            return None;
        }
        let canonical = |end: Endpoint| Endpoint { address: end.address.to_canonical(), ..end };
        Some(Self { protocol, local: canonical(local), remote: canonical(remote) })
    }
}

/// Whether each namespace has an address of its own like this one.
fn is_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_loopback() || address.is_link_local(),
        IpAddr::V6(address) => address.is_loopback() || address.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::socket::{Family, Queues, Socket, State};

    /// A namespace with connections between these ends.
    fn part(ends: &[(&str, &str)]) -> Part {
        let end = |text: &str| {
            let (address, port) = text.rsplit_once(':').unwrap();
            Endpoint { address: address.parse().unwrap(), port: port.parse().unwrap() }
        };
        let socket = |&(local, remote): &(&str, &str)| {
            Socket::Internet(InternetSocket {
                protocol: Protocol::Tcp,
                family: Family::Ipv4,
                slot: 0,
                local: end(local),
                remote: end(remote),
                state: State::Established,
                queues: Queues { receive: 0, send: 0 },
                timer: None,
                uid: 0,
                inode: 1,
                drops: None,
            })
        };
        Part { namespace: None, sockets: ends.iter().map(socket).collect() }
    }

    /// For each socket where its other end is.
    fn found(parts: &[Part]) -> Vec<Option<(u32, u32)>> {
        let peers = Peers::new(parts);
        let sockets = (0..).zip(parts).flat_map(|(number, part)| {
            part.sockets.iter().filter_map(Socket::internet).map(move |socket| (number, socket))
        });
        let found = sockets.map(|(part, socket)| peers.of(part, socket));
        found.map(|place| place.map(|Place { part, index }| (part, index))).collect()
    }

    #[test]
    fn the_other_end_is_in_the_same_namespace_or_the_only_one_elsewhere() {
        let inside = [("10.0.2.100:80", "10.0.2.100:5"), ("10.0.2.100:5", "10.0.2.100:80")];
        // Two containers that call themselves the same.
        let expected = [Some((0, 1)), Some((0, 0)), Some((1, 1)), Some((1, 0))];
        assert_eq!(found(&[part(&inside), part(&inside)]), expected);
        // A pair of namespaces, and two pairs that nobody can tell apart.
        let (one, other) = ([("10.0.0.1:5", "10.0.0.2:80")], [("10.0.0.2:80", "10.0.0.1:5")]);
        assert_eq!(found(&[part(&one), part(&other)]), [Some((1, 0)), Some((0, 0))]);
        let four = [part(&one), part(&other), part(&one), part(&other)];
        assert_eq!(found(&four), [None; 4]);
        // Each namespace has these for itself.
        for (one, other) in [("127.0.0.1:5", "127.0.0.1:80"), ("fe80::1:5", "fe80::2:80")] {
            assert_eq!(found(&[part(&[(one, other)]), part(&[(other, one)])]), [None; 2]);
        }
    }
}
