//! The same listing again and again: `-c`.

use std::thread;
use std::time::Duration;

/// How often to list, and how many times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watch {
    /// The pause between two listings.
    pub interval: Duration,
    /// How many listings there are; none is no end.
    pub count: Option<u64>,
}

impl Watch {
    /// Lists, again and again.
    ///
    /// # Errors
    ///
    /// That of the first listing that fails, which is the last.
    pub fn run<E>(self, mut list: impl FnMut() -> Result<(), E>) -> Result<(), E> {
        let mut left = self.count;
        while left != Some(0) {
            list()?;
            left = left.map(|left| left - 1);
            if left != Some(0) {
                thread::sleep(self.interval);
            }
        }
        Ok(())
    }
}
