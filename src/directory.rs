//! Directories whose entries are numbers: `<root>` lists processes, `<pid>/fd` lists descriptors.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{
    CWD, FileType, Mode, OFlags, PROC_SUPER_MAGIC, RawDir, fstat, openat, readlinkat_raw, stat,
    statfs,
};
use rustix::io::{Errno, retry_on_intr};

use crate::number::decimal;

/// The size of the buffer for directory entries, in bytes.
const ENTRIES: usize = 32 * 1024;

/// The maximum number of bytes read of a link's target. `socket:[INODE]` has at most 29.
const LINK: usize = 64;

pub(crate) struct Directory(OwnedFd);

/// The buffer for directory entries, reused.
pub(crate) struct Scratch(Vec<MaybeUninit<u8>>);

impl Default for Scratch {
    fn default() -> Self {
        Self(vec![MaybeUninit::uninit(); ENTRIES])
    }
}

/// Returns true if `root` does not list the processes of other users, as with `hidepid=2` (`man 5
/// proc`). Process 1 exists in every PID namespace, so if it is missing, processes are hidden.
pub(crate) fn hides_processes(root: &Path) -> bool {
    let first = retry_on_intr(|| stat(root.join("1")));
    first.is_err_and(|error| error == Errno::NOENT) && is_procfs(root)
}

/// Returns true if `root` is on a /proc file system of the kernel, false for a saved tree.
pub(crate) fn is_procfs(root: &Path) -> bool {
    retry_on_intr(|| statfs(root)).is_ok_and(|it| it.f_type == PROC_SUPER_MAGIC)
}

impl Directory {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self(retry_on_intr(|| openat(CWD, path, flags, Mode::empty()))?))
    }

    /// Calls `each` with every entry whose name is a number. If reading fails, first calls `each`
    /// with the entries read before that, then returns the error.
    pub(crate) fn for_each(
        &self,
        scratch: &mut Scratch,
        mut each: impl FnMut(u32),
    ) -> io::Result<()> {
        let mut entries = RawDir::new(&self.0, &mut scratch.0);
        while let Some(entry) = entries.next() {
            let entry = match entry {
                Err(Errno::INTR) => continue,
                entry => entry?,
            };
            let name = entry.file_name().to_bytes();
            // The kernel writes no leading zeros: `007` is not a PID or a descriptor.
            if (name == b"0" || !name.starts_with(b"0"))
                && let Some(number) = decimal::<i32>(name)
            {
                each(number.cast_unsigned());
            }
        }
        Ok(())
    }

    /// Calls `read` with the target of the link of this number, or its first 64 bytes. Fails with
    /// `EINVAL` if there is something else than a link, or than a file as in [`Self::saved_link`].
    pub(crate) fn link<T>(&self, number: u32, read: impl Fn(&[u8]) -> T) -> io::Result<T> {
        let mut buffer = [MaybeUninit::uninit(); LINK];
        let mut digits = itoa::Buffer::new();
        let name = digits.format(number);
        let link = || readlinkat_raw(&self.0, name, &mut buffer).map(|(link, _)| read(link));
        match retry_on_intr(link) {
            Err(Errno::INVAL) => self.saved_link(name, read),
            target => Ok(target?),
        }
    }

    /// Reads a link of a saved tree that was kept as a file with the target, as by file systems
    /// without links.
    fn saved_link<T>(&self, name: &str, read: impl Fn(&[u8]) -> T) -> io::Result<T> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = retry_on_intr(|| openat(&self.0, name, flags, Mode::empty()))?;
        if !FileType::from_raw_mode(retry_on_intr(|| fstat(&file))?.st_mode).is_file() {
            return Err(Errno::INVAL.into());
        }
        let mut buffer = [0; LINK];
        let length = retry_on_intr(|| rustix::io::read(&file, &mut buffer))?;
        Ok(read(buffer.get(..length).unwrap_or_default().trim_ascii_end()))
    }
}
