//! Files below a /proc root, which may be a tree that somebody made.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::OFlag;
use rustix::fs::{FileType, fstat};
use rustix::io::retry_on_intr;

/// Opens a regular file to read it, and never waits for the other end of a pipe.
///
/// A link is not followed: the kernel has none in the place of a file, and whoever makes a tree
/// for root to look at could have any file read through one.
///
/// # Errors
///
/// Those of `open(2)`, and that of [`ensure_regular`].
pub(crate) fn open(path: &Path) -> io::Result<File> {
    let flags = OFlag::O_NONBLOCK | OFlag::O_NOFOLLOW;
    let opened = File::options().read(true).custom_flags(flags.bits()).open(path);
    let is_link = |error: &io::Error| error.raw_os_error() == Some(Errno::ELOOP as i32);
    let file = opened.map_err(|error| if is_link(&error) { not_regular() } else { error })?;
    ensure_regular(FileType::from_raw_mode(retry_on_intr(|| fstat(&file))?.st_mode))?;
    Ok(file)
}

/// Reads the beginning of a file, as far as there is room for it: the kernel gives all of a short
/// file at once.
///
/// # Errors
///
/// Those of [`open`] and `read(2)`.
pub(crate) fn read_start<'a>(path: &Path, buffer: &'a mut [u8]) -> io::Result<&'a [u8]> {
    let mut file = open(path)?;
    loop {
        match file.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => {
                let length = read?;
                return Ok(buffer.get(..length).unwrap_or_default());
            }
        }
    }
}

/// # Errors
///
/// `InvalidInput` for a directory, a pipe, a device: whatever has no end of its own.
fn ensure_regular(kind: FileType) -> io::Result<()> {
    if kind.is_file() {
        return Ok(());
    }
    Err(not_regular())
}

fn not_regular() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "not a regular file")
}
