//! The same listing again and again: `-c`, and `--wait`.

mod changes;
pub mod live;

use std::thread;
use std::time::{Duration, Instant};

use crate::cli::Watch;

/// Lists, again and again.
///
/// # Errors
///
/// That of the first listing that fails, which is the last.
pub fn repeat<E>(watch: Watch, mut list: impl FnMut() -> Result<(), E>) -> Result<(), E> {
    let mut left = watch.count;
    while left != Some(0) {
        list()?;
        left = left.map(|left| left - 1);
        if left != Some(0) {
            thread::sleep(watch.interval);
        }
    }
    Ok(())
}

/// The shortest pause before what is waited for is looked for again.
const PAUSE: Duration = Duration::from_millis(100);
/// How much longer it is than the look took, so that waiting costs no more than a fifth of a core.
const REST: u32 = 4;

/// Looks again and again until it is what is waited for, or the time is over: what was seen last.
///
/// # Errors
///
/// That of the first look that fails.
pub fn wait<T, E>(
    limit: Option<Duration>,
    mut look: impl FnMut() -> Result<T, E>,
    is_it: impl Fn(&T) -> bool,
) -> Result<T, E> {
    // None is so far away that there is no such instant.
    let end = limit.and_then(|limit| Instant::now().checked_add(limit));
    loop {
        let start = Instant::now();
        let seen = look()?;
        let now = Instant::now();
        let left = end.map_or(Duration::MAX, |end| end.saturating_duration_since(now));
        if is_it(&seen) || left.is_zero() {
            return Ok(seen);
        }
        thread::sleep(PAUSE.max((now - start) * REST).min(left));
    }
}
