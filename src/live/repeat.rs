//! Repeats listings, for `-c` without a terminal and for `--wait`.

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::request::Rounds;

/// Calls `list` until it fails, all rounds are done, or the reader of standard output is gone. The
/// latter fails with `EPIPE`.
pub fn repeat<E: From<io::Error>>(
    rounds: Rounds,
    mut list: impl FnMut() -> Result<(), E>,
) -> Result<(), E> {
    let mut left = rounds.count;
    while left != Some(0) {
        list()?;
        left = left.map(|left| left - 1);
        if left != Some(0) {
            pause(rounds.interval)?;
        }
    }
    Ok(())
}

/// Pauses. Fails with `EPIPE` as soon as the reader of standard output is gone: a program without
/// sockets to list writes nothing, and would not notice it.
fn pause(time: Duration) -> io::Result<()> {
    let end = Instant::now().checked_add(time);
    let stdout = io::stdout();
    loop {
        let left = end.map(|end| end.saturating_duration_since(Instant::now()));
        let left = left.and_then(|left| Timespec::try_from(left).ok());
        match poll(&mut [PollFd::new(&stdout, PollFlags::empty())], left.as_ref()) {
            Ok(0) => return Ok(()),
            Ok(_) => return Err(io::ErrorKind::BrokenPipe.into()),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// The shortest pause between two listings of [`wait`].
const PAUSE: Duration = Duration::from_millis(100);
/// To save processor time, a pause of [`wait`] lasts at least this many times the last listing.
const REST: u32 = 4;

/// Calls `list` until `is_done` or the time is over. Returns the last result.
pub fn wait<T, E>(
    limit: Option<Duration>,
    mut list: impl FnMut() -> Result<T, E>,
    is_done: impl Fn(&T) -> bool,
) -> Result<T, E> {
    // `None` without a limit, or if the end is beyond the range of the clock.
    let end = limit.and_then(|limit| Instant::now().checked_add(limit));
    loop {
        let start = Instant::now();
        let listing = list()?;
        let now = Instant::now();
        let left = end.map_or(Duration::MAX, |end| end.saturating_duration_since(now));
        if is_done(&listing) || left.is_zero() {
            return Ok(listing);
        }
        thread::sleep(PAUSE.max((now - start) * REST).min(left));
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    #[test]
    fn wait_pauses_between_listings() {
        let mut listings = 0;
        let list = || {
            listings += 1;
            Ok::<_, Infallible>(())
        };
        let limit = Duration::from_millis(250);
        wait(Some(limit), list, |()| false).unwrap();
        // At the start, after 100 ms and 200 ms, and at the end. A busy machine can skip some.
        assert!((2..=4).contains(&listings), "{listings} listings");
    }
}
