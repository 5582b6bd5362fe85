//! A process, as `<root>/<pid>` describes it.

mod activation;
mod command;
mod kernel;
mod runtimes;
mod service;

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::directory::{Directory, Scratch};
use crate::files;
use crate::number::decimal;
pub use activation::Activation;
pub use command::{CommandLine, MOST_SHOWN};
pub use kernel::kernel_threads;
pub use runtimes::Runtimes;
pub use service::{Container, Service, is_unit, short_id};

/// The number that identifies a process or a thread.
pub type Pid = u32;

/// What to read about a process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct Detail {
    /// Read the first 64 KiB of the command line, which are searched, and not only what is shown. A
    /// process can make its command line as long as it likes.
    pub searched_command: bool,
    /// Read the user.
    pub user: bool,
    /// Read the control group.
    pub service: bool,
    /// Read the working directory.
    pub cwd: bool,
    /// Find the ancestors.
    pub ancestors: bool,
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
    /// What it belongs to; without values if it was not read, or cannot be.
    pub service: Service,
    /// The working directory; `None` if it was not read, or cannot be.
    pub cwd: Option<Box<[u8]>>,
    /// The ancestors, the parent first; empty if they were not requested.
    pub ancestors: Vec<Pid>,
}

/// A process with more threads is read only once: it must not make a listing slow.
const FEW_THREADS: usize = 16;
/// How often the threads of a process are listed at most, while each of them ends before it is
/// read.
pub(crate) const ATTEMPTS: usize = 20;

impl Process {
    /// Reads the command line of a process. Fails with `ENOENT` or `ESRCH` if the process has ended,
    /// with `EACCES` if it is hidden.
    pub fn read(root: &Path, pid: Pid, detail: Detail) -> io::Result<Self> {
        let command = Self::read_command(root, pid, detail)?;
        let (service, ancestors) = (Service::default(), Vec::new());
        Ok(Self { pid, uid: None, command, service, cwd: None, ancestors })
    }

    /// Reads the requested details. Returns the files that cannot be read, and whose values are
    /// therefore unknown: the errors are those of [`Process::read`], and `InvalidData`.
    pub fn read_details(&mut self, root: &Path, detail: Detail) -> Vec<(&'static str, io::Error)> {
        let (pid, mut failures) = (self.pid, Vec::new());
        if detail.user {
            match status(root, pid, "Uid", 1) {
                Ok(uid) => self.uid = Some(uid),
                Err(error) => failures.push(("status", error)),
            }
        }
        if detail.service {
            match Service::read(root, pid) {
                Ok(service) => self.service = service,
                Err(error) => failures.push(("cgroup", error)),
            }
        }
        if detail.cwd {
            match files::link_target(&file(root, pid, "cwd")) {
                Ok(cwd) => self.cwd = Some(cwd.into()),
                Err(error) => failures.push(("cwd", error)),
            }
        }
        if detail.ancestors {
            self.ancestors = ancestors(root, pid);
        }
        failures
    }

    /// Reads the command line of a process, or in a saved tree without it the name of the process.
    fn read_command(root: &Path, pid: Pid, detail: Detail) -> io::Result<CommandLine> {
        // One byte more than is shown tells that there are more.
        let mut shown = [0; MOST_SHOWN + 1];
        let mut searched;
        let buffer = if detail.searched_command {
            searched = vec![0; 64 * 1024];
            &mut searched[..]
        } else {
            &mut shown[..]
        };
        let mut length = match files::read_start(&file(root, pid, "cmdline"), buffer) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(CommandLine(saved_name(root, pid).ok_or(error)?));
            }
            text => text?.len(),
        };
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
        Ok(CommandLine(buffer.get(..length).unwrap_or_default().into()))
    }
}

/// Returns the name of a process in a saved tree without its command line: from `comm`, `stat` or
/// `status`, else an empty name. `None` if the process has no directory: it has ended.
fn saved_name(root: &Path, pid: Pid) -> Option<Box<[u8]>> {
    let mut buffer = [0; 4096];
    let mut first_line = |name| {
        let text = files::read_start(&file(root, pid, name), &mut buffer).ok()?;
        text.split(|&byte| byte == b'\n').next().map(<[u8]>::to_vec)
    };
    let name = first_line("comm")
        // The name can have any characters, also parentheses.
        .or_else(|| {
            let line = first_line("stat")?;
            let [start, end] = [
                line.iter().position(|&byte| byte == b'('),
                line.iter().rposition(|&byte| byte == b')'),
            ];
            Some(line.get(start? + 1..end?)?.to_vec())
        })
        .or_else(|| Some(first_line("status")?.strip_prefix(b"Name:")?.trim_ascii().to_vec()));
    match name {
        None if !root.join(pid.to_string()).is_dir() => None,
        name => Some(name.unwrap_or_default().into()),
    }
}

