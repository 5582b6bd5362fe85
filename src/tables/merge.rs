//! Makes one list of sockets from several readings of a table.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::io;

use super::policy::Again;
use crate::socket::{Endpoint, Socket};

type Ends = (Endpoint, Endpoint);

/// What identifies a socket as long as it exists. Only rows of one table are compared.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum RowKey {
    /// The inode, and both ends of a connection: the subflows of an MPTCP socket share its inode, and
    /// so do the associations of a one-to-many SCTP socket.
    Inode(u64, Option<Ends>),
    /// The ends of a socket without an inode, such as a connection in `TIME_WAIT`.
    Ends(Ends),
}

impl RowKey {
    /// Returns `None` for a UNIX socket without an inode, as rows of different sockets can be equal,
    /// and for a TCP socket that is being closed.
    fn of(socket: &Socket) -> Option<Self> {
        match (socket.inode(), socket) {
            _ if is_closing(socket) => None,
            (0, Socket::Internet(it)) => Some(Self::Ends((it.local, it.remote))),
            (0, Socket::Sctp(_)) => connection(socket).map(Self::Ends),
            (0, Socket::Unix(_) | Socket::Other(_)) => None,
            (inode, _) => Some(Self::Inode(inode, connection(socket))),
        }
    }
}

/// Returns true for a TCP socket that the kernel is taking out of its table: it has lost its port,
/// so its ends no longer identify it.
fn is_closing(socket: &Socket) -> bool {
    match socket {
        Socket::Internet(it) => it.protocol.has_states() && it.local.port == 0,
        Socket::Sctp(_) | Socket::Unix(_) | Socket::Other(_) => false,
    }
}

/// Returns the ends of an internet socket, or the first addresses of the ends of an SCTP association.
fn ends(socket: &Socket) -> Option<Ends> {
    match socket {
        Socket::Internet(it) => Some((it.local, it.remote)),
        Socket::Sctp(it) => Some((it.local.first(), it.remote()?.first())),
        Socket::Unix(_) | Socket::Other(_) => None,
    }
}

/// Returns the ends of a TCP socket or an SCTP association.
fn connection(socket: &Socket) -> Option<Ends> {
    match socket {
        Socket::Internet(it) if it.protocol.has_states() => ends(socket),
        Socket::Sctp(_) => ends(socket),
        Socket::Internet(_) | Socket::Unix(_) | Socket::Other(_) => None,
    }
}

/// Appends each socket of `more` that is not among the sockets from index `start`.
pub(super) fn add_missed(sockets: &mut Vec<Socket>, start: usize, mut more: Vec<Socket>) {
    let mut seen: HashSet<_> = sockets.iter().skip(start).filter_map(RowKey::of).collect();
    more.retain(|socket| RowKey::of(socket).is_some_and(|key| seen.insert(key)));
    append(sockets, start, more);
}

/// Appends `more`, except connections that are among the sockets from index `start` already. A
/// connection has an inode only while a program has it.
fn append(sockets: &mut Vec<Socket>, start: usize, mut more: Vec<Socket>) {
    if more.is_empty() {
        return;
    }
    let key = |socket: &Socket| Some((socket.inode() == 0, connection(socket)?));
    let other = |socket: &Socket| key(socket).map(|(lacks_inode, ends)| (!lacks_inode, ends));
    let others: HashSet<_> = more.iter().filter_map(other).collect();
    let known = sockets.iter().skip(start).filter_map(key);
    let known: HashSet<_> = known.filter(|key| others.contains(key)).collect();
    more.retain(|socket| other(socket).is_none_or(|other| !known.contains(&other)));
    sockets.append(&mut more);
}

/// Reads a table again and appends the sockets that were missed, until two successive readings have
/// the same sockets, one fails, or the table was read as often as it may be. It is not enough that
/// a reading has no new sockets: if sockets went away meanwhile, it can have skipped others. They are
/// those after the end of a piece. So `read` gets the number of earlier readings, and the pieces of
/// each reading end at other sockets: no two readings skip the same socket, unless hundreds of
/// others went away between two calls.
pub(super) fn read_again(
    sockets: &mut Vec<Socket>,
    start: usize,
    again: Again,
    mut read: impl FnMut(&mut Vec<Socket>, usize) -> bool,
) {
    let first = sockets.iter().skip(start).filter(|socket| again.scope.includes(socket));
    let mut seen: HashSet<_> = first.filter_map(RowKey::of).collect();
    let mut previous = None;
    for round in 1..again.most {
        let mut more = Vec::new();
        if !read(&mut more, round) {
            return;
        }
        let current: HashSet<_> = more.iter().filter_map(RowKey::of).collect();
        let is_same = current == *previous.as_ref().unwrap_or(&seen);
        more.retain(|socket| RowKey::of(socket).is_some_and(|key| seen.insert(key)));
        append(sockets, start, more);
        if is_same {
            return;
        }
        previous = Some(current);
    }
}

