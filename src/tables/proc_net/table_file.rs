//! The file of a table. It is read to its end, but without a last read that would return nothing.
//!
//! A read returns as many rows as fit into a page of the kernel, so a read that leaves room for a
//! row is the last one with rows. At one more read, the kernel would walk through its whole table
//! of TCP sockets to find nothing: half of the cost of the table on a host with few sockets.

use std::fs::File;
use std::io::{self, Read};

use rustix::fs::{PROC_SUPER_MAGIC, fstatfs};
use rustix::io::retry_on_intr;

/// The smallest page, in bytes.
const PAGE: usize = 4096;
/// More than the length of any row, in bytes, unless a table has long rows.
const ROW: usize = 512;
/// By how much the pieces of each further reading are shifted, in bytes. A piece has a page, so the
/// pieces of eight readings all end at other rows.
const SHIFT: usize = 450;

/// A file whose end is taken to be reached when a read had room for one more row.
pub(super) struct TableFile {
    file: File,
    /// The file is in the kernel's /proc. A read of another file can return any number of bytes.
    is_kernels: bool,
    /// A row can have any length, so a read with room left does not tell the end.
    has_long_rows: bool,
    ended: bool,
    reads: usize,
    /// The most bytes of the first read. The kernel keeps the rest of its page for the next read.
    first: usize,
}

impl TableFile {
    /// `round` is the number of earlier readings of this table: the pieces of each round end at other
    /// rows.
    pub(super) fn new(file: File, has_long_rows: bool, round: usize) -> Self {
        let is_kernels =
            retry_on_intr(|| fstatfs(&file)).is_ok_and(|system| system.f_type == PROC_SUPER_MAGIC);
        let first = if round == 0 { usize::MAX } else { SHIFT * round };
        Self { file, is_kernels, has_long_rows, ended: false, reads: 0, first }
    }

    /// Returns true if no socket that existed during the whole reading can be missing. The kernel
    /// finds its place for the next read by counting rows, so if the table changes between two
    /// reads, it can skip some.
    pub(super) fn is_whole(&self) -> bool {
        !self.is_kernels || self.reads <= 1
    }
}

impl Read for TableFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.ended {
            return Ok(0);
        }
        let most = if self.reads == 0 { self.first.min(buffer.len()) } else { buffer.len() };
        let buffer = buffer.get_mut(..most).unwrap_or_default();
        let got = self.file.read(buffer)?;
        self.reads += usize::from(got > 0);
        let has_room = got + ROW < buffer.len().min(PAGE);
        self.ended = self.is_kernels && !self.has_long_rows && has_room;
        Ok(got)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn only_a_table_with_long_rows_is_read_until_nothing_is_left() {
        let is_ended = |has_long_rows| {
            // A file of the kernel with less than a page.
            let mut file = TableFile::new(File::open("/proc/version").unwrap(), has_long_rows, 0);
            assert_ne!(file.read(&mut [0; PAGE]).unwrap(), 0);
            file.ended
        };
        assert_eq!([false, true].map(is_ended), [true, false]);
    }

    /// Each file of /proc that is longer than a page has these places.
    #[test]
    fn pieces_of_each_reading_end_at_other_places() {
        let mut places = HashSet::new();
        for round in 0..8 {
            let mut file = TableFile::new(File::open("/proc/kallsyms").unwrap(), true, round);
            let mut place = 0;
            for _ in 0..10 {
                let got = file.read(&mut [0; 4 * PAGE]).unwrap();
                assert!(got > 0, "the file is too short");
                place += got;
                // Not the end of a first read: the kernel has the rest of that piece already.
                let is_new = file.reads == 1 && round > 0 || places.insert(place);
                assert!(is_new, "piece {} of reading {round} ends at {place}", file.reads);
            }
        }
    }
}
