//! What is asked for: which sockets, and how to list them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::fields::Order;
use crate::names::Naming;
use crate::namespaces::Selection;
use crate::query::{Query, Scope};
use crate::socket::Section;
use crate::tables::policy::Source;

/// Which sockets are asked for, and how to list them.
#[derive(Clone, Debug)]
pub struct Request {
    /// Which sockets, except that `users` are still to be added to its filter.
    pub query: Query,
    /// `--user`: users by name or number.
    pub users: Vec<String>,
    /// The order of the sockets.
    pub order: Order,
    /// What the listing looks like.
    pub look: Look,
    /// When the table has colours.
    pub color: Color,
    /// The network namespaces; `None` for the one of this process.
    pub netns: Option<Selection>,
    /// How long all names together may take to be looked up.
    pub resolve_timeout: Duration,
    /// How often the sockets are listed.
    pub repeat: Repeat,
    /// `-v`: print all remarks.
    pub verbose: bool,
    /// `--proc DIR`: the root of another /proc.
    pub proc: Option<PathBuf>,
    /// The source of the tables.
    pub source: Source,
}

impl Request {
    /// The root of the /proc that is read.
    pub fn root(&self) -> &Path {
        self.proc.as_deref().unwrap_or(Path::new("/proc"))
    }

    /// Returns true if any filter is set.
    pub fn has_filters(&self) -> bool {
        self.query.has_filters() || !self.users.is_empty()
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
}

/// A layout, and which parts of it are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct Look {
    /// The layout.
    pub format: Format,
    /// The scope that netstat's headings name.
    pub scope: Scope,
    /// The sections that are asked for, in order.
    pub sections: Vec<Section>,
    /// Print the lines above the sockets.
    pub header: bool,
    /// Print them also for a section without sockets.
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
    /// `-c`: listings follow each other, so that records have the time of theirs.
    pub is_continuous: bool,
    /// What is shown by name, if it has one.
    pub naming: Naming,
}

/// When the table has colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of --color")]
pub enum Color {
    /// On a terminal, unless the environment says otherwise.
    Auto,
    Always,
    Never,
}

/// How often the sockets are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// This often.
    Rounds(Rounds),
    /// Once, as soon as there are any or this time is over; `None` waits forever.
    Wait(Option<Duration>),
}

/// How often to list, and how many times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rounds {
    /// The pause between two listings.
    pub interval: Duration,
    /// The number of listings; `None` is without end.
    pub count: Option<u64>,
}
