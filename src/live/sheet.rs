//! The text of the rows around those on the screen, in columns.

use ratatui_core::buffer::Buffer;
use ratatui_core::layout::Rect;
use ratatui_core::style::{Color, Modifier, Style};
use unicode_width::UnicodeWidthStr;

use super::layout::{BEGINNING, Column, Layout, Place, SHORTEST_ADDRESS, arrange, cut, shorten};
use crate::fields::{
    Align, DST, FOREIGN, Field, Groups, LOCAL, PID, PROTO, RATE_IN, RATE_OUT, SRC, STATE, Subject,
    Value,
};
use crate::listing::{Change, Mark};
use crate::names::Names;
use crate::render;
use crate::socket::{Socket, State};

/// How many rows above and below the screen are as wide as the columns. With them, the columns rarely
/// move while the user scrolls.
const AROUND: usize = 250;

/// A column, and its heading.
struct Head {
    title: String,
    align: Align,
    place: Place,
    /// What its cells can be shortened to.
    short: Short,
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

/// The width to which text of any length is cut.
const SHORT_TEXT: usize = 24;

/// A row of text.
struct Line {
    sign: &'static str,
    style: Style,
    cells: Vec<String>,
    /// The cell that has changed.
    changed: Option<usize>,
}

/// A table of text.
pub(super) struct Sheet {
    heads: Vec<Head>,
    /// The index of the first row that is there as text.
    first: usize,
    lines: Vec<Line>,
}

/// How the sockets of a sheet are shown.
#[derive(Clone, Copy)]
pub(super) struct Manner<'a> {
    pub(super) fields: &'a [&'static Field],
    /// Those that the user asks for besides the usual ones.
    pub(super) asked: &'a [&'static Field],
    pub(super) names: &'a Names,
    pub(super) wide: bool,
    pub(super) color: bool,
}

impl Sheet {
    /// Returns the sheet of some sockets, with text for those near the rows from `top` on.
    pub(super) fn of_sockets(
        rows: &[Change<'_>],
        manner: Manner<'_>,
        top: usize,
        page: usize,
    ) -> Self {
        let first = top.saturating_sub(AROUND);
        let last = (top + page + AROUND).min(rows.len());
        let near = rows.get(first..last).unwrap_or_default();
        let lines: Vec<Line> = near.iter().map(|row| socket_line(row, manner)).collect();
        let heads = (0..).zip(manner.fields).map(|(index, &field)| Head {
            title: field.title.to_owned(),
            align: field.align,
            place: place(field, manner, index + 1 == manner.fields.len(), || {
                let is_zero = |cell: &str| cell == "0" && field.align == Align::Right;
                let mut cells = lines.iter().filter_map(|line| line.cells.get(index));
                cells.all(|cell| cell.is_empty() || is_zero(cell))
            }),
            short: match field {
                _ if [&LOCAL, &FOREIGN, &SRC, &DST].contains(&field) => Short::Address,
                _ if field.is_text && index + 1 < manner.fields.len() => Short::Text,
                _ => Short::Never,
            },
        });
        Self { heads: heads.collect(), first, lines }
    }

    /// Returns the sheet of groups: the key, the number of sockets, and the sums.
    pub(super) fn of_groups(groups: &Groups<'_>, names: &Names) -> Self {
        let fields = |fields: &[&'static Field]| {
            fields.iter().map(|field| (field.title, field.align)).collect::<Vec<_>>()
        };
        let (keys, sums) = (fields(&groups.grouping.keys), fields(&groups.grouping.sums));
        let titles = [keys, vec![("Sockets", Align::Right)], sums].concat();
        let heads = titles.into_iter().map(|(title, align)| {
            let (title, place) = (title.to_owned(), Place::Pinned);
            Head { title, align, place, short: Short::Never }
        });
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
        Self { heads: heads.collect(), first: 0, lines: lines.collect() }
    }

    /// Draws the heading in the first line of an area, and below it the rows from `top` on. Returns the
    /// most steps that the columns can be scrolled, and the titles of those that do not fit.
    pub(super) fn draw(
        mut self,
        buffer: &mut Buffer,
        area: Rect,
        scroll: Scroll,
        wide: bool,
    ) -> (usize, Vec<String>) {
        if !wide {
            self.shorten(area.width.into());
        }
        let width = usize::from(area.width);
        let layout = arrange(&self.columns(), width, scroll.steps);
        let titles = self.heads.iter().map(|head| &head.title);
        let titles = text(titles, &self.heads, &Layout { offset: 0, ..layout.clone() });
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
            let cells = text(line.cells.iter(), &self.heads, &layout);
            buffer.set_stringn(area.x, y, line.sign.to_owned() + &cells, width, style);
            if let Some(changed) = line.changed {
                mark_changed(buffer, &layout, changed, Rect { y, height: 1, ..area });
            }
        }
        let left_out = layout.left_out.iter().filter_map(|&index| self.heads.get(index));
        (layout.most_steps, left_out.map(|head| head.title.clone()).collect())
    }

    fn columns(&self) -> Vec<Column> {
        let columns = (0..).zip(&self.heads).map(|(index, head)| {
            let cells = self.lines.iter().filter_map(|line| line.cells.get(index));
            let width = cells.map(|cell| cell.width()).max().unwrap_or(0).max(head.title.width());
            Column { width, place: head.place }
        });
        columns.collect()
    }

