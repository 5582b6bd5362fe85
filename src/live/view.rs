//! Draws the view: the rows or a pane, and the line with the counts or the prompt.

use std::time::Duration;

use ratatui_core::buffer::Buffer;
use ratatui_core::layout::Rect;
use ratatui_core::style::{Modifier, Style};
use ratatui_core::text::Line;

use super::footer::{self, Part};
use super::layout::cut;
use super::model::Counts;
use super::panes::{self, Entry};
use super::prompt;
use super::rows::Manner;
use super::sheet::{Outside, Scroll, Sheet};
use super::state::{Pane, Seen, State};
use crate::fields::{Field, Groups};
use crate::harmless::harmless;
use crate::listing::Change;
use crate::names::Names;
use crate::request::Look;

/// Longer texts that the user or a program chose are cut to this if there is no room.
const SHORT: usize = 24;

/// Everything that a frame shows.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) look: &'a Look,
    pub(super) state: &'a State,
    pub(super) rows: &'a [Change<'a>],
    pub(super) groups: Option<&'a Groups<'a>>,
    /// What the pane about a socket shows.
    pub(super) details: &'a [Entry],
    pub(super) names: &'a Names,
    pub(super) color: bool,
    pub(super) interval: Duration,
    /// The first remark about the listing.
    pub(super) remark: Option<&'a str>,
}

/// Returns the number of rows below the heading on a screen with this many lines.
pub(super) fn page(lines: u16) -> usize {
    usize::from(lines.saturating_sub(2))
}

impl View<'_> {
    /// Draws the view, and returns what the user sees.
    pub(super) fn draw(&self, buffer: &mut Buffer) -> Seen {
        let area = buffer.area;
        if area.is_empty() {
            return Seen::default();
        }
        let body = Rect { height: area.height - 1, ..area };
        let last = Rect { y: body.bottom(), height: 1, ..area };
        let mut outside = Outside::default();
        let (seen, top) = match &self.state.pane {
            Pane::Rows | Pane::Prompt(_) => {
                outside = self.draw_rows(buffer, body);
                (self.seen_rows(body, &outside), 0)
            }
            Pane::Help(top) => draw_pane(buffer, body, &panes::help(), *top, None),
            Pane::Details(top) => draw_pane(buffer, body, self.details, *top, None),
            Pane::Columns(index) => {
                let entries = panes::columns(&self.state.fields(self.look, area.width));
                // The cursor is in the middle of the screen.
                let top = index.saturating_sub(usize::from(body.height) / 2);
                draw_pane(buffer, body, &entries, top, Some(*index))
            }
        };
        let width = usize::from(area.width);
        let text = match &self.state.pane {
            Pane::Rows => footer::line(&self.status(&outside, area.width), width),
            Pane::Prompt(_) => prompt::line(&self.state.filter, self.state.error.as_deref(), width),
            Pane::Help(_) => footer::line(&about_pane(seen, top, "the keys", None), width),
            Pane::Details(_) => {
                footer::line(&about_pane(seen, top, "the socket at the cursor", None), width)
            }
            Pane::Columns(_) => {
                let keys = Some("Space chooses, r takes the usual ones");
                footer::line(&about_pane(seen, top, "the columns", keys), width)
            }
        };
        let text: String = harmless(text.as_bytes()).collect();
        let style = match self.state.pane {
            Pane::Prompt(_) => Style::default(),
            _ => Style::default().add_modifier(Modifier::REVERSED),
        };
        buffer.set_stringn(last.x, last.y, text, width, style);
        seen
    }

    /// Returns what the user sees while the rows are shown.
    fn seen_rows(&self, area: Rect, outside: &Outside) -> Seen {
        Seen {
            rows: self.groups.map_or(self.rows.len(), |groups| groups.groups.len()),
            page: page(area.height + 1),
            most_steps: outside.most_steps,
            width: area.width,
        }
    }

    /// Draws the rows. Returns the columns that are not shown.
    fn draw_rows(&self, buffer: &mut Buffer, area: Rect) -> Outside {
        let State { cursor, steps, wide, order, .. } = self.state;
        let fields: Vec<&Field> = self.state.fields(self.look, area.width);
        let sort = order.fields().first().copied();
        let sheet = if let Some(groups) = self.groups {
            Sheet::of_groups(groups, self.names, sort)
        } else {
            let asked = &self.state.asked(self.look, area.width);
            let (names, color) = (self.names, self.color);
            let manner = Manner { fields: &fields, asked, names, wide: *wide, color };
            let page = (cursor.top, page(area.height + 1));
            Sheet::of_sockets(self.rows, manner, sort, page, area.width.into())
        };
        if area.height == 0 {
            return Outside::default();
        }
        sheet.draw(buffer, area, Scroll { top: cursor.top, cursor: cursor.index, steps: *steps })
    }

    /// Returns the last line: the numbers of sockets and changes, what the user has chosen, and the
    /// columns that are not shown.
    fn status(&self, outside: &Outside, width: u16) -> Vec<Part> {
        let State { is_paused, within, filter, changed_first, order, .. } = self.state;
        let Counts { present, new, closed } = Counts::of(self.rows);
        let sockets = format!("{present} {}", if present == 1 { "socket" } else { "sockets" });
        let counts = vec![format!("{sockets}, {new} new, {closed} closed"), sockets];
        let mut parts = vec![Part::new((0, 3), [counts, vec![present.to_string()]].concat())];
        if *is_paused {
            parts.push(Part::whole(1, "PAUSED"));
        }
        if let Some(within) = within {
            parts.push(Part::new((2, 4), vec![within.title.clone(), cut(&within.title, SHORT)]));
        }
        if !filter.is_empty() {
            let filter = format!("/{filter}");
            parts.push(Part::new((2, 4), vec![filter.clone(), cut(&filter, SHORT)]));
        }
        if *changed_first {
            parts.push(Part::whole(5, "changes first"));
        }
        if let Some((field, is_descending)) = order.fields().first()
            && self.groups.is_none_or(|groups| groups.grouping.column(field).is_some())
            && !self.shows(field, outside, width)
        {
            let sign = if *is_descending { "-" } else { "" };
            parts.push(Part::whole(3, format!("sorted by {sign}{}", field.key)));
        }
        parts.push(Part::whole(10, format!("every {:?}", self.interval)));
        let keys = ["q quits, ? lists keys", "? lists keys"].map(String::from);
        parts.push(Part::new((6, 9), keys.to_vec()));
        if !outside.left.is_empty() {
            parts.push(Part::list((2, 8), "←", &outside.left));
        }
        if !outside.right.is_empty() {
            parts.push(Part::list((2, 8), "→", &outside.right));
        }
        parts.extend(self.remark.map(|remark| Part::whole(9, remark)));
        parts
    }

    /// Returns true if the heading of this field is on the screen.
    fn shows(&self, field: &Field, outside: &Outside, width: u16) -> bool {
        let is_outside = outside.left.iter().chain(&outside.right).any(|it| it == field.title);
        let is_among = match self.groups {
            Some(groups) => groups.grouping.column(field).is_some(),
            None => self.state.fields(self.look, width).contains(&field),
        };
        is_among && !is_outside
    }
}

