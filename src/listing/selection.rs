//! Which sockets of a listing a query selects.

use super::{Entry, Listing};
use crate::owners::{Owner, Owners};
use crate::process::{Pid, Process};
use crate::query::{Candidate, Query};
use crate::socket::Socket;

/// The sockets of a listing that a query selects, which can be others than the query of the listing.
pub struct Selection<'a> {
    query: &'a Query,
    owned: Option<Owned<'a>>,
}

impl<'a> Selection<'a> {
    /// Returns the selection of this query. Without owners in the listing, conditions about owners
    /// have no effect.
    pub fn new(listing: &'a Listing, query: &'a Query) -> Self {
        let owners = listing.owners.as_ref().filter(|_| query.is_about_owners());
        Self { query, owned: owners.map(|owners| Owned::new(query, owners)) }
    }

    /// Returns true if this socket of the listing is selected.
    pub fn includes(&self, entry: &Entry<'_>) -> bool {
        self.query.selects(entry.socket, Some(entry.interfaces))
            && self.owned.as_ref().is_none_or(|owned| owned.includes(entry.socket))
    }
}

/// The sockets whose owners and users a query selects.
pub(super) struct Owned<'a> {
    query: &'a Query,
    owners: &'a Owners,
    wanted: Chosen<'a>,
    excluded: Chosen<'a>,
}

impl<'a> Owned<'a> {
    pub(super) fn new(query: &'a Query, owners: &'a Owners) -> Self {
        let wanted = Chosen::new(query, owners, Query::wants);
        let excluded = Chosen::new(query, owners, Query::excludes);
        Self { query, owners, wanted, excluded }
    }

    pub(super) fn includes(&self, socket: &Socket) -> bool {
        let of_socket = || self.owners.of(socket.inode());
        (!self.query.wants_owner() || of_socket().any(|owner| self.wanted.includes(owner, socket)))
            && !of_socket().any(|owner| self.excluded.includes(owner, socket))
            && self.query.selects_users(socket.user(), &|uid| {
                of_socket().any(|owner| owner.process.uid == Some(uid))
            })
    }

    /// Returns the owners that the query asks for, in order of PID; none if it asks for no owners.
    pub(super) fn into_wanted(self) -> Vec<Pid> {
        if self.query.wants_owner() { self.wanted.pids } else { Vec::new() }
    }
}

/// The owners that a query asks for, or those that it excludes.
struct Chosen<'a> {
    query: &'a Query,
    owners: &'a Owners,
    is_such: fn(&Query, Candidate<'_>) -> bool,
    /// In order.
    pids: Vec<Pid>,
}

impl<'a> Chosen<'a> {
    fn new(
        query: &'a Query,
        owners: &'a Owners,
        is_such: fn(&Query, Candidate<'_>) -> bool,
    ) -> Self {
        let mut chosen = Self { query, owners, is_such, pids: Vec::new() };
        // Skip rnetstat itself: its own command line contains the searched text.
        let others = owners.processes().iter().filter(|&process| !owners.is_own(process));
        let pids = others.filter(|it| chosen.is_chosen(it, it.service.unit.as_deref()));
        chosen.pids = pids.map(|process| process.pid).collect();
        chosen
    }

    fn is_chosen(&self, process: &Process, unit: Option<&str>) -> bool {
        let is_ancestor = self.owners.is_ancestor(process);
        (self.is_such)(self.query, Candidate { process, unit, is_ancestor })
    }

    fn includes(&self, Owner { process, .. }: Owner<'_>, socket: &Socket) -> bool {
        match self.owners.socket_unit(process, socket) {
            None => self.pids.binary_search(&process.pid).is_ok(),
            unit => self.is_chosen(process, unit),
        }
    }
}
