//! The live view: the table for people, redrawn in place.

pub mod repeat;

use std::time::{Duration, Instant};

use crate::gather::Gatherer;
use crate::harmless::harmless;
use crate::listing::{self, Listing, Mark};
use crate::names::Names;
use crate::remark::Remark;
use crate::render::table::{self, Screen};
use crate::request::{Look, Rounds};
use crate::terminal::{self, Event, Size, Terminal};

/// The most time that a frame waits for names. It is short because keys are not read meanwhile.
const NAMES: Duration = Duration::from_millis(50);

/// What the view has shown.
#[derive(Debug, Default)]
pub struct Seen {
    /// Some listing had a socket.
    pub any: bool,
    /// The remarks about the last listing.
    pub remarks: Vec<Remark>,
}

/// Shows listings on the terminal, until all rounds are done or the user quits. Then restores the
/// terminal, also after an error.
pub fn run(
    rounds: Rounds,
    gatherer: &mut Gatherer<'_>,
    look: &Look,
    color: bool,
) -> Result<Seen, Remark> {
    let mut terminal = Terminal::take()?;
    let mut before: Option<Listing> = None;
    let mut seen = Seen::default();
    let mut left = rounds.count;
    while left != Some(0) {
        seen.remarks.clear();
        let listing = gatherer.gather(&mut |remark| seen.remarks.push(remark))?;
        seen.any |= !listing.is_empty();
        // A later frame shows the names that are found later.
        let missing = gatherer.look_up_within(NAMES, &listing);
        seen.remarks.extend(missing.failures.map(Remark::from));
        let end = Instant::now().checked_add(rounds.interval);
        let names = gatherer.names();
        let view = View { look, color, names, rounds, remark: seen.remarks.first() };
        loop {
            // Assume the usual size if the terminal does not report one.
            let usual = Size { columns: 80, lines: 24 };
            let size = terminal::size(std::io::stdout()).unwrap_or(usual);
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

/// The settings and names that all frames of one listing share.
struct View<'a> {
    look: &'a Look,
    color: bool,
    names: &'a Names,
    rounds: Rounds,
    /// The first remark about the listing.
    remark: Option<&'a Remark>,
}

impl View<'_> {
    /// Returns the bytes that draw a listing, with the changes since the previous one.
    fn frame(&self, before: Option<&Listing>, now: &Listing, size: Size) -> Vec<u8> {
        let entries = listing::changes(before, now);
        let status = self.status(entries.iter().map(|&(_, mark)| mark));
        let screen = Screen { width: Some(size.columns), color: self.color };
        let mut lines = Vec::new();
        let mut each = |line: &str| {
            lines.push(line.to_owned());
            Ok(())
        };
        // `each` always returns `Ok`, so there is no error to handle.
        let hidden = table::for_each_line(self.look, screen, self.names, true, &entries, &mut each)
            .unwrap_or_default();
        let room = usize::from(size.lines.saturating_sub(1));
        let mut notes = vec![status];
        if lines.len() > room {
            notes.push(format!("{} lines more", lines.len() - room));
        }
        if !hidden.is_empty() {
            notes.push(format!("no room for {}", hidden.join(", ")));
        }
        notes.extend(self.remark.and_then(|remark| remark.lines().into_iter().next()));
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

    /// Returns the text with the numbers of sockets and changes.
    fn status(&self, marks: impl Iterator<Item = Mark>) -> String {
        let (mut present, mut new, mut closed) = (0, 0, 0);
        for mark in marks {
            match mark {
                Mark::Same => present += 1,
                Mark::New => (present, new) = (present + 1, new + 1),
                Mark::Closed => closed += 1,
            }
        }
        let interval = self.rounds.interval;
        let sockets = if present == 1 { "socket" } else { "sockets" };
        format!("{present} {sockets}, {new} new, {closed} closed; every {interval:?}; q quits")
    }
}
