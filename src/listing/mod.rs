//! The sockets to show, in order. Each comes with its owners, its namespace and its other end.

mod changes;
mod peers;
mod selection;

use std::cmp::Reverse;
use std::sync::Arc;
use std::time::SystemTime;

use crate::interfaces::Interfaces;
use crate::namespaces::Namespace;
use crate::owners::{Owner, Owners};
use crate::process::Pid;
use crate::query::Query;
use crate::socket::{Socket, TcpInfo, TcpInfos};
pub use changes::{Change, Mark, SocketKey, changes, compare};
use peers::Peers;
use selection::Owned;
pub use selection::Selection;

/// The sockets of one network namespace.
#[derive(Debug, Default)]
pub struct Part {
    /// The namespace; `None` if nothing that is shown or sorted needs it.
    pub namespace: Option<Namespace>,
    /// Its sockets.
    pub sockets: Vec<Socket>,
    /// Its network devices; none if no socket is bound to one.
    pub interfaces: Interfaces,
    /// What the kernel tells about its TCP connections; empty if that is not needed.
    pub infos: TcpInfos,
}

/// The position of a socket: the index of its part, and its index in that part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Position {
    part: u32,
    index: u32,
}

/// Which sockets are there to list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Those that the query selects.
    Selected,
    /// Also others.
    Wider,
    /// Also those that can be the other end of a selected socket, which is to be found.
    WithPeers,
}

/// One listing.
#[derive(Debug)]
pub struct Listing {
    parts: Vec<Part>,
    owners: Option<Arc<Owners>>,
    peers: Option<Peers>,
    /// The processes that the owner filter matches, in order of PID; empty without a filter.
    matching: Vec<Pid>,
    positions: Vec<Position>,
    /// When the reading of the tables began.
    pub time: SystemTime,
}

/// A listed socket.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// The socket.
    pub socket: &'a Socket,
    /// Its owners.
    pub owners: SocketOwners<'a>,
    /// The owners of the other end; `None` if it was not found on this host, or not looked for.
    pub peer: Option<SocketOwners<'a>>,
    /// The namespace of the socket, if it is known.
    pub namespace: Option<&'a Namespace>,
    /// The network devices of the namespace.
    pub interfaces: &'a Interfaces,
    infos: &'a TcpInfos,
}

impl<'a> Entry<'a> {
    /// How the connection is doing, if that is needed and known.
    pub fn tcp(&self) -> Option<&'a TcpInfo> {
        match self.socket {
            Socket::Internet(socket) => self.infos.get(socket.facts.tcp?),
            Socket::Sctp(_) | Socket::Unix(_) | Socket::Other(_) => None,
        }
    }
}

/// The owners of one socket.
#[derive(Clone, Copy, Debug)]
pub struct SocketOwners<'a> {
    /// The inode of the socket; 0 if no process can own it.
    pub inode: u64,
    owners: Option<&'a Owners>,
    matching: &'a [Pid],
}

impl<'a> SocketOwners<'a> {
    /// All owners, in order of PID.
    pub fn all(&self) -> impl Iterator<Item = Owner<'a>> + Clone + use<'a> {
        // They are looked up here, not each time that the iterator is cloned.
        self.owners.map(|owners| owners.of(self.inode)).into_iter().flatten()
    }

    /// The first owner that the owner filter matches, else the first owner.
    pub fn first(&self) -> Option<Owner<'a>> {
        let matches = |owner: &Owner<'_>| self.matching.contains(&owner.process.pid);
        let matching = if self.matching.is_empty() { None } else { self.all().find(matches) };
        matching.or_else(|| self.all().next())
    }

    /// Returns the systemd unit of an owner of this socket.
    pub fn unit(&self, owner: Owner<'a>, socket: &Socket) -> Option<&'a str> {
        let of_socket = self.owners?.socket_unit(owner.process, socket);
        of_socket.or(owner.process.service.unit.as_deref())
    }

    /// Returns true if an owner is visible, or if the socket certainly has none.
    pub fn are_known(&self) -> bool {
        self.inode == 0
            || self.owners.is_some_and(Owners::is_complete)
            || self.all().next().is_some()
    }
}

