//! Compares a listing with the previous one.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use super::{Entry, Listing};
use crate::socket::{Endpoint, InternetSocket, Kind, SctpEnd, Socket, State};

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

/// A socket of a listing, or one that is gone since the previous listing.
#[derive(Clone, Debug)]
pub struct Change<'a> {
    /// The socket.
    pub entry: Entry<'a>,
    /// What has changed.
    pub mark: Mark,
    /// The identity of the socket.
    pub key: SocketKey,
    /// The same socket in the previous listing.
    pub former: Option<&'a Socket>,
}

impl Change<'_> {
    /// Returns the state in the previous listing, if it was another one.
    pub fn former_state(&self) -> Option<State> {
        let former = self.former?.state();
        former.filter(|state| self.entry.socket.state() != Some(*state))
    }

    /// Returns true if the program seems to be stuck: data waits to be read, or clients to be accepted,
    /// and not less than in the previous listing.
    pub fn is_unread(&self) -> bool {
        let queue = |socket: &Socket| match (socket, socket.state()) {
            // Other states have no program that could read.
            (
                Socket::Internet(_) | Socket::Sctp(_),
                None | Some(State::Established | State::Listen),
            ) => socket.receive_queue().unwrap_or(0),
            _ => 0,
        };
        let (former, now) = (self.former.map_or(0, queue), queue(self.entry.socket));
        self.mark == Mark::Same && former > 0 && now >= former
    }
}

/// Returns the sockets of a listing and those that are gone since the previous one, section by
/// section.
pub fn changes<'a>(before: Option<&'a Listing>, now: &'a Listing) -> Vec<(Entry<'a>, Mark)> {
    compare(before, now).into_iter().map(|it| (it.entry, it.mark)).collect()
}

