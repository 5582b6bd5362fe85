//! Who holds the sockets: one sweep of `<root>/<pid>/fd`, from inode to holders.

#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod index;
mod link;
mod sweep;

use std::fmt;
use std::fs;
use std::io;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::thread::{self, ScopedJoinHandle};

use nix::errno::Errno;

use crate::directory::hides_processes;
use crate::process::{self, Detail, Pid, Process};
use index::Index;
use sweep::Findings;

/// A file descriptor of a process, behind which there is a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Holder {
    pid: Pid,
    fd: u32,
}

/// A process that holds a socket, and by which of its descriptors.
#[derive(Clone, Copy, Debug)]
pub struct Holding<'a> {
    /// The process.
    pub process: &'a Process,
    /// Not empty, all of one process.
    held: &'a [(u64, Holder)],
}

impl<'a> Holding<'a> {
    /// Its descriptors behind which the socket is, in their order.
    pub fn fds(&self) -> impl Iterator<Item = u32> + use<'a> {
        self.held.iter().map(|&(_, holder)| holder.fd)
    }
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
    /// What is missing without it.
    lost: Lost,
}

/// What is not known where a part of the sweep failed.
#[derive(Clone, Copy, Debug)]
enum Lost {
    Holders,
    User,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, error, lost } = self;
        let lost = match lost {
            Lost::Holders => "its sockets may be shown as nobody's",
            Lost::User => "its user is not known",
        };
        write!(f, "{}: {lost}: {error}", path.display())
    }
}

/// Every socket that some process holds.
pub struct Sweep<'a> {
    root: &'a Path,
    findings: Findings,
}

impl<'a> Sweep<'a> {
    /// Sweeps the processes below `root`, and runs `meanwhile` on this thread, which may take as
    /// long as it likes. A process that ends meanwhile holds nothing.
    pub fn run<T>(root: &'a Path, meanwhile: impl FnOnce() -> T) -> (Self, T) {
        let (findings, result) = sweep::sweep(root, meanwhile);
        (Self { root, findings }, result)
    }

    /// Who holds the sockets of these inodes, in this detail, with `warn` for what went wrong on the
    /// way to them.
    pub fn owners(
        self,
        wanted: impl IntoIterator<Item = u64>,
        detail: Detail,
        warn: &mut dyn FnMut(Warning),
    ) -> Owners {
        let Findings { mut holders, mut hidden, mut veiled, bare, warnings } = self.findings;
        hidden |= hides_processes(self.root);
        warnings.into_iter().for_each(&mut *warn);
        let own = own_pid(self.root);
        // Beside the three that it was given, this process holds what it asks the kernel through.
        let any_socket = holders.iter().any(|(_, it)| own != Some(it.pid) || it.fd <= 2);
        let mut wanted: Vec<u64> = wanted.into_iter().filter(|&inode| inode != 0).collect();
        wanted.sort_unstable();
        wanted.dedup();
        keep_wanted(&mut holders, &wanted);
        let held = holders.chunk_by(|(one, _), (other, _)| one == other).count();
        if held < wanted.len() {
            let mut more = sweep::sweep_threads(self.root, &bare);
            more.warnings.into_iter().for_each(&mut *warn);
            keep_wanted(&mut more.holders, &wanted);
            hidden |= more.hidden;
            veiled |= more.veiled;
            holders.append(&mut more.holders);
            holders.sort();
        }
        let mut pids: Vec<Pid> = holders.iter().map(|&(_, holder)| holder.pid).collect();
        pids.sort_unstable();
        pids.dedup();
        let mut processes = Vec::with_capacity(pids.len());
        for (&pid, read) in pids.iter().zip(read_processes(self.root, &pids, detail)) {
            match read {
                Ok((process, user)) => {
                    processes.push(process);
                    if let Err(error) = user {
                        let path = process::status_file(self.root, pid);
                        warn(Warning { path, error, lost: Lost::User });
                    }
                }
                Err(error) => match Meaning::of(&error) {
                    Meaning::Ended => {}
                    Meaning::Hidden => hidden = true,
                    Meaning::Trouble => {
                        let path = process::command_file(self.root, pid);
                        warn(Warning { path, error, lost: Lost::Holders });
                    }
                },
            }
        }
        if processes.len() < pids.len() {
            holders.retain(|&(_, holder)| position(&processes, holder.pid).is_some());
        }
        let sight = match (hidden, any_socket) {
            (false, _) => Sight::Whole,
            (true, true) => Sight::Partial,
            (true, false) => Sight::Nothing,
        };
        let index = Index::new(&holders, |&(inode, _)| inode);
        let nested = is_nested(self.root);
        Owners { holders, index, processes, sight, veiled, nested, own }
    }
}

/// A process, and why its user is not known where it should be.
type Read = (Process, io::Result<()>);

/// Reads what a process is.
fn read_process(root: &Path, pid: Pid, detail: Detail) -> io::Result<Read> {
    let mut process = Process::read(root, pid, detail)?;
    let user = match detail {
        Detail::Name => Ok(()),
        Detail::Whole => process.read_user(root),
    };
    // It has ended since, or is one of a tree that has no more of it.
    let has_ended = |error: &io::Error| matches!(Meaning::of(error), Meaning::Ended);
    Ok((process, user.or_else(|error| if has_ended(&error) { Ok(()) } else { Err(error) })))
}

