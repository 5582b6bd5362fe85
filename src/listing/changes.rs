//! Compares a listing with the previous one.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use super::{Entry, Listing};
use crate::socket::{Endpoint, InternetSocket, Kind, SctpEnd, Socket};

/// What has changed about a socket since the previous listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// No change, or no previous listing.
    Same,
    /// It is new.
    New,
    /// It is gone.
    Closed,
}

impl Mark {
    /// The sign of a row.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Same => " ",
            Self::New => "+",
            Self::Closed => "-",
        }
    }

    /// The event in records.
    pub fn event(self) -> Option<&'static str> {
        match self {
            Self::Same => None,
            Self::New => Some("open"),
            Self::Closed => Some("close"),
        }
    }
}

/// Returns the sockets of a listing and those that are gone since the previous one, section by
/// section.
pub fn changes<'a>(before: Option<&'a Listing>, now: &'a Listing) -> Vec<(Entry<'a>, Mark)> {
    let before = before.map(|before| before.entries().collect());
    let mut entries = mark(before, now.entries().collect(), key);
    entries.sort_by_key(|(entry, _)| entry.socket.kind().section());
    entries
}

/// Returns the entries of `now` with their marks, and the closed entries at their former places.
/// Entries with the same `key` are the same.
fn mark<T, K: Hash + Eq + Clone>(
    before: Option<Vec<T>>,
    now: Vec<T>,
    key: impl Fn(&T) -> K,
) -> Vec<(T, Mark)> {
    let Some(before) = before else {
        return now.into_iter().map(|entry| (entry, Mark::Same)).collect();
    };
    let known: HashSet<K> = before.iter().map(&key).collect();
    let present: HashSet<K> = now.iter().map(&key).collect();
    // The closed entries, keyed by the nearest entry before them that is still present.
    let mut closed: HashMap<Option<K>, Vec<T>> = HashMap::new();
    let mut last = None;
    for entry in before {
        let key = key(&entry);
        if present.contains(&key) {
            last = Some(key);
        } else {
            closed.entry(last.clone()).or_default().push(entry);
        }
    }
    let mut all = Vec::with_capacity(now.len());
    let mut closed_after = |key: Option<K>| {
        let closed = closed.remove(&key).unwrap_or_default();
        closed.into_iter().map(|entry| (entry, Mark::Closed)).collect::<Vec<_>>()
    };
    all.extend(closed_after(None));
    for entry in now {
        let key = key(&entry);
        all.push((entry, if known.contains(&key) { Mark::Same } else { Mark::New }));
        all.extend(closed_after(Some(key)));
    }
    all
}

/// The identity of a socket as long as it exists, within its namespace.
///
/// A connection keeps its ends after its program has closed it, but loses its inode. Several
/// servers can have the same ends, so their inodes tell them apart.
#[derive(Clone, PartialEq, Eq, Hash)]
enum SocketKey {
    Internet(Option<NamespaceKey>, Kind, Endpoint, Option<Endpoint>, u64),
    Inode(Option<NamespaceKey>, u64, Option<Box<[u8]>>),
}

/// The identity of a namespace. Several can have the same label, so it is used only if the number is
/// hidden.
#[derive(Clone, PartialEq, Eq, Hash)]
enum NamespaceKey {
    Number(u64),
    Label(String),
}

fn key(entry: &Entry<'_>) -> SocketKey {
    let namespace = entry.namespace.map(|namespace| match namespace.number {
        Some(number) => NamespaceKey::Number(number),
        None => NamespaceKey::Label(namespace.label().into_owned()),
    });
    match entry.socket {
        Socket::Internet(socket) => {
            let InternetSocket { local, remote, inode, .. } = *socket;
            let inode = if remote.port == 0 { inode } else { 0 };
            SocketKey::Internet(namespace, entry.socket.kind(), local, Some(remote), inode)
        }
        Socket::Sctp(socket) => {
            let (local, remote) = (socket.local.first(), socket.remote().map(SctpEnd::first));
            let inode = if remote.is_none() { socket.inode } else { 0 };
            SocketKey::Internet(namespace, entry.socket.kind(), local, remote, inode)
        }
        Socket::Unix(socket) => SocketKey::Inode(namespace, socket.inode, socket.path.clone()),
        Socket::Other(socket) => SocketKey::Inode(namespace, socket.inode, None),
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::listing::{Extent, Listing, Part};
    use crate::namespaces::Namespace;
    use crate::query::Query;
    use crate::socket::SctpSocket;

    #[test]
    fn equal_sockets_in_namespaces_with_the_same_label_are_different() {
        let part = |number| {
            let (names, pids) = (vec!["web".to_owned()], vec![1]);
            let namespace = Namespace { number, names, is_own: false, pids };
            let sockets = vec![Socket::Internet(InternetSocket::example())];
            Part { namespace: Some(namespace), sockets, ..Part::default() }
        };
        let parts = [Some(1), Some(2), Some(2), None].map(part).into();
        let listing =
            Listing::new(parts, None, &Query::default(), Extent::Selected, SystemTime::now());
        let keys: Vec<_> = listing.entries().map(|entry| key(&entry)).collect();
        let [one, two, also_two, unknown] = &keys[..] else { panic!("{} keys", keys.len()) };
        assert!(one != two && two == also_two && two != unknown);
    }

    #[test]
    fn association_keeps_its_identity_when_it_is_closed() {
        let socket = |remote, inode| {
            Socket::Sctp(SctpSocket { inode, ..SctpSocket::at("10.0.0.1,10.0.0.2:9", remote) })
        };
        let remote = Some("10.0.0.3:5");
        let sockets = [socket(remote, 7), socket(remote, 0), socket(None, 7), socket(None, 8)];
        let parts = vec![Part { sockets: sockets.into(), ..Part::default() }];
        let listing =
            Listing::new(parts, None, &Query::default(), Extent::Selected, SystemTime::now());
        let keys: Vec<_> = listing.entries().map(|entry| key(&entry)).collect();
        let [open, closed, server, other] = &keys[..] else { panic!("{} keys", keys.len()) };
        assert!(open == closed && open != server && server != other);
    }

    /// Compares two listings of letters. Puts `+` before a new letter, `-` before a closed one.
    fn marked(before: Option<&str>, now: &str) -> String {
        let before = before.map(|before| before.chars().collect());
        let marked = mark(before, now.chars().collect(), |&letter| letter);
        let sign = |mark| match mark {
            Mark::Same => "",
            Mark::New => "+",
            Mark::Closed => "-",
        };
        let marked = marked.into_iter().map(|(letter, mark)| format!("{}{letter}", sign(mark)));
        marked.collect::<Vec<_>>().concat()
    }

    #[test]
    fn closed_entries_stay_at_their_places() {
        for (before, now, expected) in [
            (None, "abc", "abc"),
            (Some(""), "ab", "+a+b"),
            (Some("abc"), "abc", "abc"),
            (Some("abc"), "ac", "a-bc"),
            (Some("abc"), "bc", "-abc"),
            (Some("abc"), "", "-a-b-c"),
            (Some("abcd"), "ad", "a-b-cd"),
            (Some("abc"), "axc", "a-b+xc"),
            // The order changed.
            (Some("abc"), "cab", "cab"),
            (Some("abc"), "ca", "ca-b"),
        ] {
            assert_eq!(marked(before, now), expected, "{before:?} {now}");
        }
    }
}
