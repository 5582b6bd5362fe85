//! The terminal: its size, and its modes while a live view uses it.

use std::io;
use std::os::fd::AsFd;
use std::panic;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::unistd::{Pid, getpgrp, getpid, tcgetpgrp};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, retry_on_intr, write};
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

/// Switches to the alternate screen, hides the cursor, cuts lines at the edge of the screen, and asks
/// for the buttons and the wheel of the mouse (1000) in the form of SGR (1006).
const ENTER: &[u8] = b"\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[?1000h\x1b[?1006h";
/// Undoes [`ENTER`].
const LEAVE: &[u8] = b"\x1b[?1006l\x1b[?1000l\x1b[?7h\x1b[?25h\x1b[?1049l";

/// What happened while a live view waited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The time is over.
    Timeout,
    /// The user pressed keys: these bytes came.
    Keys(Vec<u8>),
    /// The frame must be drawn again: the size changed, or the program was stopped and continued.
    Resized,
    /// The terminal is gone, or the user pressed Ctrl-C.
    Quit,
    /// A signal that ends programs arrived, which has this number.
    Ended(u8),
}

/// What [`Terminal::suspend`] stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stops {
    /// This program, as `kill -TSTP` does.
    Program,
    /// Also a script that runs it, as the key Ctrl-Z does: else the script would wait, and the shell
    /// with it.
    Group,
}

/// The signals that a view handles. The first ones end the view. They would end the program at once, and
/// the shell would get a terminal that still shows the view. Signals of a crash are not handled, and a
/// panic has a hook of its own.
const HANDLED: [Signal; 18] = [
    Signal::SIGINT,
    Signal::SIGTERM,
    Signal::SIGHUP,
    Signal::SIGQUIT,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
    Signal::SIGALRM,
    Signal::SIGVTALRM,
    Signal::SIGPROF,
    Signal::SIGXCPU,
    Signal::SIGXFSZ,
    Signal::SIGIO,
    Signal::SIGPWR,
    Signal::SIGSTKFLT,
    Signal::SIGWINCH,
    Signal::SIGTSTP,
    Signal::SIGTTOU,
    Signal::SIGCONT,
];

/// A terminal has room for this many bytes if it is ready for output (`WAKEUP_CHARS`,
/// `drivers/tty/n_tty.c`).
const ROOM: usize = 256;
/// How long the end of a view waits for a terminal that takes no output.
const LAST: Duration = Duration::from_millis(500);

/// The terminal of standard input and output while a live view uses it. Dropping this restores it.
pub struct Terminal {
    /// The modes before the view.
    before: Termios,
    /// The signals that the view handles.
    handled: SigSet,
    signals: SignalFd,
}

impl Terminal {
    /// Prepares the terminal for a live view. From then on, [`Self::wait`] reports signals that would
    /// end the program: they are blocked in this thread and in those it starts later. Other threads
    /// must block them already.
    pub fn take() -> io::Result<Self> {
        let handled: SigSet = HANDLED.into_iter().collect();
        let signals =
            SignalFd::with_flags(&handled, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?;
        wait_for_foreground(&handled)?;
        let before = tcgetattr(io::stdin())?;
        restore_after_panics(&before);
        let mut terminal = Self { before, handled, signals };
        terminal.enter()?;
        Ok(terminal)
    }

    /// Sets the modes and the screen. Returns false like [`Self::show`].
    fn enter(&mut self) -> io::Result<bool> {
        let mut quiet = self.before.clone();
        quiet.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO);
        quiet.special_codes[SpecialCodeIndex::VMIN] = 1;
        quiet.special_codes[SpecialCodeIndex::VTIME] = 0;
        // 0 disables the key that suspends: the program must leave the terminal before it stops.
        quiet.special_codes[SpecialCodeIndex::VSUSP] = 0;
        tcsetattr(io::stdin(), OptionalActions::Now, &quiet)?;
        self.show(ENTER)
    }

