//! The lines of one section, arranged by comfy-table.

use std::io;

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, ColumnConstraint, Row, Table, Width};

use super::columns::Column;
use super::fit::{COMMAND, Fit, Weight};
use super::{Screen, cell};
use crate::fields::{Align, PID, Subject, Value};
use crate::listing::{Entry, Mark};
use crate::names::Names;
use crate::socket::State;

/// The style of headings.
pub(super) const BOLD: &str = "\x1b[1m";

/// The sockets of a section, and its columns. If the last column has foreign text, it is cut to fit.
pub(super) struct Sheet<'a> {
    pub(super) columns: Vec<Column>,
    /// Each line begins with a mark, which is not among `columns`.
    pub(super) is_marked: bool,
    pub(super) names: &'a Names,
    /// `-W`: show all addresses of an end.
    pub(super) wide: bool,
    pub(super) entries: &'a [(Entry<'a>, Mark)],
}

impl Sheet<'_> {
    /// Calls `each` with the lines. Returns the titles of the columns that did not fit.
    pub(super) fn write(
        &self,
        screen: Screen,
        header: bool,
        each: &mut dyn FnMut(&str) -> io::Result<()>,
    ) -> io::Result<Vec<&'static str>> {
        let (columns, command) = self.split();
        // If lines can have any length, a command in the table would pad all lines to the longest
        // command. So commands are appended to the lines, outside the table.
        let longest = screen.width.map(|width| 2 * usize::from(width) + usize::from(COMMAND));
        let mut table = self.table(columns, command.zip(longest), header);
        let (fit, hidden) = self.fit(&mut table, columns, screen.width);
        let outside = command.filter(|_| longest.is_none());
        let appended = |entry: &Entry<'_>| {
            outside.map_or(String::new(), |column| self.cell(column, &Subject::new(*entry)))
        };
        let mut lines = table.lines();
        if header && let Some(heading) = lines.next() {
            let title = outside.map_or("", |column| column.field.title);
            let line = self.marked(Mark::Same, fit.gap) + &heading + title;
            each(&styled(BOLD, &line, screen))?;
        }
        for (line, (entry, mark)) in lines.zip(self.entries) {
            let style = style(entry, *mark);
            let line = self.marked(*mark, fit.gap) + &line + &appended(entry);
            each(&styled(&style, &line, screen))?;
        }
        Ok(hidden)
    }

    /// Returns the columns that are shown whole, and the last column if it is cut to fit.
    fn split(&self) -> (&[Column], Option<&Column>) {
        match self.columns.split_last() {
            // A table needs a column.
            Some((last, others)) if last.field.is_text && !others.is_empty() => {
                (others, Some(last))
            }
            _ => (&self.columns, None),
        }
    }

    /// Returns the mark that a line begins with, if there are marks.
    fn marked(&self, mark: Mark, gap: u16) -> String {
        let sign = mark.sign().to_owned();
        if self.is_marked { sign + &" ".repeat(gap.into()) } else { String::new() }
    }

    fn cell(&self, column: &Column, subject: &Subject<'_>) -> String {
        match (column.field.value)(subject) {
            // One `?` is enough.
            Value::Unknown if self.columns.iter().any(|it| *it.field == PID) => String::new(),
            value => cell::text(&value, self.names, self.wide),
        }
    }

    /// Makes the table of the sockets. `command` is the last column, and a length greater than any
    /// line. Commands are cut to it first, so that very long ones are not copied whole.
    fn table(&self, columns: &[Column], command: Option<(&Column, usize)>, header: bool) -> Table {
        let mut table = Table::new();
        // comfy-table cuts text only at this delimiter, or anywhere if the text does not have it.
        table.load_style(NOTHING).set_delimiter('\0').set_truncation_indicator("…");
        if header {
            let titles = columns.iter().map(|column| column.field.title);
            table.set_header(titles.chain(command.map(|(column, _)| column.field.title)));
        }
        for (entry, _) in self.entries {
            let subject = Subject::new(*entry);
            let cells = columns.iter().map(|column| self.cell(column, &subject));
            let command = command.map(|(column, longest)| {
                self.cell(column, &subject).chars().take(longest).collect()
            });
            let mut row = Row::from(cells.chain(command));
            row.max_height(1);
            table.add_row(row);
        }
        table
    }

    /// Hides the columns that do not fit, and limits the width of the command. Returns also the
    /// titles of the hidden columns, except those with only zeros.
    fn fit(
        &self,
        table: &mut Table,
        columns: &[Column],
        width: Option<u16>,
    ) -> (Fit, Vec<&'static str>) {
        let is_zero = |column: &Column| {
            column.field.align == Align::Right
                && self.entries.iter().all(|&(entry, _)| {
                    let subject = Subject { entry, owner: None };
                    matches!((column.field.value)(&subject), Value::Number(0) | Value::Missing)
                })
        };
        let widths = table.column_max_content_widths();
        let weights: Vec<_> = columns
            .iter()
            .zip(&widths)
            .map(|(it, &width)| Weight { width, priority: it.priority, is_zero: is_zero(it) })
            .collect();
        let command = widths.get(columns.len()).copied().unwrap_or(0);
        let fit = Fit::new(&weights, command, self.is_marked, width);
        let mut hidden = Vec::new();
        for (index, (Column { field, .. }, weight)) in columns.iter().zip(&weights).enumerate() {
            let Some(column) = table.column_mut(index) else { continue };
            column.set_padding((0, fit.gap));
            if field.align == Align::Right {
                column.set_cell_alignment(CellAlignment::Right);
            }
            if fit.hidden.contains(&index) {
                column.set_constraint(ColumnConstraint::Hidden);
                hidden.extend((!weight.is_zero).then_some(field.title));
            }
        }
        if let (Some(column), Some(width)) = (table.column_mut(columns.len()), fit.command) {
            column.set_padding((0, 0));
            column.set_constraint(ColumnConstraint::UpperBoundary(Width::Fixed(width)));
        }
        (fit, hidden)
    }
}

