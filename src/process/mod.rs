//! A process, as `<root>/<pid>` describes it.

mod command;

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use procfs::FromRead;
use procfs::process::Status;

use crate::directory::{Directory, Scratch};
use crate::files;
pub use command::CommandLine;

/// The number that identifies a process or a thread.
pub type Pid = u32;

/// What to read about a process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Detail {
    /// Read the first 64 KiB of the command line instead of 4096 bytes, which are enough for the
    /// name of the program. A process can make its command line as long as it likes.
    pub whole_command: bool,
    /// Read the user.
    pub user: bool,
}

/// A process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// The PID.
    pub pid: Pid,
    /// The effective user; `None` if it was not read, or is unknown.
    pub uid: Option<u32>,
    /// The command line.
    pub command: CommandLine,
}

/// A process with more threads is read only once: it must not make a listing slow.
const FEW_THREADS: usize = 16;
/// How often the threads of a process are listed at most, while each of them ends before it is
/// read.
pub(crate) const ATTEMPTS: usize = 20;

impl Process {
    /// Reads the command line of a process. Fails with `ENOENT` or `ESRCH` if the process has
    /// ended, with `EACCES` if it is hidden.
    pub fn read(root: &Path, pid: Pid, detail: Detail) -> io::Result<Self> {
        let mut name = [0; 4096];
        let mut whole;
        let buffer = if detail.whole_command {
            whole = vec![0; 64 * 1024];
            &mut whole[..]
        } else {
            &mut name[..]
        };
        let mut length = files::read_start(&file(root, pid, "cmdline"), buffer)?.len();
        // If the first thread has ended, only the other threads show the command line. One of them
        // can end at any time.
        for _ in 0..ATTEMPTS {
            if length > 0 {
                break;
            }
            let threads = threads(root, pid);
            for &thread in threads.iter().filter(|&&thread| thread != pid) {
                let text = files::read_start(&file(root, thread, "cmdline"), buffer);
                length = text.map_or(0, <[u8]>::len);
                if length > 0 {
                    break;
                }
            }
            if threads.len() > FEW_THREADS || !has_threads(root, pid) {
                break;
            }
        }
        let command = CommandLine(buffer.get(..length).unwrap_or_default().into());
        Ok(Self { pid, uid: None, command })
    }

    /// Reads the user from the status file. Fails like [`Process::read`], and with `InvalidData` if
    /// the file has another format.
    pub fn read_user(&mut self, root: &Path) -> io::Result<()> {
        let mut buffer = [0; 8192];
        let text = files::read_start(&file(root, self.pid, "status"), &mut buffer)?;
        let status = Status::from_read(text).map_err(|_| io::ErrorKind::InvalidData)?;
        self.uid = Some(status.euid);
        Ok(())
    }
}

/// Returns the threads of a process (`man 5 proc_pid_task`), or the process itself if it has none,
/// as in a saved tree. Each thread has a directory below `root`, although `root` does not list it.
pub(crate) fn threads(root: &Path, pid: Pid) -> Vec<Pid> {
    let mut threads = Vec::new();
    // A thread that ends can end the listing with an error, but the threads before it are listed.
    let _ = Directory::open(&file(root, pid, "task"))
        .and_then(|directory| directory.for_each(&mut Scratch::default(), |tid| threads.push(tid)));
    if threads.is_empty() { vec![pid] } else { threads }
}

/// Returns true if a process has several threads: each counts as a link to `task`.
pub(crate) fn has_threads(root: &Path, pid: Pid) -> bool {
    const WITH_ONE: u64 = 3;
    fs::metadata(file(root, pid, "task")).is_ok_and(|task| task.nlink() > WITH_ONE)
}

/// Returns `<root>/<pid>/<name>`, such as `cmdline` (`man 5 proc_pid_cmdline`).
pub fn file(root: &Path, pid: Pid, name: &str) -> PathBuf {
    root.join(pid.to_string()).join(name)
}
