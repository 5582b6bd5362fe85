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

/// Writes a listing, and gives the titles of the columns for which there is no room.
///
/// # Errors
///
/// Those of the output.
pub(super) fn write(
    look: &Look,
    screen: Screen,
    listing: &Listing,
    names: &Names,
    out: &mut impl Write,
) -> io::Result<Vec<&'static str>> {
    let entries: Vec<_> = listing.entries().map(|entry| (entry, Mark::Same)).collect();
    each_line(look, screen, names, false, &entries, &mut |line| writeln!(out, "{line}"))
}

/// Gives `each` the lines of the table of these sockets, with a column for their marks if they
/// are `marked`, and gives the titles of the columns for which there is no room.
///
/// # Errors
///
/// Those of `each`.
pub fn each_line(
    look: &Look,
    screen: Screen,
    names: &Names,
    marked: bool,
    entries: &[(Entry<'_>, Mark)],
    each: &mut dyn FnMut(&str) -> io::Result<()>,
) -> io::Result<Vec<&'static str>> {
    let (internet, unix): (Vec<_>, Vec<_>) =
        entries.iter().copied().partition(|(entry, _)| entry.socket.internet().is_some());
    // Where one of them has nothing to show, its headings say nothing either.
    let show_internet =
        !internet.is_empty() || (look.internet && unix.is_empty() && look.empty_sections);
    let show_unix = !unix.is_empty() || (look.unix && !show_internet && look.empty_sections);
    let mut left_out = Vec::new();
    for (is_shown, columns, entries) in [
        (show_internet, columns::internet(look, &internet), internet),
        (show_unix, columns::unix(look), unix),
    ] {
        if !is_shown {
            continue;
        }
        if show_internet && entries.first().is_some_and(|(it, _)| it.socket.unix().is_some()) {
            each("")?;
        }
        let sheet = Sheet { columns, marked, names, entries: &entries };
        for title in sheet.write(screen, look.header, each)? {
            if !left_out.contains(&title) {
                left_out.push(title);
            }
        }
    }
    Ok(left_out)
}
