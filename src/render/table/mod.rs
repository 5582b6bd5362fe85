//! The layout `table`, for people: one line per socket, as wide as the terminal. Cuts no address.
//!
//! Each section has its own columns. If there is not enough room, commands are cut, then columns
//! hidden.

pub(super) mod cell;
mod columns;
mod fit;
mod sheet;

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::io::{self, Write};

use crate::fields::Field;
use crate::listing::{Entry, Listing, Mark};
use crate::names::Names;
use crate::request::Look;
use crate::socket::{Section, State};
use columns::OnDemand;
use sheet::Sheet;

/// The screen that shows the table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Screen {
    /// The characters in a line; `None` if lines can have any length.
    pub width: Option<u16>,
    /// Use colours.
    pub color: bool,
}

/// Returns a heading as the screen shows it.
pub(super) fn styled_heading(heading: &str, screen: Screen) -> String {
    sheet::styled(sheet::BOLD, heading, screen)
}

/// The fields that the table can show, with the drops, which only a table with drops shows.
pub(super) fn fields(look: &Look) -> Vec<&'static Field> {
    let columns =
        look.sections.iter().flat_map(|&section| columns::of(section, look, OnDemand::ALL));
    columns.map(|column| column.field).collect()
}

/// Writes a listing. Returns the titles of the columns that did not fit.
pub(super) fn write(
    look: &Look,
    screen: Screen,
    listing: &Listing,
    names: &Names,
    out: &mut impl Write,
) -> io::Result<Vec<&'static str>> {
    let entries: Vec<_> = listing.entries().map(|entry| (entry, Mark::Same)).collect();
    let mut before_counts = "";
    let mut each = |line: &str| {
        before_counts = "\n";
        writeln!(out, "{line}")
    };
    let hidden = for_each_line(look, screen, names, false, &entries, &mut each)?;
    if look.header {
        writeln!(out, "{before_counts}{}", counted(listing))?;
    }
    Ok(hidden)
}

/// Returns the line with the numbers of sockets, such as `4 sockets: 3 LISTEN, 1 TIME_WAIT`.
fn counted(listing: &Listing) -> String {
    let mut states: BTreeMap<Option<&str>, usize> = BTreeMap::new();
    for entry in listing.entries() {
        *states.entry(entry.socket.state().map(State::name)).or_default() += 1;
    }
    let sockets: usize = states.values().sum();
    let mut line = format!("{sockets} {}", if sockets == 1 { "socket" } else { "sockets" });
    let mut states: Vec<_> = states.into_iter().collect();
    // Those without a state come last.
    states.sort_by_key(|&(state, count)| (state.is_none(), Reverse(count)));
    if states.iter().any(|(state, _)| state.is_some()) {
        let states = states.iter().map(|(state, count)| match state {
            Some(state) => format!("{count} {state}"),
            None => format!("{count} without a state"),
        });
        line += ": ";
        line += &states.collect::<Vec<_>>().join(", ");
    }
    line
}

/// Calls `each` with the lines of the table. Returns the titles of the columns that did not fit. If
/// `is_marked`, the first column shows the marks.
pub fn for_each_line(
    look: &Look,
    screen: Screen,
    names: &Names,
    is_marked: bool,
    entries: &[(Entry<'_>, Mark)],
    each: &mut dyn FnMut(&str) -> io::Result<()>,
) -> io::Result<Vec<&'static str>> {
    let section = |(entry, _): &(Entry<'_>, Mark)| entry.socket.kind().section();
    let mut sheets: Vec<(Section, &[_])> = entries
        .chunk_by(|one, other| section(one) == section(other))
        .filter_map(|entries| Some((section(entries.first()?), entries)))
        .collect();
    // If there are no sockets at all, show the headings of the first section, and only those.
    if sheets.is_empty() && look.empty_sections {
        sheets.extend(look.sections.first().map(|&section| (section, &[][..])));
    }
    let mut hidden = Vec::new();
    for (number, (section, entries)) in sheets.into_iter().enumerate() {
        if number > 0 {
            each("")?;
        }
        let columns = columns::of(section, look, OnDemand::of(entries, look));
        let sheet = Sheet { columns, is_marked, names, wide: look.wide, entries };
        for title in sheet.write(screen, look.header, each)? {
            if !hidden.contains(&title) {
                hidden.push(title);
            }
        }
    }
    Ok(hidden)
}
