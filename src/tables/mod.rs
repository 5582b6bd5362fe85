//! Where sockets come from: [`Source`] reads the tables that are asked for, in netstat's order.

mod fault;
mod proc_net;
mod repeats;
mod sock_diag;
mod sockstat;
mod table;

use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::query::Query;
use crate::socket::{Socket, UnixSocket};
pub use fault::Fault;
use proc_net::Text;
use sock_diag::SockDiag;
use table::{Holds, TABLES, Table};

/// Which of the kernel's two interfaces the tables are read through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interface {
    /// The text, unless the host has so many sockets that netlink pays; and the text again where
    /// netlink cannot be had, or says less.
    Auto,
    /// The text of `<root>/net/*`.
    Proc,
    /// `sock_diag`, over a netlink socket.
    Netlink,
}

/// Sockets from which on netlink is worth its while.
///
/// It never costs more than the text, but what it saves is a few milliseconds below this. Measured
/// with -tuan on two cores of Linux 6.18: 4 ms to 6 with ten sockets, 5 to 11 with 1,000, 11 to
/// 27 with 5,000, 0.2 s to 1.2 with 120,000.
const MANY_SOCKETS: u64 = 1000;

/// A row of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Row {
    /// Of an internet table.
    Internet(Socket),
    /// Of the table of UNIX sockets.
    Unix(UnixSocket),
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
    fn len(&self) -> (usize, usize) {
        (self.internet.len(), self.unix.len())
    }

    fn truncate(&mut self, (internet, unix): (usize, usize)) {
        self.internet.truncate(internet);
        self.unix.truncate(unix);
    }

    fn keep(&mut self, row: Row, query: &Query) {
        match row {
            Row::Internet(socket) if query.selects(&socket) => self.internet.push(socket),
            Row::Unix(socket) if query.selects_unix(&socket) => self.unix.push(socket),
            Row::Internet(_) | Row::Unix(_) => {}
        }
    }
}

/// The tables, and the buffers that they are read through.
pub struct Source {
    interface: Interface,
    text: Text,
    sock_diag: SockDiag,
}

impl Source {
    /// The tables of this host, as text below `root`, which is `/proc` there.
    #[must_use]
    pub fn new(root: &Path, interface: Interface) -> Self {
        Self { interface, text: Text::new(root), sock_diag: SockDiag::default() }
    }

    /// Reads the sockets that `query` selects, and gives `warn` what went wrong between them. A
    /// table that the kernel does not have (no IPv6, say) has no rows.
    ///
    /// # Errors
    ///
    /// [`Unreadable`] when there is no table to read at all.
    pub fn read(
        &mut self,
        query: &Query,
        warn: &mut dyn FnMut(Warning),
    ) -> Result<Sockets, Unreadable> {
        let mut sockets = Sockets::default();
        let mut failures = Vec::new();
        let mut readable = false;
        let mut quick = self.interface == Interface::Auto && self.has_many(query);
        for &table in TABLES.iter().filter(|table| table.is_wanted(query)) {
            let wanted = Wanted { table, query };
            let before = sockets.len();
            let binary = match self.interface {
                Interface::Netlink => Some(self.read_binary(wanted, &mut sockets, warn)),
                Interface::Auto if quick && matches!(table.holds, Holds::Internet(..)) => {
                    Some(self.read_quickly(wanted, &mut sockets))
                }
                Interface::Auto | Interface::Proc => None,
            };
            let read = match binary {
                Some(Read { place, result: Err(error), .. })
                    if is_of_one_table(&error) || self.interface == Interface::Auto =>
                {
                    quick &= is_of_one_table(&error);
                    sockets.truncate(before);
                    let read = self.read_text(wanted, &mut sockets, warn);
                    if !read.result.as_ref().is_err_and(is_absent) {
                        warn(Warning::Fallback { place, error });
                    }
                    read
                }
                Some(read) => read,
                None => self.read_text(wanted, &mut sockets, warn),
            };
            readable |= read.result.is_ok() || read.any;
            if let Err(error) = read.result {
                failures.push((table, read.place, error));
            }
        }
        if !readable {
            self.ensure_no_matter(&mut failures)?;
        }
        for (_, place, error) in failures {
            warn(if is_absent(&error) {
                Warning::Absent { place }
            } else {
                Warning::Table { place, error }
            });
        }
        repeats::drop_repeated(&mut sockets.internet);
        repeats::drop_repeated_unix(&mut sockets.unix);
        Ok(sockets)
    }

    /// Finds who UNIX sockets of this host are connected to, which netlink alone tells.
    pub fn find_unix_peers(&mut self, sockets: &mut Sockets, warn: &mut dyn FnMut(Warning)) {
        let mut peers = HashMap::new();
        let result = self.sock_diag.read(Table::UNIX, |_, row| {
            if let Ok(Row::Unix(UnixSocket { inode: inode @ 1.., peer: Some(peer), .. })) = row {
                peers.insert(inode, peer);
            }
        });
        for socket in &mut sockets.unix {
            socket.peer = socket.peer.or_else(|| peers.get(&socket.inode).copied());
        }
        if let Err(error) = result {
            warn(Warning::Peers { place: Place::SockDiag(Table::UNIX.name), error });
        }
    }

    /// Whether the host has so many sockets that netlink pays.
    fn has_many(&self, query: &Query) -> bool {
        let sockets = sockstat::count(&self.text.directory, query);
        sockets.is_ok_and(|sockets| sockets >= MANY_SOCKETS)
    }

