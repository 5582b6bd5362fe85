//! What has become of the sockets from one listing to the next.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use crate::listing::Entry;
use crate::render::table::Mark;
use crate::socket::{Endpoint, Family, Protocol, Socket, UnixSocket};

/// The sockets of now with their marks, and those of before that have gone where they were.
pub(super) fn marked<'a, S, K: Hash + Eq + Clone>(
    before: Option<Vec<Entry<'a, S>>>,
    now: Vec<Entry<'a, S>>,
    key: impl Fn(&Entry<'a, S>) -> K,
) -> Vec<(Entry<'a, S>, Mark)> {
    let Some(before) = before else {
        return now.into_iter().map(|entry| (entry, Mark::Same)).collect();
    };
    let known: HashSet<K> = before.iter().map(&key).collect();
    let there: HashSet<K> = now.iter().map(&key).collect();
    // Those that have gone, by the last socket before them that has not.
    let mut gone: HashMap<Option<K>, Vec<Entry<'a, S>>> = HashMap::new();
    let mut last = None;
    for entry in before {
        let key = key(&entry);
        if there.contains(&key) {
            last = Some(key);
        } else {
            gone.entry(last.clone()).or_default().push(entry);
        }
    }
    let mut all = Vec::with_capacity(now.len());
    let mut closed = |after: Option<K>| {
        let gone = gone.remove(&after).unwrap_or_default();
        gone.into_iter().map(|entry| (entry, Mark::Closed)).collect::<Vec<_>>()
    };
    all.extend(closed(None));
    for entry in now {
        let key = key(&entry);
        all.push((entry, if known.contains(&key) { Mark::Same } else { Mark::New }));
        all.extend(closed(Some(key)));
    }
    all
}

/// What tells an internet socket from others for as long as it is there. A connection keeps its
/// ends when its program has closed it; of servers several can have the same ones.
pub(super) fn internet(entry: &Entry<'_, Socket>) -> InternetKey {
    let Socket { protocol, family, local, remote, inode, .. } = *entry.socket;
    let inode = if remote.port == 0 { inode } else { 0 };
    (namespace(entry), protocol, family, local, remote, inode)
}

pub(super) type InternetKey = (Option<String>, Protocol, Family, Endpoint, Endpoint, u64);

/// The same of a UNIX socket.
pub(super) fn unix(entry: &Entry<'_, UnixSocket>) -> (Option<String>, u64, Option<Box<[u8]>>) {
    (namespace(entry), entry.socket.inode, entry.socket.path.clone())
}

fn namespace<S>(entry: &Entry<'_, S>) -> Option<String> {
    entry.namespace.map(|namespace| namespace.label().into_owned())
}
