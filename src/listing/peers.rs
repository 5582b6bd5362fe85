//! Which socket is at the other end of a connection within this host.

use std::collections::HashMap;
use std::net::IpAddr;

use super::{Part, Place};
use crate::socket::{Endpoint, Protocol, Socket};

/// The connected sockets, by their ends.
#[derive(Debug)]
pub(super) struct Peers(HashMap<Ends, Place>);

/// What tells a connected socket from others, seen from one end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Ends {
    /// Of addresses that mean something else in each namespace, the namespace's place.
    part: Option<u32>,
    protocol: Protocol,
    local: Endpoint,
    remote: Endpoint,
}

impl Peers {
    pub(super) fn new(parts: &[Part]) -> Self {
        let mut peers = HashMap::new();
        for (part, sockets) in (0..).zip(parts.iter().map(|part| &part.sockets.internet)) {
            for (index, socket) in (0..).zip(sockets) {
                if let Some(ends) = Ends::of(part, socket) {
                    peers.entry(ends).or_insert(Place { part, index });
                }
            }
        }
        Self(peers)
    }

    /// The socket at the other end of one in this part.
    pub(super) fn of(&self, part: u32, socket: &Socket) -> Option<Place> {
        let Ends { part, protocol, local, remote } = Ends::of(part, socket)?;
        self.0.get(&Ends { part, protocol, local: remote, remote: local }).copied()
    }
}

impl Ends {
    /// An end may be IPv4 and the other an IPv6 socket that talks IPv4.
    fn of(part: u32, socket: &Socket) -> Option<Self> {
        let Socket { protocol, local, remote, .. } = *socket;
        if protocol == Protocol::Raw || remote.port == 0 {
            return None;
        }
        let canonical = |end: Endpoint| Endpoint { address: end.address.to_canonical(), ..end };
        let (local, remote) = (canonical(local), canonical(remote));
        let part = [local.address, remote.address].into_iter().any(is_local).then_some(part);
        Some(Self { part, protocol, local, remote })
    }
}

/// Whether each namespace has an address of its own like this one.
fn is_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_loopback() || address.is_link_local(),
        IpAddr::V6(address) => address.is_loopback() || address.is_unicast_link_local(),
    }
}
