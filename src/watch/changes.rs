//! What has become of the sockets from one listing to the next.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use crate::listing::Entry;
use crate::render::table::Mark;
use crate::socket::{Endpoint, Family, InternetSocket, Protocol, Socket};

/// The sockets of now with their marks, and those of before that have gone where they were.
pub(super) fn marked<T, K: Hash + Eq + Clone>(
    before: Option<Vec<T>>,
    now: Vec<T>,
    key: impl Fn(&T) -> K,
) -> Vec<(T, Mark)> {
    let Some(before) = before else {
        return now.into_iter().map(|entry| (entry, Mark::Same)).collect();
    };
    let known: HashSet<K> = before.iter().map(&key).collect();
    let there: HashSet<K> = now.iter().map(&key).collect();
    // Those that have gone, by the last socket before them that has not.
    let mut gone: HashMap<Option<K>, Vec<T>> = HashMap::new();
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

/// What tells a socket from others for as long as it is there. A connection keeps its ends when its
/// program has closed it; of servers several can have the same ones.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) enum Key {
    Internet(Option<String>, Protocol, Family, Endpoint, Endpoint, u64),
    Unix(Option<String>, u64, Option<Box<[u8]>>),
}

pub(super) fn key(entry: &Entry<'_>) -> Key {
    let namespace = entry.namespace.map(|namespace| namespace.label().into_owned());
    match entry.socket {
        Socket::Internet(socket) => {
            let InternetSocket { protocol, family, local, remote, inode, .. } = *socket;
            let inode = if remote.port == 0 { inode } else { 0 };
            Key::Internet(namespace, protocol, family, local, remote, inode)
        }
        Socket::Unix(socket) => Key::Unix(namespace, socket.inode, socket.path.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both listings as letters, and what is shown: `+` before what is new, `-` before what is gone.
    fn shown(before: Option<&str>, now: &str) -> String {
        let before = before.map(|before| before.chars().collect());
        let marked = marked(before, now.chars().collect(), |&letter| letter);
        let sign = |mark| match mark {
            Mark::Same => "",
            Mark::New => "+",
            Mark::Closed => "-",
        };
        let shown = marked.into_iter().map(|(letter, mark)| format!("{}{letter}", sign(mark)));
        shown.collect::<Vec<_>>().concat()
    }

    #[test]
    fn what_has_gone_stays_where_it_was() {
        for (before, now, expected) in [
            (None, "abc", "abc"),
            (Some(""), "ab", "+a+b"),
            (Some("abc"), "abc", "abc"),
            (Some("abc"), "ac", "a-bc"),
            (Some("abc"), "bc", "-abc"),
            (Some("abc"), "", "-a-b-c"),
            (Some("abcd"), "ad", "a-b-cd"),
            (Some("abc"), "axc", "a-b+xc"),
            // However they are put in order meanwhile.
            (Some("abc"), "cab", "cab"),
            (Some("abc"), "ca", "ca-b"),
        ] {
            assert_eq!(shown(before, now), expected, "{before:?} {now}");
        }
    }
}
