//! What the user has chosen in the view, and what each key changes. Nothing here touches a terminal.

use super::cursor::{Cursor, moved};
use super::keys::Key;
use super::prompt;
use super::usual::{Shown, WIDE, asked_fields, next_after, next_order, toggle, usual_fields};
use crate::fields::{ALL, CONTAINER, DST, Field, Members, Order, PROGRAM, STATE, UNIT, USER};
use crate::request::{Look, Request};
use crate::socket::Section;

/// The keys by which `g` groups, one after the other.
static GROUPS: [&Field; 6] = [&PROGRAM, &STATE, &DST, &USER, &UNIT, &CONTAINER];

/// What lies over the rows, or takes the keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Pane {
    /// Nothing: the keys are for the rows.
    #[default]
    Rows,
    /// The prompt of the filter. Esc restores this one.
    Prompt(String),
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

/// A group whose sockets are shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Within {
    pub(super) members: Members,
    /// The name of the field, and its value.
    pub(super) title: String,
    /// The place of the group among the others.
    index: usize,
}

/// What the user has chosen.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub(super) struct State {
    pub(super) cursor: Cursor,
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
    /// The group whose sockets are shown instead of the counts.
    pub(super) within: Option<Within>,
    /// The rates of connections can become known.
    pub(super) has_rates: bool,
    /// Some socket dropped datagrams.
    pub(super) has_drops: bool,
    /// The text of the filter.
    pub(super) filter: String,
    /// What is wrong with this text.
    pub(super) error: Option<String>,
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
        self.columns.clone().unwrap_or_else(|| usual_fields(look, self.shown(width)))
    }

    fn shown(&self, width: u16) -> Shown {
        Shown { rates: self.has_rates && width >= WIDE, drops: self.has_drops }
    }

    /// Returns the columns that the user asked for besides the usual ones.
    pub(super) fn asked(&self, look: &Look, width: u16) -> Vec<&'static Field> {
        asked_fields(look, self.columns.as_deref(), self.shown(width))
    }

    /// Returns the fields that are added up in each group: those of the columns that can be.
    pub(super) fn sums(&self, look: &Look, width: u16) -> Vec<&'static Field> {
        self.fields(look, width).into_iter().filter(|field| field.gauge.is_some()).collect()
    }

    /// Returns the field whose groups are shown instead of sockets.
    pub(super) fn counted(&self) -> Option<&'static Field> {
        self.group.filter(|_| self.within.is_none())
    }

    /// Shows the sockets of the group at the cursor.
    pub(super) fn enter(&mut self, members: Members, title: String) {
        self.within = Some(Within { members, title, index: self.cursor.index });
        (self.cursor, self.steps) = (Cursor::default(), 0);
    }

    /// Changes what a key changes.
    pub(super) fn press(&mut self, key: Key, look: &Look, seen: Seen) -> Effect {
        match (key, &mut self.pane) {
            (Key::Ctrl('c'), _) => Effect::Quit,
            (Key::Char('q' | 'Q'), pane) if !matches!(pane, Pane::Prompt(_)) => Effect::Quit,
            (Key::Ctrl('z'), _) => Effect::Suspend,
            (Key::Ctrl('l'), _) => Effect::Redraw,
            (Key::Esc, Pane::Rows) => self.go_back(),
            (key, Pane::Rows) => self.press_over_rows(key, look, seen),
            (key, Pane::Prompt(_)) => self.type_in_prompt(key, seen),
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

    /// Goes back by one step: from the sockets of a group to the groups, then to all sockets that the
    /// command line asks for, then out of the view.
    fn go_back(&mut self) -> Effect {
        if let Some(within) = self.within.take() {
            self.cursor = Cursor { index: within.index, ..Cursor::default() };
        } else if !self.filter.is_empty() {
            self.filter.clear();
        } else if self.group.take().is_some() {
            self.cursor = Cursor::default();
        } else {
            return Effect::Quit;
        }
        self.steps = 0;
        Effect::Rows
    }

    fn press_over_rows(&mut self, key: Key, look: &Look, seen: Seen) -> Effect {
        match key {
            Key::Left => self.steps = self.steps.min(seen.most_steps).saturating_sub(1),
            Key::Right => self.steps = (self.steps + 1).min(seen.most_steps),
            Key::Char('/') => self.pane = Pane::Prompt(self.filter.clone()),
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
                    self.cursor = Cursor::default();
                }
                return Effect::Rows;
            }
            Key::Char('s') => {
                self.sort_by_next(look, seen.width);
                self.cursor = Cursor::default();
                return Effect::Rows;
            }
            Key::Char('S') => {
                if let Order::Fields(fields) = &mut self.order
                    && let Some((_, is_descending)) = fields.first_mut()
                {
                    *is_descending = !*is_descending;
                    self.cursor = Cursor::default();
                }
                return Effect::Rows;
            }
            Key::Char('g') => {
                self.group = next_after(&GROUPS, self.group);
                self.within = None;
                (self.cursor, self.steps) = (Cursor::default(), 0);
                // The listing may not have the values of this field yet.
                return Effect::List;
            }
            Key::Enter if self.counted().is_none() && seen.rows > 0 => {
                self.pane = Pane::Details(0);
                return Effect::List;
            }
            key => self.cursor.index = moved(self.cursor.index, key, seen.page, seen.rows),
        }
        Effect::Draw
    }

    /// Sorts by the next column.
    fn sort_by_next(&mut self, look: &Look, width: u16) {
        let fields = match self.counted() {
            Some(group) => [vec![group], self.sums(look, width)].concat(),
            None => self.fields(look, width),
        };
        self.order = next_order(&self.order, &fields);
    }

    /// Moves the cursor in the list of columns, and checks or unchecks one.
    fn choose_column(&mut self, key: Key, look: &Look, seen: Seen) -> Effect {
        let mut fields = self.fields(look, seen.width);
        let Pane::Columns(index) = &mut self.pane else { return Effect::Draw };
        match key {
            Key::Char(' ' | 'x') => {
                let Some(&field) = ALL.get(*index) else { return Effect::Draw };
                toggle(&mut fields, field);
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

    /// Changes the text of the filter, or closes the prompt. Enter leaves it open if the text is wrong.
    fn type_in_prompt(&mut self, key: Key, seen: Seen) -> Effect {
        let Pane::Prompt(former) = &mut self.pane else { return Effect::Draw };
        match key {
            Key::Enter if self.error.is_none() => self.pane = Pane::Rows,
            Key::Enter => {}
            Key::Esc => {
                self.filter = std::mem::take(former);
                self.pane = Pane::Rows;
                return Effect::Rows;
            }
            key if prompt::edit(&mut self.filter, key) => return Effect::Rows,
            key => self.cursor.index = moved(self.cursor.index, key, seen.page, seen.rows),
        }
        Effect::Draw
    }
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
            assert_eq!(view.state.cursor.index, index, "{key:?}");
        }
        view.seen.rows = 0;
        view.press(Key::End);
        assert_eq!(view.state.cursor.index, 0);
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
    fn esc_goes_back_by_one_step_and_quits_at_the_end() {
        let mut view = Pressed::new("rnetstat -tanc --table", 3);
        view.press(Key::Char('/'));
        view.type_text("nginx");
        view.press(Key::Enter);
        view.press(Key::Char('g'));
        view.press(Key::Down);
        view.state.enter(Members::default(), "Program: nginx".to_owned());
        view.press(Key::Char('?'));
        let mut steps = Vec::new();
        loop {
            let State { pane, within, filter, group, cursor, .. } = &view.state;
            steps.push((
                *pane == Pane::Rows,
                within.is_some(),
                !filter.is_empty(),
                group.is_some(),
            ));
            assert_eq!(cursor.index, usize::from(within.is_none() && group.is_some()));
            if view.press(Key::Esc) == Effect::Quit {
                break;
            }
        }
        let expected = [
            (false, true, true, true),
            (true, true, true, true),
            (true, false, true, true),
            (true, false, false, true),
            (true, false, false, false),
        ];
        assert_eq!(steps, expected);
    }

    #[test]
    fn prompt_takes_visible_characters_and_keeps_or_restores_the_filter() {
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
        assert_eq!(view.state.cursor.index, 1);
        view.state.error = Some("wrong".to_owned());
        assert_eq!(view.press(Key::Enter), Effect::Draw);
        assert_eq!(view.state.pane, Pane::Prompt(String::new()));
        view.state.error = None;
        assert_eq!(view.press(Key::Enter), Effect::Draw);
        assert_eq!((&view.state.pane, &*view.state.filter), (&Pane::Rows, "qn "));
        view.press(Key::Char('/'));
        view.type_text("x");
        assert_eq!(view.press(Key::Esc), Effect::Rows);
        assert_eq!((&view.state.pane, &*view.state.filter), (&Pane::Rows, "qn "));
        view.press(Key::Char('/'));
        view.type_text(&"x".repeat(10_000));
        assert_eq!(view.state.filter.len(), prompt::LONGEST);
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
        view.state.cursor.index = 2;
        view.press(Key::Char('S'));
        assert_eq!(view.state.order.fields(), [(&crate::fields::PID, false)]);
        assert_eq!(view.state.cursor.index, 0);
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
        view.state.enter(Members::default(), "Program: nginx".to_owned());
        assert_eq!(view.press(Key::Char('g')), Effect::List);
        assert_eq!((view.state.counted(), view.state.within), (Some(&STATE), None));
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
