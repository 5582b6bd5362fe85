//! The cursor: a row, and which rows are on the screen.

use super::keys::Key;
use crate::listing::SocketKey;

/// How far a turn of the mouse wheel scrolls.
const WHEEL: usize = 3;

/// The cursor over the rows.
#[derive(Clone, Debug, Default)]
pub(super) struct Cursor {
    /// The socket at the cursor; `None` before the first listing and over groups.
    pub(super) key: Option<SocketKey>,
    /// The row at the cursor.
    pub(super) index: usize,
    /// The first row on the screen.
    pub(super) top: usize,
}

impl Cursor {
    /// Keeps the cursor within this many rows, and on the screen.
    pub(super) fn keep_visible(&mut self, rows: usize, page: usize) {
        self.index = self.index.min(rows.saturating_sub(1));
        let lowest = (self.index + 1).saturating_sub(page.max(1));
        self.top = self.top.clamp(lowest, self.index.max(lowest));
        // Leave no lines empty below the last row.
        self.top = self.top.min(rows.saturating_sub(page).max(lowest));
    }

    /// Puts the cursor on the row where its socket is now, if it is still there. The row stays at its
    /// line, unless the first row is on the screen: new rows can come before it.
    pub(super) fn follow(&mut self, index: Option<usize>) {
        let Some(index) = index else { return };
        if self.top > 0 {
            self.top = (self.top + index).saturating_sub(self.index);
        }
        self.index = index;
    }
}

/// Returns an index that a key has moved, among so many rows.
pub(super) fn moved(index: usize, key: Key, page: usize, rows: usize) -> usize {
    let page = page.max(1);
    let index = match key {
        Key::Up | Key::Char('k') => index.saturating_sub(1),
        Key::Down | Key::Char('j') => index + 1,
        Key::PageUp => index.saturating_sub(page),
        Key::PageDown => index + page,
        Key::Home => 0,
        Key::End => usize::MAX,
        Key::WheelUp => index.saturating_sub(WHEEL),
        Key::WheelDown => index + WHEEL,
        _ => index,
    };
    index.min(rows.saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_at_the_cursor_keeps_its_line_and_stays_on_the_screen() {
        let mut cursor = Cursor { index: 30, top: 25, ..Cursor::default() };
        // Four rows came before it.
        cursor.follow(Some(34));
        assert_eq!((cursor.index, cursor.top), (34, 29));
        cursor.keep_visible(100, 10);
        assert_eq!((cursor.index, cursor.top), (34, 29));
        // The rows below it are gone.
        cursor.keep_visible(35, 10);
        assert_eq!((cursor.index, cursor.top), (34, 25));
        cursor.keep_visible(3, 10);
        assert_eq!((cursor.index, cursor.top), (2, 0));
        // At the top, new rows before it are shown.
        cursor.follow(Some(5));
        cursor.keep_visible(20, 10);
        assert_eq!((cursor.index, cursor.top), (5, 0));
        cursor.follow(None);
        cursor.keep_visible(0, 0);
        assert_eq!((cursor.index, cursor.top), (0, 0));
    }
}
