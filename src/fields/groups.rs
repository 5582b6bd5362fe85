//! Sockets counted by the values of fields.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::value::Rank;
use super::{Field, Subject, Value};
use crate::listing::{Entry, Listing};

/// Sockets, and the bytes in their queues. The queue of a TCP server counts connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// The number of sockets.
    pub sockets: u64,
    /// The sum of their receive queues.
    pub receive: u64,
    /// The sum of their send queues.
    pub send: u64,
}

impl Sums {
    fn add_socket(&mut self, entry: &Entry<'_>) {
        let queues = [entry.socket.receive_queue(), entry.socket.send_queue()];
        let [receive, send] = queues.map(|queue| queue.unwrap_or(0).into());
        self.add(&Self { sockets: 1, receive, send });
    }

    /// Adds other sums.
    pub fn add(&mut self, more: &Self) {
        self.sockets += more.sockets;
        self.receive = self.receive.saturating_add(more.receive);
        self.send = self.send.saturating_add(more.send);
    }
}

/// The sockets that have the same values.
#[derive(Clone, Debug)]
pub struct Group<'a> {
    /// A value for each key.
    pub values: Vec<Value<'a>>,
    /// The sums of these sockets.
    pub sums: Sums,
}

/// The groups of a listing, the largest first. Groups of the same size are in order of their values.
#[derive(Clone, Debug)]
pub struct Groups<'a> {
    /// The keys.
    pub keys: &'a [&'static Field],
    /// The groups, or the largest of them.
    pub groups: Vec<Group<'a>>,
    /// The sums of the other groups, if there are any.
    pub other: Option<Sums>,
    /// The sums of all groups.
    pub total: Sums,
    /// There is a limit to the groups.
    pub is_limited: bool,
}

impl<'a> Groups<'a> {
    /// Groups the sockets of a listing by these keys. A socket with several owners counts for the one
    /// that the table shows. Keeps at most `most` groups.
    pub fn new(listing: &'a Listing, keys: &'a [&'static Field], most: Option<usize>) -> Self {
        let is_limited = most.is_some();
        let mut groups: Vec<Group<'a>> = Vec::new();
        let mut positions: HashMap<Vec<Rank<'a>>, usize> = HashMap::new();
        let mut total = Sums::default();
        let mut identity = Vec::new();
        for entry in listing.entries() {
            total.add_socket(&entry);
            let subject = Subject::new(entry);
            identity.extend(keys.iter().map(|key| (key.value)(&subject).identity()));
            let position = positions.get(&identity[..]).copied().unwrap_or_else(|| {
                let values = keys.iter().map(|key| (key.value)(&subject)).collect();
                groups.push(Group { values, sums: Sums::default() });
                positions.insert(identity.clone(), groups.len() - 1);
                groups.len() - 1
            });
            if let Some(group) = groups.get_mut(position) {
                group.sums.add_socket(&entry);
            }
            identity.clear();
        }
        let ranks = |group: &Group<'a>| group.values.iter().map(Value::rank).collect::<Vec<_>>();
        let key = |group: &Group<'a>| (Reverse(group.sums.sockets), ranks(group));
        let most = most.unwrap_or(groups.len()).min(groups.len());
        if most < groups.len() {
            groups.select_nth_unstable_by(most, |one, other| {
                let by_size = other.sums.sockets.cmp(&one.sums.sockets);
                by_size.then_with(|| ranks(one).cmp(&ranks(other)))
            });
        }
        let rest = groups.split_off(most);
        groups.sort_by_cached_key(key);
        let other = rest.iter().map(|group| group.sums).reduce(|mut sums, more| {
            sums.add(&more);
            sums
        });
        Self { keys, groups, other, total, is_limited }
    }
}
