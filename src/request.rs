//! What the user asks for: which sockets, and how to list them.

use std::path::PathBuf;
use std::time::Duration;

use crate::fields::{Field, Grouping, Order};
use crate::names::Naming;
use crate::namespaces::Selection;
use crate::query::{AskedCondition, Condition, Query, Scope};
use crate::socket::Section;
use crate::tables::ByteOrder;
use crate::tables::policy::Source;

/// Which sockets to list, and how.
#[derive(Clone, Debug)]
pub struct Request {
    /// The selection of sockets, still without the conditions: their names must be looked up first.
    pub query: Query,
    /// The filters.
    pub conditions: Vec<AskedCondition>,
    /// The order of the sockets.
    pub order: Order,
    /// What the listing looks like.
    pub look: Look,
    /// When the table has colours.
    pub color: Color,
    /// A table that is longer than the terminal goes through a pager.
    pub pager: bool,
    /// The network namespaces; `None` for that of rnetstat itself.
    pub netns: Option<Selection>,
    /// The time limit for looking up the names of one listing.
    pub resolve_timeout: Duration,
    /// How often the sockets are listed.
    pub repeat: Repeat,
    /// `-v`: print all remarks.
    pub verbose: bool,
    /// `--proc DIR`: another /proc, or a directory that contains one.
    pub proc: Option<PathBuf>,
    /// The source of the tables.
    pub source: Source,
    /// The byte order of the host that a saved tree is from.
    pub saved_order: SavedOrder,
    /// Privileges that are not needed are given up. `--no-sandbox` keeps them.
    pub sandbox: bool,
}

impl Request {
    /// Returns true if any filter is set.
    pub fn has_filters(&self) -> bool {
        !self.conditions.is_empty()
    }

    /// Returns true if the resolver is asked: names are shown, or a filter has one. A number of a user
    /// can be a name.
    pub fn asks_for_names(&self) -> bool {
        self.look.naming != Naming::default() || self.conditions.iter().any(Condition::has_names)
    }

    /// Returns true if a filter asks for owners.
    pub fn asks_for_owners(&self) -> bool {
        self.conditions.iter().any(Condition::is_about_owners)
    }
}

/// The layouts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of --format")]
pub enum Format {
    Netstat,
    Table,
    Json,
    Jsonl,
    Csv,
    Openmetrics,
}

/// A layout, and the parts of it that are shown.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct Look {
    /// The layout.
    pub format: Format,
    /// The scope of the listing, for netstat's headings, such as `(only servers)`.
    pub scope: Scope,
    /// The selected sections, in order.
    pub sections: Vec<Section>,
    /// Print the headings.
    pub header: bool,
    /// Print the heading also of a section without sockets.
    pub empty_sections: bool,
    /// `-W`: do not cut addresses.
    pub wide: bool,
    /// `-e`: the columns with user and inode.
    pub extended: bool,
    /// `-p`: the column with process and program.
    pub programs: bool,
    /// `-o`: the column with the timer.
    pub timers: bool,
    /// `--peers`: the column with the owners of the other end.
    pub peers: bool,
    /// `--netns`: the column with the namespace.
    pub namespaces: bool,
    /// `-c`: there are several listings, so each record has the time of its listing.
    pub is_continuous: bool,
    /// `--changes`: after the first listing, only what has changed.
    pub changes: bool,
    /// `--group`: count the sockets, instead of listing them.
    pub grouping: Option<Grouping>,
    /// `--columns`.
    pub columns: Columns,
    /// Which numbers are shown by name.
    pub naming: Naming,
}

/// The columns of the table and of csv.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Columns {
    /// The usual ones, and these.
    UsualAnd(Vec<&'static Field>),
    /// Only these.
    Only(Vec<&'static Field>),
}

/// The byte order of the host that a saved tree is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SavedOrder {
    /// The addresses in the tree tell it.
    Detected,
    /// `--byte-order` gives it.
    Given(ByteOrder),
}

/// When the table has colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of --color")]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` or `TERM` forbids it; anywhere with `CLICOLOR_FORCE`.
    Auto,
    Always,
    Never,
}

/// How often the sockets are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// Listings at intervals.
    Rounds(Rounds),
    /// One listing: as soon as a socket matches, or this time is over; `None` waits forever.
    Wait(Option<Duration>),
    /// No listing if no socket matches any more; one listing if this time is over.
    WaitGone(Option<Duration>),
}

/// The interval between listings, and their number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rounds {
    /// The pause between two listings.
    pub interval: Duration,
    /// The number of listings; `None` if there is no limit.
    pub count: Option<u64>,
}
