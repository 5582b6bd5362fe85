//! What is to be shown: sockets in their order, each with who holds it, where it is and who is at
//! its other end. Whoever gathers it fills it; layouts only look at it.

mod peers;
mod sort;

use std::time::SystemTime;

use crate::namespaces::Namespace;
use crate::owners::{Holding, Owners};
use crate::process::{Pid, Process};
use crate::query::Query;
use crate::socket::Socket;
use peers::Peers;
pub use sort::{Key, Order};

/// The sockets of one network namespace.
#[derive(Debug)]
pub struct Part {
    /// Which one, if that was asked for or is of use to the layout.
    pub namespace: Option<Namespace>,
    /// Its sockets.
    pub sockets: Vec<Socket>,
}

/// Where a socket is: its part, and its place there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Place {
    part: u32,
    index: u32,
}

/// One listing.
#[derive(Debug)]
pub struct Listing {
    parts: Vec<Part>,
    owners: Option<Owners>,
    peers: Option<Peers>,
    /// Processes that were asked for, in order of their numbers; none where any will do.
    named: Vec<Pid>,
    places: Vec<Place>,
    /// When it was begun.
    pub time: SystemTime,
}

/// What is known of a socket.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// The socket itself.
    pub socket: &'a Socket,
    /// Who holds it.
    pub held: Held<'a>,
    /// Who holds the socket at its other end; none where that is not on this host, or not looked
    /// for.
    pub peer: Option<Held<'a>>,
    /// The namespace that it is in, if that is known.
    pub namespace: Option<&'a Namespace>,
}

/// Who holds a socket.
#[derive(Clone, Copy, Debug)]
pub struct Held<'a> {
    /// The socket's inode; 0 where no process can hold it.
    pub inode: u64,
    owners: Option<&'a Owners>,
    named: &'a [Pid],
}

impl<'a> Held<'a> {
    /// Every process that holds it, with its descriptors, in order of PID.
    pub fn all(&self) -> impl Iterator<Item = Holding<'a>> + use<'a> {
        let inode = self.inode;
        self.owners.into_iter().flat_map(move |owners| owners.holdings(inode))
    }

    /// The one to show where there is room for one: the first, or the first that was asked for.
    #[must_use]
    pub fn first(&self) -> Option<Holding<'a>> {
        let is_named = |holding: &Holding<'_>| self.named.contains(&holding.process.pid);
        let named = if self.named.is_empty() { None } else { self.all().find(is_named) };
        named.or_else(|| self.all().next())
    }

    /// The process of [`first`](Self::first).
    #[must_use]
    pub fn process(&self) -> Option<&'a Process> {
        self.first().map(|holding| holding.process)
    }

    /// Whether it is known that there are no other holders than [`all`](Self::all).
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.inode == 0
            || self.owners.is_some_and(Owners::is_complete)
            || self.all().next().is_some()
    }
}

impl Listing {
    /// The sockets that `query` asks for, with their owners where they were looked for, and in
    /// this order. With `peers` there are others among them, of which some are the other ends of
    /// those that are asked for.
    #[must_use]
    pub fn new(
        parts: Vec<Part>,
        owners: Option<Owners>,
        query: &Query,
        order: &Order,
        peers: bool,
        time: SystemTime,
    ) -> Self {
        let peers = peers.then(|| Peers::new(&parts));
        // Without other ends there is nothing that is not asked for.
        let all = peers.is_none();
        let mut places = places(&parts, |socket| all || query.selects(socket));
        if parts.len() > 1 {
            let is_unix =
                |place: &Place| socket_at(&parts, *place).is_some_and(|it| it.unix().is_some());
            places.sort_by_key(is_unix);
        }
        let mut listing = Self { parts, owners, peers, named: Vec::new(), places, time };
        if !query.held_by.is_empty() {
            listing.keep_held_by(query);
        }
        listing.sort(order);
        listing
    }

    fn keep_held_by(&mut self, query: &Query) {
        let processes = self.owners.as_ref().map(Owners::processes).unwrap_or_default();
        // Whoever looks for a program has its name in the own command line.
        let is_own = |process: &Process| self.owners.as_ref().is_some_and(|it| it.is_own(process));
        let named = processes.iter().filter(|process| {
            let is_meant = query.held_by.programs.is_empty() || !is_own(process);
            is_meant && query.held_by.passes(process)
        });
        let named: Vec<Pid> = named.map(|process| process.pid).collect();
        let is_named = |held: Held<'_>| {
            held.all().any(|holding| named.binary_search(&holding.process.pid).is_ok())
        };
        let is_kept = |&place: &Place| {
            socket_at(&self.parts, place).is_some_and(|it| is_named(self.held(it.inode())))
        };
        let places = self.places.iter().copied().filter(is_kept).collect();
        (self.named, self.places) = (named, places);
    }

    /// Its sockets: internet sockets, and then UNIX sockets.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        self.places.iter().filter_map(|&place| {
            let socket = socket_at(&self.parts, place)?;
            let peers = self.peers.as_ref();
            let peer = peers.and_then(|peers| match socket {
                Socket::Internet(socket) => {
                    Some(socket_at(&self.parts, peers.of(place.part, socket)?)?.inode())
                }
                Socket::Unix(socket) => socket.peer,
            });
            Some(Entry {
                socket,
                held: self.held(socket.inode()),
                peer: peer.map(|inode| self.held(inode)),
                namespace: self.parts.get(place.part as usize)?.namespace.as_ref(),
            })
        })
    }

    /// Whether there is nothing to show.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    fn held(&self, inode: u64) -> Held<'_> {
        Held { inode, owners: self.owners.as_ref(), named: &self.named }
    }
}

fn socket_at(parts: &[Part], place: Place) -> Option<&Socket> {
    parts.get(place.part as usize)?.sockets.get(place.index as usize)
}

/// The places of the sockets that are selected.
fn places(parts: &[Part], selects: impl Fn(&Socket) -> bool) -> Vec<Place> {
    let mut places = Vec::new();
    for (part, sockets) in (0..).zip(parts.iter().map(|part| &part.sockets)) {
        let selected = (0..).zip(sockets).filter(|(_, socket)| selects(socket));
        places.extend(selected.map(|(index, _)| Place { part, index }));
    }
    places
}