/// Retries once if the dump was interrupted (`NLM_F_DUMP_INTR`).
pub(super) fn retry_if_interrupted<T>(
    sockets: &mut Vec<Socket>,
    mut read: impl FnMut(&mut Vec<Socket>) -> io::Result<T>,
) -> io::Result<T> {
    let before = sockets.len();
    match read(sockets) {
        Err(error) if error.kind() == io::ErrorKind::Interrupted => {
            sockets.truncate(before);
            read(sockets)
        }
        result => result,
    }
}

/// The source of the rows of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RowsFrom {
    /// A text that was read at once, or a saved one. The same socket without an inode is never
    /// printed twice.
    WholeText,
    /// A text that was read in several calls.
    Text,
    /// A dump in several pieces.
    Netlink,
}

/// Keeps only the first row about each socket from index `start` on. If the table changes while it
/// is read, a socket that was printed can move to a place that the reader has yet to reach, and is
/// printed again.
///
/// In a text that was read at once, rows with one inode and different ends are different sockets.
/// Otherwise they are a socket that was connected meanwhile. Only Linux gives each socket an inode of
/// its own.
///
/// In text, the path of a UNIX socket can have a newline, and after it a forged row with the inode of
/// another socket. A forged row must not replace that socket, so all of the row counts.
pub(super) fn drop_repeated(sockets: &mut Vec<Socket>, start: usize, rows_from: RowsFrom) {
    let is_whole = rows_from == RowsFrom::WholeText;
    // Hashing all rows would cost as much as parsing them.
    if are_distinct(sockets.get(start..).unwrap_or_default(), is_whole) {
        return;
    }
    let mut rows = HashMap::new();
    let mut others = HashSet::new();
    let mut connections: HashMap<Ends, bool> = HashMap::new();
    let later = sockets.split_off(start);
    sockets.extend(later.into_iter().filter(|socket| {
        let Some(key) = RowKey::of(socket) else { return is_whole || !is_closing(socket) };
        let unix = match socket {
            Socket::Unix(it) if rows_from != RowsFrom::Netlink => {
                Some((it.kind, it.state, it.flags, it.path.clone()))
            }
            Socket::Unix(_) | Socket::Internet(_) | Socket::Sctp(_) | Socket::Other(_) => None,
        };
        let lacks_inode = socket.inode() == 0;
        if lacks_inode && is_whole {
            return true;
        }
        let lacked_inode =
            connection(socket).map(|ends| *connections.entry(ends).or_insert(lacks_inode));
        let ends = ends(socket);
        let is_new = match rows.entry((key, unix)) {
            Entry::Vacant(place) => {
                place.insert(ends);
                true
            }
            Entry::Occupied(first) => {
                is_whole && *first.get() != ends && others.insert((socket.inode(), ends))
            }
        };
        is_new && lacked_inode.is_none_or(|lacked_inode| lacked_inode == lacks_inode)
    }));
}

/// Returns true if no two of these sockets can be the same: no inode is repeated, and in a text that
/// was not read at once, no connection either.
fn are_distinct(sockets: &[Socket], is_whole: bool) -> bool {
    let inodes = sockets.iter().map(Socket::inode).filter(|&inode| inode != 0);
    let connections = || sockets.iter().filter_map(connection);
    no_two_equal(inodes)
        && (is_whole || !sockets.iter().any(is_closing) && no_two_equal(connections()))
}