/// Reads what these processes are, in their order, half of them on a thread of its own where
/// there are many.
fn read_processes(root: &Path, pids: &[Pid], detail: Detail) -> Vec<io::Result<Read>> {
    const MANY: usize = 64;
    let read = |pids: &[Pid]| pids.iter().map(|&pid| read_process(root, pid, detail)).collect();
    if pids.len() < MANY {
        return read(pids);
    }
    let (here, there) = pids.split_at(pids.len() / 2);
    thread::scope(|scope| {
        let others = thread::Builder::new().spawn_scoped(scope, || -> Vec<_> { read(there) });
        let mut all: Vec<_> = read(here);
        match others.map(ScopedJoinHandle::join) {
            Ok(Ok(others)) => all.extend(others),
            Ok(Err(panic)) => resume_unwind(panic),
            Err(_) => all.extend::<Vec<_>>(read(there)),
        }
        all
    })
}

/// The holders of the sockets that were wanted.
#[derive(Debug)]
pub struct Owners {
    /// In order of inode, PID and descriptor.
    holders: Vec<(u64, Holder)>,
    index: Index,
    /// In order of PID.
    processes: Vec<Process>,
    sight: Sight,
    veiled: bool,
    /// Processes outside of this PID namespace cannot be seen.
    nested: bool,
    /// This process's own number.
    own: Option<Pid>,
}

impl Owners {
    /// Every process that holds the socket, in order of PID.
    pub fn holdings(&self, inode: u64) -> impl Iterator<Item = Holding<'_>> {
        let rest = self.index.from(&self.holders, inode, |&(inode, _)| inode);
        let end = rest.iter().take_while(|&&(other, _)| other == inode).count();
        let ours = rest.get(..end).unwrap_or_default();
        ours.chunk_by(|(_, one), (_, other)| one.pid == other.pid).filter_map(|held| {
            let &(_, Holder { pid, .. }) = held.first()?;
            let process = self.processes.get(position(&self.processes, pid)?)?;
            Some(Holding { process, held })
        })
    }

    /// Every process that holds any of them, in order of PID.
    #[must_use]
    pub fn processes(&self) -> &[Process] {
        &self.processes
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

    /// Whether some of these sockets may be held by processes that cannot be seen for no other
    /// reason than that they are outside of this PID namespace.
    #[must_use]
    pub fn has_outsiders(&self, inodes: impl IntoIterator<Item = u64>) -> bool {
        let is_nobodys = |inode| inode != 0 && self.holdings(inode).next().is_none();
        let all_within = self.sight == Sight::Whole && !self.veiled;
        self.nested && all_within && inodes.into_iter().any(is_nobodys)
    }

    /// Whether a socket that nobody is known to hold is held by nobody.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.sight == Sight::Whole && !self.veiled && !self.nested
    }

    /// Whether this is the process that looks, which may have been given a socket itself.
    #[must_use]
    pub fn is_own(&self, process: &Process) -> bool {
        self.own == Some(process.pid)
    }
}

/// This process's number there, if the root is this host's own.
fn own_pid(root: &Path) -> Option<Pid> {
    fs::read_link(root.join("self")).ok()?.to_str()?.parse().ok()
}

/// Whether the root shows the processes of a PID namespace within another (`man 7 pid_namespaces`);
/// the outermost one has a number of its own (`PROC_PID_INIT_INO`, `include/linux/proc_ns.h`).
fn is_nested(root: &Path) -> bool {
    const OUTERMOST: &str = "pid:[4026531836]";
    fs::read_link(root.join("self/ns/pid")).is_ok_and(|link| link.as_os_str() != OUTERMOST)
}

/// Where a process is among those in order of PID.
fn position(processes: &[Process], pid: Pid) -> Option<usize> {
    processes.binary_search_by_key(&pid, |process| process.pid).ok()
}

/// Drops the holders of sockets that are not wanted; both are in order of inode.
fn keep_wanted(holders: &mut Vec<(u64, Holder)>, wanted: &[u64]) {
    let mut wanted = wanted.iter().peekable();
    holders.retain(|(inode, _)| {
        while wanted.next_if(|&other| other < inode).is_some() {}
        wanted.peek() == Some(&inode)
    });
}

/// What it means that something of a process could not be read.
enum Meaning {
    /// It has ended; or it is a file whose name happens to be a number.
    Ended,
    /// It may not be seen.
    Hidden,
    Trouble,
}

impl Meaning {
    fn of(error: &io::Error) -> Self {
        match error.raw_os_error().map(Errno::from_raw) {
            Some(Errno::ENOENT | Errno::ESRCH | Errno::ENOTDIR) => Self::Ended,
            Some(Errno::EACCES | Errno::EPERM) => Self::Hidden,
            _ => Self::Trouble,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use tempfile::TempDir;

    use super::*;

    #[test]
    fn each_socket_has_its_own_process_however_many_there_are() {
        let root = TempDir::new().unwrap();
        let pids = 1..=150;
        for pid in pids.clone() {
            let fds = root.path().join(pid.to_string()).join("fd");
            fs::create_dir_all(&fds).unwrap();
            symlink(format!("socket:[{}]", 1000 + pid), fds.join("3")).unwrap();
            fs::write(process::command_file(root.path(), pid), format!("program {pid}")).unwrap();
        }
        let gone = [7, 149];
        for pid in gone {
            fs::remove_file(process::command_file(root.path(), pid)).unwrap();
        }
        let (sweep, ()) = Sweep::run(root.path(), || ());
        let owners =
            sweep.owners((1000..2000).rev(), Detail::Name, &mut |warning| panic!("{warning}"));
        for pid in pids {
            let program = owners.holdings(1000 + u64::from(pid)).next().map(|holding| {
                assert_eq!((holding.process.pid, holding.fds().collect()), (pid, vec![3]));
                String::from_utf8_lossy(holding.process.program()).into_owned()
            });
            let expected = (!gone.contains(&pid)).then(|| format!("program {pid}"));
            assert_eq!(program, expected);
        }
        assert_eq!(owners.sight(), Sight::Whole);
    }
}
