//! The owners of sockets. One sweep of `<root>/<pid>/fd` finds the owners of every inode.

#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod link;
mod sweep;

use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::panic::resume_unwind;
use std::path::Path;
use std::thread::{self, ScopedJoinHandle};

use nix::errno::Errno;
use nix::unistd::Uid;
use rustix::thread::{CapabilitySet, capabilities};

use crate::directory::{hides_processes, is_procfs};
use crate::process::{self, Detail, Pid, Process};
use crate::remark::{Remark, Sink};
use sweep::Findings;

/// A file descriptor of a process that refers to a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Descriptor {
    pid: Pid,
    fd: u32,
}

/// A process that owns a socket.
#[derive(Clone, Copy, Debug)]
pub struct Owner<'a> {
    /// The process.
    pub process: &'a Process,
    /// Its descriptors for the socket; never empty.
    descriptors: &'a [(u64, Descriptor)],
}

impl<'a> Owner<'a> {
    /// The numbers of its descriptors for the socket, in order.
    pub fn fds(&self) -> impl ExactSizeIterator<Item = u32> + use<'a> {
        self.descriptors.iter().map(|&(_, descriptor)| descriptor.fd)
    }
}

/// The result of a sweep: for every process, its descriptors for sockets.
pub struct Sweep<'a> {
    root: &'a Path,
    findings: Findings,
}

impl<'a> Sweep<'a> {
    /// Runs `meanwhile` on this thread, and sweeps the processes below `root`: at the same time if
    /// there are many, otherwise afterwards. A process that ends during the sweep owns nothing.
    pub fn run<T>(root: &'a Path, meanwhile: impl FnOnce() -> T) -> (Self, T) {
        let (findings, result) = sweep::sweep(root, meanwhile);
        (Self { root, findings }, result)
    }

    /// Returns the owners of the sockets with these inodes. Reads `detail` about each owner.
    pub fn owners(
        self,
        inodes: impl IntoIterator<Item = u64>,
        detail: Detail,
        remark: Sink<'_>,
    ) -> Owners {
        let Self { root, mut findings } = self;
        findings.remarks(root).for_each(&mut *remark);
        findings.hidden |= hides_processes(root);
        let own = own_pid(root);
        let are_saved = findings.lists_descriptors || findings.hidden || is_procfs(root);
        // Ignore sockets that rnetstat opened. Its descriptors 0 to 2 can be sockets of its caller.
        let sees_any = findings.sockets.iter().any(|(_, it)| own != Some(it.pid) || it.fd <= 2);
        let mut wanted: Vec<u64> = inodes.into_iter().filter(|&inode| inode != 0).collect();
        wanted.sort_unstable();
        wanted.dedup();
        let found = count(&findings.sockets, &wanted);
        let moved = if found < wanted.len() { findings.moved(root) } else { Vec::new() };
        keep_wanted(&mut findings.sockets, &wanted);
        add_missing(root, &mut findings, &wanted, &moved, remark);
        let processes = read_owners(root, &mut findings, detail, remark);
        let Findings { sockets, hidden, links_hidden, .. } = findings;
        let is_nested = is_nested(root);
        // Only a search in command lines needs the ancestors.
        let searched = own.filter(|_| detail.searched_command);
        let ancestors = searched.map_or(Vec::new(), |own| process::ancestors(root, own));
        Owners {
            sockets,
            processes,
            are_saved,
            hidden,
            sees_any,
            links_hidden,
            is_nested,
            own,
            ancestors,
        }
    }
}

