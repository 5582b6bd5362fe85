//! Reads the processes that own sockets.

use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::panic::resume_unwind;
use std::path::Path;
use std::thread::{self, ScopedJoinHandle};

use nix::errno::Errno;

use super::sweep::Findings;
use super::{Descriptor, Meaning, link, position};
use crate::process::{self, Detail, Process};
use crate::remark::{Remark, Sink};

/// Adds the processes that own sockets and are not among `processes` yet, which are in order of PID.
/// Drops the sockets of those that cannot be read, or that have closed all of them. Returns true if
/// any have closed them or ended.
pub(super) fn owners(
    root: &Path,
    findings: &mut Findings,
    processes: &mut Vec<Process>,
    detail: Detail,
    remark: Sink<'_>,
) -> bool {
    let is_new = |pid| position(processes, pid).is_none() && !findings.unreadable.contains(&pid);
    let sockets = findings.sockets.iter().filter(|(_, it)| is_new(it.pid));
    let mut owned: Vec<_> = sockets.map(|&(inode, it)| (it, inode)).collect();
    owned.sort_unstable();
    let owned: Vec<_> = owned.chunk_by(|(one, _), (other, _)| one.pid == other.pid).collect();
    let (mut unreadable, mut any_ended) = (Vec::new(), false);
    processes.reserve(owned.len());
    for (owned, result) in owned.iter().zip(read_processes(root, &owned, detail)) {
        let Some(&(Descriptor { pid, .. }, _)) = owned.first() else { continue };
        match result {
            Ok((process, failures)) => {
                processes.push(process);
                for (file, error) in failures {
                    remark(Remark::DetailUnknown(process::file(root, pid, file), error));
                }
            }
            Err(error) => match Meaning::of(&error) {
                Meaning::Ended => any_ended = true,
                Meaning::Hidden => {
                    findings.hidden = true;
                    unreadable.push(pid);
                }
                Meaning::Failed => {
                    unreadable.push(pid);
                    let path = process::file(root, pid, "cmdline");
                    remark(Remark::OwnersUnknown(path, error));
                }
            },
        }
    }
    processes.sort_by_key(|process| process.pid);
    findings.unreadable.append(&mut unreadable);
    if any_ended || !findings.unreadable.is_empty() {
        findings.sockets.retain(|&(_, owner)| position(processes, owner.pid).is_some());
    }
    any_ended
}

/// The details of a process that cannot be read: the name of each file, and the error.
type Failures = Vec<(&'static str, io::Error)>;

/// Reads the process with these descriptors, which refer to these inodes.
fn read_process(
    root: &Path,
    owned: &[(Descriptor, u64)],
    detail: Detail,
) -> io::Result<(Process, Failures)> {
    let Some(&(Descriptor { pid, .. }, _)) = owned.first() else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let mut process = Process::read(root, pid, detail)?;
    let mut failures = process.read_details(root, detail);
    // The process has just ended, or a saved tree does not have the file.
    failures.retain(|(_, error)| !matches!(Meaning::of(error), Meaning::Ended));
    // Since the sweep, the process can have ended, and another one can have got its PID.
    if owned.iter().all(|&(descriptor, inode)| is_closed(root, descriptor, inode)) {
        return Err(Errno::ESRCH.into());
    }
    Ok((process, failures))
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
) -> Vec<io::Result<(Process, Failures)>> {
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