fn no_two_equal<T: Ord>(values: impl Iterator<Item = T>) -> bool {
    let mut values: Vec<_> = values.collect();
    values.sort_unstable();
    values.is_sorted_by(|one, other| one < other)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::socket::{InternetSocket, Protocol, SctpSocket, State, UnixSocket};
    use crate::tables::sock_diag::Scope;

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
            let again = Again { scope: Scope::All, most: 5 };
            read_again(&mut sockets, 1, again, |more, _| {
                more.extend(readings.next().unwrap().iter().copied().map(unix));
                true
            });
            assert_eq!(sockets.iter().map(Socket::inode).collect::<Vec<_>>(), expected);
            assert_eq!(readings.len(), unused, "readings that were not needed");
        }
    }

    fn socket(port: u16, inode: u64) -> InternetSocket {
        let end = |port| Endpoint { address: Ipv4Addr::LOCALHOST.into(), port };
        let (local, remote) = (end(port), end(80));
        InternetSocket { local, remote, inode, ..InternetSocket::example() }
    }

    fn rows(sockets: &[InternetSocket]) -> Vec<Socket> {
        sockets.iter().copied().map(Socket::Internet).collect()
    }

    #[test]
    fn each_internet_socket_is_kept_once() {
        let check = |before: &[InternetSocket], after: &[InternetSocket]| {
            let mut sockets = rows(before);
            drop_repeated(&mut sockets, 0, RowsFrom::Text);
            assert_eq!(sockets, rows(after));
            let [first, more @ ..] = before else { panic!() };
            let mut sockets = rows(&[*first]);
            add_missed(&mut sockets, 0, rows(more));
            assert_eq!(sockets, rows(after));
        };
        let (first, other) = (socket(1, 11), socket(2, 12));
        let later = InternetSocket { state: State::CloseWait, ..first };
        check(&[first, other, later], &[first, other]);
        let mptcp_subflow = socket(4, 11);
        check(&[first, mptcp_subflow, first], &[first, mptcp_subflow]);
        let reuses_port = InternetSocket { inode: 13, ..first };
        check(&[first, reuses_port], &[first, reuses_port]);
        // Without an inode, as in TIME_WAIT and before `accept`.
        let (waiting, other) = (socket(3, 0), socket(5, 0));
        check(&[waiting, other, waiting], &[waiting, other]);
        let owned = InternetSocket { inode: 14, ..waiting };
        check(&[owned, waiting], &[owned]);
        check(&[waiting, owned], &[waiting]);
        let closing = Endpoint { port: 0, ..first.local };
        let closing = InternetSocket { local: closing, ..first };
        check(&[first, closing], &[first]);
        // A UDP socket that was connected after its first row was printed.
        let udp = InternetSocket { protocol: Protocol::Udp, ..first };
        let connected_udp = InternetSocket { local: other.local, ..udp };
        check(&[udp, connected_udp], &[udp]);
    }

    #[test]
    fn each_association_is_kept_once() {
        let row = |inode, local, remote| {
            Socket::Sctp(SctpSocket { inode, ..SctpSocket::at(local, Some(remote)) })
        };
        let first = row(11, "10.0.0.1,10.0.0.2:9", "10.0.0.3:5");
        let other = row(11, "10.0.0.1,10.0.0.2:9", "10.0.0.4:5");
        let closed = row(0, "10.0.0.1,10.0.0.2:9", "10.0.0.3:5");
        let mut sockets = [&first, &other, &first, &closed].map(Clone::clone).to_vec();
        drop_repeated(&mut sockets, 0, RowsFrom::Text);
        assert_eq!(sockets, [first, other]);
        let server = |inode| Socket::Sctp(SctpSocket { inode, ..SctpSocket::at("::1:9", None) });
        let mut sockets = [11, 12, 11].map(server).to_vec();
        drop_repeated(&mut sockets, 0, RowsFrom::Text);
        assert_eq!(sockets, [11, 12].map(server));
    }

    #[test]
    fn saved_connections_without_inode_or_port_are_all_kept() {
        let saved = [socket(3, 0), socket(3, 0), socket(0, 11), socket(0, 0)];
        let mut sockets = rows(&saved);
        drop_repeated(&mut sockets, 0, RowsFrom::WholeText);
        assert_eq!(sockets, rows(&saved));
    }

    #[test]
    fn saved_rows_with_one_inode_and_different_ends_are_all_kept() {
        for protocol in [Protocol::Tcp, Protocol::Udp, Protocol::UdpLite, Protocol::Raw] {
            let first = InternetSocket { protocol, ..socket(1, 11) };
            let other = InternetSocket { local: socket(2, 11).local, ..first };
            let connected = InternetSocket { remote: other.local, ..first };
            let later = InternetSocket { state: State::CloseWait, ..first };
            let mut sockets = rows(&[first, other, connected, later, other]);
            drop_repeated(&mut sockets, 0, RowsFrom::WholeText);
            assert_eq!(sockets, rows(&[first, other, connected]), "{protocol:?}");
            let is_tcp = protocol == Protocol::Tcp;
            for rows_from in [RowsFrom::Text, RowsFrom::Netlink] {
                let mut sockets = rows(&[first, other, connected, later, other]);
                drop_repeated(&mut sockets, 0, rows_from);
                assert_eq!(sockets.len(), if is_tcp { 3 } else { 1 }, "{protocol:?} {rows_from:?}");
            }
        }
    }

    #[test]
    fn sockets_of_other_tables_are_not_compared() {
        let mut sockets = rows(&[socket(1, 11), socket(1, 11), socket(2, 12), socket(2, 12)]);
        drop_repeated(&mut sockets, 2, RowsFrom::Text);
        assert_eq!(sockets, rows(&[socket(1, 11), socket(1, 11), socket(2, 12)]));
        add_missed(&mut sockets, 3, rows(&[socket(2, 12)]));
        assert_eq!(sockets.len(), 4);
    }

    #[test]
    fn forged_unix_row_does_not_replace_a_socket() {
        let real = UnixSocket { inode: 7, ..UnixSocket::example() };
        let without_inode = UnixSocket { inode: 0, ..real.clone() };
        let forged = UnixSocket { path: Some(b"/forged"[..].into()), ..real.clone() };
        let row = |socket: &UnixSocket| Socket::Unix(socket.clone());
        let mut sockets = [&forged, &real, &without_inode, &real, &without_inode].map(row).to_vec();
        drop_repeated(&mut sockets, 0, RowsFrom::Text);
        assert_eq!(sockets, [&forged, &real, &without_inode, &without_inode].map(row));
        // Netlink gives no forged rows, but a socket can be bound during a reading.
        let mut sockets = [&forged, &real].map(row).to_vec();
        drop_repeated(&mut sockets, 0, RowsFrom::Netlink);
        assert_eq!(sockets, [row(&forged)]);
    }
}
