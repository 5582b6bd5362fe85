//! What the user has chosen in the view, and what each key changes. Nothing here touches a terminal.

use super::keys::Key;
use crate::fields::{
    ALL, Align, COMMAND, CONTAINER, DROPS, DST, FD, FOREIGN, Field, INODE, LOCAL, NETNS, Order,
    PEER, PID, PROGRAM, PROTO, RATE_IN, RATE_OUT, RECV_Q, SEND_Q, STATE, TIMER, TYPE, UNIT, USER,
};
use crate::listing::SocketKey;
use crate::request::{Columns, Look};
use crate::socket::Section;

/// From this width on, the usual columns include the rates.
const WIDE: u16 = 120;
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
    /// Some socket dropped datagrams.
    pub(super) has_drops: bool,
    /// The text of the filter.
    pub(super) filter: String,
    pub(super) pane: Pane,
}

impl State {
    pub(super) fn new(look: &Look, order: &Order) -> Self {
        let naming = look.naming;
        let names = naming.hosts || naming.ports;
        Self { wide: look.wide, names, order: order.clone(), ..Self::default() }
    }

    /// Returns the columns on a screen of this width.
    pub(super) fn fields(&self, look: &Look, width: u16) -> Vec<&'static Field> {
        self.columns.clone().unwrap_or_else(|| usual_fields(look, width, self.has_drops))
    }

    /// Changes what a key changes.
    pub(super) fn press(&mut self, key: Key, look: &Look, seen: Seen) -> Effect {
        match (key, &mut self.pane) {
            (Key::Ctrl('c'), _) | (Key::Char('q' | 'Q') | Key::Esc, Pane::Rows) => Effect::Quit,
            (Key::Ctrl('z'), _) => Effect::Suspend,
            (Key::Ctrl('l'), _) => Effect::Redraw,
            (key, Pane::Rows) => self.press_over_rows(key, look, seen),
            (key, Pane::Prompt) => self.type_in_prompt(key, seen),
            (key, Pane::Columns(_)) => self.choose_column(key, look, seen),
            (
                Key::Esc | Key::Char('q' | 'Q' | '?') | Key::Enter,
                Pane::Help(_) | Pane::Details(_),
            ) => {
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
                return Effect::Rows;
            }
            Key::Char('s') => {
                self.sort_by_next(look, seen.width);
                return Effect::Rows;
            }
            Key::Char('S') => {
                if let Some((_, is_descending)) = self.order.0.first_mut() {
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

    /// Sorts by the column after the one that is sorted by. Numbers come in descending order. After
    /// the last column, the order is that of the listing.
    fn sort_by_next(&mut self, look: &Look, width: u16) {
        let fields = match self.group {
            Some(group) => vec![group, &RECV_Q, &SEND_Q],
            None => self.fields(look, width),
        };
        let now = self.order.0.first().map(|&(field, _)| field);
        let next = now.map_or(0, |field| 1 + place(&fields, field));
        let next = fields.get(next).map(|&field| (field, field.align == Align::Right));
        self.order = Order(next.into_iter().collect());
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
            Key::Esc | Key::Enter | Key::Char('q' | 'Q' | 'c') => self.pane = Pane::Rows,
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
        let lowest = (self.index + 1).saturating_sub(page);
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

/// Returns the columns that are shown if the user chooses none.
fn usual_fields(look: &Look, width: u16, has_drops: bool) -> Vec<&'static Field> {
    let added = match &look.columns {
        Columns::Only(fields) => return fields.clone(),
        Columns::UsualAnd(fields) => fields,
    };
    let has = |section| look.sections.contains(&section);
    let has_internet = has(Section::Internet);
    let has_ends = has_internet || has(Section::Other);
    let has_more = has(Section::Unix) || has(Section::Other);
    let has_rates = has_internet && width >= WIDE;
    let usual: [(bool, &'static Field); 17] = [
        (true, &PROTO),
        (has_more, &TYPE),
        (has_ends, &RECV_Q),
        (has_ends, &SEND_Q),
        (true, &LOCAL),
        (has_ends, &FOREIGN),
        (true, &STATE),
        (look.timers, &TIMER),
        (true, &PID),
        (true, &FD),
        (has_ends, &USER),
        (look.extended || has_more, &INODE),
        (has_drops, &DROPS),
        (look.peers, &PEER),
        (look.namespaces, &NETNS),
        (has_rates, &RATE_IN),
        (has_rates, &RATE_OUT),
    ];
    let mut fields: Vec<_> =
        usual.into_iter().filter_map(|(is_shown, field)| is_shown.then_some(field)).collect();
    let more: Vec<_> =
        added.iter().copied().filter(|it| !fields.contains(it) && **it != COMMAND).collect();
    fields.extend(more);
    fields.push(&COMMAND);
    fields
}
