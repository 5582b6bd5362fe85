//! One sheet of the table: rows of cells, arranged by comfy-table.

use std::cmp::Reverse;
use std::io;

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, ColumnConstraint, Row, Table, Width};

use super::columns::{Column, KEEP};
use super::{Mark, Screen};
use crate::listing::Entry;
use crate::names::Names;

/// Spaces between two columns, and what they can be reduced to.
const GAP: u16 = 2;
const NARROW_GAP: u16 = 1;
/// Characters of a command that are shown however little room there is, if it has so many.
const COMMAND: u16 = 8;

/// Sockets and their columns, of which the last one is the command's.
pub(super) struct Sheet<'a> {
    pub(super) columns: Vec<Column>,
    /// There is a column for marks before the others.
    pub(super) marked: bool,
    pub(super) names: &'a Names,
    pub(super) entries: &'a [(Entry<'a>, Mark)],
}

impl Sheet<'_> {
    /// Gives `each` its lines as they fit on a screen, and the titles of the columns for which there
    /// is no room there.
    ///
    /// # Errors
    ///
    /// Those of `each`.
    pub(super) fn write(
        &self,
        screen: Screen,
        header: bool,
        each: &mut dyn FnMut(&str) -> io::Result<()>,
    ) -> io::Result<Vec<&'static str>> {
        let Some((command, columns)) = self.columns.split_last() else { return Ok(Vec::new()) };
        let cell = |column: &Column, entry| column.cell(self.names, entry);
        let marks = usize::from(self.marked);
        // Numbers that are all 0 say nothing; a user 0 does.
        let mut is_trivial = vec![false; marks];
        is_trivial.extend(columns.iter().map(|column| column.is_number));
        let mut table = Table::new();
        // Without a character to divide words at, commands are cut wherever the column ends.
        table.load_style(NOTHING).set_delimiter('\0').set_truncation_indicator("…");
        // Without an end to the lines, the longest command would fill up each of them to its length:
        // then commands are put behind the lines, one after the other.
        let most = screen.width.map(|width| 2 * usize::from(width) + usize::from(COMMAND));
        if header {
            let titles = columns.iter().map(|column| column.title);
            let titles = titles.chain(most.map(|_| command.title));
            table.set_header(self.marked.then_some("").into_iter().chain(titles));
        }
        for (entry, mark) in self.entries {
            let mark = self.marked.then(|| sign(*mark).to_owned());
            let cells = columns.iter().map(|column| cell(column, entry));
            let command = most.map(|most| cell(command, entry).chars().take(most).collect());
            let cells: Vec<String> = mark.into_iter().chain(cells).chain(command).collect();
            for (is_trivial, cell) in is_trivial.iter_mut().zip(&cells) {
                *is_trivial &= cell == "0";
            }
            let mut row = Row::from(cells);
            row.max_height(1);
            table.add_row(row);
        }

        let costs = (0..marks).map(|_| KEEP).chain(columns.iter().map(|column| column.cost));
        let costs: Vec<_> = costs.zip(is_trivial).collect();
        let fit = Fit::new(&table.column_max_content_widths(), &costs, screen.width);
        let mut left_out = Vec::new();
        for (at, &(_, is_trivial)) in costs.iter().enumerate() {
            let Some(column) = table.column_mut(at) else { continue };
            column.set_padding((0, fit.gap));
            let kind = at.checked_sub(marks).and_then(|at| columns.get(at));
            if kind.is_some_and(|kind| kind.is_number) {
                column.set_cell_alignment(CellAlignment::Right);
            }
            if fit.hidden.contains(&at) {
                column.set_constraint(ColumnConstraint::Hidden);
                left_out.extend(kind.filter(|_| !is_trivial).map(|kind| kind.title));
            }
        }
        if let (Some(column), Some(width)) = (table.column_mut(costs.len()), fit.command) {
            column.set_padding((0, 0));
            column.set_constraint(ColumnConstraint::UpperBoundary(Width::Fixed(width)));
        }

        let mut lines = table.lines();
        if header && let Some(heading) = lines.next() {
            let title = if most.is_none() { command.title } else { "" };
            each(&styled("\x1b[1m", &(heading + title), screen))?;
        }
        for (line, (entry, mark)) in lines.zip(self.entries) {
            let command = if most.is_none() { cell(command, entry) } else { String::new() };
            let style = style(entry.socket.state_name(), *mark);
            each(&styled(&style, &(line + &command), screen))?;
        }
        Ok(left_out)
    }
}

