//! The sockets of one reading, and how several readings make one.

use std::collections::HashSet;

use crate::query::Query;
use crate::socket::{Socket, UnixSocket};

/// A row of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Row {
    /// Of an internet table.
    Internet(Socket),
    /// Of the table of UNIX sockets.
    Unix(UnixSocket),
}

impl Row {
    pub(super) fn has_newline(&self) -> bool {
        match self {
            Self::Internet(_) => false,
            Self::Unix(socket) => socket.path.as_ref().is_some_and(|path| path.contains(&b'\n')),
        }
    }
}

/// The sockets that were asked for.
#[derive(Debug, Default)]
pub struct Sockets {
    /// Internet sockets, table by table.
    pub internet: Vec<Socket>,
    /// UNIX sockets.
    pub unix: Vec<UnixSocket>,
}

impl Sockets {
    pub(super) fn len(&self) -> (usize, usize) {
        (self.internet.len(), self.unix.len())
    }

    pub(super) fn truncate(&mut self, (internet, unix): (usize, usize)) {
        self.internet.truncate(internet);
        self.unix.truncate(unix);
    }

    /// Adds those whose inodes are not among the ones since then. Whether there are any.
    pub(super) fn add_missed(&mut self, (internet, unix): (usize, usize), more: Self) -> bool {
        let before = self.len();
        add_missed(&mut self.internet, internet, more.internet, |socket| socket.inode);
        add_missed(&mut self.unix, unix, more.unix, |socket| socket.inode);
        self.len() != before
    }

    pub(super) fn keep(&mut self, row: Row, query: &Query) {
        match row {
            Row::Internet(socket) if query.selects(&socket) => self.internet.push(socket),
            Row::Unix(socket) if query.selects_unix(&socket) => self.unix.push(socket),
            Row::Internet(_) | Row::Unix(_) => {}
        }
    }
}

fn add_missed<T>(known: &mut Vec<T>, since: usize, more: Vec<T>, inode: impl Fn(&T) -> u64) {
    let inodes: HashSet<u64> = known.iter().skip(since).map(&inode).collect();
    known.extend(more.into_iter().filter(|it| inode(it) != 0 && !inodes.contains(&inode(it))));
}

/// Reads a table again, and adds what was missed since then, until a reading has nothing new.
///
/// While sockets come and go, each has some that are new. What a reading misses it misses by
/// chance, of some thousands no more than a hundred, so that a few of them have all that stay.
pub(super) fn read_again(
    sockets: &mut Sockets,
    since: (usize, usize),
    mut read: impl FnMut(&mut Sockets) -> bool,
) {
    const MOST_READINGS: usize = 5;
    for _ in 1..MOST_READINGS {
        let mut more = Sockets::default();
        if !read(&mut more) || !sockets.add_missed(since, more) {
            return;
        }
    }
}
