//! The layout `table`, for people: one line per socket, as wide as the terminal.
//!
//! Each section has its own columns. If a line has not enough room, the less important things give
//! way (see `fit.rs`); a row that is longer than the others continues on a second line.

mod block;
pub(super) mod cell;
pub(crate) mod columns;
mod fit;
mod grid;
mod lines;
pub(crate) mod sheet;
pub(super) mod short;

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::io::{self, Write};

use crate::fields::Field;
use crate::listing::{Entry, Listing, Mark};
use crate::names::Names;
use crate::request::Look;
use crate::socket::{Section, State};
use block::Block;
use columns::Contents;
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
    if screen.color { format!("\x1b[{}m{heading}\x1b[m", lines::BOLD) } else { heading.to_owned() }
}

/// The fields that the table can show, with the drops, which only a table with drops shows.
pub(super) fn fields(look: &Look) -> Vec<&'static Field> {
    let of = |&section: &Section| columns::of(section, look, Contents::ALL);
    let columns = look.sections.iter().flat_map(of);
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
    let entries = listing.entries().map(|entry| (entry, Mark::Same));
    let hidden = write_rows(look, screen, names, false, &entries, out)?;
    if look.header {
        let has_lines = !listing.is_empty() || look.empty_sections;
        writeln!(out, "{}{}", if has_lines { "\n" } else { "" }, counted(listing))?;
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

/// Writes the headings and the sockets. Returns the titles of the columns that did not fit. If
/// `is_marked`, the first column shows the marks.
pub fn write_rows<'e>(
    look: &Look,
    screen: Screen,
    names: &Names,
    is_marked: bool,
    entries: &(impl Iterator<Item = (Entry<'e>, Mark)> + Clone),
    out: &mut impl Write,
) -> io::Result<Vec<&'static str>> {
    let section = |entry: &Entry<'_>| entry.socket.kind().section();
    let is_present = |&it: &Section| entries.clone().any(|(entry, _)| section(&entry) == it);
    let mut sections: Vec<_> = look.sections.iter().copied().filter(is_present).collect();
    // If there are no sockets at all, show the headings of the first section, and only those.
    if sections.is_empty() && look.empty_sections {
        sections.extend(look.sections.first());
    }
    let mut hidden = Vec::new();
    for (number, it) in sections.into_iter().enumerate() {
        if number > 0 {
            writeln!(out)?;
        }
        let entries = entries.clone().filter(|(entry, _)| section(entry) == it);
        let sheet = Sheet::new(it, look, names, entries.clone().map(|(entry, _)| entry));
        let most_in_grid = grid::MOST_ROWS;
        let block = Block { sheet, screen, is_marked, header: look.header, most_in_grid };
        for title in block.write(entries, out)? {
            if !hidden.contains(&title) {
                hidden.push(title);
            }
        }
    }
    Ok(hidden)
}
