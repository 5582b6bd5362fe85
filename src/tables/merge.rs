//! Makes one list of sockets from several readings of a table.

use std::collections::HashSet;
use std::io;

use super::policy::MOST_READINGS;
use crate::socket::{Endpoint, Kind, Protocol, Socket, SocketType, UnixSocket, UnixState};

/// Appends each socket of `more` that has an inode, unless a socket from index `start` on has it.
pub(super) fn add_missed(sockets: &mut Vec<Socket>, start: usize, more: Vec<Socket>) {
    let known = inodes(sockets.get(start..).unwrap_or_default());
    sockets.extend(more.into_iter().filter(|it| it.inode() != 0 && !known.contains(&it.inode())));
}

/// Reads a table again and appends the sockets that were missed, until two successive readings have
/// the same inodes, one fails, or there were [`MOST_READINGS`]. It is not enough that a reading has
/// no new sockets: if sockets went away meanwhile, it can have skipped others.
///
/// Each reading misses at most about a hundred of several thousand sockets, at random, so a few
/// readings find every long-lived one.
pub(super) fn read_again(
    sockets: &mut Vec<Socket>,
    start: usize,
    mut read: impl FnMut(&mut Vec<Socket>) -> bool,
) {
    let mut previous = inodes(sockets.get(start..).unwrap_or_default());
    for _ in 1..MOST_READINGS {
        let mut more = Vec::new();
        if !read(&mut more) {
            return;
        }
        let current = inodes(&more);
        add_missed(sockets, start, more);
        if current == previous {
            return;
        }
        previous = current;
    }
}

fn inodes(sockets: &[Socket]) -> HashSet<u64> {
    sockets.iter().map(Socket::inode).collect()
}

/// Retries once if the dump was interrupted (`NLM_F_DUMP_INTR`).
pub(super) fn retry_if_interrupted(
    sockets: &mut Vec<Socket>,
    mut read: impl FnMut(&mut Vec<Socket>) -> io::Result<()>,
) -> io::Result<()> {
    let before = sockets.len();
    match read(sockets) {
        Err(error) if error.kind() == io::ErrorKind::Interrupted => {
            sockets.truncate(before);
            read(sockets)
        }
        result => result,
    }
}

/// Tells apart rows with the same inode: if their keys are equal, they are about the same socket.
///
/// The subflows of an MPTCP socket share its inode, so the key of a TCP socket has both ends. The
/// path of a UNIX socket can have a newline, and after it a forged row with the inode of another
/// socket. A forged row must not replace that socket, so the key of a UNIX socket also has its
/// type, state, flags and path.
#[derive(PartialEq, Eq, Hash)]
enum RowKey {
    Internet(Kind, Option<(Endpoint, Endpoint)>),
    Unix(SocketType, UnixState, u32, Option<Box<[u8]>>),
}

impl RowKey {
    fn of(socket: &Socket) -> Self {
        match socket {
            Socket::Internet(it) => {
                let ends = (it.protocol == Protocol::Tcp).then_some((it.local, it.remote));
                Self::Internet(socket.kind(), ends)
            }
            Socket::Unix(UnixSocket { kind, state, flags, path, .. }) => {
                Self::Unix(*kind, *state, *flags, path.clone())
            }
        }
    }
}