    /// Shortens addresses and long texts if not all columns fit.
    fn shorten(&mut self, width: usize) {
        let columns = self.columns();
        let layout = arrange(&columns, width, 0);
        if layout.shown.len() == columns.len() && layout.most_steps == 0 {
            return;
        }
        let least = |(column, head): (&Column, &Head)| match (column.place, head.short) {
            (Place::Rest, _) => column.width.min(BEGINNING),
            (_, Short::Text) => column.width.min(SHORT_TEXT),
            _ => column.width,
        };
        let others = columns.iter().zip(&self.heads).filter(|(_, head)| {
            head.short != Short::Address && !matches!(head.place, Place::Other(3..))
        });
        let others: usize = others.map(|it| least(it) + 1).sum();
        let is_address = |head: &&Head| head.short == Short::Address;
        let count = self.heads.iter().filter(is_address).count().max(1);
        let room = (width.saturating_sub(others + 1) / count).saturating_sub(1);
        for (index, head) in (0..).zip(&self.heads) {
            let cells = self.lines.iter_mut().filter_map(|line| line.cells.get_mut(index));
            match head.short {
                Short::Never => {}
                Short::Address => {
                    shorten(&mut cells.collect::<Vec<_>>(), room.max(SHORTEST_ADDRESS));
                }
                Short::Text => cells.for_each(|cell| *cell = cut(cell, SHORT_TEXT)),
            }
        }
    }
}

/// What part of a sheet is on the screen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scroll {
    pub(super) top: usize,
    pub(super) cursor: usize,
    pub(super) steps: usize,
}

/// Returns how a column gives way. Those without values, and queues that are all 0, are the first.
fn place(
    field: &'static Field,
    manner: Manner<'_>,
    is_last: bool,
    is_empty: impl Fn() -> bool,
) -> Place {
    if is_last && field.is_text {
        return Place::Rest;
    }
    if [&PROTO, &LOCAL, &PID].contains(&field) {
        return Place::Pinned;
    }
    Place::Other(match field {
        _ if *field == STATE => 0,
        _ if *field == FOREIGN => 1,
        _ if manner.asked.contains(&field) => 2,
        // They have values only from the second listing on.
        _ if [&RATE_IN, &RATE_OUT].contains(&field) => 2,
        _ if is_empty() => 4,
        _ => 3,
    })
}

fn socket_line(row: &Change<'_>, manner: Manner<'_>) -> Line {
    let subject = Subject::new(row.entry);
    let has_pid = manner.fields.contains(&&PID);
    let cells = manner.fields.iter().map(|field| match (field.value)(&subject) {
        // One `?` is enough.
        Value::Unknown if has_pid && **field != PID => String::new(),
        value => render::text(&value, manner.names, manner.wide),
    });
    let changed = row.former_state.and(manner.fields.iter().position(|it| **it == STATE));
    Line { sign: sign(row), style: style(row, manner.color), cells: cells.collect(), changed }
}

/// Returns the sign at the beginning of a row.
pub(super) fn sign(row: &Change<'_>) -> &'static str {
    match row.mark {
        Mark::Same if row.former_state.is_some() => "~",
        Mark::Same if is_trouble(row.entry.socket) => "!",
        mark => mark.sign(),
    }
}

/// Returns true for a socket that the user should see: the other end has closed the connection and the
/// program has not, or clients wait and more of them are turned away.
fn is_trouble(socket: &Socket) -> bool {
    socket.state() == Some(State::CloseWait)
        || socket.state() == Some(State::Listen) && socket.has_full_queue()
}

/// The style of a row. Colours are never the only sign.
fn style(row: &Change<'_>, color: bool) -> Style {
    use State::{
        Bound, Close, CloseWait, Closing, Connecting, Disconnecting, FinWait1, FinWait2, LastAck,
        Listen, Listening, NewSynRecv, SynRecv, SynSent, TimeWait,
    };
    let mut style = Style::default();
    let socket = row.entry.socket;
    let shade = match socket.state() {
        _ if is_trouble(socket) => style.fg(Color::Red),
        Some(Listen | Listening) => style.fg(Color::Green),
        Some(Bound | SynSent | SynRecv | NewSynRecv | Connecting) => style.fg(Color::Yellow),
        Some(
            CloseWait | FinWait1 | FinWait2 | TimeWait | Closing | LastAck | Close | Disconnecting,
        ) => style.add_modifier(Modifier::DIM),
        _ => style,
    };
    if color {
        style = shade;
    }
    match row.mark {
        Mark::Same => style,
        Mark::New => style.add_modifier(Modifier::BOLD),
        Mark::Closed => style.add_modifier(Modifier::CROSSED_OUT),
    }
}

/// Returns the cells of a line that are shown, after a gap each.
fn text<'a>(cells: impl Iterator<Item = &'a String>, heads: &[Head], layout: &Layout) -> String {
    let cells: Vec<&String> = cells.collect();
    let mut line = String::new();
    for &(index, width) in &layout.shown {
        let (Some(cell), Some(head)) = (cells.get(index), heads.get(index)) else { continue };
        let cell = match head.place {
            Place::Rest if layout.offset > 0 => {
                cut(&cell.chars().skip(layout.offset).collect::<String>(), width)
            }
            _ => cut(cell, width),
        };
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
