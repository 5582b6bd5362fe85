//! Where sockets come from: [`Source`] reads the tables that are asked for, in netstat's order.

mod proc_net;
mod repeats;

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::files;
use crate::query::Query;
use crate::socket::{Socket, UnixSocket};
pub use proc_net::Fault;
use proc_net::TABLES;
use proc_net::lines::{self, Line};
pub use repeats::{drop_repeated, drop_repeated_unix};

/// A row of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    /// Of an internet table.
    Internet(Socket),
    /// Of the table of UNIX sockets.
    Unix(UnixSocket),
}

/// Bytes that a line may have. The kernel's have fewer than 400.
const LONGEST_LINE: usize = 64 * 1024;

/// The tables below one /proc root, and the one buffer that they are read through.
pub struct Source {
    directory: PathBuf,
    buffer: Vec<u8>,
}

impl Source {
    /// The tables below `root`, which is `/proc` on a live host.
    #[must_use]
    pub fn new(root: &Path) -> Self {
        Self { directory: root.join("net"), buffer: vec![0; LONGEST_LINE] }
    }

    /// Reads every table that `query` includes and gives `each` its rows, and what went wrong
    /// between them. A table that the kernel does not have (no IPv6, say) has no rows.
    ///
    /// # Errors
    ///
    /// [`Unreadable`] when there is no table to read at all.
    pub fn read(
        &mut self,
        query: &Query,
        mut each: impl FnMut(Result<Row, Warning>),
    ) -> Result<(), Unreadable> {
        let mut failures = Vec::new();
        let mut readable = false;
        for table in TABLES.iter().filter(|table| table.is_wanted(query)) {
            let path = self.directory.join(table.file);
            let mut any_line = false;
            let result = files::open(&path).and_then(|file| {
                lines::for_each(file, &mut self.buffer, |number, line| {
                    any_line = true;
                    let row = match line {
                        Line::Whole(text) if number == 1 && table.is_heading(text) => return,
                        Line::Whole(text) => table.parse(text),
                        Line::TooLong => Err(Fault::TooLong { limit: LONGEST_LINE }),
                    };
                    each(row.map_err(|fault| Warning::Line { path: path.clone(), number, fault }));
                })
            });
            readable |= result.is_ok() || any_line;
            if let Err(error) = result {
                failures.push((table, path, error));
            }
        }

        let absent = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
        if !readable {
            // On a kernel without IPv6 the directory is there and its tables are not.
            if let Err(error) = fs::metadata(&self.directory) {
                return Err(Unreadable { path: self.directory.clone(), error });
            }
            let fatal = failures
                .iter()
                .position(|(table, _, error)| !(table.is_optional() && absent(error)));
            if let Some(first) = fatal {
                let (_, path, error) = failures.swap_remove(first);
                return Err(Unreadable { path, error });
            }
        }
        for (_, path, error) in failures {
            each(Err(if absent(&error) {
                Warning::Absent { path }
            } else {
                Warning::Table { path, error }
            }));
        }
        Ok(())
    }
}

/// What was wrong with a part of the tables; the rest of them was read.
#[derive(Debug)]
pub enum Warning {
    /// A line that is no row.
    Line {
        /// The table's file.
        path: PathBuf,
        /// The line's number, from 1.
        number: u64,
        /// What is wrong with it.
        fault: Fault,
    },
    /// A table that is not there, which is as it should be on a kernel without its protocol.
    Absent {
        /// The table's file.
        path: PathBuf,
    },
    /// A table that is there and could not be read to its end.
    Table {
        /// The table's file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line { path, number, fault } => {
                write!(f, "{}:{number}: this line is left out: {fault}", path.display())
            }
            Self::Absent { path } => write!(f, "{}: there is no such table", path.display()),
            Self::Table { path, error } => {
                write!(f, "{}: this table is not complete: {error}", path.display())
            }
        }
    }
}

/// No table could be read.
#[derive(Debug)]
pub struct Unreadable {
    /// What could not be opened or read.
    pub path: PathBuf,
    /// Why.
    pub error: io::Error,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "no socket table can be read: {}: {} (is /proc mounted? --proc DIR names another place)",
            self.path.display(),
            self.error
        )
    }
}

impl std::error::Error for Unreadable {}

#[cfg(test)]
mod tests;
