//! How several readings of a table make one list of sockets.

use std::collections::HashSet;

use crate::socket::Socket;

/// Adds those whose inodes are not among the ones since then. Whether there are any.
pub(super) fn add_missed(sockets: &mut Vec<Socket>, since: usize, more: Vec<Socket>) -> bool {
    let before = sockets.len();
    let inodes: HashSet<u64> = sockets.iter().skip(since).map(Socket::inode).collect();
    sockets.extend(more.into_iter().filter(|it| it.inode() != 0 && !inodes.contains(&it.inode())));
    sockets.len() != before
}

/// Reads a table again, and adds what was missed since then, until a reading has nothing new.
///
/// While sockets come and go, each has some that are new. What a reading misses it misses by
/// chance, of some thousands no more than a hundred, so that a few of them have all that stay.
pub(super) fn read_again(
    sockets: &mut Vec<Socket>,
    since: usize,
    mut read: impl FnMut(&mut Vec<Socket>) -> bool,
) {
    const MOST_READINGS: usize = 5;
    for _ in 1..MOST_READINGS {
        let mut more = Vec::new();
        if !read(&mut more) || !add_missed(sockets, since, more) {
            return;
        }
    }
}
