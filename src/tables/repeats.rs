//! Rows that the kernel repeated: while a table changes under its reader, a socket can move past
//! the place that was reached and be met again.

use std::collections::HashSet;
use std::hash::Hash;

use crate::socket::{Protocol, Socket, UnixSocket};

/// Drops every row that shows a socket again.
///
/// A socket is known by its table and its inode, where it has one. Several subflows of one MPTCP
/// socket share its inode, so that for tcp the endpoints count as well.
pub(super) fn drop_repeated(sockets: &mut Vec<Socket>) {
    drop_by(
        sockets,
        |socket| socket.inode,
        |socket| {
            let ends = (socket.protocol == Protocol::Tcp).then_some((socket.local, socket.remote));
            (socket.protocol, socket.family, ends)
        },
    );
}

/// Drops every row that shows a UNIX socket again.
///
/// A path may have a newline in it, and behind that a row of its maker's own with the inode of
/// somebody else's socket: such a row must not take that socket's place, whatever it copies.
pub(super) fn drop_repeated_unix(sockets: &mut Vec<UnixSocket>) {
    drop_by(
        sockets,
        |socket| socket.inode,
        |socket| {
            let UnixSocket { kind, state, flags, path, .. } = socket;
            (*kind, *state, *flags, path.clone())
        },
    );
}

fn drop_by<T, K: Hash + Eq>(rows: &mut Vec<T>, inode: impl Fn(&T) -> u64, key: impl Fn(&T) -> K) {
    // Almost always no inode comes twice: only the keys of those that do are compared.
    let mut seen = HashSet::with_capacity(rows.len());
    let twice: HashSet<u64> =
        rows.iter().map(&inode).filter(|&inode| inode != 0 && !seen.insert(inode)).collect();
    if !twice.is_empty() {
        let mut kept = HashSet::new();
        rows.retain(|row| !twice.contains(&inode(row)) || kept.insert((inode(row), key(row))));
    }
}
