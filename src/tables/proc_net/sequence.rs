//! A table's file, read to its end and not once more.
//!
//! The kernel gives as many rows a read as fit into a page of its own. To be asked once more
//! behind the last of them, only to say that there are none, costs it a walk through the whole
//! table of TCP sockets: half of what the table costs on a host that has few.

use std::fs::File;
use std::io::{self, Read};

use rustix::fs::{PROC_SUPER_MAGIC, fstatfs};
use rustix::io::retry_on_intr;

/// The smallest page there is, in bytes.
const PAGE: usize = 4096;
/// More bytes than any row has.
const ROW: usize = 512;

/// A file that ends with the first read for which a row more would have had room.
pub(super) struct Sequence {
    file: File,
    /// It is the kernel's own, and no copy, which may come in parts of any length.
    is_kernels: bool,
    ended: bool,
    reads: usize,
}

impl Sequence {
    pub(super) fn new(file: File) -> Self {
        let is_kernels =
            retry_on_intr(|| fstatfs(&file)).is_ok_and(|system| system.f_type == PROC_SUPER_MAGIC);
        Self { file, is_kernels, ended: false, reads: 0 }
    }

    /// Whether no socket that stays can have been missed. Between two reads the table may change,
    /// and the kernel then goes on at the wrong place: it counts the rows that it has given.
    pub(super) fn is_sure(&self) -> bool {
        !self.is_kernels || self.reads <= 1
    }
}

impl Read for Sequence {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.ended {
            return Ok(0);
        }
        let got = self.file.read(buffer)?;
        self.reads += usize::from(got > 0);
        self.ended = self.is_kernels && got + ROW < buffer.len().min(PAGE);
        Ok(got)
    }
}
