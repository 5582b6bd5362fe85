//! The sweep: reads every descriptor of every process, on several threads if there are many.
//!
//! One process is one piece of work. If a process has very many descriptors, its directory is cut
//! into batches while it is listed, so that the other threads do not run out of work.

use std::collections::VecDeque;
use std::io;
use std::panic::resume_unwind;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Scope, ScopedJoinHandle};

use nix::errno::Errno;

use super::link::socket_inode;
use super::{Descriptor, Meaning};
use crate::directory::{Directory, Scratch};
use crate::process::{self, ATTEMPTS, Pid, file, has_threads, threads};
use crate::remark::Remark;
use crate::tables::Counters;

/// The maximum number of threads. More cores than this have not been measured.
const MOST_THREADS: usize = 8;
/// If there are this many processes or more, threads start at once, not with the first full batch.
///
/// Measured on two cores with processes of 30 descriptors: 31 processes take 3.8 ms with threads
/// and 4.1 ms without, 100 processes 7.5 ms and 9.9 ms. More threads than cores gain nothing.
const MANY_PROCESSES: usize = 32;
/// The number of descriptors in one batch.
const BATCH: usize = 512;
/// The maximum number of batches in the queue. If it is full, a thread reads its new batch itself.
const MOST_BATCHES: usize = 2 * MOST_THREADS;
/// The maximum number of threads that are read again. Processes with many threads and without
/// descriptors must not make a listing slow.
const MOST_THREADS_AGAIN: usize = 1000;
/// The stack of a thread, in bytes.
const STACK: usize = 128 * 1024;

/// What a sweep, or one of its threads, found.
#[derive(Default)]
pub(super) struct Findings {
    /// Each descriptor with the inode of its socket, in order of inode, PID and descriptor.
    pub(super) sockets: Vec<(u64, Descriptor)>,
    /// Some process is hidden.
    pub(super) hidden: bool,
    /// Some descriptors can be listed, but not read.
    pub(super) links_hidden: bool,
    /// Some process has a directory `fd`.
    pub(super) lists_descriptors: bool,
    /// Processes without visible descriptors: kernel threads, and those whose first thread ended.
    pub(super) without_descriptors: Vec<Pid>,
    /// The processes that own sockets, but cannot be read.
    pub(super) unreadable: Vec<Pid>,
    /// The processes that own sockets. A process can be there more than once.
    pub(super) with_sockets: Vec<Pid>,
    /// The processes that were there when the sweep began, in order.
    known: Vec<Pid>,
    /// Kernel threads, which were skipped, and programs that the kernel started.
    pub(super) kernel_threads: Vec<Pid>,
    /// The counters of sockets when the sweep began, if the tables were read at the same time.
    before: Option<Counters>,
    /// Other errors, each with its process, or with `None` if listing the processes failed.
    errors: Vec<(Option<Pid>, io::Error)>,
}

/// Runs `meanwhile` on this thread, and sweeps the processes below `root`: at the same time if
/// there are many, otherwise afterwards. A process that ends during the sweep owns nothing.
pub(super) fn sweep<T>(root: &Path, meanwhile: impl FnOnce() -> T) -> (Findings, T) {
    let mut worker = Worker::default();
    let mut pids = worker.processes(root);
    worker.found.known.clone_from(&pids);
    worker.found.kernel_threads = process::kernel_threads(root);
    let skipped = &worker.found.kernel_threads;
    pids.retain(|pid| skipped.binary_search(pid).is_err());
    let many = pids.len() >= MANY_PROCESSES;
    if many {
        worker.found.before = Counters::read(&root.join("net")).ok();
    }
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
        (found.sorted(), result)
    })
}

/// Sweeps the processes that have appeared since `before`.
pub(super) fn sweep_new(root: &Path, before: &Findings) -> Findings {
    let mut worker = Worker::default();
    let mut pids = worker.processes(root);
    pids.retain(|pid| before.known.binary_search(pid).is_err());
    sweep_processes(root, worker, &pids)
}

