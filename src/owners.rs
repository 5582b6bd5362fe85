//! Who holds the sockets: one sweep of `<root>/<pid>/fd`, from inode to holders.

use std::collections::HashSet;
use std::fmt;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use nix::dir::Dir;
use nix::errno::Errno;
use nix::fcntl::{OFlag, readlinkat};
use nix::sys::stat::Mode;

use crate::number::decimal;
use crate::process::{Pid, Process};

/// A file descriptor of a process, behind which there is a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Holder {
    /// The process.
    pub pid: Pid,
    /// The descriptor's number there.
    pub fd: u32,
}

/// How much of the processes the sweep was allowed to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// All of them.
    Whole,
    /// Some were hidden.
    Partial,
    /// Some were hidden, and no other one holds a socket.
    Nothing,
}

/// A part of the sweep that failed; the rest went on.
#[derive(Debug)]
pub struct Warning {
    /// What could not be read.
    pub path: PathBuf,
    /// Why.
    pub error: io::Error,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, error } = self;
        write!(f, "{}: its sockets may be shown as nobody's: {error}", path.display())
    }
}

/// The holders of the sockets that were wanted.
#[derive(Debug)]
pub struct Owners {
    /// In order of inode, PID and descriptor.
    holders: Vec<(u64, Holder)>,
    /// In order of PID.
    processes: Vec<Process>,
    sight: Sight,
    veiled: bool,
}

impl Owners {
    /// Sweeps the processes below `root` for the sockets in `wanted`, and gives `warn` what went
    /// wrong on the way. A process that ends meanwhile holds nothing.
    pub fn sweep(root: &Path, wanted: &HashSet<u64>, warn: &mut dyn FnMut(Warning)) -> Self {
        let mut sweep = Sweep {
            root,
            wanted,
            holders: Vec::new(),
            processes: Vec::new(),
            hidden: false,
            veiled: false,
            any_socket: false,
        };
        if let Err(error) = sweep.all(warn) {
            sweep.note(root.to_owned(), error, warn);
        }
        sweep.holders.sort_unstable();
        let sight = match (sweep.hidden, sweep.any_socket) {
            (false, _) => Sight::Whole,
            (true, true) => Sight::Partial,
            (true, false) => Sight::Nothing,
        };
        let Sweep { holders, processes, veiled, .. } = sweep;
        Self { holders, processes, sight, veiled }
    }

    /// Everyone who holds the socket, in order of PID and descriptor.
    pub fn holders(&self, inode: u64) -> impl Iterator<Item = Holder> {
        let start = self.holders.partition_point(|&(other, _)| other < inode);
        let rest = self.holders.get(start..).unwrap_or_default();
        rest.iter().take_while(move |&&(other, _)| other == inode).map(|&(_, holder)| holder)
    }

    /// The first of its holders, the one with the lowest PID.
    #[must_use]
    pub fn first(&self, inode: u64) -> Option<&Process> {
        let Holder { pid, .. } = self.holders(inode).next()?;
        let index = self.processes.binary_search_by_key(&pid, |process| process.pid).ok()?;
        self.processes.get(index)
    }

    /// How much the sweep was allowed to see.
    #[must_use]
    pub fn sight(&self) -> Sight {
        self.sight
    }

    /// Whether there are processes whose descriptors could be listed and not looked at, as it
    /// is for root without `CAP_SYS_PTRACE`, in a container.
    #[must_use]
    pub fn veiled(&self) -> bool {
        self.veiled
    }
}

/// The sweep while it runs.
struct Sweep<'a> {
    root: &'a Path,
    wanted: &'a HashSet<u64>,
    holders: Vec<(u64, Holder)>,
    processes: Vec<Process>,
    /// Some process may not be seen.
    hidden: bool,
    /// Some descriptor may not be looked at.
    veiled: bool,
    /// Some process holds a socket, wanted or not.
    any_socket: bool,
}

impl Sweep<'_> {
    fn all(&mut self, warn: &mut dyn FnMut(Warning)) -> io::Result<()> {
        let mut pids = numbers(&mut open_directory(self.root)?)?;
        pids.sort_unstable();
        for pid in pids {
            let path = self.root.join(pid.to_string()).join("fd");
            if let Err(error) = self.process(pid, &path, warn) {
                self.note(path, error, warn);
            }
        }
        Ok(())
    }

    fn process(&mut self, pid: Pid, path: &Path, warn: &mut dyn FnMut(Warning)) -> io::Result<()> {
        let mut directory = open_directory(path)?;
        let mut known = false;
        let mut result = Ok(());
        for fd in numbers(&mut directory)? {
            let link = match readlinkat(&directory, fd.to_string().as_str()) {
                Ok(link) => link,
                // Closed since it was listed; or no link, in a tree that is no kernel's.
                Err(Errno::ENOENT | Errno::EINVAL) => continue,
                Err(Errno::EACCES | Errno::EPERM) => {
                    self.veiled = true;
                    continue;
                }
                Err(error) => {
                    result = Err(error.into());
                    continue;
                }
            };
            let Some(inode) = socket_inode(link.as_bytes()) else { continue };
            self.any_socket = true;
            if !self.wanted.contains(&inode) {
                continue;
            }
            if !known {
                match Process::read(self.root, pid) {
                    Ok(process) => self.processes.push(process),
                    Err(error) => {
                        self.note(Process::command_file(self.root, pid), error, warn);
                        return result;
                    }
                }
                known = true;
            }
            self.holders.push((inode, Holder { pid, fd }));
        }
        result
    }

    /// Sorts out what the failure of one process means.
    fn note(&mut self, path: PathBuf, error: io::Error, warn: &mut dyn FnMut(Warning)) {
        match error.raw_os_error().map(Errno::from_raw) {
            // It has ended; or it is a file whose name happens to be a number.
            Some(Errno::ENOENT | Errno::ESRCH | Errno::ENOTDIR) => {}
            Some(Errno::EACCES | Errno::EPERM) => self.hidden = true,
            _ => warn(Warning { path, error }),
        }
    }
}

fn open_directory(path: &Path) -> nix::Result<Dir> {
    Dir::open(path, OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty())
}

/// The entries of a directory whose names are numbers: processes, or file descriptors.
fn numbers(directory: &mut Dir) -> nix::Result<Vec<u32>> {
    let mut numbers = Vec::new();
    for entry in directory.iter() {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        // The kernel writes no leading zeros, so such a name is another file's.
        if name == b"0" || !name.starts_with(b"0") {
            numbers.extend(decimal::<i32>(name).map(i32::cast_unsigned));
        }
    }
    Ok(numbers)
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
