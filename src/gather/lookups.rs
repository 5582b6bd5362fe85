//! Looks up the names in listings and in counts.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::Gatherer;
use crate::fields::{Groups, Needs, Value};
use crate::listing::{Entry, Listing, SocketOwners};
use crate::names::{Missing, Naming, Number};
use crate::remark::{Remark, Sink};
use crate::request::Request;
use crate::socket::{End, Socket};

impl Gatherer<'_> {
    /// Looks up the names in a listing. Waits at most `--resolve-timeout`, and no longer than `--wait`.
    pub fn look_up(&mut self, listing: &Listing, remark: Sink<'_>) {
        let timeout = timeout(self.request, self.end);
        let missing = self.look_up_within(timeout, listing);
        self.report(missing, timeout, remark);
    }

    /// Looks up the names in counts of sockets. Waits at most `--resolve-timeout`.
    pub fn look_up_groups(&mut self, groups: &Groups<'_>, remark: Sink<'_>) {
        let naming = self.naming;
        let values = groups.groups.iter().flat_map(|group| &group.values);
        let numbers = values.flat_map(|value| match value {
            Value::Address(end) | Value::End(end) => of_end(Some(*end), naming).collect(),
            Value::User(uid) if naming.users => vec![Number::User(*uid)],
            _ => Vec::new(),
        });
        let timeout = timeout(self.request, self.end);
        let missing = self.names.look_up(numbers, timeout);
        self.report(missing, timeout, remark);
    }

    /// Reports the names that are missing, unless they were missing from the previous listing.
    fn report(&mut self, Missing { late, failures }: Missing, timeout: Duration, remark: Sink<'_>) {
        if late > self.late {
            remark(Remark::NamesTooLate { count: late, timeout });
        }
        self.late = late;
        // In the live view, failures are shown as long as they last.
        if let Some(failures) = failures.filter(|failures| failures.are_new) {
            remark(failures.into());
        }
    }

    /// Looks up the names in a listing. Waits at most this long; the next listing has the answers
    /// that come later.
    pub fn look_up_within(&mut self, timeout: Duration, listing: &Listing) -> Missing {
        let naming = self.naming;
        if naming == Naming::default() {
            return Missing::default();
        }
        let shows_process_users = naming.users && self.needs.include(Needs::PROCESS_USERS);
        let process_users = |owners: Option<SocketOwners<'_>>| -> Vec<Number> {
            let owners = owners.filter(|_| shows_process_users);
            let all = owners.into_iter().flat_map(|owners| owners.all());
            all.filter_map(|owner| Some(Number::User(owner.process.uid?))).collect()
        };
        let numbers = listing.entries().flat_map(|entry| {
            let users = process_users(Some(entry.owners)).into_iter();
            let users = users.chain(process_users(entry.peer));
            numbers(&entry, naming).chain(users)
        });
        self.names.look_up(numbers, timeout)
    }
}

/// Returns the time for look-ups, if everything ends at `end`.
pub(super) fn timeout(request: &Request, end: Option<Instant>) -> Duration {
    let left = end.map(|end| end.saturating_duration_since(Instant::now()));
    request.resolve_timeout.min(left.unwrap_or(Duration::MAX))
}

/// Returns the numbers of a socket that are shown by name.
fn numbers<'a>(entry: &Entry<'a>, naming: Naming) -> impl Iterator<Item = Number> + use<'a> {
    let ends = [entry.socket.local(), entry.socket.remote()];
    // netstat's layout also shows users that are not certain.
    let user = match entry.socket {
        Socket::Internet(socket) => naming.users.then_some(Number::User(socket.uid)),
        Socket::Sctp(socket) => naming.users.then_some(Number::User(socket.uid)),
        Socket::Unix(_) => None,
        Socket::Other(socket) => socket.uid.filter(|_| naming.users).map(Number::User),
    };
    ends.into_iter().flat_map(move |end| of_end(end, naming)).chain(user)
}

/// Returns the numbers of an end that are shown by name.
fn of_end(end: Option<End<'_>>, naming: Naming) -> impl Iterator<Item = Number> + use<'_> {
    let host = |is_wanted: bool, address: IpAddr| {
        (is_wanted && !address.is_unspecified()).then_some(Number::Host(address))
    };
    let (first, others): (_, &[IpAddr]) = match end {
        Some(End::Internet(protocol, end)) => {
            let port = naming.ports && end.port != 0;
            let port = port.then(|| Number::port(protocol, end.port));
            ([host(naming.hosts, end.address), port], &[])
        }
        // netstat shows ports of SCTP as numbers.
        Some(End::Sctp(end)) => ([host(naming.sctp_hosts, end.address), None], &end.others),
        Some(End::Path(_) | End::Other(_)) | None => ([None, None], &[]),
    };
    let others = others.iter().map(move |&it| host(naming.sctp_hosts, it));
    first.into_iter().chain(others).flatten()
}
