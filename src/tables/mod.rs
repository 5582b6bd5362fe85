//! Where sockets come from: [`Source`] reads the tables that are asked for, in netstat's order.

mod fault;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod proc_net;
mod repeats;
mod sock_diag;
mod sockets;
mod sockstat;
mod table;
mod trouble;

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::Path;

use crate::query::Query;
use crate::socket::{Socket, UnixSocket};
pub use fault::Fault;
use proc_net::Text;
use sock_diag::SockDiag;
use sockets::{add_missed, read_again};
use table::{Holds, TABLES, Table};
pub use trouble::{Place, Unreadable, Warning};

/// Which of the kernel's two interfaces the tables are read through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interface {
    /// As [`Interface::ProcFirst`], unless the host has so many sockets that netlink pays; and the
    /// text again where netlink cannot be had, or says less.
    Auto,
    /// The text, which has all that there is to know of a socket, and netlink for those that it
    /// missed.
    ProcFirst,
    /// The text of `<root>/net/*` alone.
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
    ) -> Result<Vec<Socket>, Unreadable> {
        let mut sockets = Vec::new();
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
                Interface::Auto | Interface::ProcFirst | Interface::Proc => None,
            };
            let read = match binary {
                Some(Read { place, result: Err(error), .. })
                    if is_of_one_table(&error) || self.interface == Interface::Auto =>
                {
                    quick &= is_of_one_table(&error);
                    sockets.truncate(before);
                    let read = self.read_text(wanted, false, &mut sockets, warn);
                    if !read.result.as_ref().is_err_and(is_absent) {
                        warn(Warning::Fallback { place, error });
                    }
                    read
                }
                Some(read) => read,
                None => {
                    let check = self.interface != Interface::Proc;
                    self.read_text(wanted, check, &mut sockets, warn)
                }
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
        repeats::drop_repeated(&mut sockets);
        Ok(sockets)
    }

    /// Finds who UNIX sockets of this host are connected to, which netlink alone tells.
    pub fn find_unix_peers(&mut self, sockets: &mut [Socket], warn: &mut dyn FnMut(Warning)) {
        let mut peers = HashMap::new();
        let result = self.sock_diag.read(Table::UNIX, |_, row| {
            if let Ok(Socket::Unix(UnixSocket { inode: inode @ 1.., peer: Some(peer), .. })) = row {
                peers.insert(inode, peer);
            }
        });
        for socket in sockets {
            if let Socket::Unix(socket) = socket {
                socket.peer = socket.peer.or_else(|| peers.get(&socket.inode).copied());
            }
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

    /// Reads the text of a table, and then what it has missed: by netlink, if it is to be held to
    /// that.
    fn read_text(
        &mut self,
        wanted: Wanted<'_>,
        check: bool,
        sockets: &mut Vec<Socket>,
        warn: &mut dyn FnMut(Warning),
    ) -> Read {
        let before = sockets.len();
        // Lines that somebody made up are no faults once netlink has told all.
        let mut faults = Vec::new();
        let may_be_forged = check && wanted.is_unix();
        let (read, is_sure) = self.read_text_once(wanted, sockets, &mut |fault| {
            if may_be_forged { faults.push(fault) } else { warn(fault) }
        });
        if read.result.is_err() {
            faults.into_iter().for_each(warn);
            return read;
        }
        let mut worth = if is_sure { Worth::Whole } else { Worth::Part };
        if check && (wanted.is_unix() || !is_sure) {
            worth = self.check(wanted, before, sockets, warn).unwrap_or(worth);
        }
        match worth {
            Worth::Whole => {}
            Worth::Part => read_again(sockets, before, |more| {
                self.read_text_once(wanted, more, &mut |_| ()).0.result.is_ok()
            }),
            Worth::Nothing => {
                sockets.truncate(before);
                return self.read_binary(wanted, sockets, warn);
            }
        }
        faults.into_iter().for_each(warn);
        read
    }

    fn read_text_once(
        &mut self,
        Wanted { table, query }: Wanted<'_>,
        sockets: &mut Vec<Socket>,
        warn: &mut dyn FnMut(Warning),
    ) -> (Read, bool) {
        let mut any = false;
        let place = Place::File(self.text.file(table));
        let result = self.text.read(table, |number, row| {
            any = true;
            match row {
                Ok(row) => keep(sockets, row, query),
                Err(fault) => warn(Warning::Line { place: place.clone(), number, fault }),
            }
        });
        let is_sure = *result.as_ref().unwrap_or(&false);
        (Read { place, any, result: result.map(|_| ()) }, is_sure)
    }

    /// Holds the sockets of a table since then to what netlink says of it, and adds those that are
    /// missed. What the text is worth; none where netlink does not tell.
    fn check(
        &mut self,
        Wanted { table, query }: Wanted<'_>,
        since: usize,
        sockets: &mut Vec<Socket>,
        warn: &mut dyn FnMut(Warning),
    ) -> Option<Worth> {
        let mut more = Vec::new();
        let mut is_forged = false;
        let result = self.sock_diag.read(table, |_, row| {
            if let Ok(row) = row {
                is_forged |= has_newline(&row);
                keep(&mut more, row, query);
            }
        });
        add_missed(sockets, since, more);
        match result {
            Ok(()) if is_forged => Some(Worth::Nothing),
            Ok(()) => Some(Worth::Whole),
            // All of the sockets were told, if not all of each.
            Err(error) if error.kind() == io::ErrorKind::Unsupported => Some(Worth::Whole),
            Err(error) => {
                warn(Warning::Unchecked { place: Place::SockDiag(table.name), error });
                None
            }
        }
    }

    fn read_binary(
        &mut self,
        wanted: Wanted<'_>,
        sockets: &mut Vec<Socket>,
        warn: &mut dyn FnMut(Warning),
    ) -> Read {
        let Wanted { table, query } = wanted;
        let place = Place::SockDiag(table.name);
        let before = sockets.len();
        let mut any = false;
        let mut faults = Vec::new();
        let result = at_most_twice(sockets, |sockets| {
            faults.clear();
            self.sock_diag.read(table, |number, row| {
                any = true;
                match row {
                    Ok(row) => keep(sockets, row, query),
                    Err(fault) => faults.push((number, fault)),
                }
            })
        });
        // The kernel keeps all of them in a few chains, in which it finds its place by counting.
        if wanted.is_unix() && result.is_ok() {
            read_again(sockets, before, |more| {
                let each =
                    |_, row: Result<_, _>| row.into_iter().for_each(|row| keep(more, row, query));
                self.sock_diag.read(table, each).is_ok()
            });
        }
        for (number, fault) in faults {
            warn(Warning::Line { place: place.clone(), number, fault });
        }
        Read { place, any, result }
    }

    /// Reads a table by netlink, and fails if not all of it can be had so.
    fn read_quickly(&mut self, wanted: Wanted<'_>, sockets: &mut Vec<Socket>) -> Read {
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

fn keep(sockets: &mut Vec<Socket>, row: Socket, query: &Query) {
    if query.selects(&row) {
        sockets.push(row);
    }
}

fn has_newline(row: &Socket) -> bool {
    let path = row.unix().and_then(|socket| socket.path.as_deref());
    path.is_some_and(|path| path.contains(&b'\n'))
}

/// A table, and what is wanted of it.
#[derive(Clone, Copy)]
struct Wanted<'a> {
    table: Table,
    query: &'a Query,
}

impl Wanted<'_> {
    fn is_unix(&self) -> bool {
        matches!(self.table.holds, Holds::Unix)
    }
}

/// What the text of a table is worth.
enum Worth {
    /// It has every socket that stayed.
    Whole,
    /// It may have missed some.
    Part,
    /// Behind a newline in the name of a UNIX socket it has whatever the maker of that likes.
    Nothing,
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

#[cfg(test)]
mod tests;
