//! Works on many items with two threads: to make the text of 120,000 sockets takes longer than to read
//! them.

use std::convert::Infallible;
use std::io::{self, Write};
use std::mem::take;
use std::panic::resume_unwind;
use std::thread::{self, ScopedJoinHandle};

/// The number of items that one thread works on at a time.
const PIECE: usize = 2048;

/// Writes what `make` appends for each item, in order.
pub(super) fn write_each<T: Sync>(
    items: impl Iterator<Item = T>,
    out: &mut impl Write,
    make: impl Fn(&T, &mut Vec<u8>) -> io::Result<()> + Sync,
) -> io::Result<()> {
    let make_all = |items: &[T], text: &mut Vec<u8>| items.iter().try_for_each(|it| make(it, text));
    let write = |text: &mut Vec<u8>| {
        out.write_all(text)?;
        text.clear();
        Ok(())
    };
    with_two_threads(items, &mut [Vec::new(), Vec::new()], make_all, write)
}

/// Adds each item to one of the results, in any order.
pub(super) fn add_each<T: Sync, R: Default + Send>(
    items: impl Iterator<Item = T>,
    results: &mut [R; 2],
    add: impl Fn(&T, &mut R) + Sync,
) {
    let add_all = |items: &[T], result: &mut R| {
        for item in items {
            add(item, result);
        }
        Ok::<_, Infallible>(())
    };
    let Ok(()) = with_two_threads(items, results, add_all, |_| Ok(()));
}

/// Calls `make` with pieces of the items, on two threads, each with its own result. `done` gets the
/// results in the order of the items.
fn with_two_threads<T: Sync, R: Default + Send, E: Send>(
    mut items: impl Iterator<Item = T>,
    [here, there]: &mut [R; 2],
    make: impl Fn(&[T], &mut R) -> Result<(), E> + Sync,
    mut done: impl FnMut(&mut R) -> Result<(), E>,
) -> Result<(), E> {
    let mut next = Vec::new();
    loop {
        next.clear();
        next.extend(items.by_ref().take(2 * PIECE));
        let (first, second) = next.split_at(next.len().min(PIECE));
        if second.is_empty() {
            make(first, here)?;
            return done(here);
        }
        let is_made_there = thread::scope(|scope| {
            let make_there = || {
                // If the two results shared a line of the cache, each thread would slow down the other.
                let mut result = take(there);
                let outcome = make(second, &mut result);
                *there = result;
                outcome
            };
            let spawned = thread::Builder::new().spawn_scoped(scope, make_there);
            make(first, here)?;
            done(here)?;
            match spawned.map(ScopedJoinHandle::join) {
                Ok(Ok(result)) => result.map(|()| true),
                Ok(Err(panic)) => resume_unwind(panic),
                // There can be a limit to the number of threads.
                Err(_) => make(second, here).map(|()| false),
            }
        })?;
        done(if is_made_there { there } else { here })?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_stay_in_order() {
        for count in [0, 1, PIECE, PIECE + 1, 2 * PIECE, 5 * PIECE + 7] {
            let mut out = Vec::new();
            write_each(0..count, &mut out, |number, text| write!(text, "{number} ")).unwrap();
            let words = String::from_utf8(out).unwrap();
            let numbers = words.split_terminator(' ').map(|word| word.parse::<usize>().unwrap());
            assert!(numbers.eq(0..count), "{count} items");
        }
    }

    #[test]
    fn each_item_is_added_once() {
        for count in [0, 1, PIECE, PIECE + 1, 2 * PIECE, 5 * PIECE + 7] {
            let mut sums = [0, 0];
            add_each(1..=count, &mut sums, |number, sum| *sum += number);
            assert_eq!(sums[0] + sums[1], count * (count + 1) / 2);
        }
    }

    #[test]
    fn error_ends_the_writing() {
        let fail = |_: &usize, _: &mut Vec<u8>| Err(io::ErrorKind::Other.into());
        assert!(write_each(0..3 * PIECE, &mut Vec::new(), fail).is_err());
    }
}
