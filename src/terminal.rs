//! The terminal: its size, and its modes while a live view uses it.

use std::io::{self, Write};
use std::os::fd::AsFd;
use std::time::Instant;

use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::retry_on_intr;
use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcdrain, tcgetattr, tcgetwinsize,
    tcsetattr,
};

/// The size of a terminal, in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Characters in a line.
    pub columns: u16,
    /// Lines.
    pub lines: u16,
}

/// Returns the size of the terminal at this descriptor; `None` if there is no terminal, or if it
/// does not report its size.
pub fn size(terminal: impl AsFd) -> Option<Size> {
    let size = tcgetwinsize(terminal).ok()?;
    let (columns, lines) = (size.ws_col, size.ws_row);
    (columns > 0 && lines > 0).then_some(Size { columns, lines })
}

/// Switches to the alternate screen, hides the cursor, and cuts lines at the edge of the screen.
const ENTER: &[u8] = b"\x1b[?1049h\x1b[?25l\x1b[?7l";
/// Undoes [`ENTER`].
const LEAVE: &[u8] = b"\x1b[?7h\x1b[?25h\x1b[?1049l";

/// What happened while a live view waited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The time is over.
    Timeout,
    /// The frame must be drawn again: the size changed, or the program was stopped and continued.
    Resized,
    /// The user pressed `q` or Ctrl-C, or a signal that ends programs arrived.
    Quit,
}

/// The terminal of standard input and output while a live view uses it. Dropping this restores it.
pub struct Terminal<W: Write> {
    out: W,
    /// The modes before the view.
    before: Termios,
    /// The signals that the view handles.
    handled: SigSet,
    signals: SignalFd,
}

impl<W: Write> Terminal<W> {
    /// Prepares the terminal for a live view that writes to `out`. From then on, [`Self::wait`]
    /// reports signals that would end the program: they are blocked in this thread and in those it
    /// starts later. Other threads must block them already.
    pub fn take(out: W) -> io::Result<Self> {
        let handled: SigSet = [
            Signal::SIGINT,
            Signal::SIGTERM,
            Signal::SIGHUP,
            Signal::SIGQUIT,
            Signal::SIGWINCH,
            Signal::SIGTSTP,
            Signal::SIGTTOU,
            Signal::SIGCONT,
        ]
        .into_iter()
        .collect();
        let signals =
            SignalFd::with_flags(&handled, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?;
        wait_for_foreground(&handled)?;
        let before = tcgetattr(io::stdin())?;
        let mut terminal = Self { out, before, handled, signals };
        terminal.enter()?;
        Ok(terminal)
    }

    /// Sets the modes and the screen.
    fn enter(&mut self) -> io::Result<()> {
        let mut quiet = self.before.clone();
        quiet.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO);
        quiet.special_codes[SpecialCodeIndex::VMIN] = 1;
        quiet.special_codes[SpecialCodeIndex::VTIME] = 0;
        // 0 disables the key that suspends. The key would also stop a program that runs this one,
        // such as a script, and leave the screen of the view to the shell.
        quiet.special_codes[SpecialCodeIndex::VSUSP] = 0;
        tcsetattr(io::stdin(), OptionalActions::Drain, &quiet)?;
        self.show(ENTER)
    }

    /// Restores the modes and the screen. If the terminal is gone, there is nothing to restore.
    fn leave(&mut self) {
        let _ = self.show(LEAVE);
        // After a stop, the shell can have set modes of its own: those of its line editor differ in
        // the input modes.
        let is_ours = |now: &Termios| {
            now.special_codes[SpecialCodeIndex::VSUSP] == 0
                && now.input_modes == self.before.input_modes
        };
        if tcgetattr(io::stdin()).is_ok_and(|now| is_ours(&now)) {
            let _ = tcsetattr(io::stdin(), OptionalActions::Drain, &self.before);
        }
    }

    /// Writes these bytes and flushes them.
    pub fn show(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)?;
        self.out.flush()
    }

    /// Waits for an event until `end`; `None` waits forever.
    pub fn wait(&mut self, end: Option<Instant>) -> io::Result<Event> {
        loop {
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            let stdin = io::stdin();
            let mut waiting =
                [PollFd::new(&stdin, PollFlags::IN), PollFd::new(&self.signals, PollFlags::IN)];
            let left = left.and_then(|left| Timespec::try_from(left).ok());
            if poll(&mut waiting, left.as_ref())? == 0 {
                return Ok(Event::Timeout);
            }
            let [keys, signals] = waiting.map(|fd| !fd.revents().is_empty());
            if signals && let Some(signal) = self.signals.read_signal()? {
                match i32::try_from(signal.ssi_signo).map(Signal::try_from) {
                    Ok(Ok(Signal::SIGWINCH)) => return Ok(Event::Resized),
                    // The program was stopped by SIGSTOP, which cannot be blocked. It can be in the
                    // background now.
                    Ok(Ok(Signal::SIGCONT)) => {
                        self.leave();
                        wait_for_foreground(&self.handled)?;
                        self.enter()?;
                        return Ok(Event::Resized);
                    }
                    Ok(Ok(Signal::SIGTSTP | Signal::SIGTTOU)) => {}
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
        self.leave();
    }
}

/// Stops the program until it is in the foreground, and then blocks these signals. While the program
/// is stopped they are not blocked, so that they can end it.
fn wait_for_foreground(signals: &SigSet) -> io::Result<()> {
    signals.thread_unblock()?;
    // In the background, the kernel sends SIGTTOU. In the foreground, this has no effect.
    retry_on_intr(|| tcdrain(io::stdin()))?;
    signals.thread_block()?;
    Ok(())
}

/// Reads the pressed keys. Returns true if `q` is among them, or if the terminal is gone.
fn is_quit(keys: impl AsFd) -> io::Result<bool> {
    // The standard library's `Stdin` could keep keys in its buffer, where `poll` does not see them.
    let mut pressed = [0; 64];
    let count = rustix::io::read(keys, &mut pressed)?;
    let pressed = pressed.get(..count).unwrap_or_default();
    Ok(pressed.is_empty() || pressed.iter().any(|key| matches!(key, b'q' | b'Q')))
}
