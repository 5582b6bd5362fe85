//! The terminal: how large it is, and a live view's hold on it.

use std::io::{self, Write};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcgetwinsize, tcsetattr,
};

/// Characters that a terminal shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// In a line.
    pub columns: u16,
    /// Lines.
    pub lines: u16,
}

/// The size of a terminal; none of what is no terminal, or does not know.
pub fn size(terminal: impl AsFd) -> Option<Size> {
    let size = tcgetwinsize(terminal).ok()?;
    let (columns, lines) = (size.ws_col, size.ws_row);
    (columns > 0 && lines > 0).then_some(Size { columns, lines })
}

/// Another screen, without a cursor, and with lines that are cut at its edge.
const TAKE: &[u8] = b"\x1b[?1049h\x1b[?25l\x1b[?7l";
const GIVE_BACK: &[u8] = b"\x1b[?7h\x1b[?25h\x1b[?1049l";
/// A character that suspends: none.
const DISABLED: u8 = 0;

/// What has happened while a live view waited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The time is over.
    Timeout,
    /// The terminal has another size, or has been taken again.
    Resized,
    /// Whoever watches has seen enough: by `q`, by Ctrl-C, or by a signal that ends programs.
    Quit,
}

/// The terminal of standard input and output while a live view has it. It is given back as it
/// was when this is dropped.
pub struct Terminal<W: Write> {
    out: W,
    before: Termios,
    signals: SignalFd,
}

impl<W: Write> Terminal<W> {
    /// Takes the terminal, of which `out` is the output.
    ///
    /// From here on the signals that end programs are [`Event`]s. Threads that are started later
    /// leave them alone as well.
    ///
    /// # Errors
    ///
    /// Those of `tcsetattr(3)`, `signalfd(2)` and `out`.
    pub fn take(out: W) -> io::Result<Self> {
        let mut signals = SigSet::empty();
        for signal in [
            Signal::SIGINT,
            Signal::SIGTERM,
            Signal::SIGHUP,
            Signal::SIGQUIT,
            Signal::SIGWINCH,
            Signal::SIGTSTP,
            Signal::SIGCONT,
        ] {
            signals.add(signal);
        }
        signals.thread_block()?;
        let signals =
            SignalFd::with_flags(&signals, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?;
        let before = tcgetattr(io::stdin())?;
        let mut terminal = Self { out, before, signals };
        terminal.take_again()?;
        Ok(terminal)
    }

    /// Takes the terminal; again where a shell has had it meanwhile.
    fn take_again(&mut self) -> io::Result<()> {
        let mut quiet = self.before.clone();
        quiet.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO);
        quiet.special_codes[SpecialCodeIndex::VMIN] = 1;
        quiet.special_codes[SpecialCodeIndex::VTIME] = 0;
        // A view that is suspended would leave the terminal taken.
        quiet.special_codes[SpecialCodeIndex::VSUSP] = DISABLED;
        tcsetattr(io::stdin(), OptionalActions::Drain, &quiet)?;
        self.show(TAKE)
    }

    /// Shows these bytes at once.
    ///
    /// # Errors
    ///
    /// Those of the output.
    pub fn show(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)?;
        self.out.flush()
    }

    /// Waits for something to happen until `end`; none is for ever.
    ///
    /// # Errors
    ///
    /// Those of `poll(2)` and of reading what has come.
    pub fn wait(&mut self, end: Option<Instant>) -> io::Result<Event> {
        loop {
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            let stdin = io::stdin();
            let mut waiting =
                [PollFd::new(&stdin, PollFlags::IN), PollFd::new(&self.signals, PollFlags::IN)];
            let left = left.map(timespec);
            if poll(&mut waiting, left.as_ref())? == 0 {
                return Ok(Event::Timeout);
            }
            let [keys, signals] = waiting.map(|fd| !fd.revents().is_empty());
            if signals && let Some(signal) = self.signals.read_signal()? {
                match i32::try_from(signal.ssi_signo).map(Signal::try_from) {
                    Ok(Ok(Signal::SIGWINCH)) => return Ok(Event::Resized),
                    // It was stopped by a signal that nobody can keep back.
                    Ok(Ok(Signal::SIGCONT)) => {
                        self.take_again()?;
                        return Ok(Event::Resized);
                    }
                    Ok(Ok(Signal::SIGTSTP)) => {}
                    _ => return Ok(Event::Quit),
                }
            }
            if keys && is_quit(&stdin)? {
                return Ok(Event::Quit);
            }
        }
    }
}

impl<W: Write> Drop for Terminal<W> {
    fn drop(&mut self) {
        // Where the terminal has gone there is nothing to give back.
        let _ = self.show(GIVE_BACK);
        let _ = tcsetattr(io::stdin(), OptionalActions::Drain, &self.before);
    }
}

/// Reads the keys that were pressed: whether `q` is among them, or there is nobody to press any.
fn is_quit(keys: impl AsFd) -> io::Result<bool> {
    // The standard library's own handle keeps back what it has read beyond this.
    let mut pressed = [0; 64];
    let count = rustix::io::read(keys, &mut pressed)?;
    let pressed = pressed.get(..count).unwrap_or_default();
    Ok(pressed.is_empty() || pressed.iter().any(|key| matches!(key, b'q' | b'Q')))
}

fn timespec(duration: Duration) -> Timespec {
    Timespec {
        tv_sec: duration.as_secs().try_into().unwrap_or(i64::MAX),
        tv_nsec: duration.subsec_nanos().into(),
    }
}
