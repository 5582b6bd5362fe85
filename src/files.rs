//! Files below a /proc root, which may be a tree that somebody made.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use nix::fcntl::OFlag;

/// Opens a regular file to read it, and never waits for the other end of a pipe.
///
/// # Errors
///
/// Those of `open(2)`, and that of [`ensure_regular`].
pub(crate) fn open(path: &Path) -> io::Result<File> {
    let file = File::options().read(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(path)?;
    ensure_regular(&file.metadata()?)?;
    Ok(file)
}

/// # Errors
///
/// `InvalidInput` for a directory, a pipe, a device: whatever has no end of its own.
pub(crate) fn ensure_regular(metadata: &Metadata) -> io::Result<()> {
    if metadata.is_file() {
        return Ok(());
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"))
}
