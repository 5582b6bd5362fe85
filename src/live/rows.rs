//! A row of the view as text: its cells, the sign before them, and its style.

use ratatui_core::style::{Color, Modifier, Style};

use super::layout::{EMPTY, Place};
use crate::fields::{
    FOREIGN, Field, LOCAL, PID, PROTO, RATE_IN, RATE_OUT, RECV_Q, STATE, Subject, Value,
};
use crate::listing::{Change, Mark};
use crate::names::Names;
use crate::query::Scope;
use crate::render::{self, Shortened, Tone};

/// Columns from this rank on give way before addresses are shortened.
pub(super) const BEFORE_ADDRESSES: u8 = 7;
/// The rank of the other end and the state, if all sockets are servers.
const OF_SERVERS: u8 = 8;

/// How sockets are shown.
#[derive(Clone, Copy)]
pub(super) struct Manner<'a> {
    pub(super) fields: &'a [&'static Field],
    /// Those that the user asks for besides the usual ones.
    pub(super) asked: &'a [&'static Field],
    pub(super) names: &'a Names,
    pub(super) wide: bool,
    pub(super) color: bool,
}

/// A row of text.
pub(super) struct Line {
    pub(super) sign: &'static str,
    pub(super) style: Style,
    pub(super) cells: Vec<String>,
    /// The cell that has changed.
    pub(super) changed: Option<usize>,
}

impl Line {
    /// Returns the row of a socket.
    pub(super) fn of(row: &Change<'_>, manner: Manner<'_>) -> Self {
        let subject = Subject::new(row.entry);
        let cells = manner.fields.iter().map(|field| cell(field, &subject, manner, None)).collect();
        let changed = row.former_state().and(manner.fields.iter().position(|it| **it == STATE));
        Self { sign: sign(row), style: style(row, manner.color), cells, changed }
    }
}

/// Returns the text of a cell, with short hosts if there are any.
pub(super) fn cell(
    field: &Field,
    subject: &Subject<'_>,
    manner: Manner<'_>,
    hosts: Option<&Shortened>,
) -> String {
    match ((field.value)(subject), hosts) {
        // One `?` is enough.
        (Value::Unknown, _) if *field != PID && manner.fields.contains(&&PID) => String::new(),
        (value, Some(hosts)) => render::short_text(&value, manner.names, hosts),
        (value, None) => render::text(&value, manner.names, manner.wide),
    }
}

/// Returns how a column gives way. `is_empty` tells whether all its values are 0 or missing.
pub(super) fn place(
    field: &'static Field,
    manner: Manner<'_>,
    rows: &[Change<'_>],
    is_empty: impl Fn() -> bool,
) -> Place {
    if field.is_text && manner.fields.last() == Some(&field) {
        return Place::Rest;
    }
    if [&PROTO, &LOCAL, &PID].contains(&field) {
        return Place::Pinned;
    }
    let has_only_servers = || rows.iter().all(|row| Scope::Listening.includes(row.entry.socket));
    Place::Other(match field {
        _ if manner.asked.contains(&field) => 0,
        // They have values only from the second listing on.
        _ if [&RATE_IN, &RATE_OUT].contains(&field) => 4,
        _ if is_empty() => EMPTY,
        _ if *field == RECV_Q => 3,
        _ if ![&STATE, &FOREIGN].contains(&field) => match field.priority {
            // The table never hides it.
            0 => 0,
            priority => 5 + priority,
        },
        _ if has_only_servers() => OF_SERVERS,
        _ if *field == FOREIGN => 1,
        _ => 2,
    })
}

/// Returns the sign at the beginning of a row.
fn sign(row: &Change<'_>) -> &'static str {
    match row.mark {
        Mark::Same if row.former_state().is_some() => "~",
        Mark::Same if is_trouble(row) => "!",
        mark => mark.sign(),
    }
}

/// Returns true for a socket that the user should see: see [`Tone::Trouble`]; or its program does not
/// read.
fn is_trouble(row: &Change<'_>) -> bool {
    Tone::of(&row.entry) == Tone::Trouble || row.is_unread()
}

/// The style of a row. Colours are never the only sign.
fn style(row: &Change<'_>, color: bool) -> Style {
    let style = Style::default();
    let style = match Tone::of(&row.entry) {
        _ if !color => style,
        _ if is_trouble(row) => style.fg(Color::Red).add_modifier(Modifier::BOLD),
        Tone::Server => style.fg(Color::Green),
        Tone::Opening => style.fg(Color::Magenta),
        Tone::Over => style.add_modifier(Modifier::DIM),
        Tone::Trouble | Tone::Plain => style,
    };
    match row.mark {
        Mark::Same => style,
        Mark::New => style.add_modifier(Modifier::BOLD),
        Mark::Closed => style.add_modifier(Modifier::CROSSED_OUT),
    }
}