/// If a wanted socket has no owner yet, searches the threads of processes without descriptors, then
/// these processes again, and then the processes that have appeared since the sweep began. A socket
/// that a process has given to a new child is found in this order.
fn add_missing(
    root: &Path,
    findings: &mut Findings,
    wanted: &[u64],
    moved: &[Pid],
    remark: Sink<'_>,
) {
    let searches: [&dyn Fn(&Findings) -> Findings; 3] = [
        &|findings| sweep::sweep_threads(root, &findings.without_descriptors),
        &|_| sweep::sweep_again(root, moved),
        &|findings| sweep::sweep_new(root, findings),
    ];
    for search in searches {
        if count(&findings.sockets, wanted) == wanted.len() {
            return;
        }
        let mut more = search(findings);
        more.remarks(root).for_each(&mut *remark);
        keep_wanted(&mut more.sockets, wanted);
        findings.hidden |= more.hidden;
        findings.links_hidden |= more.links_hidden;
        findings.sockets.append(&mut more.sockets);
        findings.sockets.sort();
        findings.sockets.dedup();
    }
}

/// Reads the processes that own sockets, in order of PID. Drops the sockets of the unreadable ones.
fn read_owners(
    root: &Path,
    findings: &mut Findings,
    detail: Detail,
    remark: Sink<'_>,
) -> Vec<Process> {
    let mut owned: Vec<_> = findings.sockets.iter().map(|&(inode, it)| (it, inode)).collect();
    owned.sort_unstable();
    let owned: Vec<_> = owned.chunk_by(|(one, _), (other, _)| one.pid == other.pid).collect();
    let mut pids = Vec::with_capacity(owned.len());
    let mut processes = Vec::with_capacity(owned.len());
    for (owned, result) in owned.iter().zip(read_processes(root, &owned, detail)) {
        let Some(&(Descriptor { pid, .. }, _)) = owned.first() else { continue };
        pids.push(pid);
        match result {
            Ok((process, user)) => {
                processes.push(process);
                if let Err(error) = user {
                    remark(Remark::UserUnknown(process::file(root, pid, "status"), error));
                }
            }
            Err(error) => match Meaning::of(&error) {
                Meaning::Ended => {}
                Meaning::Hidden => findings.hidden = true,
                Meaning::Failed => {
                    let path = process::file(root, pid, "cmdline");
                    remark(Remark::OwnersUnknown(path, error));
                }
            },
        }
    }
    if processes.len() < pids.len() {
        findings.sockets.retain(|&(_, owner)| position(&processes, owner.pid).is_some());
    }
    processes
}

/// Reads the process with these descriptors, which refer to these inodes. Returns also the error if
/// its user was requested and could not be read.
fn read_process(
    root: &Path,
    owned: &[(Descriptor, u64)],
    detail: Detail,
) -> io::Result<(Process, io::Result<()>)> {
    let Some(&(Descriptor { pid, .. }, _)) = owned.first() else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let mut process = Process::read(root, pid, detail)?;
    let user = if detail.user { process.read_user(root) } else { Ok(()) };
    // The process has just ended, or a saved tree has no status file.
    let is_gone = |error: &io::Error| matches!(Meaning::of(error), Meaning::Ended);
    // Since the sweep, the process can have ended, and another one can have got its PID.
    if owned.iter().all(|&(descriptor, inode)| is_closed(root, descriptor, inode)) {
        return Err(Errno::ESRCH.into());
    }
    Ok((process, user.or_else(|error| if is_gone(&error) { Ok(()) } else { Err(error) })))
}

/// Returns true if a descriptor no longer refers to the socket with this inode. The directory `fd`
/// is empty if the first thread of the process has ended: then the descriptor cannot be checked.
fn is_closed(root: &Path, Descriptor { pid, fd }: Descriptor, inode: u64) -> bool {
    let directory = process::file(root, pid, "fd");
    match fs::read_link(directory.join(fd.to_string())) {
        Ok(target) => link::socket_inode(target.as_os_str().as_bytes()) != Some(inode),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            fs::read_dir(directory).map_or(true, |mut entries| entries.next().is_some())
        }
        Err(_) => false,
    }
}

