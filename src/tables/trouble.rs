//! What can be amiss about tables, in words.

use std::fmt;
use std::io;
use std::path::PathBuf;

use super::Fault;

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
    /// A text that could not be held to what netlink says.
    Unchecked {
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
            Self::Unchecked { place, error } => {
                write!(f, "{place}: the text of /proc/net cannot be held to it: {error}")
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
        write!(f, "no socket table can be read: {place}: {error}")?;
        let is_missing =
            matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory);
        match place {
            Place::File(_) if is_missing => f.write_str(
                " (is /proc mounted? --proc DIR names another place, and --source netlink needs none)",
            ),
            Place::File(_) => Ok(()),
            Place::SockDiag(_) => f.write_str(" (--source proc reads the text of /proc/net)"),
        }
    }
}

impl std::error::Error for Unreadable {}