/// Sweeps these processes again, which can have opened sockets while the tables were read.
pub(super) fn sweep_again(root: &Path, pids: &[Pid]) -> Findings {
    sweep_processes(root, Worker::default(), pids)
}

fn sweep_processes(root: &Path, worker: Worker, pids: &[Pid]) -> Findings {
    let Worker { mut scratch, mut found } = worker;
    for &pid in pids {
        let (_, listed) = found.thread(root, pid, pid, &mut scratch);
        found.note(Some(pid), listed);
    }
    found.sorted()
}

/// Reads only these descriptors again.
pub(super) fn sweep_descriptors(root: &Path, known: &[(u64, Descriptor)]) -> Findings {
    let mut descriptors: Vec<_> = known.iter().map(|&(_, descriptor)| descriptor).collect();
    descriptors.sort_unstable();
    let mut found = Findings::default();
    for of_process in descriptors.chunk_by(|one, other| one.pid == other.pid) {
        if let Some(&Descriptor { pid, .. }) = of_process.first()
            && let Ok(directory) = Directory::open(&file(root, pid, "fd"))
        {
            let fds = of_process.iter().map(|descriptor| descriptor.fd).collect();
            found.links(&Batch { pid, directory: Arc::new(directory), fds });
        }
    }
    found.sorted()
}

/// Sweeps the other threads of processes whose first thread shows no descriptors.
pub(super) fn sweep_threads(root: &Path, processes: &[Pid]) -> Findings {
    let Worker { mut scratch, mut found } = Worker::default();
    let mut most = MOST_THREADS_AGAIN;
    for &pid in processes {
        for _ in 0..ATTEMPTS {
            let mut any = false;
            let threads = threads(root, pid);
            for &thread in threads.iter().filter(|&&thread| thread != pid) {
                let (is_whole, listed) = found.thread(root, pid, thread, &mut scratch);
                any |= is_whole;
                found.note(Some(pid), listed);
            }
            if any || threads.len() > most || !has_threads(root, pid) {
                break;
            }
            most -= threads.len();
        }
    }
    let mut findings = found.sorted();
    // Threads of one process usually share their descriptors.
    findings.sockets.dedup();
    findings
}

/// The work that the threads share.
struct Work<'a> {
    root: &'a Path,
    queue: Mutex<Queue>,
    /// Signals that the queue has a new batch, or that all work is done.
    more: Condvar,
}

#[derive(Default)]
struct Queue {
    pids: Vec<Pid>,
    batches: VecDeque<Batch>,
    /// The number of threads that list a process, and can add batches.
    listing: usize,
}

/// Some of the descriptors of a process.
struct Batch {
    pid: Pid,
    directory: Arc<Directory>,
    fds: Vec<u32>,
}

enum Piece {
    Process(Pid),
    Batch(Batch),
}

impl Work<'_> {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a thread for each further core, or as many as the system allows.
    fn helpers<'scope>(
        &'scope self,
        scope: &'scope Scope<'scope, '_>,
    ) -> Vec<ScopedJoinHandle<'scope, Findings>> {
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

    /// Waits for the next piece. Returns `None` when all work is done.
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

    /// Notes that the descriptors of a process have all been listed.
    fn listed(&self) {
        let mut queue = self.queue();
        queue.listing -= 1;
        if queue.listing == 0 && queue.pids.is_empty() {
            self.more.notify_all();
        }
    }

    /// Queues a batch for any thread. Returns it if the queue is full.
    fn enqueue(&self, batch: Batch) -> Option<Batch> {
        let mut queue = self.queue();
        if queue.batches.len() >= MOST_BATCHES {
            return Some(batch);
        }
        queue.batches.push_back(batch);
        self.more.notify_one();
        None
    }
}

#[derive(Default)]
struct Worker {
    scratch: Scratch,
    found: Findings,
}

