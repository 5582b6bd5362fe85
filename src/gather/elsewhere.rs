//! Reads the tables of other network namespaces.

use std::fs;
use std::io;
use std::path::Path;

use nix::errno::Errno;

use super::Gatherer;
use crate::entrance::Entrance;
use crate::interfaces::Interfaces;
use crate::listing::Part;
use crate::namespaces::{self, Namespace};
use crate::remark::{Remark, Sink};
use crate::tables::policy::Source;

impl Gatherer<'_> {
    /// Reads the tables of all namespaces. Fails if none can be read.
    pub(super) fn read_all_namespaces(&mut self, remark: Sink<'_>) -> Result<Vec<Part>, Remark> {
        let mut found = namespaces::all(&self.root)?;
        if self.may_enter() {
            found.open_empty();
        }
        found.remarks().into_iter().for_each(&mut *remark);
        let (mut parts, mut errors) = (Vec::new(), Vec::new());
        for namespace in found.seen {
            match self.read_namespace(&namespace, remark) {
                Ok(part) => parts.push(part),
                // All its processes have ended meanwhile.
                Err(Remark::EmptyNamespace(_)) if !namespace.pids.is_empty() => {}
                Err(error) => errors.push(error),
            }
        }
        if parts.is_empty()
            && let Some(error) = errors.pop()
        {
            return Err(error);
        }
        errors.into_iter().for_each(remark);
        Ok(parts)
    }

    /// Reads the tables of a namespace through the first of its processes that still exists, or through
    /// its name.
    pub(super) fn read_namespace(
        &mut self,
        namespace: &Namespace,
        remark: Sink<'_>,
    ) -> Result<Part, Remark> {
        if namespace.is_own {
            match self.read_own_tables(remark) {
                // If /proc is mounted with `subset=pid`, it has tables only below each process.
                Err(Remark::NoTable(_, error)) if error.kind() == io::ErrorKind::NotFound => {}
                sockets => return Ok(self.own_part(Some(namespace.clone()), sockets?)),
            }
        }
        let processes = namespace.pids.iter().map(|pid| self.root.path.join(pid.to_string()));
        let processes: Vec<_> = processes.collect();
        for process in &processes {
            let mut remarks = Vec::new();
            let entrance = self.entrance(&process.join("ns/net"), namespace).ok();
            if entrance.is_none() && self.may_enter() {
                remark(Remark::NotEntered(namespace.label().into_owned()));
            }
            let result = self.read_at(process, entrance, namespace, &mut |it| remarks.push(it));
            let error = result.as_ref().err().or(remarks.first());
            // In a saved tree, no name leads to the namespace.
            let is_final = !self.root.is_this_host && processes.last() == Some(process);
            if is_final || !error.is_some_and(|error| has_ended(process, error)) {
                remarks.into_iter().for_each(remark);
                return result;
            }
        }
        for name in &namespace.names {
            let path = Path::new(namespaces::NAMED).join(name);
            match self.entrance(&path, namespace) {
                Ok(entrance) => return self.read_inside(&entrance, namespace, remark),
                Err(error) if error.raw_os_error() == Some(Errno::EINVAL as i32) => {
                    return Err(Remark::NoNetworkNamespace(path));
                }
                Err(_) => {}
            }
        }
        Err(Remark::EmptyNamespace(namespace.label().into_owned()))
    }

    /// Reads the tables of a namespace without a process, on a thread in it: each thread finds the text
    /// of its own namespace in `/proc/thread-self/net`.
    fn read_inside(
        &mut self,
        entrance: &Entrance,
        namespace: &Namespace,
        remark: Sink<'_>,
    ) -> Result<Part, Remark> {
        let thread = self.root.path.join("thread-self");
        let mut remarks = Vec::new();
        let part = entrance.inside(|| {
            let mut remark = |it: Remark| remarks.push(it);
            self.read_at(&thread, Some(entrance.clone()), namespace, &mut remark)
        });
        remarks.into_iter().for_each(remark);
        part.unwrap_or_else(|_| Err(Remark::EmptyNamespace(namespace.label().into_owned())))
    }

    /// Reads the tables of a namespace: by netlink if it can be entered, else the text in a directory.
    fn read_at(
        &mut self,
        directory: &Path,
        entrance: Option<Entrance>,
        namespace: &Namespace,
        remark: Sink<'_>,
    ) -> Result<Part, Remark> {
        if entrance.is_none() && self.request.source == Source::Netlink {
            return Err(Remark::NetlinkWithNetns);
        }
        let mut tables = self.tables.elsewhere(directory, entrance.clone());
        let mut sockets = tables.read(&self.reading, remark)?;
        if self.finds_unix_peers() {
            self.lacks_unix_peers |= !tables.uses_netlink();
            tables.find_unix_peers(&mut sockets, remark);
        }
        let interfaces = match entrance {
            _ if !self.needs_interfaces(&sockets) => Interfaces::default(),
            Some(entrance) => entrance.inside(Interfaces::own).unwrap_or_default(),
            None => Interfaces::read(&directory.join("net")),
        };
        let infos = tables.take_infos();
        Ok(Part { namespace: Some(namespace.clone()), sockets, interfaces, infos })
    }

    /// Returns the entrance to a namespace. Fails if it may not be entered, or if netlink is avoided.
    fn entrance(&self, path: &Path, namespace: &Namespace) -> io::Result<Entrance> {
        let number = namespace.number.filter(|_| self.may_enter());
        Entrance::open(path, number.ok_or(io::ErrorKind::PermissionDenied)?)
    }

    /// Returns true if netlink can be asked about namespaces of this host.
    pub(super) fn may_enter(&self) -> bool {
        self.request.source != Source::Text && self.root.is_this_host
    }
}

/// Returns true if a table could not be read because the process in this directory has ended: it is
/// gone, or it is a zombie, for which the kernel says `ENOENT` or `EINVAL`.
fn has_ended(process: &Path, error: &Remark) -> bool {
    let number = match error {
        Remark::NoTable(_, error) | Remark::PartialTable(_, error) => error.raw_os_error(),
        Remark::AbsentTable(_) => Some(Errno::ENOENT as i32),
        _ => None,
    };
    match number.map(Errno::from_raw) {
        // A process that is alive has a network namespace, even if it may not be read.
        Some(Errno::ENOENT) => fs::read_link(process.join("ns/net"))
            .is_err_and(|error| error.kind() == io::ErrorKind::NotFound),
        Some(Errno::ESRCH | Errno::EINVAL) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;
    use crate::remark::Origin;

    #[test]
    fn tables_of_an_ended_process_are_recognised_by_their_error() {
        let process = TempDir::new().unwrap();
        let namespace = process.path().join("ns");
        let table = |errno| Remark::NoTable(Origin::Netlink("tcp"), io::Error::from(errno));
        for (errno, ended_without_namespace, ended_with_namespace) in [
            (Errno::ENOENT, true, false),
            (Errno::ESRCH, true, true),
            // A zombie.
            (Errno::EINVAL, true, true),
            (Errno::EACCES, false, false),
        ] {
            assert_eq!(
                has_ended(process.path(), &table(errno)),
                ended_without_namespace,
                "{errno}"
            );
            fs::create_dir(&namespace).unwrap();
            std::os::unix::fs::symlink("net:[1]", namespace.join("net")).unwrap();
            assert_eq!(has_ended(process.path(), &table(errno)), ended_with_namespace, "{errno}");
            fs::remove_dir_all(&namespace).unwrap();
        }
        assert!(!has_ended(process.path(), &Remark::NoMatch));
    }
}
