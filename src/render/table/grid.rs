//! Ordinary tables, arranged by comfy-table. It takes three microseconds for a row, which is too long
//! for large tables, and it cannot continue a row in other columns. [`Lines`] writes those, and the
//! same lines for the ordinary ones.

use std::io::{self, Write};

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, ColumnConstraint, Row, Table, Width};
use unicode_width::UnicodeWidthStr;

use super::lines::{BOLD, Lines, codes, cut};
use crate::fields::{Align, Subject};
use crate::listing::{Entry, Mark};
use crate::render::netstat::cells::RowBuffer;

/// A table with more rows is not ordinary.
pub(super) const MOST_ROWS: usize = 1000;

/// A table in which every cell fits into its column.
pub(super) struct Grid<'a> {
    pub(super) lines: &'a Lines<'a>,
    pub(super) is_marked: bool,
    pub(super) header: bool,
}

impl Grid<'_> {
    /// Writes the heading and the lines of these sockets.
    pub(super) fn write<'e>(
        &self,
        entries: impl Iterator<Item = (Entry<'e>, Mark)> + Clone,
        out: &mut impl Write,
    ) -> io::Result<()> {
        let table = self.table(entries.clone().map(|(entry, _)| entry));
        let mut lines = table.lines();
        if self.header
            && let Some(heading) = lines.next()
        {
            self.line(BOLD, Mark::Same, &heading, out)?;
        }
        for (line, (entry, mark)) in lines.zip(entries) {
            self.line(&codes(&entry, mark), mark, &line, out)?;
        }
        Ok(())
    }

    fn table<'e>(&self, entries: impl Iterator<Item = Entry<'e>>) -> Table {
        let Lines { sheet, fit, .. } = self.lines;
        let (columns, command) = sheet.split();
        let shown = || fit.places.iter().filter_map(|place| columns.get(place.column));
        let mut table = Table::new();
        table.load_style(NOTHING);
        if self.header {
            table.set_header(shown().chain(command).map(|column| column.field.title));
        }
        let room = fit.line.map_or(u16::MAX, |line| line.saturating_sub(fit.command.1));
        for entry in entries {
            let subject = Subject::new(entry);
            let cells = shown().map(|column| (column, u16::MAX));
            let cells = cells.chain(command.map(|command| (command, room)));
            table.add_row(Row::from(cells.map(|(column, room)| {
                let text = sheet.cell(column, &subject);
                let width = text.width();
                let mut text = RowBuffer::from(text.into_bytes());
                cut(&mut text, 0, width, room);
                String::from_utf8_lossy(text.bytes()).into_owned()
            })));
        }
        for (number, (place, column)) in fit.places.iter().zip(shown()).enumerate() {
            let Some(arranged) = table.column_mut(number) else { continue };
            // The width includes the padding.
            let width = Width::Fixed(place.width + fit.gap);
            arranged.set_padding((0, fit.gap)).set_constraint(ColumnConstraint::Absolute(width));
            if column.field.align == Align::Right {
                arranged.set_cell_alignment(CellAlignment::Right);
            }
        }
        if let Some(arranged) = table.column_mut(fit.places.len()) {
            arranged.set_padding((0, 0));
        }
        table
    }

    fn line(&self, codes: &str, mark: Mark, line: &str, out: &mut impl Write) -> io::Result<()> {
        let gap = usize::from(self.lines.fit.gap);
        let mark =
            if self.is_marked { format!("{:<1$}", mark.sign(), 1 + gap) } else { String::new() };
        let line = mark + line;
        let line = line.trim_end();
        if self.lines.color && !codes.is_empty() {
            writeln!(out, "\x1b[{codes}m{line}\x1b[m")
        } else {
            writeln!(out, "{line}")
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::fs;

    use crate::cli::{Task, parse};
    use crate::gather::Gatherer;
    use crate::listing::Mark;
    use crate::render::table::block::Block;
    use crate::render::table::sheet::Sheet;
    use crate::render::table::{Screen, grid};

    const MARKS: [Mark; 3] = [Mark::Same, Mark::New, Mark::Closed];

    /// Returns the tables of a saved tree as comfy-table arranges them, and as [`super::Lines`] does.
    fn tables(tree: &str, screen: Screen, is_marked: bool) -> Vec<[String; 2]> {
        let words = ["rnetstat", "-an", "--table", "--proc", tree].map(OsString::from);
        let Task::List(request) = parse(words).unwrap() else { panic!("not a listing") };
        let Ok(mut gatherer) = Gatherer::new(&request, &mut |_| ()) else { return Vec::new() };
        let Ok(listing) = gatherer.gather(&mut |_| ()) else { return Vec::new() };
        let tables = request.look.sections.iter().map(|&section| {
            let entries =
                listing.entries().filter(|entry| entry.socket.kind().section() == section);
            [grid::MOST_ROWS, 0].map(|most_in_grid| {
                let sheet = Sheet::new(section, &request.look, gatherer.names(), entries.clone());
                let block = Block { sheet, screen, is_marked, header: true, most_in_grid };
                let marks = if is_marked { &MARKS[..] } else { &MARKS[..1] };
                let mut out = Vec::new();
                block.write(entries.clone().zip(marks.iter().copied().cycle()), &mut out).unwrap();
                String::from_utf8(out).unwrap()
            })
        });
        tables.collect()
    }

    #[test]
    fn comfy_table_and_our_own_lines_are_the_same() {
        let mut lines = 0;
        for case in fs::read_dir("fixtures").unwrap() {
            let tree = case.unwrap().path().join("proc");
            let Some(tree) = tree.to_str().filter(|_| tree.is_dir()) else { continue };
            for width in [None, Some(400), Some(160), Some(80)] {
                for is_marked in [false, true] {
                    let screen = Screen { width, color: is_marked };
                    for [grid, own] in tables(tree, screen, is_marked) {
                        assert_eq!(grid, own, "{tree} {width:?}");
                        lines += own.lines().count();
                    }
                }
            }
        }
        assert!(lines > 3000, "only {lines} lines");
    }
}
