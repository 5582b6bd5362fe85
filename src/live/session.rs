//! A running view: lists, draws, and waits for keys until the next listing.

use std::io;
use std::time::{Duration, Instant};

use ratatui_core::buffer::Buffer;
use ratatui_core::layout::Rect;

use super::filter::{self, Parse};
use super::keys::{Decoder, Key};
use super::model::{self, Choice};
use super::panes::{self, Entry};
use super::screen;
use super::state::{Effect, Pane, Seen as Shown, State};
use super::view::{self, View};
use crate::fields::{Field, Grouping, Groups, Needs};
use crate::gather::Gatherer;
use crate::listing::{Change, Listing, Mark};
use crate::names::{Names, Naming};
use crate::query::Query;
use crate::remark::Remark;
use crate::render;
use crate::request::{Look, Request, Rounds};
use crate::terminal::{self, Event, Size, Stops, Terminal};

/// The most time that a frame waits for names. It is short because keys are not read meanwhile.
const NAMES: Duration = Duration::from_millis(50);
/// How long the view waits for the rest of an escape sequence. The key Esc sends only its first byte.
const ESCAPE: Duration = Duration::from_millis(50);
/// The largest screen that is drawn.
const LARGEST: Size = Size { columns: 1000, lines: 500 };

/// What the view has shown.
#[derive(Debug, Default)]
pub struct Seen {
    /// Some listing had a socket.
    pub any: bool,
    /// The remarks about the last listing.
    pub remarks: Vec<Remark>,
    /// The number of the signal that ended the view.
    pub signal: Option<u8>,
}

/// How the view is run.
#[derive(Clone, Copy)]
pub struct Settings<'a> {
    /// What the user asks for.
    pub request: &'a Request,
    /// When it lists.
    pub rounds: Rounds,
    /// Use colours.
    pub color: bool,
    /// Parses a word of the filter.
    pub parse: Parse,
}

/// Shows listings on the terminal, until all rounds are done or the user quits. Then restores the
/// terminal, also after an error.
pub fn run(settings: Settings<'_>, gatherer: &mut Gatherer<'_>) -> Result<Seen, Remark> {
    let mut session = Session {
        settings,
        look: &settings.request.look,
        terminal: Terminal::take()?,
        decoder: Decoder::default(),
        state: State::new(settings.request),
        filter: None,
        parsed: String::new(),
        details: Vec::new(),
        shown: Shown::default(),
        screen: None,
        seen: Seen::default(),
    };
    session.run(gatherer)?;
    Ok(session.seen)
}

/// A running view.
struct Session<'a> {
    settings: Settings<'a>,
    look: &'a Look,
    terminal: Terminal,
    decoder: Decoder,
    state: State,
    /// The last filter without a mistake that the user has typed.
    filter: Option<Query>,
    /// The text of the filter when it was parsed.
    parsed: String,
    /// What the pane about a socket shows.
    details: Vec<Entry>,
    /// What the user saw in the last frame.
    shown: Shown,
    /// What is on the screen; `None` if that is unknown.
    screen: Option<Buffer>,
    seen: Seen,
}

/// Why the view stops showing a listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// The interval is over.
    Round,
    /// The user ends a pause.
    Resume,
    /// A key needs to know more.
    List,
    /// The user quits.
    Quit,
}

