//! The text of the rows around those on the screen, in columns.

use ratatui_core::buffer::Buffer;
use ratatui_core::layout::Rect;
use ratatui_core::style::{Modifier, Style};
use unicode_width::UnicodeWidthStr;

use super::layout::{Column, Layout, Place, arrange, cut, fit, shown};
use super::rows::{BEFORE_ADDRESSES, Line, Manner, cell, place};
use crate::fields::{Align, DST, FOREIGN, Field, Groups, LOCAL, RECV_Q, SRC, Subject, Value};
use crate::listing::Change;
use crate::names::Names;
use crate::render::{self, ADDRESS, SHORTEST_ADDRESS, Wanted};

/// How many rows above and below the screen are as wide as the columns. With them, the columns rarely
/// move while the user scrolls.
const AROUND: usize = 250;
/// The width to which text of any length is cut.
const SHORT_TEXT: usize = 24;

/// A column, and its heading.
struct Head {
    title: &'static str,
    /// The sign of the order after the title.
    order: &'static str,
    align: Align,
    place: Place,
    /// What its cells can be shortened to.
    short: Short,
    /// If it is left out, it is named before the others.
    is_urgent: bool,
}

/// What the cells of a column can be shortened to, if not all columns fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Short {
    /// They stay whole.
    Never,
    /// Addresses share the room.
    Address,
    /// Text of any length is cut.
    Text,
}

/// A table of text.
pub(super) struct Sheet {
    heads: Vec<Head>,
    /// The index of the first row that is there as text.
    first: usize,
    lines: Vec<Line>,
}

/// The key that the rows are sorted by, in descending order if true.
pub(super) type SortKey = Option<(&'static Field, bool)>;

/// What part of a sheet is on the screen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scroll {
    pub(super) top: usize,
    pub(super) cursor: usize,
    pub(super) steps: usize,
}

/// The columns that are not on the screen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Outside {
    /// The titles of those to the left.
    pub(super) left: Vec<String>,
    /// The titles of those to the right.
    pub(super) right: Vec<String>,
    /// The most steps to the right.
    pub(super) most_steps: usize,
}

impl Sheet {
    /// Returns the sheet of some sockets on a screen of this width, with text for those near the rows
    /// from `top` on.
    pub(super) fn of_sockets(
        rows: &[Change<'_>],
        manner: Manner<'_>,
        sort: SortKey,
        (top, page): (usize, usize),
        width: usize,
    ) -> Self {
        let first = top.saturating_sub(AROUND);
        let last = (top + page + AROUND).min(rows.len());
        let near = rows.get(first..last).unwrap_or_default();
        let lines: Vec<Line> = near.iter().map(|row| Line::of(row, manner)).collect();
        let heads = (0..).zip(manner.fields).map(|(index, &field)| {
            // Of all rows, so that no column comes or goes while the user scrolls.
            let is_zero = |row: &Change<'_>| {
                let value = (field.value)(&Subject::new(row.entry));
                matches!(value, Value::Number(0) | Value::Missing | Value::Unknown)
            };
            let is_blank = |line: &Line| line.cells.get(index).is_none_or(String::is_empty);
            let is_empty = || match field.align {
                Align::Right => rows.iter().all(is_zero),
                Align::Left => lines.iter().all(is_blank),
            };
            let place = place(field, manner, near, is_empty);
            Head {
                title: field.title,
                order: order(sort, field),
                align: field.align,
                place,
                short: match place {
                    _ if [&LOCAL, &FOREIGN, &SRC, &DST].contains(&field) => Short::Address,
                    Place::Other(_) if field.is_text => Short::Text,
                    _ => Short::Never,
                },
                is_urgent: *field == RECV_Q && !is_empty(),
            }
        });
        let mut sheet = Self { heads: heads.collect(), first, lines };
        if !manner.wide && !fit(&sheet.columns(), width) {
            sheet.shorten(near, manner, width);
        }
        sheet
    }