    fn read_text(
        &mut self,
        Wanted { table, query }: Wanted<'_>,
        sockets: &mut Sockets,
        warn: &mut dyn FnMut(Warning),
    ) -> Read {
        let mut any = false;
        let place = Place::File(self.text.file(table));
        let result = self.text.read(table, |number, row| {
            any = true;
            match row {
                Ok(row) => sockets.keep(row, query),
                Err(fault) => warn(Warning::Line { place: place.clone(), number, fault }),
            }
        });
        Read { place, any, result }
    }

    fn read_binary(
        &mut self,
        Wanted { table, query }: Wanted<'_>,
        sockets: &mut Sockets,
        warn: &mut dyn FnMut(Warning),
    ) -> Read {
        let place = Place::SockDiag(table.name);
        let mut any = false;
        let mut faults = Vec::new();
        let result = at_most_twice(sockets, |sockets| {
            faults.clear();
            self.sock_diag.read(table, |number, row| {
                any = true;
                match row {
                    Ok(row) => sockets.keep(row, query),
                    Err(fault) => faults.push((number, fault)),
                }
            })
        });
        for (number, fault) in faults {
            warn(Warning::Line { place: place.clone(), number, fault });
        }
        Read { place, any, result }
    }

    /// Reads a table by netlink, and fails if not all of it can be had so.
    fn read_quickly(&mut self, wanted: Wanted<'_>, sockets: &mut Sockets) -> Read {
        let mut fault = None;
        let mut read = self.read_binary(wanted, sockets, &mut |warning| fault = Some(warning));
        if let Some(fault) = fault {
            read.result = Err(io::Error::other(fault.to_string()));
        }
        read
    }

    /// # Errors
    ///
    /// [`Unreadable`], unless all that is missing are tables that a kernel may do without.
    fn ensure_no_matter(&self, failures: &mut Vec<Failure>) -> Result<(), Unreadable> {
        // On a kernel without IPv6 the directory is there and its tables are not.
        if self.interface != Interface::Netlink
            && let Err(error) = fs::metadata(&self.text.directory)
        {
            return Err(Unreadable { place: Place::File(self.text.directory.clone()), error });
        }
        let fatal = failures
            .iter()
            .position(|(table, _, error)| !(table.is_optional() && is_absent(error)));
        match fatal.map(|first| failures.swap_remove(first)) {
            Some((_, place, error)) => Err(Unreadable { place, error }),
            None => Ok(()),
        }
    }
}

/// A table, and what is wanted of it.
#[derive(Clone, Copy)]
struct Wanted<'a> {
    table: Table,
    query: &'a Query,
}

/// What became of a table.
struct Read {
    place: Place,
    /// There was something to read.
    any: bool,
    result: io::Result<()>,
}

/// A table that could not be read, or not to its end.
type Failure = (Table, Place, io::Error);

/// Whether netlink may have the other tables all the same: this one has no module, or a row of
/// which not all is told.
fn is_of_one_table(error: &io::Error) -> bool {
    is_absent(error) || error.kind() == io::ErrorKind::Unsupported
}

fn is_absent(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
}

/// Reads once more where the kernel says that what it gave is not what the table was at any time.
fn at_most_twice(
    sockets: &mut Sockets,
    mut read: impl FnMut(&mut Sockets) -> io::Result<()>,
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

/// Where a table is read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A file of the /proc root.
    File(PathBuf),
    /// `sock_diag`'s table of this name.
    SockDiag(&'static str),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::SockDiag(table) => write!(f, "sock_diag {table}"),
        }
    }
}

/// What was wrong with a part of the tables; the rest of them was read.
#[derive(Debug)]
pub enum Warning {
    /// A line, or a message, that is no row.
    Line {
        /// The table.
        place: Place,
        /// The line's number, from 1.
        number: u64,
        /// What is wrong with it.
        fault: Fault,
    },
    /// A table that is not there, which is as it should be on a kernel without its protocol.
    Absent {
        /// The table.
        place: Place,
    },
    /// A table that is there and could not be read to its end.
    Table {
        /// The table.
        place: Place,
        /// Why.
        error: io::Error,
    },
    /// Whom the sockets of a table are connected to is not, or not wholly, known.
    Peers {
        /// The table.
        place: Place,
        /// Why.
        error: io::Error,
    },
    /// A table that could not be had by netlink, and was read as text.
    Fallback {
        /// The table.
        place: Place,
        /// Why.
        error: io::Error,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line { place, number, fault } => {
                write!(f, "{place}:{number}: this line is left out: {fault}")
            }
            Self::Absent { place } => write!(f, "{place}: there is no such table"),
            Self::Table { place, error } => {
                write!(f, "{place}: this table is not complete: {error}")
            }
            Self::Peers { place, error } => {
                write!(f, "{place}: other ends may be missing: {error}")
            }
            Self::Fallback { place, error } => {
                write!(f, "{place}: the text of /proc/net is read in its place: {error}")
            }
        }
    }
}

/// No table could be read.
#[derive(Debug)]
pub struct Unreadable {
    /// What could not be opened or read.
    pub place: Place,
    /// Why.
    pub error: io::Error,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, error } = self;
        let hint = match place {
            Place::File(_) => "is /proc mounted? --proc DIR names another place",
            Place::SockDiag(_) => "--source proc reads the text of /proc/net",
        };
        write!(f, "no socket table can be read: {place}: {error} ({hint})")
    }
}

impl std::error::Error for Unreadable {}

#[cfg(test)]
mod tests;
