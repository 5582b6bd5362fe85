//! Writes rows into lines: pads cells to their columns, and continues rows that do not fit.

use unicode_width::UnicodeWidthChar;

use super::cell::Show;
use super::columns::Column;
use super::fit::{COMMAND, Fit, INDENT, Place};
use super::sheet::{Sheet, Tone};
use super::short::Shortened;
use crate::fields::{Align, Subject};
use crate::listing::{Entry, Mark};
use crate::render::netstat::cells::RowBuffer;

/// The codes of headings.
pub(super) const BOLD: &str = "1";
/// The end of a text that is cut.
const CUT: &str = "…";

/// How rows become lines.
pub(super) struct Lines<'a> {
    pub(super) sheet: &'a Sheet<'a>,
    pub(super) fit: &'a Fit,
    pub(super) shortened: Option<&'a Shortened>,
    /// The screen has colours.
    pub(super) color: bool,
}

impl Lines<'_> {
    /// Appends the heading.
    pub(super) fn heading(&self, out: &mut RowBuffer) {
        let codes = if self.color { BOLD } else { "" };
        self.row(codes, "", out, |column, _, out| {
            out.text(column.field.title);
            column.field.title.len()
        });
    }

    /// Appends the lines of a socket.
    pub(super) fn entry(&self, entry: Entry<'_>, mark: Mark, out: &mut RowBuffer) {
        let codes = if self.color { codes(&entry, mark) } else { String::new() };
        let subject = Subject::new(entry);
        let whole = self.sheet.show;
        let short = Show { shortened: self.shortened, ..whole };
        self.row(&codes, mark.sign().trim_end(), out, |column, is_short, out| {
            let show = if is_short { &short } else { &whole };
            self.sheet.append_cell(column, &subject, show, out)
        });
    }

    /// Appends the lines of a row. `append` appends the cell of a column, with short addresses if
    /// asked for, and returns its width.
    fn row(
        &self,
        codes: &str,
        mark: &str,
        out: &mut RowBuffer,
        append: impl Fn(&Column, bool, &mut RowBuffer) -> usize,
    ) {
        let (columns, command) = self.sheet.split();
        let mut line = Line { codes, gap: self.fit.gap, number: 0, end: 0, first: 0, out };
        line.begin();
        if !mark.is_empty() {
            line.out.text(mark);
            line.end = 1;
        }
        for place in &self.fit.places {
            let Some(column) = columns.get(place.column) else { continue };
            let before = line.out.len();
            let mut width = append(column, false, line.out);
            if self.shortened.is_some() && column.has_ends() && width > place.width.into() {
                line.out.truncate(before);
                width = append(column, true, line.out);
            }
            let is_right = column.field.align == Align::Right;
            line.put(before, as_u16(width), place, is_right, self.fit.line);
        }
        if let Some(command) = command {
            let before = line.out.len();
            let width = append(command, false, line.out);
            line.put_command(before, width, self.fit);
        }
        line.finish();
    }
}

/// The escape codes for a row: those of its style, and bold if the socket is new, or struck through if it
/// is closed.
pub(super) fn codes(entry: &Entry<'_>, mark: Mark) -> String {
    let mark = match mark {
        Mark::Same => "",
        Mark::New => "1",
        Mark::Closed => "9",
    };
    match (Tone::of(entry).codes(), mark) {
        (codes, "") | ("", codes) => codes.to_owned(),
        (style, mark) => format!("{style};{mark}"),
    }
}

/// The line that is being written.
struct Line<'a> {
    /// The codes of its style; empty for none.
    codes: &'a str,
    gap: u16,
    /// The line of the places.
    number: u16,
    /// The width of what is written.
    end: u16,
    /// The length of `out` when the line began.
    first: usize,
    out: &'a mut RowBuffer,
}