/// Reads these processes in order; if there are many, half of them on another thread.
fn read_processes(
    root: &Path,
    owned: &[&[(Descriptor, u64)]],
    detail: Detail,
) -> Vec<io::Result<(Process, io::Result<()>)>> {
    const MANY: usize = 64;
    let read =
        |owned: &[&[_]]| owned.iter().map(|owned| read_process(root, owned, detail)).collect();
    if owned.len() < MANY {
        return read(owned);
    }
    let (here, there) = owned.split_at(owned.len() / 2);
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

/// The owners of the requested sockets.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each says what cannot be seen")]
pub struct Owners {
    /// Each descriptor with the inode of its socket, in order of inode, PID and descriptor.
    sockets: Vec<(u64, Descriptor)>,
    /// In order of PID.
    processes: Vec<Process>,
    /// False for a saved tree where no process has a directory `fd`.
    are_saved: bool,
    /// Some processes are hidden.
    hidden: bool,
    /// Some visible process owns a socket.
    sees_any: bool,
    /// The descriptors of some processes can be listed, but not read.
    links_hidden: bool,
    /// This PID namespace is inside another one, whose processes cannot be seen.
    is_nested: bool,
    /// The PID of rnetstat itself; `None` in a saved tree.
    own: Option<Pid>,
    /// The ancestors of rnetstat; empty if they were not needed.
    ancestors: Vec<Pid>,
}

impl Owners {
    /// The owners of the socket with this inode, in order of PID.
    pub fn of(&self, inode: u64) -> impl Iterator<Item = Owner<'_>> {
        let start = self.sockets.partition_point(|&(other, _)| other < inode);
        let rest = self.sockets.get(start..).unwrap_or_default();
        let end = rest.iter().take_while(|&&(other, _)| other == inode).count();
        let sockets = rest.get(..end).unwrap_or_default();
        sockets.chunk_by(|(_, one), (_, other)| one.pid == other.pid).filter_map(|descriptors| {
            let &(_, Descriptor { pid, .. }) = descriptors.first()?;
            let process = self.processes.get(position(&self.processes, pid)?)?;
            Some(Owner { process, descriptors })
        })
    }

    /// All processes that own one of the sockets, in order of PID.
    pub fn processes(&self) -> &[Process] {
        &self.processes
    }

    /// Returns true if the owners of every socket are known.
    pub fn is_complete(&self) -> bool {
        self.are_saved && self.sees_namespace() && !self.is_nested
    }

    /// Returns false for a saved tree where no process has a directory `fd`.
    pub fn are_saved(&self) -> bool {
        self.are_saved
    }

    /// Returns true if this process is rnetstat itself.
    pub fn is_own(&self, process: &Process) -> bool {
        self.own == Some(process.pid)
    }

    /// Returns true if this process is an ancestor of rnetstat, such as sudo or a shell.
    pub fn is_ancestor(&self, process: &Process) -> bool {
        self.ancestors.contains(&process.pid)
    }

    /// Sends a remark if one of the sockets with these inodes may have a hidden owner.
    pub fn report_hidden(
        &self,
        root: &Path,
        inodes: impl IntoIterator<Item = u64>,
        remark: Sink<'_>,
    ) {
        let has_no_owner = |inode| inode != 0 && self.of(inode).next().is_none();
        if self.is_complete() || !inodes.into_iter().any(has_no_owner) {
            return;
        }
        let is_root = Uid::effective().is_root();
        remark(match (self.hidden && !is_root, self.sees_any) {
            _ if !self.are_saved => Remark::OwnersNotSaved(root.to_owned()),
            (true, true) => Remark::SomeProcessesHidden,
            (true, false) => Remark::AllProcessesHidden,
            (false, _) if self.sees_namespace() => Remark::OutsideOwners,
            (false, _) => {
                Remark::DescriptorsHidden { lacks_ptrace: is_procfs(root) && lacks_ptrace() }
            }
        });
    }

    /// Returns true if all processes of this PID namespace are visible.
    fn sees_namespace(&self) -> bool {
        !self.hidden && !self.links_hidden
    }
}