impl Session<'_> {
    /// Lists and shows until all rounds are done or the user quits.
    fn run(&mut self, gatherer: &mut Gatherer<'_>) -> Result<(), Remark> {
        gatherer.keep_owners();
        let mut before: Option<Listing> = None;
        let mut left = self.settings.rounds.count;
        while left != Some(0) {
            let now = self.list(gatherer)?;
            match self.show(gatherer, before.as_ref(), &now)? {
                Next::Quit => return Ok(()),
                Next::Round => left = left.map(|left| left - 1),
                // The marks stay, as this is no round of its own.
                Next::List if before.is_some() => continue,
                Next::Resume | Next::List => {}
            }
            before = Some(now);
        }
        Ok(())
    }

    /// Gathers a listing with everything that is shown about it.
    fn list(&mut self, gatherer: &mut Gatherer<'_>) -> Result<Listing, Remark> {
        gatherer.also_gather(self.needs())?;
        self.seen.remarks.clear();
        let listing = gatherer.gather(&mut |remark| self.seen.remarks.push(remark))?;
        self.seen.any |= !listing.is_empty();
        self.look_up(gatherer, &listing);
        Ok(listing)
    }

    /// Looks up the names in a listing. Names that come late are shown in a later frame.
    fn look_up(&mut self, gatherer: &mut Gatherer<'_>, listing: &Listing) {
        let missing = gatherer.look_up_within(NAMES, listing);
        self.seen.remarks.extend(missing.failures.map(Remark::from));
    }

    /// Returns what must be gathered for what the user has chosen.
    fn needs(&self) -> Needs {
        let State { group, order, pane, .. } = &self.state;
        let fields = self.state.fields(self.look, screen_size().columns);
        let fields = fields.into_iter().chain(*group).chain(order.fields().iter().map(|it| it.0));
        let details = match pane {
            Pane::Details(_) => panes::DETAIL_NEEDS,
            _ => Needs::default(),
        };
        let filter = match &self.filter {
            Some(query) if query.is_about_owners() => Needs::SEARCHED_COMMANDS,
            _ => Needs::default(),
        };
        // A socket has the same identity only in listings that all know its namespace.
        let first = Needs::NAMESPACES.and(details).and(filter);
        fields.fold(first, |needs, field| needs.and(field.needs))
    }

    /// Shows a listing until the next one is due.
    fn show(
        &mut self,
        gatherer: &mut Gatherer<'_>,
        before: Option<&Listing>,
        now: &Listing,
    ) -> Result<Next, Remark> {
        let end = Instant::now().checked_add(self.settings.rounds.interval);
        let mut rows = self.rows(before, now);
        self.update_details(&rows, gatherer.names());
        loop {
            self.draw(&rows, gatherer.names())?;
            let keys = match self.wait(end.filter(|_| !self.state.is_paused))? {
                Waited::Keys(keys) => keys,
                Waited::Over => return Ok(Next::Round),
                Waited::Ended(signal) => {
                    self.seen.signal = signal;
                    return Ok(Next::Quit);
                }
            };
            let State { is_paused, names, .. } = self.state.clone();
            let mut effect = Effect::Draw;
            for key in keys {
                effect = self.press(key, &rows, gatherer.names())?.max(effect);
            }
            self.parse_filter();
            if names != self.state.names {
                gatherer.show_names(self.naming());
                self.look_up(gatherer, now);
            }
            match effect {
                Effect::Quit => return Ok(Next::Quit),
                Effect::List if is_paused && !self.state.is_paused => return Ok(Next::Resume),
                // The rows stay as they are during a pause.
                Effect::List if is_paused && matches!(self.state.pane, Pane::Details(_)) => {
                    let fresh = self.list(gatherer)?;
                    let fresh = model::rows(None, &fresh, self.choice());
                    self.update_details(&fresh, gatherer.names());
                }
                Effect::List => return Ok(Next::List),
                Effect::Rows => rows = self.rows(before, now),
                Effect::Draw | Effect::Redraw | Effect::Suspend => {}
            }
        }
    }

    /// Waits for keys until `end`. A change of the size counts as no keys.
    fn wait(&mut self, end: Option<Instant>) -> io::Result<Waited> {
        let soon = Instant::now().checked_add(ESCAPE).filter(|_| self.decoder.is_pending());
        let event = self.terminal.wait(match (end, soon) {
            (Some(end), Some(soon)) => Some(end.min(soon)),
            (end, soon) => end.or(soon),
        })?;
        Ok(match event {
            Event::Timeout if self.decoder.is_pending() => {
                Waited::Keys(self.decoder.end().into_iter().collect())
            }
            Event::Timeout => Waited::Over,
            Event::Keys(bytes) => Waited::Keys(self.decoder.keys(&bytes)),
            Event::Resized => {
                self.screen = None;
                Waited::Keys(Vec::new())
            }
            Event::Quit => Waited::Ended(None),
            Event::Ended(signal) => Waited::Ended(Some(signal)),
        })
    }

    /// Does what a key asks for, as far as no other listing or other rows are needed.
    fn press(&mut self, key: Key, rows: &[Change<'_>], names: &Names) -> io::Result<Effect> {
        let State { cursor, pane, .. } = self.state.clone();
        if key == Key::Enter {
            // The prompt stays open if the text is wrong.
            self.parse_filter();
        }
        if key == Key::Enter
            && pane == Pane::Rows
            && let Some(field) = self.state.counted()
        {
            return Ok(self.enter_group(field, rows, names));
        }
        let effect = self.state.press(key, self.look, self.shown);
        if self.state.cursor.index != cursor.index && self.state.counted().is_none() {
            self.state.cursor.key = rows.get(self.state.cursor.index).map(|row| row.key.clone());
        }
        if pane == Pane::Rows && matches!(self.state.pane, Pane::Details(_)) {
            let row = rows.get(self.state.cursor.index);
            self.details = row.map_or(Vec::new(), |row| panes::details(row, names));
        }
        match effect {
            Effect::Redraw => self.screen = None,
            Effect::Suspend => {
                self.terminal.suspend(Stops::Group)?;
                self.screen = None;
            }
            Effect::Draw | Effect::Rows | Effect::List | Effect::Quit => {}
        }
        Ok(effect)
    }

    /// Shows the sockets of the group at the cursor.
    fn enter_group(&mut self, field: &'static Field, rows: &[Change<'_>], names: &Names) -> Effect {
        let grouping = self.grouping(field);
        let groups = groups(rows, &grouping);
        let index = self.state.cursor.index;
        if let (Some(group), Some(members)) = (groups.groups.get(index), groups.members(index)) {
            let values = group.values.iter().map(|value| render::text(value, names, true));
            let value = values.collect::<String>();
            let value = if value.is_empty() { "-" } else { &value };
            self.state.enter(members, format!("{}: {value}", field.title));
        }
        Effect::Rows
    }

    fn choice(&self) -> Choice<'_> {
        let State { order, changed_first, within, .. } = &self.state;
        let members = within.as_ref().map(|within| &within.members);
        Choice { filter: self.filter.as_ref(), members, order, changed_first: *changed_first }
    }

    /// Returns the rows of a listing, and puts the cursor on its socket.
    fn rows<'l>(&mut self, before: Option<&'l Listing>, now: &'l Listing) -> Vec<Change<'l>> {
        let rows = model::rows(before, now, self.choice());
        let drops = |row: &Change<'_>| row.entry.socket.drops().is_some_and(|drops| drops > 0);
        self.state.has_drops = rows.iter().any(drops);
        if self.state.counted().is_some() {
            return rows;
        }
        let State { cursor, pane, changed_first, order, .. } = &mut self.state;
        let comes_first = *changed_first || !order.fields().is_empty();
        if comes_first && cursor.index == 0 && !matches!(pane, Pane::Details(_)) {
            // At the first row, the user watches what comes first.
            cursor.key = None;
        }
        let index = cursor.key.as_ref().and_then(|key| model::position(&rows, key));
        cursor.follow(index);
        // A pane about a socket that is gone stays about this socket.
        if index.is_some() || !matches!(pane, Pane::Details(_)) {
            cursor.index = cursor.index.min(rows.len().saturating_sub(1));
            cursor.key = rows.get(cursor.index).map(|row| row.key.clone());
        }
        rows
    }

    /// Updates the pane about the socket at the cursor, if it is open.
    fn update_details(&mut self, rows: &[Change<'_>], names: &Names) {
        if let (Pane::Details(_), Some(key)) = (&self.state.pane, &self.state.cursor.key) {
            match model::position(rows, key).and_then(|index| rows.get(index)) {
                Some(row) => self.details = panes::details(row, names),
                None => panes::add_closed(&mut self.details),
            }
        }
    }

    /// Parses the text of the filter if it is new, or was wrong: a name can be found later. While it is
    /// wrong, the last one without a mistake stays.
    fn parse_filter(&mut self) {
        if self.parsed == self.state.filter && self.state.error.is_none() {
            return;
        }
        self.parsed.clone_from(&self.state.filter);
        self.state.error = match filter::query(&self.parsed, self.settings.parse, NAMES) {
            Ok(query) => {
                self.filter = query;
                None
            }
            Err(remark) => Some(remark.to_string()),
        };
    }

    /// Returns the names that are shown.
    fn naming(&self) -> Naming {
        let asked = self.look.naming;
        match self.state.names {
            true if asked.hosts || asked.ports => asked,
            true => Naming::ALL,
            false => Naming { users: asked.users, ..Naming::default() },
        }
    }

    /// Draws the rows or the pane.
    fn draw(&mut self, rows: &[Change<'_>], names: &Names) -> Result<(), Remark> {
        let Size { columns, lines } = screen_size();
        let grouping = self.state.counted().map(|group| self.grouping(group));
        let groups = grouping.as_ref().map(|grouping| groups(rows, grouping));
        let count = groups.as_ref().map_or(rows.len(), |groups| groups.groups.len());
        self.state.cursor.keep_visible(count, view::page(lines));
        let remark = self.seen.remarks.first().and_then(|it| it.lines().into_iter().next());
        let view = View {
            look: self.look,
            state: &self.state,
            rows,
            groups: groups.as_ref(),
            details: &self.details,
            names,
            color: self.settings.color,
            interval: self.settings.rounds.interval,
            remark: remark.as_deref(),
        };
        let mut buffer = Buffer::empty(Rect::new(0, 0, columns, lines));
        self.shown = view.draw(&mut buffer);
        let is_drawn = self.terminal.show(&screen::draw(self.screen.as_ref(), &buffer))?;
        self.screen = is_drawn.then_some(buffer);
        Ok(())
    }

    fn grouping(&self, group: &'static Field) -> Grouping {
        let mut grouping = Grouping {
            keys: vec![group],
            sums: self.state.sums(self.look, screen_size().columns),
            order: Vec::new(),
            limit: None,
        };
        let order = self.state.order.fields().iter();
        let order = order.filter_map(|&(field, it)| Some((grouping.column(field)?, it)));
        grouping.order = order.collect();
        grouping
    }
}

/// Groups the sockets of these rows that are there.
fn groups<'a>(rows: &[Change<'a>], grouping: &'a Grouping) -> Groups<'a> {
    let present = rows.iter().filter(|row| row.mark != Mark::Closed).map(|row| row.entry);
    Groups::of(present, grouping)
}

/// What came while the view waited.
enum Waited {
    Keys(Vec<Key>),
    /// The time is over.
    Over,
    /// The view must end, because of this signal if there was one.
    Ended(Option<u8>),
}

/// Returns the size of the screen, or the usual one if the terminal does not report it.
fn screen_size() -> Size {
    let size = terminal::size(io::stdout()).unwrap_or(Size { columns: 80, lines: 24 });
    Size { columns: size.columns.min(LARGEST.columns), lines: size.lines.min(LARGEST.lines) }
}
