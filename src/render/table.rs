//! The table for people: one line a socket, fitted to the terminal, addresses whole.
//!
//! Internet sockets and UNIX sockets have a sheet each, with columns of their own. Where there is
//! not enough room, commands are cut first, and then columns are left out, those that say least
//! first.

mod columns;
mod sheet;

use std::io::{self, Write};

use super::Look;
use crate::listing::{Entry, Listing};
use crate::names::Names;
use crate::socket::{Socket, UnixSocket};
use sheet::Sheet;

/// What a table is shown on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Screen {
    /// Characters in a line of it; none where there is no end to them.
    pub width: Option<u16>,
    /// Whether it shows colours.
    pub color: bool,
}

/// What has become of a socket since the listing before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// It is still there, or there was no listing before.
    Same,
    /// It was not there.
    New,
    /// It is no longer there.
    Closed,
}

/// A table, line by line.
#[derive(Debug, Default)]
pub struct Lines {
    /// The lines, without their newlines.
    pub lines: Vec<String>,
    /// The titles of the columns for which there is no room.
    pub left_out: Vec<&'static str>,
}

/// Writes a listing, and gives the titles of the columns for which there is no room.
///
/// # Errors
///
/// Those of the output.
pub fn write(
    look: &Look,
    screen: Screen,
    listing: &Listing,
    names: &Names,
    out: &mut impl Write,
) -> io::Result<Vec<&'static str>> {
    let internet: Vec<_> = listing.internet().map(|entry| (entry, Mark::Same)).collect();
    let unix: Vec<_> = listing.unix().map(|entry| (entry, Mark::Same)).collect();
    let Lines { lines, left_out } = lines(look, screen, names, false, &internet, &unix);
    for line in lines {
        writeln!(out, "{line}")?;
    }
    Ok(left_out)
}

/// The table of these sockets, with a column for their marks if they are `marked`.
#[must_use]
pub fn lines(
    look: &Look,
    screen: Screen,
    names: &Names,
    marked: bool,
    internet: &[(Entry<'_, Socket>, Mark)],
    unix: &[(Entry<'_, UnixSocket>, Mark)],
) -> Lines {
    // Where one of them has nothing to show, its headings say nothing either.
    let show_internet =
        !internet.is_empty() || (look.internet && unix.is_empty() && look.empty_sections);
    let show_unix = !unix.is_empty() || (look.unix && !show_internet && look.empty_sections);
    let sheets = [
        show_internet.then(|| {
            let columns = columns::internet(look, internet);
            Sheet::new(&columns, Socket::state_name, marked, names, internet)
        }),
        show_unix.then(|| {
            let columns = columns::unix(look);
            Sheet::new(&columns, UnixSocket::state_name, marked, names, unix)
        }),
    ];
    let mut all = Lines::default();
    for sheet in sheets.into_iter().flatten() {
        let Lines { lines, left_out } = sheet.lines(screen, look.header);
        if !all.lines.is_empty() {
            all.lines.push(String::new());
        }
        all.lines.extend(lines);
        all.left_out.extend(left_out);
    }
    all
}