/// Returns true if this process lacks the capability to see the descriptors of all processes.
fn lacks_ptrace() -> bool {
    let sets = capabilities(None);
    sets.is_ok_and(|sets| !sets.effective.contains(CapabilitySet::SYS_PTRACE))
}

/// Returns the PID of rnetstat itself; `None` if the root does not show it. The link `self` of a
/// saved tree is about the program that saved the tree.
fn own_pid(root: &Path) -> Option<Pid> {
    if !is_procfs(root) {
        return None;
    }
    fs::read_link(root.join("self")).ok()?.to_str()?.parse().ok()
}

/// Returns true if `root` shows a PID namespace that is inside another (`man 7 pid_namespaces`).
/// The number of the outermost is fixed (`PROC_PID_INIT_INO`, `include/linux/proc_ns.h`).
fn is_nested(root: &Path) -> bool {
    const OUTERMOST: &str = "pid:[4026531836]";
    // rnetstat itself can be in another PID namespace. A plain user cannot read the link of 1.
    let link = fs::read_link(root.join("1/ns/pid"));
    let link = link.or_else(|_| fs::read_link(root.join("self/ns/pid")));
    link.is_ok_and(|link| link.as_os_str() != OUTERMOST)
}

/// Returns the index of a process in a list in order of PID.
fn position(processes: &[Process], pid: Pid) -> Option<usize> {
    processes.binary_search_by_key(&pid, |process| process.pid).ok()
}

/// Returns how many of the wanted sockets have an owner. Both lists are in order of inode.
fn count(sockets: &[(u64, Descriptor)], wanted: &[u64]) -> usize {
    let mut sockets = sockets.iter().map(|&(inode, _)| inode).peekable();
    let mut has_owner = |&&inode: &&u64| {
        while sockets.next_if(|&other| other < inode).is_some() {}
        sockets.peek() == Some(&inode)
    };
    wanted.iter().filter(|inode| has_owner(inode)).count()
}

/// Drops the sockets that are not wanted. Both lists are in order of inode.
fn keep_wanted(sockets: &mut Vec<(u64, Descriptor)>, wanted: &[u64]) {
    let mut wanted = wanted.iter().peekable();
    sockets.retain(|(inode, _)| {
        while wanted.next_if(|&other| other < inode).is_some() {}
        wanted.peek() == Some(&inode)
    });
}

/// The meaning of an error from reading a file or a directory of a process.
enum Meaning {
    /// The process has ended, or the entry is not a process although its name is a number.
    Ended,
    /// The process is hidden.
    Hidden,
    /// Any other error.
    Failed,
}