    /// Returns the sheet of groups: the key, the number of sockets, and the sums.
    pub(super) fn of_groups(groups: &Groups<'_>, names: &Names, sort: SortKey) -> Self {
        let pinned = |title, order, align| Head {
            title,
            order,
            align,
            place: Place::Pinned,
            short: Short::Never,
            is_urgent: false,
        };
        let of_fields = |fields: &[&'static Field]| -> Vec<Head> {
            fields.iter().map(|it| pinned(it.title, order(sort, it), it.align)).collect()
        };
        let mut heads = of_fields(&groups.grouping.keys);
        heads.push(pinned("Sockets", "", Align::Right));
        heads.extend(of_fields(&groups.grouping.sums));
        let lines = groups.groups.iter().map(|group| {
            let keys = group.values.iter().map(|value| match render::text(value, names, true) {
                text if text.is_empty() => "-".to_owned(),
                text => text,
            });
            let totals = group.sums.totals.iter();
            let totals = totals.map(|total| total.map_or("-".to_owned(), |it| it.to_string()));
            let cells = keys.chain([group.sums.sockets.to_string()]).chain(totals).collect();
            Line { sign: " ", style: Style::default(), cells, changed: None }
        });
        Self { heads, first: 0, lines: lines.collect() }
    }

    /// Draws the heading in the first line of an area, and below it the rows from `top` on. Returns the
    /// columns that are not shown.
    pub(super) fn draw(&self, buffer: &mut Buffer, area: Rect, scroll: Scroll) -> Outside {
        let width = usize::from(area.width);
        let layout = arrange(&self.columns(), width, scroll.steps);
        let titles: Vec<String> = self.heads.iter().map(Head::text).collect();
        let titles = text(&titles, &self.heads, &layout);
        let bold = Style::default().add_modifier(Modifier::BOLD);
        buffer.set_stringn(area.x, area.y, format!(" {titles}"), width, bold);
        let lines = self.lines.iter().skip(scroll.top.saturating_sub(self.first));
        for (number, (y, line)) in (area.y + 1..area.bottom()).zip(lines).enumerate() {
            let mut style = line.style;
            if scroll.top + number == scroll.cursor {
                style = style.add_modifier(Modifier::REVERSED);
                // The whole line is the cursor.
                buffer.set_style(Rect { y, height: 1, ..area }, style);
            }
            let cells = text(&line.cells, &self.heads, &layout);
            buffer.set_stringn(area.x, y, line.sign.to_owned() + &cells, width, style);
            if let Some(changed) = line.changed {
                mark_changed(buffer, &layout, changed, Rect { y, height: 1, ..area });
            }
        }
        let titles = |indices: &[usize]| -> Vec<String> {
            let heads = indices.iter().filter_map(|&index| self.heads.get(index));
            let (urgent, others): (Vec<&Head>, _) = heads.partition(|head| head.is_urgent);
            urgent.into_iter().chain(others).map(|head| head.title.to_owned()).collect()
        };
        let most_steps = layout.most_steps;
        Outside { left: titles(&layout.left), right: titles(&layout.right), most_steps }
    }

    fn columns(&self) -> Vec<Column> {
        let columns = (0..).zip(&self.heads).map(|(index, head)| {
            let cells = self.lines.iter().filter_map(|line| line.cells.get(index));
            let width = cells.map(|cell| cell.width()).max().unwrap_or(0);
            Column { width: width.max(head.text().width()), place: head.place }
        });
        columns.collect()
    }

    /// Returns the indices of the columns that can be shortened like this.
    fn with(&self, short: Short) -> Vec<usize> {
        (0..).zip(&self.heads).filter(|(_, head)| head.short == short).map(|it| it.0).collect()
    }