impl Worker {
    fn processes(&mut self, root: &Path) -> Vec<Pid> {
        let mut pids = Vec::new();
        let listed = Directory::open(root)
            .and_then(|directory| directory.for_each(&mut self.scratch, |pid| pids.push(pid)));
        self.found.note(None, listed);
        pids
    }

    /// Works until all work is done. Calls `share` before it queues a batch for other threads.
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
        self.found.sockets.sort_unstable();
    }

    fn process(&mut self, work: &Work<'_>, pid: Pid, share: &mut dyn FnMut()) -> io::Result<()> {
        let directory = Arc::new(Directory::open(&file(work.root, pid, "fd"))?);
        let Self { scratch, found } = self;
        found.lists_descriptors = true;
        let mut batch = Batch { pid, directory: Arc::clone(&directory), fds: Vec::new() };
        let mut is_empty = true;
        let listed = directory.for_each(scratch, |fd| {
            if batch.fds.len() == BATCH {
                let fds = std::mem::replace(&mut batch.fds, Vec::with_capacity(BATCH));
                share();
                let full = Batch { pid, directory: Arc::clone(&directory), fds };
                if let Some(full) = work.enqueue(full) {
                    found.links(&full);
                }
            }
            is_empty = false;
            batch.fds.push(fd);
        });
        if is_empty {
            found.without_descriptors.push(pid);
        }
        found.links(&batch);
        listed
    }
}

impl Findings {
    /// Reads the descriptors of a process through one of its threads. Returns also true if all of
    /// them were read: the thread has descriptors even after that.
    fn thread(
        &mut self,
        root: &Path,
        pid: Pid,
        thread: Pid,
        scratch: &mut Scratch,
    ) -> (bool, io::Result<()>) {
        let path = file(root, thread, "fd");
        let directory = match Directory::open(&path) {
            Ok(directory) => Arc::new(directory),
            Err(error) => return (false, Err(error)),
        };
        let mut fds = Vec::new();
        let listed = directory.for_each(scratch, |fd| fds.push(fd));
        self.links(&Batch { pid, directory, fds });
        let mut is_alive = false;
        let _ = Directory::open(&path).and_then(|it| it.for_each(scratch, |_| is_alive = true));
        (is_alive, listed)
    }

    fn links(&mut self, batch: &Batch) {
        let pid = batch.pid;
        let mut result = Ok(());
        for &fd in &batch.fds {
            match batch.directory.link(fd, socket_inode) {
                Ok(Some(inode)) => {
                    self.sockets.push((inode, Descriptor { pid, fd }));
                    if self.with_sockets.last() != Some(&pid) {
                        self.with_sockets.push(pid);
                    }
                }
                Ok(None) => {}
                Err(error) => match error.raw_os_error().map(Errno::from_raw) {
                    // The descriptor was closed meanwhile, or is not a link in a saved tree.
                    Some(Errno::ENOENT | Errno::EINVAL) => {}
                    Some(Errno::EACCES | Errno::EPERM) => self.links_hidden = true,
                    _ => result = Err(error),
                },
            }
        }
        self.note(Some(pid), result);
    }

    /// Notes an error of a process, or of the list of processes.
    fn note(&mut self, pid: Option<Pid>, result: io::Result<()>) {
        let Err(error) = result else { return };
        match Meaning::of(&error) {
            Meaning::Ended => {}
            Meaning::Hidden => self.hidden = true,
            Meaning::Failed => self.errors.push((pid, error)),
        }
    }

    fn append(&mut self, mut more: Self) {
        self.sockets.append(&mut more.sockets);
        self.with_sockets.append(&mut more.with_sockets);
        self.without_descriptors.append(&mut more.without_descriptors);
        self.errors.append(&mut more.errors);
        self.hidden |= more.hidden;
        self.links_hidden |= more.links_hidden;
        self.lists_descriptors |= more.lists_descriptors;
    }