impl Meaning {
    fn of(error: &io::Error) -> Self {
        match error.raw_os_error().map(Errno::from_raw) {
            Some(Errno::ENOENT | Errno::ESRCH | Errno::ENOTDIR) => Self::Ended,
            Some(Errno::EACCES | Errno::EPERM) => Self::Hidden,
            _ => Self::Failed,
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
    fn each_socket_gets_its_owner_unless_the_process_has_ended() {
        let root = TempDir::new().unwrap();
        let pids = 1..=150;
        for pid in pids.clone() {
            let fds = root.path().join(pid.to_string()).join("fd");
            fs::create_dir_all(&fds).unwrap();
            symlink(format!("socket:[{}]", 1000 + pid), fds.join("3")).unwrap();
            fs::write(process::file(root.path(), pid, "cmdline"), format!("program {pid}"))
                .unwrap();
        }
        let (sweep, ()) = Sweep::run(root.path(), || ());
        let ended: [Pid; 2] = [7, 149];
        for pid in ended {
            fs::remove_dir_all(root.path().join(pid.to_string())).unwrap();
        }
        let mut panic = |remark: Remark| panic!("{remark}");
        let owners = sweep.owners((1000..2000).rev(), Detail::default(), &mut panic);
        for pid in pids {
            let program = owners.of(1000 + u64::from(pid)).next().map(|owner| {
                assert_eq!((owner.process.pid, owner.fds().collect()), (pid, vec![3]));
                String::from_utf8_lossy(owner.process.command.program()).into_owned()
            });
            let expected = (!ended.contains(&pid)).then(|| format!("program {pid}"));
            assert_eq!(program, expected);
        }
        owners.report_hidden(root.path(), [], &mut panic);
    }

    #[test]
    fn process_that_was_forked_during_the_sweep_is_an_owner() {
        let root = TempDir::new().unwrap();
        let add = |pid: Pid, inode: u64| {
            let fds = root.path().join(pid.to_string()).join("fd");
            fs::create_dir_all(&fds).unwrap();
            symlink(format!("socket:[{inode}]"), fds.join("3")).unwrap();
            fs::write(process::file(root.path(), pid, "cmdline"), "program").unwrap();
        };
        add(1, 1001);
        let (sweep, ()) = Sweep::run(root.path(), || add(2, 1002));
        let mut panic = |remark: Remark| panic!("{remark}");
        let owners = sweep.owners([1001, 1002], Detail::default(), &mut panic);
        let pids: Vec<_> = owners.processes().iter().map(|process| process.pid).collect();
        assert_eq!(pids, [1, 2]);
    }

    #[test]
    fn socket_that_a_known_process_opened_during_the_sweep_has_its_owner() {
        let root = TempDir::new().unwrap();
        let add = |pid: Pid, fd: u32, inode: u64| {
            let fds = root.path().join(pid.to_string()).join("fd");
            fs::create_dir_all(&fds).unwrap();
            symlink(format!("socket:[{inode}]"), fds.join(fd.to_string())).unwrap();
            fs::write(process::file(root.path(), pid, "cmdline"), "program").unwrap();
        };
        let count = |sockets: u32| {
            fs::create_dir_all(root.path().join("net")).unwrap();
            let text = format!("sockets: used {sockets}\n");
            fs::write(root.path().join("net/sockstat"), text).unwrap();
            fs::write(root.path().join("net/snmp"), "").unwrap();
        };
        // With this many processes, the tables are read during the sweep.
        (1..=100).for_each(|pid| add(pid, 3, 1000 + u64::from(pid)));
        for (sockets, inode, owner) in [(100, 2001, None), (101, 2002, Some(7))] {
            count(100);
            let (sweep, ()) = Sweep::run(root.path(), || ());
            add(7, u32::try_from(inode).unwrap(), inode);
            count(sockets);
            let mut panic = |remark: Remark| panic!("{remark}");
            let owners = sweep.owners([1001, inode], Detail::default(), &mut panic);
            let found = owners.of(inode).next().map(|owner| owner.process.pid);
            assert_eq!(found, owner, "{sockets} sockets");
        }
    }

    #[test]
    fn process_that_got_the_pid_of_an_ended_owner_is_no_owner() {
        let root = TempDir::new().unwrap();
        let fds = root.path().join("5/fd");
        fs::create_dir_all(&fds).unwrap();
        symlink("socket:[1005]", fds.join("3")).unwrap();
        fs::write(process::file(root.path(), 5, "cmdline"), "owner").unwrap();
        let (sweep, ()) = Sweep::run(root.path(), || ());
        fs::remove_file(fds.join("3")).unwrap();
        symlink("socket:[2005]", fds.join("3")).unwrap();
        fs::write(process::file(root.path(), 5, "cmdline"), "innocent").unwrap();
        let mut panic = |remark: Remark| panic!("{remark}");
        let owners = sweep.owners([1005], Detail::default(), &mut panic);
        assert!(owners.of(1005).next().is_none() && owners.processes().is_empty());
    }
}