/// Returns the last line of a pane: which lines are shown, and how to go on.
fn about_pane(seen: Seen, top: usize, title: &str, keys: Option<&str>) -> Vec<Part> {
    let Seen { rows, page, .. } = seen;
    let mut parts = vec![Part::whole(3, title)];
    if rows > page {
        let last = (top + page).min(rows);
        parts.push(Part::whole(2, format!("lines {}-{last} of {rows}", top + 1)));
        let more = if last < rows { "more below, PgDn" } else { "more above, PgUp" };
        parts.push(Part::whole(0, more));
    }
    parts.extend(keys.map(|keys| Part::whole(4, keys)));
    parts.push(Part::whole(1, "Esc closes"));
    parts
}

/// Draws the lines of a pane from `top` on, with a cursor on one of them. Returns what the user sees,
/// and the first line.
fn draw_pane(
    buffer: &mut Buffer,
    area: Rect,
    entries: &[Entry],
    top: usize,
    cursor: Option<usize>,
) -> (Seen, usize) {
    let lines: Vec<Line<'_>> = panes::lines(entries, area.width);
    let page = usize::from(area.height);
    let top = top.min(lines.len().saturating_sub(page));
    for (index, (y, line)) in (area.y..area.bottom()).zip(lines.iter().skip(top)).enumerate() {
        buffer.set_line(area.x, y, line, area.width);
        if cursor == Some(top + index) {
            buffer.set_style(Rect { y, height: 1, ..area }, Modifier::REVERSED);
        }
    }
    (Seen { rows: lines.len(), page, most_steps: 0, width: area.width }, top)
}
