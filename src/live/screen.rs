//! The bytes that draw a screen: those that turn the previous one into it.

use std::io;

use crossterm::cursor::MoveTo;
use crossterm::queue;
use crossterm::style::{
    Attribute, Color as TerminalColor, Print, SetAttribute, SetForegroundColor,
};
use crossterm::terminal::{Clear, ClearType};
use ratatui_core::buffer::Buffer;
use ratatui_core::style::{Color, Modifier};

/// The attributes that the view uses.
const ATTRIBUTES: [(Modifier, Attribute); 5] = [
    (Modifier::BOLD, Attribute::Bold),
    (Modifier::DIM, Attribute::Dim),
    (Modifier::UNDERLINED, Attribute::Underlined),
    (Modifier::REVERSED, Attribute::Reverse),
    (Modifier::CROSSED_OUT, Attribute::CrossedOut),
];

/// Returns the bytes that draw a screen over the previous one. `None` clears what is there.
pub(super) fn draw(before: Option<&Buffer>, now: &Buffer) -> Vec<u8> {
    let mut bytes = Vec::new();
    // A vector takes everything that is written to it.
    let _ = queue_changes(before, now, &mut bytes);
    bytes
}

fn queue_changes(before: Option<&Buffer>, now: &Buffer, out: &mut Vec<u8>) -> io::Result<()> {
    let blank = Buffer::empty(now.area);
    let before = before.filter(|before| before.area == now.area);
    if before.is_none() {
        queue!(out, SetAttribute(Attribute::Reset), Clear(ClearType::All))?;
    }
    let mut next = None;
    let mut style = None;
    for (x, y, cell) in before.unwrap_or(&blank).diff(now) {
        if next != Some((x, y)) {
            queue!(out, MoveTo(x, y))?;
        }
        if style != Some((cell.modifier, cell.fg)) {
            queue!(out, SetAttribute(Attribute::Reset))?;
            for (modifier, attribute) in ATTRIBUTES {
                if cell.modifier.contains(modifier) {
                    queue!(out, SetAttribute(attribute))?;
                }
            }
            if let Some(color) = color(cell.fg) {
                queue!(out, SetForegroundColor(color))?;
            }
            style = Some((cell.modifier, cell.fg));
        }
        queue!(out, Print(cell.symbol()))?;
        // A wide character moves the cursor by two; the next cell then needs its own position.
        next = x.checked_add(1).map(|x| (x, y)).filter(|_| cell.symbol().is_ascii());
    }
    queue!(out, SetAttribute(Attribute::Reset))
}

/// Returns a colour of the terminal's own palette.
fn color(color: Color) -> Option<TerminalColor> {
    match color {
        Color::Red => Some(TerminalColor::DarkRed),
        Color::Green => Some(TerminalColor::DarkGreen),
        Color::Yellow => Some(TerminalColor::DarkYellow),
        _ => None,
    }
}
