//! Directories whose entries are numbers: `<root>`, of processes, and `<pid>/fd`, of descriptors.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags, RawDir, openat, readlinkat_raw};

use crate::number::decimal;

/// Bytes of entries that the kernel hands out at once.
const ENTRIES: usize = 32 * 1024;
/// Bytes of a link that are looked at; `socket:[18446744073709551615]` has fewer.
const LINK: usize = 64;

/// An open directory.
pub(super) struct Directory(OwnedFd);

/// What a directory is read through, reused.
pub(super) struct Scratch(Vec<MaybeUninit<u8>>);

impl Default for Scratch {
    fn default() -> Self {
        Self(vec![MaybeUninit::uninit(); ENTRIES])
    }
}

impl Directory {
    /// # Errors
    ///
    /// Those of `open(2)`.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self(openat(CWD, path, flags, Mode::empty())?))
    }

    /// Gives `each` the entries whose names are numbers.
    ///
    /// # Errors
    ///
    /// Those of `getdents(2)`, after the entries before it.
    pub(super) fn for_each(
        &self,
        scratch: &mut Scratch,
        mut each: impl FnMut(u32),
    ) -> io::Result<()> {
        let mut entries = RawDir::new(&self.0, &mut scratch.0);
        while let Some(entry) = entries.next() {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            // The kernel writes no leading zeros, so such a name is another file's.
            if (name == b"0" || !name.starts_with(b"0"))
                && let Some(number) = decimal::<i32>(name)
            {
                each(number.cast_unsigned());
            }
        }
        Ok(())
    }

    /// The inode of the socket behind a descriptor, if it is one.
    ///
    /// # Errors
    ///
    /// Those of `readlink(2)`.
    pub(super) fn socket(&self, fd: u32) -> io::Result<Option<u64>> {
        let mut buffer = [MaybeUninit::uninit(); LINK];
        let mut digits = itoa::Buffer::new();
        let (link, _) = readlinkat_raw(&self.0, digits.format(fd), &mut buffer)?;
        Ok(socket_inode(link))
    }
}

/// The inode in a link of `<pid>/fd` that leads to a socket: `socket:[4711]`, or `[0000]:4711`
/// as kernels before 2.6 had it.
fn socket_inode(link: &[u8]) -> Option<u64> {
    let digits = match link.strip_prefix(b"socket:[") {
        Some(rest) => rest.strip_suffix(b"]")?,
        None => link.strip_prefix(b"[0000]:")?,
    };
    decimal(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_to_a_socket_has_its_inode() {
        assert_eq!(socket_inode(b"socket:[4711]"), Some(4711));
        assert_eq!(socket_inode(b"[0000]:4711"), Some(4711));
        assert_eq!(socket_inode(b"socket:[18446744073709551615]"), Some(u64::MAX));
    }

    #[test]
    fn other_links_have_none() {
        for link in [
            &b"pipe:[4711]"[..],
            b"/dev/null",
            b"socket:[]",
            b"socket:[4711",
            b"socket:[47 11]",
            b"socket:[-1]",
            b"socket:[18446744073709551616]",
            b"/tmp/socket:[4711]",
            b"[0000]:",
            b"",
        ] {
            assert_eq!(socket_inode(link), None, "{}", link.escape_ascii());
        }
    }
}
