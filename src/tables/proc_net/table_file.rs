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

/// A file whose end is taken to be reached when a read had room for one more row.
pub(super) struct TableFile {
    file: File,
    /// The file is in the kernel's /proc. A read of another file can return any number of bytes.
    is_kernels: bool,
    /// A row can have any length, so a read with room left does not tell the end.
    has_long_rows: bool,
    ended: bool,
    reads: usize,
}

impl TableFile {
    pub(super) fn new(file: File, has_long_rows: bool) -> Self {
        let is_kernels =
            retry_on_intr(|| fstatfs(&file)).is_ok_and(|system| system.f_type == PROC_SUPER_MAGIC);
        Self { file, is_kernels, has_long_rows, ended: false, reads: 0 }
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
        let got = self.file.read(buffer)?;
        self.reads += usize::from(got > 0);
        let has_room = got + ROW < buffer.len().min(PAGE);
        self.ended = self.is_kernels && !self.has_long_rows && has_room;
        Ok(got)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_table_with_long_rows_is_read_until_nothing_is_left() {
        let is_ended = |has_long_rows| {
            // A file of the kernel with less than a page.
            let mut file = TableFile::new(File::open("/proc/version").unwrap(), has_long_rows);
            assert_ne!(file.read(&mut [0; PAGE]).unwrap(), 0);
            file.ended
        };
        assert_eq!([false, true].map(is_ended), [true, false]);
    }
}
