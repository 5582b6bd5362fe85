//! Enters other network namespaces (`man 2 setns`): netlink tells each namespace only about itself.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::panic::resume_unwind;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use nix::sched::{CloneFlags, setns};

/// A network namespace that this process may enter: that needs `CAP_SYS_ADMIN`.
#[derive(Clone, Debug)]
pub struct Entrance(Arc<File>);

impl Entrance {
    /// Opens the namespace with this number at `path`: `/proc/<pid>/ns/net`, or a file of `ip netns`.
    /// Fails if it may not be entered, or if another namespace is there now.
    pub fn open(path: &Path, number: u64) -> io::Result<Self> {
        let file = File::open(path)?;
        if file.metadata()?.ino() != number {
            return Err(io::ErrorKind::NotFound.into());
        }
        let entrance = Self(Arc::new(file));
        entrance.inside(|| ())?;
        Ok(entrance)
    }

    /// Runs this in the namespace, on a thread of its own: the other threads stay where they are. What
    /// it opens belongs to the namespace also afterwards.
    pub fn inside<T: Send>(&self, run: impl FnOnce() -> T + Send) -> io::Result<T> {
        thread::scope(|scope| {
            let thread = thread::Builder::new().spawn_scoped(scope, || {
                setns(&*self.0, CloneFlags::CLONE_NEWNET)?;
                Ok(run())
            })?;
            thread.join().unwrap_or_else(|panic| resume_unwind(panic))
        })
    }
}
