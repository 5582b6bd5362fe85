//! The sweep: every descriptor of every process, by as many threads as it is worth.
//!
//! A process is a piece of work. One with very many descriptors is cut into several while it is
//! listed, so that it does not keep the other threads waiting.

use std::collections::VecDeque;
use std::io;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Scope, ScopedJoinHandle};

use nix::errno::Errno;

use super::link::socket_inode;
use super::{Holder, Lost, Meaning, Warning};
use crate::directory::{Directory, Scratch};
use crate::process::{Pid, threads};

/// Threads that sweep at once, however many cores there are: of more nobody has measured the use.
const MOST_THREADS: usize = 8;
/// Processes from which on it pays to start threads for them: of 30 descriptors each, measured on
/// two cores. With 31 it is 4.1 ms to 3.8, with 100 it is 9.9 to 7.5; more threads than cores
/// gain nothing.
const MANY_PROCESSES: usize = 32;
/// Descriptors of one process that make a piece of work, if there are more.
const BATCH: usize = 512;
/// Pieces that wait at most; whoever has another one does it by itself.
const MOST_BATCHES: usize = 2 * MOST_THREADS;
/// Bytes of stack that a thread has.
const STACK: usize = 128 * 1024;

/// What a sweep has found.
pub(super) struct Findings {
    /// Every socket that is held, in order of inode, PID and descriptor.
    pub(super) holders: Vec<(u64, Holder)>,
    /// Some process may not be seen.
    pub(super) hidden: bool,
    /// Some descriptor may not be looked at.
    pub(super) veiled: bool,
    /// Processes that have no descriptor to show: the kernel's own, and those whose first thread
    /// has ended.
    pub(super) bare: Vec<Pid>,
    /// What else went wrong, in order of PID.
    pub(super) warnings: Vec<Warning>,
}