/// A line in its style, if that is shown.
fn styled(style: &str, line: &str, screen: Screen) -> String {
    let line = line.trim_end();
    if screen.color && !style.is_empty() { format!("{style}{line}\x1b[m") } else { line.to_owned() }
}

/// What a line begins with that shows what has become of its socket.
fn sign(mark: Mark) -> &'static str {
    match mark {
        Mark::Same => " ",
        Mark::New => "+",
        Mark::Closed => "-",
    }
}

/// How a line is coloured: by its state, and by what has become of its socket.
fn style(state: &str, mark: Mark) -> String {
    let color = match state {
        "LISTEN" | "LISTENING" => "32",
        "SYN_SENT" | "SYN_RECV" | "CONNECTING" => "33",
        // The other end has closed, and the program has not noticed.
        "CLOSE_WAIT" => "31",
        "FIN_WAIT1" | "FIN_WAIT2" | "TIME_WAIT" | "CLOSING" | "LAST_ACK" | "CLOSE"
        | "DISCONNECTING" => "2",
        _ => "",
    };
    let mark = match mark {
        Mark::Same => "",
        Mark::New => "1",
        Mark::Closed => "9",
    };
    match [color, mark].map(|code| (!code.is_empty()).then_some(code)) {
        [None, None] => String::new(),
        [Some(one), None] | [None, Some(one)] => format!("\x1b[{one}m"),
        [Some(one), Some(other)] => format!("\x1b[{one};{other}m"),
    }
}

/// Which columns are shown, and how wide the command may be.
struct Fit {
    hidden: Vec<usize>,
    /// Spaces between two columns.
    gap: u16,
    /// None where it may be as wide as it is.
    command: Option<u16>,
}

impl Fit {
    /// Fits columns of these widths and costs, and the command's behind them, into a line. Those in which there is nothing but zeros go
    /// first, then every second space between columns, then the others in order of their cost.
    /// Where all of that is not enough, none of the others goes: as many lines as the addresses
    /// take have room for them.
    fn new(widths: &[u16], costs: &[(u8, bool)], line: Option<u16>) -> Self {
        let (Some(line), Some((&command, others))) = (line, widths.split_last()) else {
            return Self { hidden: Vec::new(), gap: GAP, command: None };
        };
        let least = command.min(COMMAND);
        let (trivial, mut others_to_go): (Vec<_>, Vec<_>) = costs
            .iter()
            .enumerate()
            .filter(|&(_, &(cost, _))| cost > KEEP)
            .partition(|&(_, &(_, is_trivial))| is_trivial);
        others_to_go.sort_by_key(|&(_, &(cost, _))| Reverse(cost));
        let first = trivial.len();
        let to_go: Vec<usize> = trivial.into_iter().chain(others_to_go).map(|(at, _)| at).collect();
        let taken = |gap: u16, hidden: &[usize]| {
            let shown = (0..).zip(others).filter(|(at, _)| !hidden.contains(at));
            shown.map(|(_, width)| width.saturating_add(gap)).fold(0, u16::saturating_add)
        };
        let fits = |&(gap, gone): &(u16, usize)| {
            let hidden = to_go.get(..gone).unwrap_or_default();
            taken(gap, hidden).saturating_add(least) <= line
        };
        let narrow = (first..=to_go.len()).map(|gone| (NARROW_GAP, gone));
        let found = [(GAP, 0), (GAP, first)].into_iter().chain(narrow).find(fits);
        let (gap, gone) = found.unwrap_or((NARROW_GAP, first));
        let hidden = to_go.get(..gone).unwrap_or_default();
        let taken = taken(gap, hidden);
        let lines = taken.saturating_add(least).div_ceil(line);
        let command = Some(line.saturating_mul(lines).saturating_sub(taken).max(least));
        Self { hidden: hidden.to_vec(), gap, command }
    }
}
