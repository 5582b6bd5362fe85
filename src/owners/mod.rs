//! The owners of sockets. One sweep of `<root>/<pid>/fd` finds the owners of every inode.

#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod link;
mod read;
mod sweep;
#[cfg(test)]
mod tests;
mod unlisted;

use std::fs;
use std::io;
use std::path::Path;

use nix::errno::Errno;
use nix::unistd::Uid;
use rustix::thread::{CapabilitySet, capabilities};

use crate::directory::{hides_processes, is_procfs};
use crate::process::{self, Activation, Detail, Pid, Process, Runtimes};
use crate::remark::{Remark, Sink};
use crate::socket::Socket;
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
    pub fn fds(&self) -> impl ExactSizeIterator<Item = u32> + Clone + use<'a> {
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

    /// Returns the owners of these sockets. Reads `detail` about each owner.
    pub fn owners<'s>(
        self,
        sockets: impl IntoIterator<Item = &'s Socket> + Clone,
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
        let wanted = inodes(sockets.clone());
        let misses_any = count(&findings.sockets, &wanted) < wanted.len();
        let mut has_moved =
            misses_any && (findings.has_moved(root) || findings.may_have_accepted(sockets));
        keep_wanted(&mut findings.sockets, &wanted);
        let mut processes = Vec::new();
        for _ in 0..MOST_SEARCHES {
            let again = if has_moved { findings.with_sockets.clone() } else { Vec::new() };
            add_missing(root, &mut findings, &wanted, &again, remark);
            if !read::owners(root, &mut findings, &mut processes, detail, remark) {
                break;
            }
            // An owner can have given its socket to another process, and closed it.
            has_moved = true;
        }
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
            activation: None,
        }
    }
}

impl Findings {
    /// Returns true if a process may have accepted one of these connections after its descriptors
    /// were read. The counters do not show this: the kernel counts the socket of a connection when
    /// `accept` begins to wait for it.
    fn may_have_accepted<'s>(&self, sockets: impl IntoIterator<Item = &'s Socket>) -> bool {
        let user = Uid::effective().as_raw();
        let is_visible =
            |socket: &Socket| !self.hidden || socket.user().is_none_or(|it| it == user);
        let could_be = |socket: &&Socket| socket.can_be_accepted() && is_visible(socket);
        let connections = inodes(sockets.into_iter().filter(could_be));
        self.is_simultaneous() && count(&self.sockets, &connections) < connections.len()
    }
}

/// How often sockets are searched at most, while their owners give them to others.
const MOST_SEARCHES: usize = 3;

/// If a wanted socket has no owner yet, searches the children of the kernel, which can be programs that
/// it started, then the threads of processes without descriptors, then
/// the processes `again`, and then the processes that have appeared since the sweep began. A socket
/// that a process has given to a new child is found in this order.
fn add_missing(
    root: &Path,
    findings: &mut Findings,
    wanted: &[u64],
    again: &[Pid],
    remark: Sink<'_>,
) {
    let searches: [&dyn Fn(&Findings) -> Findings; 4] = [
        &|findings| sweep::sweep_again(root, &findings.kernel_threads),
        &|findings| sweep::sweep_threads(root, &findings.without_descriptors),
        &|_| sweep::sweep_again(root, again),
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
        findings.with_sockets.append(&mut more.with_sockets);
        findings.sockets.append(&mut more.sockets);
        findings.sockets.sort();
        findings.sockets.dedup();
    }
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
    /// What systemd, which is process 1, listens on for services; `None` if it was not read.
    activation: Option<Activation>,
}

impl Owners {
    /// The owners of the socket with this inode, in order of PID.
    pub fn of(&self, inode: u64) -> impl Iterator<Item = Owner<'_>> + Clone {
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

    /// Returns the inodes of the sockets that have lost one of these owners, in order. Other owners are
    /// not searched.
    pub fn lost(&self, root: &Path) -> Vec<u64> {
        let found = sweep::sweep_descriptors(root, &self.sockets).sockets;
        let is_lost = |it: &&(u64, Descriptor)| found.binary_search(it).is_err();
        self.sockets.iter().filter(is_lost).map(|&(inode, _)| inode).collect()
    }

    /// Reads what systemd listens on, on the host with this root directory, if it owns a socket.
    pub fn read_activation(&mut self, host: &Path) {
        if position(&self.processes, 1).is_some() {
            self.activation = Some(Activation::read(host));
        }
    }

    /// Returns the systemd unit for which systemd itself owns this socket; `None` if the owner is
    /// not systemd, or no unit is known.
    pub fn socket_unit(&self, owner: &Process, socket: &Socket) -> Option<&str> {
        let activation = self.activation.as_ref().filter(|_| owner.pid == 1)?;
        activation.unit(socket.local()?)
    }

    /// Sets the names of the containers.
    pub fn name_containers(&mut self, runtimes: &mut Runtimes) {
        for process in &mut self.processes {
            if let Some(container) = &mut process.service.container {
                container.name = runtimes.name(&container.id).map(ToOwned::to_owned);
            }
        }
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

/// The inodes of these sockets, in order, without 0.
pub(crate) fn inodes<'s>(sockets: impl IntoIterator<Item = &'s Socket>) -> Vec<u64> {
    let mut inodes: Vec<_> = sockets.into_iter().map(Socket::inode).collect();
    inodes.retain(|&inode| inode != 0);
    inodes.sort_unstable();
    inodes.dedup();
    inodes
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
