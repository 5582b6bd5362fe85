//! What the user has chosen in the view, and what each key changes. Nothing here touches a terminal.

use super::keys::Key;
use super::usual::{Shown, WIDE, usual_fields};
use crate::fields::{
    ALL, Align, COMMAND, CONTAINER, DST, Field, Order, PROGRAM, RECV_Q, SEND_Q, STATE, UNIT, USER,
};
use crate::listing::SocketKey;
use crate::request::{Look, Request};
use crate::socket::Section;

/// How far a turn of the mouse wheel scrolls.
const WHEEL: usize = 3;
/// The longest filter.
const LONGEST_FILTER: usize = 200;

/// The keys by which `g` groups, one after the other.
static GROUPS: [&Field; 6] = [&PROGRAM, &STATE, &DST, &USER, &UNIT, &CONTAINER];

/// What lies over the rows, or takes the keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Pane {
    /// Nothing: the keys are for the rows.
    #[default]
    Rows,
    /// The prompt of the filter.
    Prompt,
    /// The list of the keys, scrolled by some lines.
    Help(usize),
    /// All fields as check boxes, with the cursor on one of them.
    Columns(usize),
    /// Everything about the socket at the cursor, scrolled by some lines.
    Details(usize),
}

/// What the view must do after a key. Of several keys, the last of these counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Effect {
    /// Draw.
    Draw,
    /// Draw everything again: something else may have written on the screen.
    Redraw,
    /// Find the rows again: others are shown, or in another order.
    Rows,
    /// List at once: more must be known than the last listing tells.
    List,
    /// Suspend the program.
    Suspend,
    /// End the view.
    Quit,
}

/// What the user sees while he presses a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// The number of rows, or of the lines of the pane.
    pub(super) rows: usize,
    /// The rows on the screen.
    pub(super) page: usize,
    /// The most steps to the right.
    pub(super) most_steps: usize,
    /// The width of the screen.
    pub(super) width: u16,
}

/// What the user has chosen.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub(super) struct State {
    /// The socket at the cursor; `None` before the first listing and over groups.
    pub(super) key: Option<SocketKey>,
    /// The row at the cursor.
    pub(super) index: usize,
    /// The first row on the screen.
    pub(super) top: usize,
    /// The steps to the right.
    pub(super) steps: usize,
    /// No listings are made.
    pub(super) is_paused: bool,
    /// Addresses are shown whole.
    pub(super) wide: bool,
    /// Names are shown, if they are known.
    pub(super) names: bool,
    /// New and closed rows come first.
    pub(super) changed_first: bool,
    /// The order; without fields, that of the listing.
    pub(super) order: Order,
    /// The chosen columns; `None` for the usual ones.
    pub(super) columns: Option<Vec<&'static Field>>,
    /// What the sockets are counted by.
    pub(super) group: Option<&'static Field>,
    /// The rates of connections can become known.
    pub(super) has_rates: bool,
    /// Some socket dropped datagrams.
    pub(super) has_drops: bool,
    /// The text of the filter.
    pub(super) filter: String,
    pub(super) pane: Pane,
}

impl State {
    pub(super) fn new(request: &Request) -> Self {
        let Request { look, order, proc, .. } = request;
        let names = look.naming.hosts || look.naming.ports;
        // Saved files do not change.
        let has_rates = proc.is_none() && look.sections.contains(&Section::Internet);
        Self { wide: look.wide, names, has_rates, order: order.clone(), ..Self::default() }
    }