/// Returns the ancestors of a process, its parent first. Ends early at a process that is hidden.
pub(crate) fn ancestors(root: &Path, pid: Pid) -> Vec<Pid> {
    let mut ancestors = vec![];
    let mut child = pid;
    while let Ok(parent) = status(root, child, "PPid", 0) {
        // Process 0 is the kernel, or a process outside of this PID namespace. A process can end,
        // and its PID be given to a descendant.
        if parent == 0 || ancestors.contains(&parent) {
            break;
        }
        ancestors.push(parent);
        child = parent;
    }
    ancestors
}

/// Returns a number in the status file of a process (`man 5 proc_pid_status`): in the line with
/// this name, the number with this index. Fails like [`Process::read`], and with `InvalidData` if
/// there is no such number.
fn status(root: &Path, pid: Pid, name: &str, index: usize) -> io::Result<u32> {
    // The line `Groups` can have any length, but the lines with numbers to read are before it.
    let mut buffer = [0; 4096];
    let text = files::read_start(&file(root, pid, "status"), &mut buffer)?;
    let mut lines = text.split(|&byte| byte == b'\n');
    let line = lines.find_map(|line| line.strip_prefix(name.as_bytes())?.strip_prefix(b":"));
    let words = line.unwrap_or_default().split(u8::is_ascii_whitespace);
    let number = words.filter(|word| !word.is_empty()).nth(index).and_then(decimal);
    number.ok_or_else(|| io::ErrorKind::InvalidData.into())
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

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    #[test]
    fn numbers_of_the_status_file_are_found_before_any_number_of_groups() {
        let root = TempDir::new().unwrap();
        let groups = "4294967294 ".repeat(700);
        let text =
            format!("Name:\tUid: 7\nPid:\t5\nPPid:\t4\nUid:\t1\t1000\t3\t4\nGroups:\t{groups}\n");
        fs::create_dir(root.path().join("5")).unwrap();
        fs::write(file(root.path(), 5, "status"), text).unwrap();
        assert_eq!(status(root.path(), 5, "Uid", 1).unwrap(), 1000);
        assert_eq!(status(root.path(), 5, "PPid", 0).unwrap(), 4);
        let missing = status(root.path(), 5, "Gid", 0).unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::InvalidData);
    }

    #[test]
    fn process_without_a_command_line_has_its_name() {
        for (files, name) in [
            (&[("comm", "a (b) c\n"), ("stat", "5 (x) S")][..], "a (b) c"),
            (&[("stat", "5 (a (b) c) S 1"), ("status", "Name:\tx\n")], "a (b) c"),
            (&[("stat", "5 S 1"), ("status", "Name:\ta b\nUmask:\t0022\n")], "a b"),
            (&[("stat", ")("), ("status", "")], ""),
            (&[("cmdline", ""), ("comm", "x")], ""),
        ] {
            let root = TempDir::new().unwrap();
            fs::create_dir(root.path().join("5")).unwrap();
            for (name, text) in files {
                fs::write(file(root.path(), 5, name), text).unwrap();
            }
            let process = Process::read(root.path(), 5, Detail::default()).unwrap();
            assert_eq!(String::from_utf8_lossy(process.command.program()), name, "{files:?}");
            let ended = Process::read(root.path(), 6, Detail::default()).unwrap_err();
            assert_eq!(ended.kind(), io::ErrorKind::NotFound);
        }
    }

    #[test]
    fn ancestors_end_at_a_hidden_process_and_at_a_repeated_pid() {
        let root = TempDir::new().unwrap();
        for (pid, parent) in [(9, 8), (8, 7), (5, 4), (4, 5), (3, 0)] {
            fs::create_dir(root.path().join(pid.to_string())).unwrap();
            fs::write(file(root.path(), pid, "status"), format!("PPid:\t{parent}\n")).unwrap();
        }
        assert_eq!(ancestors(root.path(), 9), [8, 7]);
        assert_eq!(ancestors(root.path(), 5), [4, 5]);
        assert!(ancestors(root.path(), 3).is_empty());
    }
}