    /// Shortens addresses and long texts. All cells show a host in the same form.
    fn shorten(&mut self, rows: &[Change<'_>], manner: Manner<'_>, width: usize) {
        for index in self.with(Short::Text) {
            let cells = self.lines.iter_mut().filter_map(|line| line.cells.get_mut(index));
            cells.for_each(|cell| *cell = cut(cell, SHORT_TEXT));
        }
        let addresses = self.with(Short::Address);
        let room = self.room_for_address(width);
        let mut wanted = Wanted::default();
        for (row, line) in rows.iter().zip(&self.lines) {
            for &index in &addresses {
                let cell = line.cells.get(index).map_or(0, |cell| cell.width());
                if let Some(field) = manner.fields.get(index).filter(|_| cell > room) {
                    wanted.add_cell(
                        &(field.value)(&Subject::new(row.entry)),
                        cell,
                        room,
                        manner.names,
                    );
                }
            }
        }
        let hosts = wanted.shorten(manner.names);
        for (row, line) in rows.iter().zip(&mut self.lines) {
            for &index in &addresses {
                if let (Some(text), Some(field)) =
                    (line.cells.get_mut(index), manner.fields.get(index))
                {
                    *text = cell(field, &Subject::new(row.entry), manner, Some(&hosts));
                }
            }
        }
    }

    /// Returns the least width of a column with addresses. Those of IPv4 stay whole.
    fn shortest_address(&self, index: usize) -> Option<usize> {
        self.heads.get(index).filter(|head| head.short == Short::Address)?;
        let cells = self.lines.iter().filter_map(|line| line.cells.get(index));
        let short = cells.map(|cell| cell.width()).filter(|&width| width <= ADDRESS.into()).max();
        Some(short.unwrap_or(0).max(SHORTEST_ADDRESS.into()))
    }

    /// Returns the width for each column with addresses, beside the columns that are more important than
    /// whole addresses.
    fn room_for_address(&self, width: usize) -> usize {
        let all = self.columns();
        // The columns with the width of their shortest address, if they have addresses.
        let short: Vec<(Column, Option<usize>)> = (0..)
            .zip(&all)
            .filter(|(_, column)| !matches!(column.place, Place::Other(BEFORE_ADDRESSES..)))
            .map(|(index, &column)| (column, self.shortest_address(index)))
            .map(|(column, shortest)| {
                let width = column.width.min(shortest.unwrap_or(usize::MAX));
                (Column { width, ..column }, shortest.map(|_| column.width))
            })
            .collect();
        let columns: Vec<Column> = short.iter().map(|&(column, _)| column).collect();
        let (indices, beginning) = shown(&columns, width);
        let kept = || indices.iter().filter_map(|&index| short.get(index));
        let others = kept().filter(|(_, whole)| whole.is_none());
        let taken: usize = others.map(|(column, _)| column.least(1, beginning)).sum();
        let mut room = width.saturating_sub(1 + taken);
        let mut widths: Vec<_> = kept().filter_map(|&(_, whole)| Some(1 + whole?)).collect();
        widths.sort_unstable();
        let count = widths.len();
        // The narrow ones leave room to the others.
        for (number, width) in widths.into_iter().enumerate() {
            let share = room / (count - number);
            if width > share {
                return share.saturating_sub(1).max(SHORTEST_ADDRESS.into());
            }
            room -= width;
        }
        usize::MAX
    }
}

impl Head {
    fn text(&self) -> String {
        [self.title, self.order].concat()
    }
}

/// Returns the sign of the order after the title of a field.
fn order(sort: SortKey, field: &Field) -> &'static str {
    match sort {
        Some((key, false)) if key == field => " ▲",
        Some((key, true)) if key == field => " ▼",
        _ => "",
    }
}

/// Returns the cells of a line that are shown, after a gap each.
fn text(cells: &[String], heads: &[Head], layout: &Layout) -> String {
    let mut line = String::new();
    for &(index, width) in &layout.shown {
        let (Some(cell), Some(head)) = (cells.get(index), heads.get(index)) else { continue };
        let cell = cut(cell, width);
        let space = " ".repeat(width.saturating_sub(cell.width()));
        line.push_str(&" ".repeat(layout.gap));
        match head.align {
            Align::Left => line.extend([&cell[..], &space]),
            Align::Right => line.extend([&space[..], &cell]),
        }
    }
    line
}

