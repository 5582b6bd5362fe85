//! Writes one section of the table: measures the cells, fits the columns, and writes the lines.

use std::io::{self, Write};

use super::fit::{Command, Fit, Weight};
use super::grid::Grid;
use super::lines::Lines;
use super::sheet::{Sheet, Widths};
use super::short::{SHORTEST_ADDRESS, Shortened, Wanted};
use super::{Screen, columns::Column};
use crate::fields::Subject;
use crate::listing::{Entry, Mark};
use crate::render::netstat::cells::RowBuffer;
use crate::render::parallel::write_each;

/// A section of the table, and where it is shown.
pub(super) struct Block<'a> {
    pub(super) sheet: Sheet<'a>,
    pub(super) screen: Screen,
    /// The first column shows marks.
    pub(super) is_marked: bool,
    /// Write the heading.
    pub(super) header: bool,
    /// Tables with more rows are not arranged by comfy-table.
    pub(super) most_in_grid: usize,
}

impl Block<'_> {
    /// Writes the lines. Returns the titles of the columns that did not fit.
    pub(super) fn write<'e>(
        &self,
        entries: impl Iterator<Item = (Entry<'e>, Mark)> + Clone,
        out: &mut impl Write,
    ) -> io::Result<Vec<&'static str>> {
        let sockets = entries.clone().map(|(entry, _)| entry);
        let (columns, command) = self.sheet.split();
        let weights = self.weights(columns, sockets.clone());
        // Without a limit, commands do not need to be measured.
        let command = command.filter(|_| self.screen.width.is_some()).map(|column| {
            let widths = Widths::of(&self.sheet, std::slice::from_ref(column), sockets.clone());
            let title = self.title_width(column);
            widths.first().map_or(Command::default(), |widths| Command {
                whole: widths.whole().max(title),
                bulk: widths.bulk().max(title),
                few: widths.few(),
            })
        });
        let command = command.unwrap_or_default();
        let fit = Fit::new(&weights, command, self.is_marked, self.screen.width);
        let shortened = self.shortened(columns, &fit, sockets);
        let lines = Lines {
            sheet: &self.sheet,
            fit: &fit,
            shortened: shortened.as_ref(),
            color: self.screen.color,
        };
        let is_grid = fit.is_grid(&weights, command);
        if is_grid && entries.clone().nth(self.most_in_grid).is_none() {
            Grid { lines: &lines, is_marked: self.is_marked, header: self.header }
                .write(entries, out)?;
        } else {
            if self.header {
                let mut heading = RowBuffer::default();
                lines.heading(&mut heading);
                out.write_all(heading.bytes())?;
            }
            write_each(entries, out, |&(entry, mark), text| {
                let mut row = RowBuffer::from(std::mem::take(text));
                lines.entry(entry, mark, &mut row);
                *text = row.into();
                Ok(())
            })?;
        }
        let hidden = fit.hidden(columns.len());
        let hidden = hidden.filter(|&index| weights.get(index).is_some_and(|it| !it.is_zero));
        Ok(hidden.filter_map(|index| Some(columns.get(index)?.field.title)).collect())
    }

    /// Returns the width of a title, which is ASCII; 0 without a heading.
    fn title_width(&self, column: &Column) -> u16 {
        let width = if self.header { column.field.title.len() } else { 0 };
        u16::try_from(width).unwrap_or(u16::MAX)
    }

    fn weights<'e>(
        &self,
        columns: &[Column],
        sockets: impl Iterator<Item = Entry<'e>>,
    ) -> Vec<Weight> {
        let weight = |(column, widths): (&Column, &Widths)| {
            let title = self.title_width(column);
            let can_shorten = column.has_ends() && !self.sheet.show.wide;
            let is_long = column.has_ends() || column.field.is_text;
            Weight::new(title, widths, column.priority, is_long, can_shorten)
        };
        let all = Widths::of(&self.sheet, columns, sockets);
        columns.iter().zip(&all).map(weight).collect()
    }

    /// Returns the short forms of the hosts in cells that are wider than their columns.
    fn shortened<'e>(
        &self,
        columns: &[Column],
        fit: &Fit,
        sockets: impl Iterator<Item = Entry<'e>>,
    ) -> Option<Shortened> {
        let narrow = fit.places.iter().filter_map(|place| {
            let column = columns.get(place.column).filter(|column| column.has_ends())?;
            // No address becomes shorter than this. In a tight column it is longer than the column.
            Some((column, usize::from(place.width.max(SHORTEST_ADDRESS))))
        });
        let narrow: Vec<_> = narrow.collect();
        if self.screen.width.is_none() || self.sheet.show.wide || narrow.is_empty() {
            return None;
        }
        let mut wanted = Wanted::default();
        let mut text = RowBuffer::default();
        for entry in sockets {
            let subject = Subject::new(entry);
            for &(column, room) in &narrow {
                text.truncate(0);
                let cell = self.sheet.append_cell(column, &subject, &self.sheet.show, &mut text);
                if cell > room {
                    let value = (column.field.value)(&subject);
                    wanted.add_cell(&value, cell, room, self.sheet.show.names);
                }
            }
        }
        Some(wanted.shorten(self.sheet.show.names))
    }
}