/// Keeps only the first row about each socket. If the table changes while it is read, a socket that
/// was printed can move to a place that the reader has yet to reach, and is printed again.
pub(super) fn drop_repeated(sockets: &mut Vec<Socket>) {
    // Repeated inodes are rare, so keys are made only for the rows whose inode is repeated.
    let mut seen = HashSet::with_capacity(sockets.len());
    let inodes = sockets.iter().map(Socket::inode);
    let repeated: HashSet<u64> =
        inodes.filter(|&inode| inode != 0 && !seen.insert(inode)).collect();
    if !repeated.is_empty() {
        let mut kept = HashSet::new();
        sockets.retain(|socket| {
            let inode = socket.inode();
            !repeated.contains(&inode) || kept.insert((inode, RowKey::of(socket)))
        });
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::socket::{Family, InternetSocket, State};

    fn unix(inode: u64) -> Socket {
        Socket::Unix(UnixSocket { inode, ..UnixSocket::example() })
    }

    #[test]
    fn interrupted_reading_is_retried_once() {
        let interrupted = || Err(io::ErrorKind::Interrupted.into());
        for (outcomes, expected, succeeds) in [
            ([Some(Ok(())), None], &[1, 10][..], true),
            ([Some(interrupted()), Some(Ok(()))], &[1, 20], true),
            ([Some(interrupted()), Some(interrupted())], &[1, 20], false),
            ([Some(Err(io::ErrorKind::PermissionDenied.into())), None], &[1, 10], false),
        ] {
            let mut sockets = vec![unix(1)];
            let (mut outcomes, mut inode) = (outcomes.into_iter(), 0);
            let result = retry_if_interrupted(&mut sockets, |sockets| {
                inode += 10;
                sockets.push(unix(inode));
                outcomes.next().flatten().unwrap()
            });
            assert_eq!(result.is_ok(), succeeds);
            assert_eq!(sockets.iter().map(Socket::inode).collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn table_is_read_again_until_two_readings_are_the_same() {
        for (readings, expected, unused) in [
            ([&[2][..], &[5], &[5], &[5]], &[1, 2][..], 3),
            // New sockets.
            ([&[2, 3], &[3, 0, 4], &[4, 0, 3], &[5]], &[1, 2, 3, 4], 1),
            // A reading that lacks a socket and has no new one: reading goes on.
            ([&[], &[7], &[7], &[8]], &[1, 2, 7], 1),
        ] {
            let mut sockets = vec![unix(1), unix(2)];
            let mut readings = readings.into_iter();
            read_again(&mut sockets, 1, |more| {
                more.extend(readings.next().unwrap().iter().copied().map(unix));
                true
            });
            assert_eq!(sockets.iter().map(Socket::inode).collect::<Vec<_>>(), expected);
            assert_eq!(readings.len(), unused, "readings that were not needed");
        }
    }

    fn without_repeated(sockets: &[InternetSocket]) -> Vec<Socket> {
        let mut sockets: Vec<_> = sockets.iter().copied().map(Socket::Internet).collect();
        drop_repeated(&mut sockets);
        sockets
    }

    #[test]
    fn each_internet_socket_is_kept_once() {
        let socket = |port, inode| {
            let end = |port| Endpoint { address: Ipv4Addr::LOCALHOST.into(), port };
            let (local, remote) = (end(port), end(80));
            InternetSocket { local, remote, inode, ..InternetSocket::example() }
        };
        let check = |sockets: &[InternetSocket], expected: &[InternetSocket]| {
            let expected: Vec<_> = expected.iter().copied().map(Socket::Internet).collect();
            assert_eq!(without_repeated(sockets), expected);
        };
        let (first, other) = (socket(1, 11), socket(2, 12));
        let later = InternetSocket { slot: 9, state: State::CloseWait, ..first };
        check(&[first, other, later], &[first, other]);
        let without_inode = socket(3, 0);
        check(&[without_inode, without_inode], &[without_inode, without_inode]);
        let mptcp_subflow = socket(4, 11);
        check(&[first, mptcp_subflow, first], &[first, mptcp_subflow]);
        let udp = InternetSocket { protocol: Protocol::Udp, ..first };
        let tcp6 = InternetSocket { family: Family::Ipv6, ..first };
        check(&[first, udp, tcp6], &[first, udp, tcp6]);
        // The UDP socket was connected after its first row was printed.
        let connected_udp = InternetSocket { local: socket(5, 0).local, ..udp };
        check(&[udp, connected_udp], &[udp]);
    }

    #[test]
    fn forged_unix_row_does_not_replace_a_socket() {
        let real = UnixSocket { inode: 7, ..UnixSocket::example() };
        let without_inode = UnixSocket { inode: 0, ..real.clone() };
        let forged = UnixSocket { path: Some(b"/forged"[..].into()), ..real.clone() };
        let row = |socket: &UnixSocket| Socket::Unix(socket.clone());
        let mut sockets = [&forged, &real, &without_inode, &real, &without_inode].map(row).to_vec();
        drop_repeated(&mut sockets);
        assert_eq!(sockets, [&forged, &real, &without_inode, &without_inode].map(row));
    }
}