/// Returns the same as [`changes`], and how to recognize the sockets in later listings.
pub fn compare<'a>(before: Option<&'a Listing>, now: &'a Listing) -> Vec<Change<'a>> {
    let now: Vec<_> = now.entries().map(|entry| (entry, key(&entry))).collect();
    let before = before.map(|before| before.entries().map(|it| (it, key(&it))).collect::<Vec<_>>());
    if let Some(before) = &before
        && before.len() == now.len()
        && before.iter().zip(&now).all(|((_, one), (_, other))| one == other)
    {
        return unchanged(before, now);
    }
    let (before, now) = match before {
        Some(before) => {
            let marked = with_inodes(&now, &before);
            (Some(with_inodes(&before, &now)), marked)
        }
        None => (None, now),
    };
    let sockets: HashMap<SocketKey, &'a Socket> =
        before.iter().flatten().map(|(entry, key)| (key.clone(), entry.socket)).collect();
    let entries = mark(before, now, |(_, key)| key.clone());
    let change = |((entry, key), mark): ((Entry<'a>, SocketKey), Mark)| {
        let former = sockets.get(&key).copied();
        Change { entry, mark, key, former }
    };
    let mut changes: Vec<_> = entries.into_iter().map(change).collect();
    changes.sort_by_key(|change| change.entry.socket.kind().section());
    changes
}

/// Returns the sockets of `now`, which are those of `before` in the same order.
fn unchanged<'a>(
    before: &[(Entry<'a>, SocketKey)],
    now: Vec<(Entry<'a>, SocketKey)>,
) -> Vec<Change<'a>> {
    let pairs = before.iter().zip(now);
    let mut changes: Vec<_> = pairs
        .map(|((before, _), (entry, key))| Change {
            entry,
            mark: Mark::Same,
            key,
            former: Some(before.socket),
        })
        .collect();
    changes.sort_by_key(|change| change.entry.socket.kind().section());
    changes
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

/// Returns the sockets with their keys. A socket without an inode has that of a socket of the other
/// listing with the same ends: a connection has none before it is accepted, nor after its program has
/// closed it.
fn with_inodes<'a>(
    sockets: &[(Entry<'a>, SocketKey)],
    other: &[(Entry<'_>, SocketKey)],
) -> Vec<(Entry<'a>, SocketKey)> {
    let known: HashMap<_, _> = other
        .iter()
        .filter(|(entry, _)| entry.socket.inode() != 0)
        .filter_map(|(entry, key)| Some((key.without_inode()?, entry.socket.inode())))
        .collect();
    let found = sockets.iter().map(|(entry, key)| match key.without_inode() {
        Some(ends) if entry.socket.inode() == 0 => {
            let inode = known.get(&ends).copied().unwrap_or(0);
            (*entry, ends.with_inode(inode))
        }
        _ => (*entry, key.clone()),
    });
    found.collect()
}

/// The identity of a socket as long as it exists, within its namespace. Several sockets can have the
/// same ends, so their inodes tell them apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SocketKey(KeyKind);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum KeyKind {
    Internet(Option<NamespaceKey>, Kind, Endpoint, Option<Endpoint>, u64),
    Inode(Option<NamespaceKey>, u64, Option<Box<[u8]>>),
}

impl SocketKey {
    /// Returns true if this is a socket with the same ends, and one of both has no inode, as before a
    /// connection is accepted.
    pub fn may_be(&self, other: &Self) -> bool {
        let lacks_inode = |key: &Self| matches!(key.0, KeyKind::Internet(.., 0));
        (lacks_inode(self) || lacks_inode(other))
            && self.without_inode().is_some()
            && self.without_inode() == other.without_inode()
    }

    /// Returns the key of a socket with the same ends and without an inode; `None` for a socket without
    /// ends.
    fn without_inode(&self) -> Option<Self> {
        match &self.0 {
            KeyKind::Internet(namespace, kind, local, remote, _) => {
                Some(Self(KeyKind::Internet(namespace.clone(), *kind, *local, *remote, 0)))
            }
            KeyKind::Inode(..) => None,
        }
    }

    fn with_inode(mut self, number: u64) -> Self {
        match &mut self.0 {
            KeyKind::Internet(.., inode) | KeyKind::Inode(_, inode, _) => *inode = number,
        }
        self
    }
}

/// The identity of a namespace. Several can have the same label, so it is used only if the number is
/// hidden.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum NamespaceKey {
    Number(u64),
    Label(String),
}

fn key(entry: &Entry<'_>) -> SocketKey {
    let namespace = entry.namespace.map(|namespace| match namespace.number {
        Some(number) => NamespaceKey::Number(number),
        None => NamespaceKey::Label(namespace.label().into_owned()),
    });
    SocketKey(match entry.socket {
        Socket::Internet(socket) => {
            let InternetSocket { local, remote, inode, .. } = *socket;
            KeyKind::Internet(namespace, entry.socket.kind(), local, Some(remote), inode)
        }
        Socket::Sctp(socket) => {
            let (local, remote) = (socket.local.first(), socket.remote().map(SctpEnd::first));
            KeyKind::Internet(namespace, entry.socket.kind(), local, remote, socket.inode)
        }
        Socket::Unix(socket) => KeyKind::Inode(namespace, socket.inode, socket.path.clone()),
        Socket::Other(socket) => KeyKind::Inode(namespace, socket.inode, None),
    })
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::listing::{Extent, Listing, Part};
    use crate::namespaces::Namespace;
    use crate::query::Query;
    use crate::socket::{Queues, SctpSocket};

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

    /// Returns the marks between a listing of the first sockets and one of the others.
    fn marks(before: Vec<Socket>, now: Vec<Socket>) -> String {
        let [before, now] = [before, now].map(|sockets| {
            let parts = vec![Part { sockets, ..Part::default() }];
            let query = Query::default();
            Listing::new(parts, None, &query, Extent::Selected, SystemTime::now())
        });
        changes(Some(&before), &now).iter().map(|(_, mark)| mark.sign()).collect()
    }

    #[test]
    fn connection_keeps_its_identity_until_it_has_another_inode() {
        let remote = Endpoint { port: 9, ..InternetSocket::example().remote };
        let tcp =
            |inode| Socket::Internet(InternetSocket { remote, inode, ..InternetSocket::example() });
        let sctp = |inode| {
            let ends = SctpSocket::at("10.0.0.1,10.0.0.2:9", Some("10.0.0.3:5"));
            Socket::Sctp(SctpSocket { inode, ..ends })
        };
        for socket in [&tcp as &dyn Fn(u64) -> Socket, &sctp] {
            assert_eq!(marks(vec![socket(7)], vec![socket(7)]), " ");
            // Its program has closed it, or has accepted it.
            assert_eq!(marks(vec![socket(7)], vec![socket(0)]), " ");
            assert_eq!(marks(vec![socket(0)], vec![socket(7)]), " ");
            // A new connection has the same ports.
            let mut signs: Vec<_> = marks(vec![socket(7)], vec![socket(8)]).chars().collect();
            signs.sort_unstable();
            assert_eq!(signs, ['+', '-']);
            // Several sockets have the same ends.
            assert_eq!(marks(vec![socket(7), socket(8)], vec![socket(8)]), "- ");
        }
        let server = |inode| Socket::Sctp(SctpSocket { inode, ..SctpSocket::at("::1:9", None) });
        assert_eq!(marks(vec![server(7), server(8)], vec![server(7)]), " -");
    }

    #[test]
    fn former_state_is_that_of_the_same_socket() {
        let listing = |state, inode| {
            let socket = InternetSocket { state, inode, ..InternetSocket::example() };
            let parts = vec![Part { sockets: vec![Socket::Internet(socket)], ..Part::default() }];
            let query = Query::default();
            Listing::new(parts, None, &query, Extent::Selected, SystemTime::now())
        };
        let before = listing(State::Established, 7);
        let former = |now: &Listing| -> Vec<_> {
            compare(Some(&before), now).iter().map(Change::former_state).collect()
        };
        assert_eq!(former(&listing(State::CloseWait, 7)), [Some(State::Established)]);
        // The connection has no inode any more.
        assert_eq!(former(&listing(State::FinWait2, 0)), [Some(State::Established)]);
        assert_eq!(former(&listing(State::Established, 7)), [None]);
        assert_eq!(former(&listing(State::CloseWait, 8)), [None, None]);
    }

    #[test]
    fn queue_is_unread_if_it_does_not_shrink() {
        let listing = |state, receive| {
            let queues = Queues { receive, ..InternetSocket::example().queues };
            let socket = InternetSocket { state, queues, ..InternetSocket::example() };
            let parts = vec![Part { sockets: vec![Socket::Internet(socket)], ..Part::default() }];
            let query = Query::default();
            Listing::new(parts, None, &query, Extent::Selected, SystemTime::now())
        };
        let is_unread = |state, before, now| {
            let (before, now) = (listing(state, before), listing(state, now));
            compare(Some(&before), &now)[0].is_unread()
        };
        for state in [State::Established, State::Listen] {
            assert!(is_unread(state, 10, 10) && is_unread(state, 10, 11), "{state:?}");
            assert!(!is_unread(state, 10, 9) && !is_unread(state, 0, 10), "{state:?}");
        }
        assert!(!is_unread(State::FinWait2, 10, 10));
        let now = listing(State::Established, 10);
        assert!(!compare(None, &now)[0].is_unread());
    }

    #[test]
    fn key_with_an_inode_may_be_the_same_socket_without_one() {
        let of = |inode, port| {
            let local = Endpoint { port, ..InternetSocket::example().local };
            let socket = InternetSocket { local, inode, ..InternetSocket::example() };
            let parts = vec![Part { sockets: vec![Socket::Internet(socket)], ..Part::default() }];
            let query = Query::default();
            let listing = Listing::new(parts, None, &query, Extent::Selected, SystemTime::now());
            listing.entries().map(|entry| key(&entry)).next().unwrap()
        };
        assert!(of(7, 1).may_be(&of(0, 1)) && of(0, 1).may_be(&of(7, 1)));
        assert!(!of(7, 1).may_be(&of(8, 1)) && !of(7, 1).may_be(&of(0, 2)));
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