    /// Returns the columns on a screen of this width.
    pub(super) fn fields(&self, look: &Look, width: u16) -> Vec<&'static Field> {
        let shown = Shown { rates: self.has_rates && width >= WIDE, drops: self.has_drops };
        self.columns.clone().unwrap_or_else(|| usual_fields(look, shown))
    }

    /// Changes what a key changes.
    pub(super) fn press(&mut self, key: Key, look: &Look, seen: Seen) -> Effect {
        match (key, &mut self.pane) {
            (Key::Ctrl('c'), _) | (Key::Esc, Pane::Rows) => Effect::Quit,
            (Key::Char('q' | 'Q'), pane) if *pane != Pane::Prompt => Effect::Quit,
            (Key::Ctrl('z'), _) => Effect::Suspend,
            (Key::Ctrl('l'), _) => Effect::Redraw,
            (key, Pane::Rows) => self.press_over_rows(key, look, seen),
            (key, Pane::Prompt) => self.type_in_prompt(key, seen),
            (key, Pane::Columns(_)) => self.choose_column(key, look, seen),
            (Key::Esc | Key::Char('?') | Key::Enter, Pane::Help(_) | Pane::Details(_)) => {
                self.pane = Pane::Rows;
                Effect::Draw
            }
            (key, Pane::Help(top) | Pane::Details(top)) => {
                let most = seen.rows.saturating_sub(seen.page);
                *top = moved(*top, key, seen.page, most + 1);
                Effect::Draw
            }
        }
    }

    fn press_over_rows(&mut self, key: Key, look: &Look, seen: Seen) -> Effect {
        match key {
            Key::Left => self.steps = self.steps.min(seen.most_steps).saturating_sub(1),
            Key::Right => self.steps = (self.steps + 1).min(seen.most_steps),
            Key::Char('/') => self.pane = Pane::Prompt,
            Key::Char('?') => self.pane = Pane::Help(0),
            Key::Char('c') => self.pane = Pane::Columns(0),
            Key::Char(' ') => {
                self.is_paused = !self.is_paused;
                // The listing that is shown is old after a pause.
                return if self.is_paused { Effect::Draw } else { Effect::List };
            }
            Key::Char('w') => self.wide = !self.wide,
            Key::Char('n') => {
                self.names = !self.names;
                return Effect::Rows;
            }
            Key::Char('m') => {
                self.changed_first = !self.changed_first;
                if self.changed_first {
                    // The user wants to see them.
                    (self.key, self.index, self.top) = (None, 0, 0);
                }
                return Effect::Rows;
            }
            Key::Char('s') => {
                self.sort_by_next(look, seen.width);
                return Effect::Rows;
            }
            Key::Char('S') => {
                if let Order::Fields(fields) = &mut self.order
                    && let Some((_, is_descending)) = fields.first_mut()
                {
                    *is_descending = !*is_descending;
                }
                return Effect::Rows;
            }
            Key::Char('g') => {
                let next = self.group.map_or(0, |group| 1 + place(&GROUPS, group));
                self.group = GROUPS.get(next).copied();
                (self.index, self.top, self.steps) = (0, 0, 0);
                // The listing may not have the values of this field yet.
                return Effect::List;
            }
            Key::Enter if self.group.is_none() && seen.rows > 0 => {
                self.pane = Pane::Details(0);
                return Effect::List;
            }
            key => self.index = moved(self.index, key, seen.page, seen.rows),
        }
        Effect::Draw
    }

    /// Sorts by the next column. Numbers are sorted in descending order. After the last column, the order
    /// is that of the listing.
    fn sort_by_next(&mut self, look: &Look, width: u16) {
        let fields = match self.group {
            Some(group) => vec![group, &RECV_Q, &SEND_Q],
            None => self.fields(look, width),
        };
        let now = self.order.fields().first().map(|&(field, _)| field);
        let next = now.map_or(0, |field| 1 + place(&fields, field));
        let next = fields.get(next).map(|&field| (field, field.align == Align::Right));
        self.order = next.map_or(Order::Kernel, |key| Order::Fields(vec![key]));
    }

    /// Moves the cursor in the list of columns, and checks or unchecks one.
    fn choose_column(&mut self, key: Key, look: &Look, seen: Seen) -> Effect {
        let mut fields = self.fields(look, seen.width);
        let Pane::Columns(index) = &mut self.pane else { return Effect::Draw };
        match key {
            Key::Char(' ' | 'x') => {
                let Some(&field) = ALL.get(*index) else { return Effect::Draw };
                match fields.iter().position(|it| *it == field) {
                    Some(place) => drop(fields.remove(place)),
                    // The command stays the last column: it takes the rest of the line.
                    None => match fields.iter().position(|it| **it == COMMAND) {
                        Some(place) => fields.insert(place, field),
                        None => fields.push(field),
                    },
                }
                if !fields.is_empty() {
                    self.columns = Some(fields);
                }
                return Effect::List;
            }
            Key::Char('r') => {
                self.columns = None;
                return Effect::List;
            }
            Key::Esc | Key::Enter | Key::Char('c') => self.pane = Pane::Rows,
            key => *index = moved(*index, key, seen.page, ALL.len()),
        }
        Effect::Draw
    }

    /// Changes the text of the filter.
    fn type_in_prompt(&mut self, key: Key, seen: Seen) -> Effect {
        match key {
            Key::Enter => {
                self.pane = Pane::Rows;
                return Effect::Draw;
            }
            Key::Esc => {
                self.pane = Pane::Rows;
                self.filter.clear();
            }
            Key::Backspace => drop(self.filter.pop()),
            Key::Ctrl('u') => self.filter.clear(),
            Key::Ctrl('w') => {
                let kept = self.filter.trim_end().rfind(' ').map_or(0, |space| space + 1);
                self.filter.truncate(kept);
            }
            Key::Char(char) if crate::harmless::is_visible(char) => {
                if self.filter.len() < LONGEST_FILTER {
                    self.filter.push(char);
                }
            }
            key => {
                self.index = moved(self.index, key, seen.page, seen.rows);
                return Effect::Draw;
            }
        }
        Effect::Rows
    }

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
fn moved(index: usize, key: Key, page: usize, rows: usize) -> usize {
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

/// Returns the place of a field, or that after the last one.
fn place(fields: &[&Field], field: &Field) -> usize {
    fields.iter().position(|it| *it == field).unwrap_or(fields.len())
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;
    use crate::cli::{self, Task};

    /// Returns the request of a command line.
    fn request(line: &str) -> Request {
        match cli::parse(line.split(' ').map(OsString::from)).unwrap() {
            Task::List(request) => *request,
            other => panic!("{other:?}"),
        }
    }

    /// A view whose keys are pressed.
    struct Pressed {
        request: Request,
        state: State,
        seen: Seen,
    }

    impl Pressed {
        fn new(line: &str, rows: usize) -> Self {
            let request = request(line);
            let state = State::new(&request);
            Self { state, request, seen: Seen { rows, page: 10, most_steps: 2, width: 80 } }
        }

        fn press(&mut self, key: Key) -> Effect {
            self.state.press(key, &self.request.look, self.seen)
        }

        fn type_text(&mut self, text: &str) -> Effect {
            text.chars().map(|char| self.press(Key::Char(char))).last().unwrap()
        }
    }

    #[test]
    fn cursor_moves_within_the_rows() {
        let mut view = Pressed::new("rnetstat -tanc --table", 25);
        for (key, index) in [
            (Key::Up, 0),
            (Key::Down, 1),
            (Key::Char('j'), 2),
            (Key::Char('k'), 1),
            (Key::PageDown, 11),
            (Key::WheelDown, 14),
            (Key::WheelUp, 11),
            (Key::End, 24),
            (Key::PageDown, 24),
            (Key::Down, 24),
            (Key::PageUp, 14),
            (Key::Home, 0),
        ] {
            assert_eq!(view.press(key), Effect::Draw);
            assert_eq!(view.state.index, index, "{key:?}");
        }
        view.seen.rows = 0;
        view.press(Key::End);
        assert_eq!(view.state.index, 0);
    }

    #[test]
    fn row_at_the_cursor_keeps_its_line_and_stays_on_the_screen() {
        let mut state = State { index: 30, top: 25, ..State::default() };
        // Four rows came before it.
        state.follow(Some(34));
        assert_eq!((state.index, state.top), (34, 29));
        state.keep_visible(100, 10);
        assert_eq!((state.index, state.top), (34, 29));
        // The rows below it are gone.
        state.keep_visible(35, 10);
        assert_eq!((state.index, state.top), (34, 25));
        state.keep_visible(3, 10);
        assert_eq!((state.index, state.top), (2, 0));
        // At the top, new rows before it are shown.
        state.follow(Some(5));
        state.keep_visible(20, 10);
        assert_eq!((state.index, state.top), (5, 0));
        state.follow(None);
        state.keep_visible(0, 0);
        assert_eq!((state.index, state.top), (0, 0));
    }

    #[test]
    fn esc_closes_what_is_open_before_it_quits() {
        for open in ['/', '?', 'c', '\n'] {
            let mut view = Pressed::new("rnetstat -tanc --table", 3);
            view.press(if open == '\n' { Key::Enter } else { Key::Char(open) });
            assert_ne!(view.state.pane, Pane::Rows, "{open}");
            assert_ne!(view.press(Key::Esc), Effect::Quit, "{open}");
            assert_eq!(view.state.pane, Pane::Rows, "{open}");
            assert_eq!(view.press(Key::Esc), Effect::Quit);
        }
        let mut view = Pressed::new("rnetstat -tanc --table", 3);
        assert_eq!(view.press(Key::Char('q')), Effect::Quit);
        assert_eq!(view.press(Key::Ctrl('z')), Effect::Suspend);
        view.press(Key::Char('?'));
        assert_eq!(view.press(Key::Char('q')), Effect::Quit);
        view.press(Key::Esc);
        view.press(Key::Char('/'));
        assert_eq!(view.press(Key::Ctrl('c')), Effect::Quit);
    }

    #[test]
    fn prompt_takes_visible_characters_and_keeps_or_removes_the_filter() {
        let mut view = Pressed::new("rnetstat -tanc --table", 3);
        view.press(Key::Char('/'));
        assert_eq!(view.type_text("qn :80"), Effect::Rows);
        assert_eq!(view.state.filter, "qn :80");
        view.type_text("\u{202e}\u{9b}\u{7f}");
        assert_eq!(view.state.filter, "qn :80");
        view.press(Key::Backspace);
        assert_eq!(view.state.filter, "qn :8");
        view.press(Key::Ctrl('w'));
        assert_eq!(view.state.filter, "qn ");
        assert_eq!(view.press(Key::Down), Effect::Draw);
        assert_eq!(view.state.index, 1);
        assert_eq!(view.press(Key::Enter), Effect::Draw);
        assert_eq!((&view.state.pane, &*view.state.filter), (&Pane::Rows, "qn "));
        view.press(Key::Char('/'));
        assert_eq!(view.press(Key::Esc), Effect::Rows);
        assert_eq!((&view.state.pane, &*view.state.filter), (&Pane::Rows, ""));
        view.press(Key::Char('/'));
        view.type_text(&"x".repeat(10_000));
        assert_eq!(view.state.filter.len(), LONGEST_FILTER);
    }

    #[test]
    fn keys_for_the_order_go_through_the_columns() {
        let mut view = Pressed::new("rnetstat -tanc --columns proto,recv-q,command", 3);
        let mut orders = Vec::new();
        for _ in 0..4 {
            assert_eq!(view.press(Key::Char('s')), Effect::Rows);
            orders.push(view.state.order.fields().first().map(|&(field, it)| (field.key, it)));
        }
        let expected = [Some(("proto", false)), Some(("recv-q", true)), Some(("command", false))];
        assert_eq!(orders, [&expected[..], &[None]].concat());
        let mut view = Pressed::new("rnetstat -tanc --table --sort -pid", 3);
        view.press(Key::Char('S'));
        assert_eq!(view.state.order.fields(), [(&crate::fields::PID, false)]);
    }

    #[test]
    fn groups_come_one_after_the_other() {
        let mut view = Pressed::new("rnetstat -tanc --table", 3);
        let mut keys = Vec::new();
        for _ in 0..7 {
            assert_eq!(view.press(Key::Char('g')), Effect::List);
            keys.push(view.state.group.map_or("", |field| field.key));
        }
        assert_eq!(keys, ["program", "state", "dst", "user", "unit", "container", ""]);
        view.press(Key::Char('g'));
        // A group is no socket.
        assert_eq!(view.press(Key::Enter), Effect::Draw);
        assert_eq!(view.state.pane, Pane::Rows);
    }

    #[test]
    fn columns_are_chosen_with_check_boxes() {
        let mut view = Pressed::new("rnetstat -tanc --table", 3);
        let keys = |view: &Pressed| -> Vec<_> {
            let fields = view.state.fields(&view.request.look, 80);
            fields.iter().map(|field| field.key).collect()
        };
        let usual = keys(&view);
        view.press(Key::Char('c'));
        // The first field is the protocol, and the second one the type.
        assert_eq!(view.press(Key::Char(' ')), Effect::List);
        view.press(Key::Down);
        view.press(Key::Char(' '));
        let chosen = keys(&view);
        assert!(!chosen.contains(&"proto"), "{chosen:?}");
        assert_eq!(chosen[chosen.len() - 2..], ["type", "command"]);
        view.press(Key::Char('r'));
        assert_eq!(keys(&view), usual);
    }

    #[test]
    fn pause_ends_with_a_new_listing() {
        let mut view = Pressed::new("rnetstat -tanc --table", 3);
        assert_eq!(view.press(Key::Char(' ')), Effect::Draw);
        assert!(view.state.is_paused);
        assert_eq!(view.press(Key::Char(' ')), Effect::List);
        assert!(!view.state.is_paused);
    }
}
