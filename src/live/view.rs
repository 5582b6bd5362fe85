//! Draws the view: the rows or a pane, and the line with the counts or the prompt.

use std::time::Duration;

use ratatui_core::buffer::Buffer;
use ratatui_core::layout::Rect;
use ratatui_core::style::{Modifier, Style};
use ratatui_core::text::Line;

use super::model::Counts;
use super::panes::{self, Entry};
use super::sheet::{Manner, Scroll, Sheet};
use super::state::{Pane, Seen, State};
use crate::fields::{Field, Groups};
use crate::harmless::harmless;
use crate::listing::Change;
use crate::names::Names;
use crate::request::{Columns, Look};

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
    /// The error in the filter.
    pub(super) error: Option<&'a str>,
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
        let width = area.width;
        let mut left_out = Vec::new();
        let seen = match &self.state.pane {
            Pane::Rows | Pane::Prompt => self.draw_rows(buffer, body, &mut left_out),
            Pane::Help(top) => draw_pane(buffer, body, &panes::help(), *top, None),
            Pane::Details(top) => draw_pane(buffer, body, self.details, *top, None),
            Pane::Columns(index) => {
                let entries = panes::columns(&self.state.fields(self.look, width));
                // The cursor is in the middle of the screen.
                let top = index.saturating_sub(usize::from(body.height) / 2);
                draw_pane(buffer, body, &entries, top, Some(*index))
            }
        };
        let text: String = harmless(self.last_line(&left_out).as_bytes()).collect();
        let style = match self.state.pane {
            Pane::Prompt => Style::default(),
            _ => Style::default().add_modifier(Modifier::REVERSED),
        };
        buffer.set_stringn(last.x, last.y, text, width.into(), style);
        seen
    }

    fn draw_rows(&self, buffer: &mut Buffer, area: Rect, left_out: &mut Vec<String>) -> Seen {
        let State { top, index: cursor, steps, wide, .. } = *self.state;
        let page = page(area.height + 1);
        let fields: Vec<&Field> = self.state.fields(self.look, area.width);
        let (rows, sheet) = if let Some(groups) = self.groups {
            (groups.groups.len(), Sheet::of_groups(groups, self.names))
        } else {
            let asked: &[_] = match &self.look.columns {
                Columns::UsualAnd(fields) => fields,
                Columns::Only(_) => &[],
            };
            let (names, color) = (self.names, self.color);
            let manner = Manner { fields: &fields, asked, names, wide, color };
            (self.rows.len(), Sheet::of_sockets(self.rows, manner, top, page))
        };
        let mut seen = Seen { rows, page, most_steps: 0, width: area.width };
        if area.height > 0 {
            let scroll = Scroll { top, cursor, steps };
            (seen.most_steps, *left_out) = sheet.draw(buffer, area, scroll, wide);
        }
        seen
    }

    /// Returns the text of the last line.
    fn last_line(&self, left_out: &[String]) -> String {
        match self.state.pane {
            Pane::Rows => self.status(left_out),
            Pane::Prompt => {
                let error = self.error.map_or(String::new(), |error| format!("  ({error})"));
                format!("/{}_{error}", self.state.filter)
            }
            Pane::Help(_) => "the keys; Esc closes".to_owned(),
            Pane::Columns(_) => {
                "columns: Space chooses, r takes the usual ones, Esc closes".to_owned()
            }
            Pane::Details(_) => "the socket at the cursor; Esc closes".to_owned(),
        }
    }

    /// Returns the text with the numbers of sockets and changes, and what the user has chosen.
    fn status(&self, left_out: &[String]) -> String {
        let Counts { present, new, closed } = Counts::of(self.rows);
        let sockets = if present == 1 { "socket" } else { "sockets" };
        let mut notes = vec![format!("{present} {sockets}, {new} new, {closed} closed")];
        if self.state.is_paused {
            notes.push("PAUSED".to_owned());
        }
        match (self.error, &self.state.filter[..]) {
            (_, "") => {}
            (None, filter) => notes.push(format!("/{filter}")),
            (Some(error), filter) => notes.push(format!("/{filter}: {error}")),
        }
        if let Some((field, is_descending)) = self.state.order.fields().first() {
            let sign = if *is_descending { "-" } else { "" };
            notes.push(format!("sorted by {sign}{}", field.key));
        }
        notes.push(format!("every {:?}", self.interval));
        notes.push("q quits, ? lists keys".to_owned());
        if !left_out.is_empty() {
            notes.push(format!("→ {}", left_out.join(", ")));
        }
        notes.extend(self.remark.map(ToOwned::to_owned));
        notes.join("; ")
    }
}

/// Draws the lines of a pane from `top` on, with a cursor on one of them.
fn draw_pane(
    buffer: &mut Buffer,
    area: Rect,
    entries: &[Entry],
    top: usize,
    cursor: Option<usize>,
) -> Seen {
    let lines: Vec<Line<'_>> = panes::lines(entries, area.width);
    let page = usize::from(area.height);
    let top = top.min(lines.len().saturating_sub(page));
    for (index, (y, line)) in (area.y..area.bottom()).zip(lines.iter().skip(top)).enumerate() {
        buffer.set_line(area.x, y, line, area.width);
        if cursor == Some(top + index) {
            buffer.set_style(Rect { y, height: 1, ..area }, Modifier::REVERSED);
        }
    }
    Seen { rows: lines.len(), page, most_steps: 0, width: area.width }
}
