//! One sheet of the table: rows of cells, arranged by comfy-table.

use std::cmp::Reverse;

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, ColumnConstraint, Row, Table, Width};

use super::columns::Column;
use super::{Lines, Mark, Screen};
use crate::listing::Entry;
use crate::names::Names;

/// Spaces between two columns, and what they can be reduced to.
const GAP: u16 = 2;
const NARROW_GAP: u16 = 1;
/// Characters of a command that are shown however little room there is, if it has so many.
const COMMAND: u16 = 8;

/// Rows of cells, and what the line of each is to look like.
pub(super) struct Sheet {
    columns: Vec<Kind>,
    rows: Vec<Vec<String>>,
    styles: Vec<String>,
}

/// What a column is like, whatever is in it.
struct Kind {
    title: &'static str,
    is_number: bool,
    cost: u8,
}

impl Sheet {
    /// The sheet of these sockets. Of its columns the last one is the command's.
    pub(super) fn new<S>(
        columns: &[Column<S>],
        state: fn(&S) -> &'static str,
        marked: bool,
        names: &Names,
        entries: &[(Entry<'_, S>, Mark)],
    ) -> Self {
        let marks = marked.then_some(Kind { title: "", is_number: false, cost: 0 });
        let kinds = columns.iter().map(|&Column { title, is_number, cost, .. }| Kind {
            title,
            is_number,
            cost,
        });
        let row = |(entry, mark): &(Entry<'_, S>, Mark)| {
            let cells = columns.iter().map(|column| (column.cell)(names, entry));
            marked.then(|| sign(*mark).to_owned()).into_iter().chain(cells).collect()
        };
        Self {
            columns: marks.into_iter().chain(kinds).collect(),
            rows: entries.iter().map(row).collect(),
            styles: entries.iter().map(|(entry, mark)| style(state(entry.socket), *mark)).collect(),
        }
    }

    /// Its lines, as they fit on a screen.
    pub(super) fn lines(self, screen: Screen, header: bool) -> Lines {
        let Self { columns, mut rows, styles } = self;
        let last = columns.len().saturating_sub(1);
        let is_trivial: Vec<bool> = (0..columns.len())
            .map(|at| rows.iter().all(|row| row.get(at).is_some_and(|cell| cell == "0")))
            .collect();
        let mut titles: Vec<&str> = columns.iter().map(|column| column.title).collect();
        // Without an end to the lines, the longest command would fill up every line to its length.
        let mut commands = Vec::new();
        if screen.width.is_none() {
            commands.extend(titles.pop().filter(|_| header).map(ToOwned::to_owned));
            commands.extend(rows.iter_mut().filter_map(Vec::pop));
        }

        let mut table = Table::new();
        // Without a character to divide words at, commands are cut wherever the column ends.
        table.load_style(NOTHING).set_delimiter('\0').set_truncation_indicator("…");
        if header {
            table.set_header(titles);
        }
        for cells in rows {
            let mut row = Row::from(cells);
            row.max_height(1);
            table.add_row(row);
        }
        let mut left_out = Vec::new();
        let fit = Fit::new(&table.column_max_content_widths(), &columns, &is_trivial, screen.width);
        for (at, kind) in columns.iter().enumerate() {
            let Some(column) = table.column_mut(at) else { continue };
            column.set_padding((0, if at == last { 0 } else { fit.gap }));
            if kind.is_number {
                column.set_cell_alignment(CellAlignment::Right);
            }
            if fit.hidden.contains(&at) {
                column.set_constraint(ColumnConstraint::Hidden);
                if is_trivial.get(at) != Some(&true) {
                    left_out.push(kind.title);
                }
            } else if at == last
                && let Some(width) = fit.command
            {
                column.set_constraint(ColumnConstraint::UpperBoundary(Width::Fixed(width)));
            }
        }
        let heading = header.then(|| "\x1b[1m".to_owned());
        let mut commands = commands.into_iter();
        let lines = table.lines().zip(heading.into_iter().chain(styles)).map(|(line, style)| {
            let line = line + &commands.next().unwrap_or_default();
            let line = line.trim_end();
            if screen.color && !style.is_empty() {
                format!("{style}{line}\x1b[m")
            } else {
                line.to_owned()
            }
        });
        Lines { lines: lines.collect(), left_out }
    }
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
    /// Fits columns of these widths into a line. Those in which there is nothing but zeros go
    /// first, then every second space between columns, then the others in order of their cost.
    /// Where all of that is not enough, none of the others goes: as many lines as the addresses
    /// take have room for them.
    fn new(widths: &[u16], columns: &[Kind], is_trivial: &[bool], line: Option<u16>) -> Self {
        let (Some(line), Some((&command, others))) = (line, widths.split_last()) else {
            return Self { hidden: Vec::new(), gap: GAP, command: None };
        };
        let least = command.min(COMMAND);
        let costs = columns.iter().map(|column| column.cost).enumerate();
        let (trivial, mut others_to_go): (Vec<_>, Vec<_>) = costs
            .filter(|&(_, cost)| cost > 0)
            .partition(|&(at, _)| is_trivial.get(at) == Some(&true));
        others_to_go.sort_by_key(|&(_, cost)| Reverse(cost));
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