    /// Writes these bytes. Returns false if a signal came while the terminal took no output:
    /// [`Self::wait`] reports it.
    pub fn show(&mut self, mut bytes: &[u8]) -> io::Result<bool> {
        let stdout = io::stdout();
        while !bytes.is_empty() {
            let mut waiting =
                [PollFd::new(&stdout, PollFlags::OUT), PollFd::new(&self.signals, PollFlags::IN)];
            retry_on_intr(|| poll(&mut waiting, None))?;
            if waiting[0].revents().is_empty() {
                return Ok(false);
            }
            let part = bytes.get(..ROOM).unwrap_or(bytes);
            match write(&stdout, part) {
                Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
                Err(Errno::AGAIN | Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(true)
    }

    /// Waits for an event until `end`; `None` waits forever.
    pub fn wait(&mut self, end: Option<Instant>) -> io::Result<Event> {
        loop {
            // If a script runs this program and stops or ends, the shell takes the terminal back.
            if !is_in_foreground() {
                return self.resume();
            }
            let stdin = io::stdin();
            let mut waiting =
                [PollFd::new(&stdin, PollFlags::IN), PollFd::new(&self.signals, PollFlags::IN)];
            match poll(&mut waiting, left(end).as_ref()) {
                Ok(0) => return Ok(Event::Timeout),
                Ok(_) => {}
                Err(Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
            }
            let [keys, signals] = waiting.map(|fd| !fd.revents().is_empty());
            if signals && let Some(signal) = self.signals.read_signal()? {
                match i32::try_from(signal.ssi_signo).map(Signal::try_from) {
                    Ok(Ok(Signal::SIGWINCH)) => return Ok(Event::Resized),
                    // The program was stopped by SIGSTOP, which cannot be blocked. It can be in the
                    // background now.
                    Ok(Ok(Signal::SIGCONT)) => return self.resume(),
                    Ok(Ok(Signal::SIGTSTP)) => return self.suspend(Stops::Program),
                    Ok(Ok(Signal::SIGTTOU)) => {}
                    Ok(Ok(Signal::SIGINT)) => return Ok(Event::Quit),
                    _ => return Ok(Event::Ended(u8::try_from(signal.ssi_signo).unwrap_or(0))),
                }
            }
            if keys && is_in_foreground() {
                // The standard library's `Stdin` could keep keys in its buffer, where `poll` does
                // not see them.
                let mut pressed = [0; 256];
                let count = retry_on_intr(|| rustix::io::read(&stdin, &mut pressed))?;
                return Ok(match pressed.get(..count) {
                    None | Some([]) => Event::Quit,
                    Some(pressed) => Event::Keys(pressed.to_vec()),
                });
            }
        }
    }

    /// Leaves the terminal, and stops until a shell continues the program in the foreground.
    pub fn suspend(&mut self, stops: Stops) -> io::Result<Event> {
        restore(&self.before);
        let target = match stops {
            Stops::Program => getpid(),
            Stops::Group => Pid::from_raw(0),
        };
        // The signal is blocked, so it has its effect in `resume`. It has none if no shell could
        // continue the program (an orphaned process group).
        kill(target, Signal::SIGTSTP)?;
        self.resume()
    }

    /// Leaves the terminal, waits for the foreground, and takes it again.
    fn resume(&mut self) -> io::Result<Event> {
        restore(&self.before);
        wait_for_foreground(&self.handled)?;
        self.enter()?;
        Ok(Event::Resized)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        restore(&self.before);
        if !thread::panicking() {
            drop(panic::take_hook());
        }
        // What remains to be done can take long, such as to unload the modules of the resolver.
        let _ = self.handled.thread_unblock();
    }
}

/// Returns the time until `end`; `None` is forever.
fn left(end: Option<Instant>) -> Option<Timespec> {
    let left = end?.saturating_duration_since(Instant::now());
    Timespec::try_from(left).ok()
}

/// Returns true if this program may use the terminal, or if the terminal is not that of its session.
fn is_in_foreground() -> bool {
    tcgetpgrp(io::stdin()).map_or(true, |foreground| foreground == getpgrp())
}

/// Stops the program until it is in the foreground, and then blocks these signals. While the program
/// is stopped they are not blocked, so that they can end it.
fn wait_for_foreground(signals: &SigSet) -> io::Result<()> {
    const PAUSE: Duration = Duration::from_millis(100);
    loop {
        signals.thread_unblock()?;
        // In the background, the kernel sends SIGTTOU. In the foreground, this has no effect.
        retry_on_intr(|| tcdrain(io::stdin()))?;
        signals.thread_block()?;
        if is_in_foreground() {
            return Ok(());
        }
        // SIGTTOU is ignored.
        thread::sleep(PAUSE);
    }
}

/// Restores the modes and the screen. If the terminal is gone, there is nothing to restore. Waits a
/// short time for a terminal that takes no output.
fn restore(before: &Termios) {
    let stdout = io::stdout();
    let last = Timespec::try_from(LAST).ok();
    // These few bytes have room in a terminal that takes output.
    if retry_on_intr(|| poll(&mut [PollFd::new(&stdout, PollFlags::OUT)], last.as_ref()))
        .is_ok_and(|ready| ready > 0)
    {
        let _ = retry_on_intr(|| write(&stdout, LEAVE));
    }
    // After a stop, the shell can have set modes of its own, with a key that suspends.
    let is_ours = |now: &Termios| now.special_codes[SpecialCodeIndex::VSUSP] == 0;
    if tcgetattr(io::stdin()).is_ok_and(|now| is_ours(&now)) {
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, before);
    }
}

/// Makes a panic restore the terminal before its message is printed. A release build aborts then, so
/// nothing is dropped.
fn restore_after_panics(before: &Termios) {
    let (before, print) = (before.clone(), panic::take_hook());
    panic::set_hook(Box::new(move |panic| {
        restore(&before);
        print(panic);
    }));
}
