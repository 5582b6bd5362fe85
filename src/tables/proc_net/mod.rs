//! The text of `<root>/net/*`.

mod fields;
mod internet;
mod lines;
mod sequence;
mod unix;

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::Fault;
use super::table::{Holds, Table};
use crate::files;
use crate::socket::Socket;
use lines::Line;
use sequence::Sequence;

/// Bytes that a line may have. The kernel's have fewer than 400.
const LONGEST_LINE: usize = 64 * 1024;

/// The tables below one /proc root, and the one buffer that they are read through.
pub(super) struct Text {
    pub(super) directory: PathBuf,
    buffer: Vec<u8>,
}

impl Text {
    pub(super) fn new(root: &Path) -> Self {
        Self { directory: root.join("net"), buffer: vec![0; LONGEST_LINE] }
    }

    /// The file of a table.
    pub(super) fn file(&self, table: Table) -> PathBuf {
        self.directory.join(table.name)
    }

    /// Gives `each` what every line of a table is, with its number, from 1. Whether it is sure that
    /// these are all the sockets that were there.
    ///
    /// # Errors
    ///
    /// Those of opening and reading its file, after the lines before them.
    pub(super) fn read(
        &mut self,
        table: Table,
        each: impl FnMut(u64, Result<Socket, Fault>),
    ) -> io::Result<bool> {
        let mut file = Sequence::new(files::open(&self.file(table))?);
        for_each_row(table, &mut file, &mut self.buffer, each)?;
        Ok(file.is_sure())
    }
}

/// Gives `each` what every line of a table's text is, with its number, from 1.
///
/// # Errors
///
/// Those of `input`, after the lines before them.
pub(super) fn for_each_row(
    table: Table,
    input: impl Read,
    buffer: &mut [u8],
    mut each: impl FnMut(u64, Result<Socket, Fault>),
) -> io::Result<()> {
    let limit = buffer.len();
    lines::for_each(input, buffer, |number, line| match line {
        Line::Whole(text) if number == 1 && is_heading(table, text) => {}
        Line::Whole(text) => each(number, parse(table, text)),
        Line::TooLong => each(number, Err(Fault::TooLong { limit })),
    })
}

/// Whether this line is the heading that the kernel prints above the rows.
fn is_heading(table: Table, line: &[u8]) -> bool {
    match table.holds {
        Holds::Internet(..) => internet::is_heading(line),
        Holds::Unix => unix::is_heading(line),
    }
}

/// Parses one row.
///
/// # Errors
///
/// A [`Fault`] when the line is no row.
pub(super) fn parse(table: Table, line: &[u8]) -> Result<Socket, Fault> {
    match table.holds {
        Holds::Internet(protocol, family) => {
            internet::parse(protocol, family, line).map(Socket::Internet)
        }
        Holds::Unix => unix::parse(line).map(Socket::Unix),
    }
}
