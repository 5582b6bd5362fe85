//! One section of a listing as columns and cells, and how wide the cells are. Does not arrange them.

use unicode_width::UnicodeWidthStr;

use super::cell::Show;
use super::columns::{self, Column, Contents};
use crate::fields::{Align, PID, Subject, Value};
use crate::listing::Entry;
use crate::names::Names;
use crate::render::netstat::cells::RowBuffer;
use crate::render::parallel::add_each;
use crate::request::Look;
use crate::socket::{Section, State};

/// The columns of a section, and how values are shown.
pub(crate) struct Sheet<'a> {
    pub(crate) columns: Vec<Column>,
    pub(crate) show: Show<'a>,
    has_pid: bool,
}

impl<'a> Sheet<'a> {
    /// Returns the sheet of a section with these sockets.
    pub(crate) fn new<'e>(
        section: Section,
        look: &Look,
        names: &'a Names,
        entries: impl Iterator<Item = Entry<'e>>,
    ) -> Self {
        let columns = columns::of(section, look, Contents::of(entries, look));
        let has_pid = columns.iter().any(|it| *it.field == PID);
        Self { columns, show: Show { names, wide: look.wide, shortened: None }, has_pid }
    }

    /// Returns the columns, and apart from them the last one if it has foreign text, which can be cut
    /// to fit. A table needs another column.
    pub(crate) fn split(&self) -> (&[Column], Option<&Column>) {
        match self.columns.split_last() {
            Some((last, others)) if last.field.is_text && !others.is_empty() => {
                (others, Some(last))
            }
            _ => (&self.columns, None),
        }
    }

    /// Returns the text of a cell, harmless for a terminal.
    pub(crate) fn cell(&self, column: &Column, subject: &Subject<'_>) -> String {
        let mut text = RowBuffer::default();
        self.append_cell(column, subject, &self.show, &mut text);
        String::from_utf8_lossy(text.bytes()).into_owned()
    }

    /// Appends a cell to a text, harmless for a terminal. Returns its width.
    pub(super) fn append_cell(
        &self,
        column: &Column,
        subject: &Subject<'_>,
        show: &Show<'_>,
        text: &mut RowBuffer,
    ) -> usize {
        let before = text.len();
        match (column.field.value)(subject) {
            // One `?` is enough.
            Value::Unknown if self.has_pid => {}
            value => show.append(&value, text),
        }
        width(text.bytes().get(before..).unwrap_or_default())
    }
}

/// Returns the columns on the screen that a text takes.
pub(super) fn width(text: &[u8]) -> usize {
    if text.is_ascii() { text.len() } else { String::from_utf8_lossy(text).width() }
}

/// The widths of the cells in a column.
#[derive(Clone, Debug)]
pub(crate) struct Widths {
    /// The number of cells of each width. The last one also counts all wider cells.
    counts: Vec<u32>,
    /// All values are 0 or missing.
    pub(crate) is_zero: bool,
}

impl Widths {
    /// Returns the widths of the cells in these columns.
    pub(crate) fn of<'e>(
        sheet: &Sheet<'_>,
        columns: &[Column],
        entries: impl Iterator<Item = Entry<'e>>,
    ) -> Vec<Self> {
        let right = |column: &Column| column.field.align == Align::Right;
        let mut results = [(); 2].map(|()| {
            let none = |column| Self { counts: vec![0; 16], is_zero: right(column) };
            (columns.iter().map(none).collect::<Vec<_>>(), RowBuffer::default())
        });
        add_each(entries, &mut results, |&entry, (all, text)| {
            let subject = Subject::new(entry);
            for (column, widths) in columns.iter().zip(all) {
                text.truncate(0);
                widths.add(sheet.append_cell(column, &subject, &sheet.show, text), 1);
                widths.is_zero &= [&b""[..], b"0"].contains(&text.bytes());
            }
        });
        let [(mut all, _), (others, _)] = results;
        for (widths, others) in all.iter_mut().zip(&others) {
            for (width, &count) in others.counts.iter().enumerate() {
                widths.add(width, count);
            }
            widths.is_zero &= others.is_zero;
        }
        all
    }

    /// Adds this many cells.
    fn add(&mut self, width: usize, cells: u32) {
        let width = width.min(usize::from(u16::MAX));
        if width >= self.counts.len() {
            self.counts.resize(width + 1, 0);
        }
        if let Some(count) = self.counts.get_mut(width) {
            *count += cells;
        }
    }

    /// The width of the widest cell.
    pub(crate) fn whole(&self) -> u16 {
        self.covering(|_| 0)
    }

    /// The width that suffices for the bulk of the cells: four of five.
    pub(crate) fn bulk(&self) -> u16 {
        self.covering(|cells| cells / 5)
    }

    /// The least width for some of the cells that are not empty: for one of five.
    pub(super) fn few(&self) -> u16 {
        let filled: u32 = self.counts.iter().skip(1).sum();
        self.covering(|_| filled - filled / 5)
    }

    /// The width of the widest cell that is not wider than this.
    pub(super) fn widest_within(&self, width: u16) -> u16 {
        let counts = (0..=width).zip(&self.counts);
        counts.filter(|&(_, &count)| count > 0).map(|(width, _)| width).max().unwrap_or(0)
    }

    /// Returns the least width for all cells but some. `others` returns how many of the cells can be
    /// wider.
    fn covering(&self, others: impl Fn(u32) -> u32) -> u16 {
        let mut left = others(self.counts.iter().sum());
        for (width, &count) in self.counts.iter().enumerate().rev() {
            match left.checked_sub(count) {
                Some(rest) => left = rest,
                None => return u16::try_from(width).unwrap_or(u16::MAX),
            }
        }
        0
    }
}

/// What a row is about, for its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Something needs attention: clients are turned away because the accept queue is full, or the
    /// other end has closed and the program has not reacted.
    Trouble,
    /// A server.
    Server,
    /// A connection that is being opened, or a socket that is only bound.
    Opening,
    /// A connection that is being closed, or is closed.
    Over,
    /// Any other socket.
    Plain,
}

impl Tone {
    /// Returns the tone of a socket.
    pub(crate) fn of(entry: &Entry<'_>) -> Self {
        use State::{
            Bound, Close, CloseWait, Closing, Connected, Connecting, Disconnecting, Established,
            FinWait1, FinWait2, Free, LastAck, Listen, Listening, NewSynRecv, SynRecv, SynSent,
            TimeWait, Unknown, Unset,
        };
        match entry.socket.state() {
            Some(Listen) if entry.socket.has_full_queue() => Self::Trouble,
            Some(Listen | Listening) => Self::Server,
            Some(Bound | SynSent | SynRecv | NewSynRecv | Connecting) => Self::Opening,
            Some(CloseWait) => Self::Trouble,
            Some(FinWait1 | FinWait2 | TimeWait | Closing | LastAck | Close | Disconnecting) => {
                Self::Over
            }
            Some(Established | Connected | Free | Unknown | Unset) | None => Self::Plain,
        }
    }

    /// The codes of its colour (`ESC [ ... m`). They are readable on light and on dark backgrounds,
    /// and tell trouble from a server also to people who do not tell red from green.
    pub(crate) const fn codes(self) -> &'static str {
        match self {
            Self::Trouble => "1;31",
            Self::Server => "32",
            Self::Opening => "35",
            Self::Over => "2",
            Self::Plain => "",
        }
    }
}
