//! Rows that the kernel repeated: while a table changes under its reader, a socket can move past
//! the place that was reached and be met again.

use std::collections::HashSet;

use crate::socket::{Endpoint, Family, Protocol, Socket, SocketType, UnixSocket, UnixState};

/// What tells a row from others with its inode.
///
/// Several subflows of one MPTCP socket share its inode, so that for tcp the endpoints count as
/// well. A path may have a newline in it, and behind that a row of its maker's own with the inode of
/// somebody else's socket: such a row must not take that socket's place, whatever it copies.
#[derive(PartialEq, Eq, Hash)]
enum Key {
    Internet(Protocol, Family, Option<(Endpoint, Endpoint)>),
    Unix(SocketType, UnixState, u32, Option<Box<[u8]>>),
}

fn key(socket: &Socket) -> Key {
    match socket {
        Socket::Internet(it) => {
            let ends = (it.protocol == Protocol::Tcp).then_some((it.local, it.remote));
            Key::Internet(it.protocol, it.family, ends)
        }
        Socket::Unix(UnixSocket { kind, state, flags, path, .. }) => {
            Key::Unix(*kind, *state, *flags, path.clone())
        }
    }
}

/// Drops every row that shows a socket again.
pub(super) fn drop_repeated(rows: &mut Vec<Socket>) {
    // Almost always no inode comes twice: only the keys of those that do are compared.
    let mut seen = HashSet::with_capacity(rows.len());
    let inodes = rows.iter().map(Socket::inode);
    let twice: HashSet<u64> = inodes.filter(|&inode| inode != 0 && !seen.insert(inode)).collect();
    if !twice.is_empty() {
        let mut kept = HashSet::new();
        rows.retain(|row| !twice.contains(&row.inode()) || kept.insert((row.inode(), key(row))));
    }
}
