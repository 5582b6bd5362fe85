//! The root of a /proc: of this host, of another one, or of a saved tree.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::directory::{Directory, Scratch, is_procfs};

/// The root of a /proc, and the network namespace whose tables it shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    /// The directory with the processes.
    pub path: PathBuf,
    /// The directory with `net`: the tables of the root's own network namespace.
    pub tables: PathBuf,
    /// A process in that namespace.
    pub process: PathBuf,
    /// This is the /proc of this host.
    pub is_this_host: bool,
    /// This is a saved tree, and not a /proc of the kernel.
    pub is_saved: bool,
}

impl Root {
    /// The /proc of this host.
    pub fn this_host() -> Self {
        Self::with_net("/proc".into(), true)
    }

    /// Returns the root in a directory: the directory itself, or `proc` in it if only that one has
    /// tables.
    pub fn find(directory: &Path) -> Self {
        Self::at(directory)
            .or_else(|| Self::at(&directory.join("proc")))
            .unwrap_or_else(|| Self::with_net(directory.to_owned(), false))
    }

    /// Returns the root with this path; `None` if it has no tables.
    fn at(path: &Path) -> Option<Self> {
        if are_same(path, Path::new("/proc")) {
            return Some(Self::with_net(path.to_owned(), true));
        }
        if is_procfs(path) {
            // `net` would be the namespace of rnetstat.
            return Some(Self::with_process(path.to_owned(), 1, false));
        }
        if path.join("net").is_dir() {
            return Some(Self::with_net(path.to_owned(), false));
        }
        // A saved tree can lack `net`, which is a link.
        first_with_net(path).map(|pid| Self::with_process(path.to_owned(), pid, true))
    }

    /// A root that has a directory `net`.
    fn with_net(path: PathBuf, is_this_host: bool) -> Self {
        let (tables, process) = (path.clone(), path.join("self"));
        Self { path, tables, process, is_this_host, is_saved: !is_this_host }
    }

    /// A root with the tables of this process.
    fn with_process(path: PathBuf, pid: u32, is_saved: bool) -> Self {
        let process = path.join(pid.to_string());
        Self { path, tables: process.clone(), process, is_this_host: false, is_saved }
    }

    /// The root directory of the host: the directory with a directory `proc`. `None` if the root is
    /// called otherwise.
    pub fn host(&self) -> Option<PathBuf> {
        if self.is_this_host {
            return Some("/".into());
        }
        are_same(&self.path, &self.path.join("../proc")).then(|| self.path.join(".."))
    }

    /// The file with the users of the host. `None` for this host, whose users the resolver knows.
    pub fn passwd(&self) -> Option<PathBuf> {
        let host = self.host().filter(|_| !self.is_this_host)?;
        Some(host.join("etc/passwd"))
    }
}

/// Returns true if two paths lead to the same directory.
fn are_same(one: &Path, other: &Path) -> bool {
    let identity = |path| fs::metadata(path).ok().map(|it| (it.dev(), it.ino()));
    let one = identity(one);
    one.is_some() && one == identity(other)
}

/// Returns the process with the lowest PID that has tables.
fn first_with_net(root: &Path) -> Option<u32> {
    let mut pids = Vec::new();
    // If the directory cannot be read, the tables cannot be either, and that error is reported.
    let _ = Directory::open(root)
        .and_then(|it| it.for_each(&mut Scratch::default(), |pid| pids.push(pid)));
    pids.sort_unstable();
    pids.into_iter().find(|pid| root.join(pid.to_string()).join("net").is_dir())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use tempfile::TempDir;

    use super::*;

    /// Makes these directories, and returns the path, the tables and the process of the root,
    /// relative to the directory that was given.
    fn found(directories: &[&str]) -> [String; 3] {
        let directory = TempDir::new().unwrap();
        for name in directories {
            fs::create_dir_all(directory.path().join(name)).unwrap();
        }
        let Root { path, tables, process, .. } = Root::find(directory.path());
        [path, tables, process]
            .map(|path| path.strip_prefix(directory.path()).unwrap().to_str().unwrap().to_owned())
    }

    #[test]
    fn tables_are_found_in_the_root_below_a_process_or_below_proc() {
        for (directories, expected) in [
            (&["net", "1/net", "proc/net"][..], ["", "", "self"]),
            (&["1/net", "2/net", "proc/net"], ["", "1", "1"]),
            (&["20/net", "3/net", "1/fd"], ["", "3", "3"]),
            (&["proc/net", "etc"], ["proc", "proc", "proc/self"]),
            (&["proc/7/net"], ["proc", "proc/7", "proc/7"]),
            (&["proc"], ["", "", "self"]),
            (&[], ["", "", "self"]),
        ] {
            assert_eq!(found(directories), expected, "{directories:?}");
        }
    }

    #[test]
    fn users_are_beside_proc_but_never_those_of_this_host() {
        let directory = TempDir::new().unwrap();
        let proc = directory.path().join("proc");
        fs::create_dir_all(proc.join("net")).unwrap();
        symlink(&proc, directory.path().join("link")).unwrap();
        let passwd = |path: &Path| Root::find(path).passwd();
        assert_eq!(passwd(&proc), Some(proc.join("../etc/passwd")));
        assert_eq!(passwd(directory.path()), Some(proc.join("../etc/passwd")));
        let link = directory.path().join("link");
        assert_eq!(passwd(&link), Some(link.join("../etc/passwd")));
        assert_eq!(passwd(&proc.join("net")), None);
        assert_eq!(passwd(Path::new("/proc/../proc")), None);
        assert_eq!(Root::this_host().passwd(), None);
        assert_eq!(Root::find(Path::new("/")), Root::this_host());
    }
}