/// Shows that the text in a column has changed.
fn mark_changed(buffer: &mut Buffer, layout: &Layout, column: usize, line: Rect) {
    let before = layout.shown.iter().take_while(|&&(index, _)| index != column);
    let x: usize = 1 + layout.gap + before.map(|&(_, width)| width + layout.gap).sum::<usize>();
    let width = layout.shown.iter().find(|&&(index, _)| index == column);
    if let (Ok(x), Some(Ok(width))) = (u16::try_from(x), width.map(|it| u16::try_from(it.1))) {
        let cell = Rect { x: line.x.saturating_add(x), width, ..line }.intersection(line);
        buffer.set_style(cell, Modifier::UNDERLINED | Modifier::BOLD);
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::time::SystemTime;

    use super::*;
    use crate::fields::{COMMAND, FD, PID, PROTO, RATE_IN, RATE_OUT, SEND_Q, STATE, USER};
    use crate::listing::{Extent, Listing, Part, compare};
    use crate::query::Query;
    use crate::socket::{Endpoint, InternetSocket, Socket, State};

    static FIELDS: [&Field; 11] =
        [&PROTO, &RECV_Q, &SEND_Q, &LOCAL, &FOREIGN, &STATE, &PID, &FD, &USER, &RATE_IN, &RATE_OUT];

    /// Draws connections between these hosts, whose commands are long. Returns the lines.
    fn drawn(ends: &[(&str, u16, &str, u16)], width: u16) -> Vec<String> {
        let end = |host: &str, port| Endpoint { address: host.parse::<IpAddr>().unwrap(), port };
        let socket = |&(local, port, remote, other): &(&str, u16, &str, u16)| {
            let (local, remote) = (end(local, port), end(remote, other));
            let state = State::Established;
            Socket::Internet(InternetSocket { local, remote, state, ..InternetSocket::example() })
        };
        let sockets: Vec<_> = ends.iter().map(socket).collect();
        let parts = vec![Part { sockets, ..Part::default() }];
        let query = Query::default();
        let listing = Listing::new(parts, None, &query, Extent::Selected, SystemTime::now());
        let rows = compare(None, &listing);
        let fields = [&FIELDS[..], &[&COMMAND]].concat();
        let names = Names::default();
        let manner =
            Manner { fields: &fields, asked: &[], names: &names, wide: false, color: false };
        let area = Rect::new(0, 0, width, 10);
        let mut sheet = Sheet::of_sockets(&rows, manner, None, (0, 10), 200);
        for line in &mut sheet.lines {
            *line.cells.last_mut().unwrap() = "x".repeat(50);
        }
        sheet.shorten(&rows, manner, width.into());
        let mut buffer = Buffer::empty(area);
        sheet.draw(&mut buffer, area, Scroll { top: 0, cursor: 0, steps: 0 });
        let line = |y| (0..width).map(|x| buffer[(x, y)].symbol()).collect::<String>();
        (0..10).map(line).collect()
    }

    const ONE: &str = "2a02:2f0a:c10f:9700:5c31:8e0f:77d2:41aa";
    const OTHER: &str = "2a02:2f0a:c10f:9700:9d10:8e0f:77d2:41aa";

    #[test]
    fn host_has_one_form_on_the_screen() {
        // Beside the short port, there is room for the whole hosts.
        let (one, other) = ("2001:db8::1:0:0:1", "2001:db8::2:0:0:1");
        let ends = [(one, 5, other, 55555), (one, 55555, other, 5), (other, 5, ONE, 5)];
        for width in [60, 80, 90, 100, 120] {
            let lines = drawn(&ends, width);
            let hosts: Vec<_> = lines[1..4]
                .iter()
                .map(|line| line.split_whitespace().nth(1).unwrap().rsplit_once(':').unwrap().0)
                .collect();
            assert_eq!(hosts[0], hosts[1], "{lines:#?}");
            assert_ne!(hosts[0], hosts[2], "{lines:#?}");
        }
    }

    #[test]
    fn beginning_of_the_command_and_the_rates_are_whole_from_120_columns_on() {
        let lines = drawn(&[(ONE, 50000, OTHER, 50000), ("192.168.100.200", 50000, ONE, 1)], 120);
        assert!(lines[0].contains(" In B/s Out B/s "), "{lines:#?}");
        assert!(lines[1].contains(&"x".repeat(24 - 1)), "{lines:#?}");
    }
}