impl Listing {
    /// Lists the sockets that `query` selects, section by section, each in the kernel's order.
    ///
    /// `extent` says which sockets `parts` has. Sockets without a table are only there if they are
    /// asked for.
    pub fn new(
        parts: Vec<Part>,
        owners: Option<Arc<Owners>>,
        query: &Query,
        extent: Extent,
        time: SystemTime,
    ) -> Self {
        let peers = (extent == Extent::WithPeers).then(|| Peers::new(&parts));
        let mut positions = Vec::new();
        for (part, Part { sockets, interfaces, .. }) in (0..).zip(&parts) {
            let selected = (0..).zip(sockets).filter(|(_, socket)| {
                extent == Extent::Selected || query.selects(socket, Some(interfaces))
            });
            positions.extend(selected.map(|(index, _)| Position { part, index }));
        }
        let mut listing = Self { parts, owners, peers, matching: Vec::new(), positions, time };
        if query.is_about_owners() {
            listing.keep_owned(query);
        }
        if listing.parts.len() > 1 {
            listing.sort_by_key(|_| (), false);
        }
        listing
    }

    /// Returns a listing without sockets.
    pub fn empty() -> Self {
        Self::new(Vec::new(), None, &Query::default(), Extent::Selected, SystemTime::now())
    }

    /// Keeps the sockets whose owners and users the query selects.
    fn keep_owned(&mut self, query: &Query) {
        let Some(owners) = &self.owners else { return };
        let owned = Owned::new(query, owners);
        let parts = &self.parts;
        self.positions.retain(|&position| {
            socket_at(parts, position).is_some_and(|socket| owned.includes(socket))
        });
        self.matching = owned.into_wanted();
    }

    /// Sorts the sockets of each section by a key. Sockets with equal keys keep their order.
    pub fn sort_by_key<K: Ord>(&mut self, key: impl Fn(&Entry<'_>) -> K, is_descending: bool) {
        let keyed = |position| {
            let entry = self.entry(position)?;
            Some((entry.socket.kind().section(), key(&entry), position))
        };
        let mut keyed: Vec<_> = self.positions.iter().copied().filter_map(keyed).collect();
        if is_descending {
            keyed.sort_by(|(one, a, _), (other, b, _)| (one, Reverse(a)).cmp(&(other, Reverse(b))));
        } else {
            keyed.sort_by(|(one, a, _), (other, b, _)| (one, a).cmp(&(other, b)));
        }
        let positions = keyed.into_iter().map(|(.., position)| position).collect();
        self.positions = positions;
    }

    /// The listed sockets.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> + Clone {
        self.positions.iter().filter_map(|&position| self.entry(position))
    }

    /// Returns true if no socket is listed.
    pub fn is_empty(&self) -> bool {
        self.positions.is_empty()
    }

    fn entry(&self, position: Position) -> Option<Entry<'_>> {
        let socket = socket_at(&self.parts, position)?;
        let peer = self.peers.as_ref().and_then(|peers| match socket {
            Socket::Internet(_) | Socket::Sctp(_) => {
                Some(socket_at(&self.parts, peers.of(position.part, socket)?)?.inode())
            }
            Socket::Unix(socket) => socket.peer,
            Socket::Other(_) => None,
        });
        let part = self.parts.get(position.part as usize)?;
        Some(Entry {
            socket,
            owners: self.owners_of(socket.inode()),
            peer: peer.map(|inode| self.owners_of(inode)),
            namespace: part.namespace.as_ref(),
            interfaces: &part.interfaces,
            infos: &part.infos,
        })
    }

    fn owners_of(&self, inode: u64) -> SocketOwners<'_> {
        SocketOwners { inode, owners: self.owners.as_deref(), matching: &self.matching }
    }
}

fn socket_at(parts: &[Part], position: Position) -> Option<&Socket> {
    parts.get(position.part as usize)?.sockets.get(position.index as usize)
}