/// Returns a line without trailing spaces, in its style if the screen has colours.
pub(super) fn styled(style: &str, line: &str, screen: Screen) -> String {
    let line = line.trim_end();
    if screen.color && !style.is_empty() { format!("{style}{line}\x1b[m") } else { line.to_owned() }
}

/// The style of a line: colour by state and accept queue, bold or struck through by mark.
fn style(entry: &Entry<'_>, mark: Mark) -> String {
    use State::{
        Bound, Close, CloseWait, Closing, Connected, Connecting, Disconnecting, Established,
        FinWait1, FinWait2, Free, LastAck, Listen, Listening, NewSynRecv, SynRecv, SynSent,
        TimeWait, Unknown, Unset,
    };
    const GREEN: &str = "32";
    const YELLOW: &str = "33";
    const RED: &str = "31";
    const FAINT: &str = "2";
    let color = match entry.socket.state() {
        // Clients wait, and more of them are turned away.
        Some(Listen) if entry.socket.has_full_queue() => RED,
        Some(Listen | Listening) => GREEN,
        Some(Bound | SynSent | SynRecv | NewSynRecv | Connecting) => YELLOW,
        // The other end has closed, and the program has not reacted.
        Some(CloseWait) => RED,
        Some(FinWait1 | FinWait2 | TimeWait | Closing | LastAck | Close | Disconnecting) => FAINT,
        Some(Established | Connected | Free | Unknown | Unset) | None => "",
    };
    let mark = match mark {
        Mark::Same => "",
        Mark::New => "1",
        Mark::Closed => "9",
    };
    let codes: Vec<_> = [color, mark].into_iter().filter(|code| !code.is_empty()).collect();
    if codes.is_empty() { String::new() } else { format!("\x1b[{}m", codes.join(";")) }
}
