//! Files below a /proc root. The root can be a tree that an attacker made.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::OFlag;
use rustix::fs::{FileType, fstat};
use rustix::io::retry_on_intr;

use crate::remark::Reason;

/// Opens a regular file for reading. Does not block on a pipe. Fails with `InvalidInput` for
/// anything else, also for a symbolic link: the kernel has none in these places, but an attacker
/// could make one, to let root read any file. Directories in `path` can be links.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    let flags = OFlag::O_NONBLOCK | OFlag::O_NOFOLLOW;
    let opened = File::options().read(true).custom_flags(flags.bits()).open(path);
    let is_link = |error: &io::Error| error.raw_os_error() == Some(Errno::ELOOP as i32);
    let file = opened.map_err(|error| if is_link(&error) { not_regular() } else { error })?;
    let mode = retry_on_intr(|| fstat(&file))?.st_mode;
    if FileType::from_raw_mode(mode).is_file() { Ok(file) } else { Err(not_regular()) }
}

/// Reads a file once. One read returns the whole of a short file of /proc, and the beginning of
/// others. Fails like [`open`] and `read(2)`.
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

/// Returns the target of a link. In a saved tree, the link can be a file with the target.
pub(crate) fn link_target(path: &Path) -> io::Result<Vec<u8>> {
    let link = loop {
        match fs::read_link(path) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            link => break link,
        }
    };
    match link {
        Err(error) if error.raw_os_error() == Some(Errno::EINVAL as i32) => {
            Ok(read_start(path, &mut [0; 4096])?.trim_ascii_end().to_vec())
        }
        target => Ok(target?.into_os_string().into_vec()),
    }
}

fn not_regular() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, Reason::NotRegular)
}
