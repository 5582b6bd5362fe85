//! The live view: the table for people, redrawn in place.

use std::io::Write;
use std::time::{Duration, Instant};

use super::changes;
use crate::cli::Watch;
use crate::gather::{Error, Gatherer};
use crate::listing::Listing;
use crate::names::Names;
use crate::render::table::{self, Mark, Screen};
use crate::render::{Look, harmless};
use crate::terminal::{self, Event, Size, Terminal};

/// What a terminal is taken for that does not tell.
const USUAL: Size = Size { columns: 80, lines: 24 };

/// How long a frame waits for names, in which no key is heard.
const NAMES: Duration = Duration::from_millis(50);

/// What a view has shown.
#[derive(Debug, Default)]
pub struct Seen {
    /// There was some socket at some time.
    pub any: bool,
    /// What was amiss about the last listing.
    pub remarks: Vec<String>,
}

/// Shows listings on the terminal until there were as many as are asked for, or whoever watches
/// has seen enough.
///
/// # Errors
///
/// [`Error`]; the terminal has been given back by then.
pub fn run(
    watch: Watch,
    gatherer: &mut Gatherer<'_>,
    look: &Look,
    color: bool,
    out: impl Write,
) -> Result<Seen, Error> {
    let mut terminal = Terminal::take(out)?;
    let mut before: Option<Listing> = None;
    let mut seen = Seen::default();
    let mut left = watch.count;
    while left != Some(0) {
        seen.remarks.clear();
        let listing = gatherer.gather(&mut |line| seen.remarks.push(line.to_string()))?;
        seen.any |= !listing.is_empty();
        // What is not known by then comes with one of the next frames.
        gatherer.look_up_within(NAMES, &listing);
        let end = Instant::now().checked_add(watch.interval);
        let view = View { look, color, names: gatherer.names(), watch, remarks: &seen.remarks };
        loop {
            let size = terminal::size(std::io::stdout()).unwrap_or(USUAL);
            terminal.show(&view.frame(before.as_ref(), &listing, size))?;
            match terminal.wait(end)? {
                Event::Timeout => break,
                Event::Resized => {}
                Event::Quit => return Ok(seen),
            }
        }
        before = Some(listing);
        left = left.map(|left| left - 1);
    }
    Ok(seen)
}

/// What the frames have in common.
struct View<'a> {
    look: &'a Look,
    color: bool,
    names: &'a Names,
    watch: Watch,
    remarks: &'a [String],
}

impl View<'_> {
    /// What draws a listing over the one before.
    fn frame(&self, before: Option<&Listing>, now: &Listing, size: Size) -> Vec<u8> {
        let before = before.map(|before| before.entries().collect());
        let entries = changes::marked(before, now.entries().collect(), changes::key);
        let status = self.status(entries.iter().map(|&(_, mark)| mark));
        let screen = Screen { width: Some(size.columns), color: self.color };
        let mut lines = Vec::new();
        let mut each = |line: &str| {
            lines.push(line.to_owned());
            Ok(())
        };
        // Nothing can go wrong with a list.
        let left_out = table::each_line(self.look, screen, self.names, true, &entries, &mut each)
            .unwrap_or_default();
        let room = usize::from(size.lines.saturating_sub(1));
        let mut notes = vec![status];
        if lines.len() > room {
            notes.push(format!("{} lines more", lines.len() - room));
        }
        if !left_out.is_empty() {
            notes.push(format!("no room for {}", left_out.join(", ")));
        }
        notes.extend(self.remarks.first().cloned());
        let mut frame = b"\x1b[H".to_vec();
        for line in lines.iter().take(room) {
            frame.extend_from_slice(line.as_bytes());
            frame.extend_from_slice(b"\x1b[K\n");
        }
        frame.extend_from_slice(b"\x1b[J");
        let note: String =
            harmless(notes.join("; ").as_bytes()).take(size.columns.into()).collect();
        frame.extend_from_slice(format!("\x1b[{};1H\x1b[7m{note}\x1b[m", size.lines).as_bytes());
        frame
    }

    /// How many sockets there are, and what has become of them.
    fn status(&self, marks: impl Iterator<Item = Mark>) -> String {
        let (mut there, mut new, mut closed) = (0, 0, 0);
        for mark in marks {
            match mark {
                Mark::Same => there += 1,
                Mark::New => (there, new) = (there + 1, new + 1),
                Mark::Closed => closed += 1,
            }
        }
        let interval = self.watch.interval;
        let sockets = if there == 1 { "socket" } else { "sockets" };
        format!("{there} {sockets}, {new} new, {closed} closed; every {interval:?}; q quits")
    }
}