impl Line<'_> {
    fn begin(&mut self) {
        if !self.codes.is_empty() {
            for text in ["\x1b[", self.codes, "m"] {
                self.out.text(text);
            }
        }
        self.end = 0;
        self.first = self.out.len();
    }

    /// Ends the line. Foreign text can end with spaces.
    fn finish(&mut self) {
        let text = self.out.bytes().get(self.first..).unwrap_or_default();
        let trimmed = text.trim_ascii_end().len();
        self.out.truncate(self.first + trimmed);
        self.out.text(if self.codes.is_empty() { "\n" } else { "\x1b[m\n" });
    }

    /// Puts the cell that begins at `before` and is this wide to its place, or behind the previous cell if
    /// that is longer than its column. If the line ends before the cell, the row continues on the next
    /// line.
    fn put(&mut self, before: usize, width: u16, place: &Place, is_right: bool, line: Option<u16>) {
        if width == 0 {
            return;
        }
        let aligned = if is_right { place.width.saturating_sub(width) } else { 0 };
        let at_place = place.start.saturating_add(aligned);
        let is_next = place.line > self.number;
        self.number = place.line.max(self.number);
        let start = if is_next { at_place } else { at_place.max(self.free()) };
        let fits = |start: u16| line.is_none_or(|line| start.saturating_add(width) <= line);
        if fits(start) {
            return self.put_at(before, start, width, is_next);
        }
        let start = match line {
            Some(line) if !fits(at_place) => at_place.min(line.saturating_sub(width).max(INDENT)),
            _ => at_place,
        };
        self.put_at(before, start, width, is_next || self.end > 0);
    }

    /// Puts the command that begins at `before` to its place, or behind the previous cell if that is
    /// longer than its column. Cuts it, unless not even its beginning would be left: then the row
    /// continues on the next line, and the command is cut there.
    fn put_command(&mut self, before: usize, width: usize, fit: &Fit) {
        let (number, at_place) = fit.command;
        if width == 0 {
            return;
        }
        let is_next = number > self.number;
        let start = if is_next { at_place } else { at_place.max(self.free()) };
        let Some(line) = fit.line else {
            return self.put_at(before, start, as_u16(width), is_next);
        };
        let room = line.saturating_sub(start);
        let (start, is_next) = if as_u16(width).min(COMMAND) <= room {
            (start, is_next)
        } else {
            (at_place.min(INDENT), true)
        };
        let width = cut(self.out, before, width, line.saturating_sub(start));
        self.put_at(before, start, width, is_next);
    }

    /// The first place on the line that is free.
    fn free(&self) -> u16 {
        if self.end > 0 { self.end.saturating_add(self.gap) } else { 0 }
    }

    /// Moves the text from `before` on, which is this wide, to this distance from the beginning of
    /// the line, or of the next line.
    fn put_at(&mut self, before: usize, start: u16, width: u16, is_next: bool) {
        if is_next {
            let text = self.out.bytes().get(before..).unwrap_or_default();
            let text = String::from_utf8_lossy(text).into_owned();
            self.out.truncate(before);
            self.finish();
            self.begin();
            self.out.spaces(start.into());
            self.out.text(&text);
        } else {
            let length = self.out.len() - before;
            self.out.spaces(start.saturating_sub(self.end).into());
            self.out.rotate(before, length);
        }
        self.end = start.max(self.end).saturating_add(width);
    }
}

/// Cuts the text from `before` on, which is this wide, if it is wider than the room. Returns its width
/// then.
pub(super) fn cut(out: &mut RowBuffer, before: usize, width: usize, room: u16) -> u16 {
    let room = usize::from(room);
    if width <= room {
        return as_u16(width);
    }
    let text = out.bytes().get(before..).unwrap_or_default();
    let text = String::from_utf8_lossy(text);
    let (mut length, mut taken) = (0, 0);
    for char in text.chars() {
        let wider = taken + char.width().unwrap_or(0);
        if wider + 1 > room {
            break;
        }
        (length, taken) = (length + char.len_utf8(), wider);
    }
    out.truncate(before + length);
    out.text(CUT);
    as_u16(taken + 1)
}

fn as_u16(width: usize) -> u16 {
    u16::try_from(width).unwrap_or(u16::MAX)
}