    /// Sorts the findings, so that they do not depend on the order of the threads.
    fn sorted(mut self) -> Self {
        // `sort` is fast here: the findings of each thread are sorted, and it only merges them.
        self.sockets.sort();
        self.with_sockets.sort_unstable();
        self.with_sockets.dedup();
        self.known.sort_unstable();
        self.errors.sort_by_key(|&(pid, _)| pid);
        self.errors.dedup_by_key(|&mut (pid, _)| pid);
        self
    }

    /// Returns true if sockets were opened or closed since the sweep began, and the tables were read
    /// meanwhile. A process can have opened a socket after its descriptors were read.
    pub(super) fn has_moved(&self, root: &Path) -> bool {
        self.before.is_some() && Counters::read(&root.join("net")).ok() != self.before
    }

    /// Returns true if the tables were read during the sweep, not before it.
    pub(super) fn is_simultaneous(&self) -> bool {
        self.before.is_some()
    }

    /// Removes the errors, and returns the remarks about them in order of PID.
    pub(super) fn remarks(&mut self, root: &Path) -> impl Iterator<Item = Remark> {
        self.errors.drain(..).map(|(pid, error)| {
            let path = pid.map_or_else(|| root.to_owned(), |pid| file(root, pid, "fd"));
            Remark::OwnersUnknown(path, error)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use tempfile::TempDir;

    use super::*;

    /// Makes a tree with these processes, given as PID and number of descriptors. Descriptor `fd`
    /// refers to socket `pid * 10_000 + fd`. One further descriptor of each process refers to
    /// socket 7.
    fn tree(processes: &[(Pid, u32)]) -> (TempDir, Vec<(u64, Descriptor)>) {
        let root = TempDir::new().unwrap();
        let mut expected = Vec::new();
        for &(pid, fds) in processes {
            let directory = file(root.path(), pid, "fd");
            fs::create_dir_all(&directory).unwrap();
            let mut own = |fd, inode| {
                symlink(format!("socket:[{inode}]"), directory.join(format!("{fd}"))).unwrap();
                expected.push((inode, Descriptor { pid, fd }));
            };
            (0..fds).for_each(|fd| own(fd, u64::from(pid * 10_000 + fd)));
            own(fds, 7);
            symlink("/dev/null", directory.join("9999")).unwrap();
        }
        expected.sort_unstable();
        (root, expected)
    }

    /// Threads share the work if there are many processes, or a process with many descriptors.
    #[test]
    fn worker_threads_together_find_every_descriptor() {
        let batches = u32::try_from(BATCH * (MOST_BATCHES + 2)).unwrap();
        let many: Vec<_> = (1..).map(|pid| (pid, 2)).take(MANY_PROCESSES + 9).collect();
        let few = [(3, 1), (200, u32::try_from(BATCH).unwrap()), (4, 0)];
        let huge = [(3, 1), (200, batches), (4, 2)];
        let both = [&many[..], &[(200, batches)]].concat();
        for processes in [&few[..], &huge, &many, &both] {
            let (root, expected) = tree(processes);
            let (findings, ()) = sweep(root.path(), || ());
            assert!(findings.sockets == expected, "{} processes", processes.len());
            assert!(findings.errors.is_empty() && !findings.hidden && !findings.links_hidden);
        }
    }

    #[test]
    fn each_failure_is_reported_once_in_order_of_pid() {
        let many = (1..).map(|pid| (pid, 1)).take(MANY_PROCESSES + 9);
        let (root, _) = tree(&many.collect::<Vec<_>>());
        for pid in [40, 20] {
            let directory = file(root.path(), pid, "fd");
            fs::remove_dir_all(&directory).unwrap();
            symlink(&directory, &directory).unwrap();
        }
        let (mut findings, ()) = sweep(root.path(), || ());
        let path = |remark| match remark {
            Remark::OwnersUnknown(path, _) => path,
            other => panic!("{other}"),
        };
        let paths: Vec<_> = findings.remarks(root.path()).map(path).collect();
        assert_eq!(paths, [20, 40].map(|pid| file(root.path(), pid, "fd")));
    }
}