/// Sweeps the processes below `root`, and runs `meanwhile` on this thread. A process that ends
/// meanwhile holds nothing.
pub(super) fn sweep<T>(root: &Path, meanwhile: impl FnOnce() -> T) -> (Findings, T) {
    let mut worker = Worker::default();
    let pids = worker.processes(root);
    let many = pids.len() >= MANY_PROCESSES;
    let work =
        Work { root, queue: Mutex::new(Queue { pids, ..Queue::default() }), more: Condvar::new() };
    thread::scope(|scope| {
        let mut helpers = if many { work.helpers(scope) } else { Vec::new() };
        let result = meanwhile();
        worker.run(&work, &mut || {
            if helpers.is_empty() {
                helpers = work.helpers(scope);
            }
        });
        let mut found = worker.found;
        for helper in helpers {
            found.append(helper.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        (found.finish(root), result)
    })
}

/// Sweeps the other threads of processes that have no descriptor to show by their first one.
pub(super) fn sweep_threads(root: &Path, processes: &[Pid]) -> Findings {
    let Worker { mut scratch, mut found } = Worker::default();
    for &pid in processes {
        for thread in threads(root, pid).into_iter().filter(|&thread| thread != pid) {
            let mut look = || -> io::Result<()> {
                let directory = Arc::new(Directory::open(&descriptors(root, thread))?);
                let mut fds = Vec::new();
                let listed = directory.for_each(&mut scratch, |fd| fds.push(fd));
                found.links(&Batch { pid, directory, fds });
                listed
            };
            let listed = look();
            found.note(Some(pid), listed);
        }
    }
    let mut findings = found.finish(root);
    // Most threads have their descriptors in common.
    findings.holders.dedup();
    findings
}

/// What is to be done, and by whom.
struct Work<'a> {
    root: &'a Path,
    queue: Mutex<Queue>,
    /// There is more in the queue, or there never will be.
    more: Condvar,
}

#[derive(Default)]
struct Queue {
    pids: Vec<Pid>,
    batches: VecDeque<Batch>,
    /// Threads that list a process, and may add batches.
    listing: usize,
}

/// Some of the descriptors of a process.
struct Batch {
    pid: Pid,
    directory: Arc<Directory>,
    fds: Vec<u32>,
}

/// A piece of work.
enum Piece {
    Process(Pid),
    Batch(Batch),
}

impl Work<'_> {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Threads that work beside this one: as many as can be had, up to one for each core.
    fn helpers<'scope>(
        &'scope self,
        scope: &'scope Scope<'scope, '_>,
    ) -> Vec<ScopedJoinHandle<'scope, Found>> {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let spawn = |_| {
            let thread = thread::Builder::new().stack_size(STACK);
            let work = || {
                let mut worker = Worker::default();
                worker.run(self, &mut || {});
                worker.found
            };
            thread.spawn_scoped(scope, work).ok()
        };
        (1..cores.min(MOST_THREADS)).map_while(spawn).collect()
    }

    /// The next piece, when there is one; none when all is done.
    fn next(&self) -> Option<Piece> {
        let mut queue = self.queue();
        loop {
            if let Some(batch) = queue.batches.pop_front() {
                return Some(Piece::Batch(batch));
            }
            if let Some(pid) = queue.pids.pop() {
                queue.listing += 1;
                return Some(Piece::Process(pid));
            }
            if queue.listing == 0 {
                return None;
            }
            queue = self.more.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// A process has been listed to its end.
    fn listed(&self) {
        let mut queue = self.queue();
        queue.listing -= 1;
        if queue.listing == 0 && queue.pids.is_empty() {
            self.more.notify_all();
        }
    }

    /// Leaves a batch for any thread, or gives it back where enough of them wait.
    fn leave(&self, batch: Batch) -> Option<Batch> {
        let mut queue = self.queue();
        if queue.batches.len() >= MOST_BATCHES {
            return Some(batch);
        }
        queue.batches.push_back(batch);
        self.more.notify_one();
        None
    }
}

/// One of the threads that sweep.
#[derive(Default)]
struct Worker {
    scratch: Scratch,
    found: Found,
}

impl Worker {
    fn processes(&mut self, root: &Path) -> Vec<Pid> {
        let mut pids = Vec::new();
        let listed = Directory::open(root)
            .and_then(|directory| directory.for_each(&mut self.scratch, |pid| pids.push(pid)));
        self.found.note(None, listed);
        pids
    }

    /// Works until all is done. `share` is called when there is something to share.
    fn run(&mut self, work: &Work<'_>, share: &mut dyn FnMut()) {
        while let Some(piece) = work.next() {
            match piece {
                Piece::Batch(batch) => self.found.links(&batch),
                Piece::Process(pid) => {
                    let listed = self.process(work, pid, share);
                    work.listed();
                    self.found.note(Some(pid), listed);
                }
            }
        }
        self.found.holders.sort_unstable();
    }

    fn process(&mut self, work: &Work<'_>, pid: Pid, share: &mut dyn FnMut()) -> io::Result<()> {
        let directory = Arc::new(Directory::open(&descriptors(work.root, pid))?);
        let Self { scratch, found } = self;
        let mut batch = Batch { pid, directory: Arc::clone(&directory), fds: Vec::new() };
        let mut is_bare = true;
        let listed = directory.for_each(scratch, |fd| {
            if batch.fds.len() == BATCH {
                let fds = std::mem::replace(&mut batch.fds, Vec::with_capacity(BATCH));
                share();
                let full = Batch { pid, directory: Arc::clone(&directory), fds };
                if let Some(full) = work.leave(full) {
                    found.links(&full);
                }
            }
            is_bare = false;
            batch.fds.push(fd);
        });
        if is_bare {
            found.bare.push(pid);
        }
        found.links(&batch);
        listed
    }
}

/// What one thread has found.
#[derive(Default)]
struct Found {
    holders: Vec<(u64, Holder)>,
    hidden: bool,
    veiled: bool,
    bare: Vec<Pid>,
    errors: Vec<(Option<Pid>, io::Error)>,
}

impl Found {
    fn links(&mut self, batch: &Batch) {
        let pid = batch.pid;
        let mut result = Ok(());
        for &fd in &batch.fds {
            match batch.directory.link(fd, socket_inode) {
                Ok(Some(inode)) => self.holders.push((inode, Holder { pid, fd })),
                Ok(None) => {}
                Err(error) => match error.raw_os_error().map(Errno::from_raw) {
                    // Closed since it was listed; or no link, in a tree that is no kernel's.
                    Some(Errno::ENOENT | Errno::EINVAL) => {}
                    Some(Errno::EACCES | Errno::EPERM) => self.veiled = true,
                    _ => result = Err(error),
                },
            }
        }
        self.note(Some(pid), result);
    }

    /// Sorts out what the failure of one process, or of their list, means.
    fn note(&mut self, pid: Option<Pid>, result: io::Result<()>) {
        let Err(error) = result else { return };
        match Meaning::of(&error) {
            Meaning::Ended => {}
            Meaning::Hidden => self.hidden = true,
            Meaning::Trouble => self.errors.push((pid, error)),
        }
    }

    fn append(&mut self, mut more: Self) {
        self.holders.append(&mut more.holders);
        self.bare.append(&mut more.bare);
        self.errors.append(&mut more.errors);
        self.hidden |= more.hidden;
        self.veiled |= more.veiled;
    }

    /// Puts in order what came in whichever order the threads had.
    fn finish(mut self, root: &Path) -> Findings {
        // Each thread's are in order: what is left is to merge them.
        self.holders.sort();
        self.errors.sort_by_key(|&(pid, _)| pid);
        self.errors.dedup_by_key(|&mut (pid, _)| pid);
        let path = |pid| match pid {
            Some(pid) => descriptors(root, pid),
            None => root.to_owned(),
        };
        let warning = |(pid, error)| Warning { path: path(pid), error, lost: Lost::Holders };
        let warnings = self.errors.into_iter().map(warning).collect();
        let Self { holders, hidden, veiled, bare, .. } = self;
        Findings { holders, hidden, veiled, bare, warnings }
    }
}

/// `<root>/<pid>/fd` (`man 5 proc_pid_fd`).
fn descriptors(root: &Path, pid: Pid) -> PathBuf {
    root.join(pid.to_string()).join("fd")
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use tempfile::TempDir;

    use super::*;

    /// A tree in which each of these processes holds sockets `pid * 10_000 + fd`, beside others,
    /// and all of them hold socket 7.
    fn tree(processes: &[(Pid, u32)]) -> (TempDir, Vec<(u64, Holder)>) {
        let root = TempDir::new().unwrap();
        let mut expected = Vec::new();
        for &(pid, fds) in processes {
            let directory = descriptors(root.path(), pid);
            fs::create_dir_all(&directory).unwrap();
            let mut hold = |fd, inode| {
                symlink(format!("socket:[{inode}]"), directory.join(format!("{fd}"))).unwrap();
                expected.push((inode, Holder { pid, fd }));
            };
            (0..fds).for_each(|fd| hold(fd, u64::from(pid * 10_000 + fd)));
            hold(fds, 7);
            symlink("/dev/null", directory.join("9999")).unwrap();
        }
        expected.sort_unstable();
        (root, expected)
    }

    /// The sweep shares its work between threads where there are many processes, where one holds
    /// very much, and where both is so.
    #[test]
    fn every_descriptor_is_found_whichever_thread_looks() {
        let batches = u32::try_from(BATCH * (MOST_BATCHES + 2)).unwrap();
        let many: Vec<_> = (1..).map(|pid| (pid, 2)).take(MANY_PROCESSES + 9).collect();
        let few = [(3, 1), (200, u32::try_from(BATCH).unwrap()), (4, 0)];
        let huge = [(3, 1), (200, batches), (4, 2)];
        let both = [&many[..], &[(200, batches)]].concat();
        for processes in [&few[..], &huge, &many, &both] {
            let (root, expected) = tree(processes);
            let (findings, ()) = sweep(root.path(), || ());
            assert!(findings.holders == expected, "{} processes", processes.len());
            assert!(findings.warnings.is_empty() && !findings.hidden && !findings.veiled);
        }
    }

    #[test]
    fn each_failure_is_said_once_in_order_of_pid() {
        let many = (1..).map(|pid| (pid, 1)).take(MANY_PROCESSES + 9);
        let (root, _) = tree(&many.collect::<Vec<_>>());
        for pid in [40, 20] {
            let directory = descriptors(root.path(), pid);
            fs::remove_dir_all(&directory).unwrap();
            symlink(&directory, &directory).unwrap();
        }
        let (findings, ()) = sweep(root.path(), || ());
        let said: Vec<_> = findings.warnings.iter().map(|warning| warning.path.clone()).collect();
        assert_eq!(said, [20, 40].map(|pid| descriptors(root.path(), pid)));
    }
}
