//! Network namespaces, found through the processes that are in them: `<root>/<pid>/ns/net`
//! (`man 7 network_namespaces`).
//!
//! Whose namespace may not be told (`ns/net` of somebody else's process) is known all the same by
//! its tables, which may be read: `<pid>/net/dev` is one file for all of a namespace's processes.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use procfs::{FromRead, ProcessCGroups};

use crate::directory::{Directory, Scratch, hides_processes};
use crate::files;
use crate::number::decimal;
use crate::process::{Pid, threads};

/// Where `ip netns` keeps namespaces by name (`man 8 ip-netns`).
const NAMED: &str = "/run/netns";
/// Characters of a container's identifier that tools show.
const SHORT_ID: usize = 12;
/// Characters that it has.
const WHOLE_ID: usize = 64;

/// Which namespaces are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Every one that can be seen.
    All,
    /// That of a process, or the one with this label.
    One(String),
}

/// A network namespace with processes in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Namespace {
    /// Its inode, by which the kernel tells it from others; none where it may not be told.
    pub number: Option<u64>,
    /// What it is called: its `ip netns` names, and its container's short identifier. Others choose
    /// these.
    pub names: Vec<String>,
    /// Whether this process is in it itself.
    pub is_own: bool,
    /// The processes in it, in their order, of which each shows the same tables; in the place of
    /// one whose first thread is not in it, another thread of that.
    pub pids: Vec<Pid>,
}

impl Namespace {
    /// What it is shown as: its first name, else its number, else one of its processes.
    #[must_use]
    pub fn label(&self) -> Cow<'_, str> {
        match self.names.first() {
            Some(name) => name.into(),
            None => self.unnamed().into(),
        }
    }

    /// What it is shown as where it has no name.
    fn unnamed(&self) -> String {
        match (self.number, self.pids.first()) {
            (Some(number), _) => number.to_string(),
            (None, Some(pid)) => format!("pid:{pid}"),
            (None, None) => String::new(),
        }
    }
}

/// What is to be found below a root.
#[derive(Debug, Default)]
pub struct Namespaces {
    /// Those that can be seen: the own one first, then in order of their numbers.
    pub seen: Vec<Namespace>,
    /// Processes that hide which one they are in.
    pub hidden: usize,
    /// Those of others hide that they are there.
    pub hides_processes: bool,
    /// Names of those without a process, whose tables /proc does not show.
    pub empty: Vec<String>,
}

/// Why there is no such namespace to look into.
#[derive(Debug)]
pub enum Unknown {
    /// The processes cannot be listed.
    Processes {
        /// Where they should be.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// It has a name, and no process.
    Empty(String),
    /// Several are called so, of which one may have taken another's name.
    Several {
        /// What was asked for.
        name: String,
        /// Their numbers, or else a process of each.
        which: Vec<String>,
    },
    /// Nothing that is seen is called so.
    Name {
        /// What was asked for.
        name: String,
        /// There are some of which the number, and so the name, may not be told.
        hidden: bool,
    },
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Processes { path, error } => {
                write!(f, "no network namespace can be found: {}: {error}", path.display())
            }
            Self::Empty(name) => write!(
                f,
                "no process is in the network namespace {name}, and /proc shows those of processes \
                 alone: ip netns exec {name} rnetstat looks from within"
            ),
            Self::Several { name, which } => write!(
                f,
                "several network namespaces are called {name}: --netns takes their numbers as well: {}",
                which.join(", ")
            ),
            Self::Name { name, hidden: true } => write!(
                f,
                "no network namespace is known to be {name}, but there are some whose names may not be \
                 told without CAP_SYS_PTRACE: --netns all shows them with a process of each"
            ),
            Self::Name { name, hidden: false } => write!(
                f,
                "there is no network namespace {name}: --netns takes all, a process's number, a name of \
                 ip netns, a container's short identifier or a namespace's number; --netns all shows \
                 which there are"
            ),
        }
    }
}

impl std::error::Error for Unknown {}

/// How a namespace is told from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Identity {
    Number(u64),
    /// The inode of its table of devices.
    Devices(u64),
}

/// Finds every namespace that some process below `root` is in.
///
/// # Errors
///
/// [`Unknown::Processes`].
pub fn all(root: &Path) -> Result<Namespaces, Unknown> {
    let mut found: BTreeMap<Identity, Vec<Pid>> = BTreeMap::new();
    let mut hidden = 0;
    for pid in processes(root)? {
        // A thread may have one for itself, and the first of them may have ended.
        let mut own: BTreeMap<Identity, Pid> = BTreeMap::new();
        let mut is_hidden = false;
        for thread in threads(root, pid) {
            match identity(&root.join(thread.to_string())) {
                Ok(identity) => _ = own.entry(identity).or_insert(thread),
                // Or it has ended.
                Err(error) => is_hidden |= error.kind() == io::ErrorKind::PermissionDenied,
            }
        }
        hidden += usize::from(is_hidden);
        for (identity, thread) in own {
            found.entry(identity).or_default().push(thread);
        }
    }
    for pids in found.values_mut() {
        pids.sort_unstable();
    }
    if found.is_empty() {
        let error = io::Error::other("no process shows which one it is in");
        return Err(Unknown::Processes { path: root.to_owned(), error });
    }
    merge(root, &mut found);
    let own = number(&root.join("self"));
    // Names are this host's, and no copy of a /proc has its own.
    let is_live = own.is_some() && own == number(Path::new("/proc/self"));
    let mut names = if is_live { names() } else { BTreeMap::new() };
    let mut seen: Vec<_> = found
        .into_iter()
        .map(|(identity, pids)| {
            let number = match identity {
                Identity::Number(number) => Some(number),
                Identity::Devices(_) => None,
            };
            let mut names = number.and_then(|number| names.remove(&number)).unwrap_or_default();
            names.extend(pids.first().and_then(|&pid| container(root, pid)));
            Namespace { number, names, is_own: number.is_some() && number == own, pids }
        })
        .collect();
    seen.sort_by_key(|namespace| !namespace.is_own);
    // Names of which nobody was seen may be those of namespaces that do not tell their numbers.
    let hides_processes = hides_processes(root);
    let are_empty =
        hidden == 0 && !hides_processes && seen.iter().all(|namespace| namespace.number.is_some());
    let mut empty = if are_empty { names.into_values().flatten().collect() } else { Vec::new() };
    empty.sort_unstable();
    Ok(Namespaces { seen, hidden, hides_processes, empty })
}

/// Finds the namespace with this label, or that of the process with this number.
///
/// # Errors
///
/// [`Unknown`].
pub fn one(root: &Path, wanted: &str) -> Result<Namespace, Unknown> {
    let Namespaces { mut seen, hidden, hides_processes, empty } = all(root)?;
    let number: Option<u64> = decimal(wanted.as_bytes());
    let pid: Option<Pid> = decimal(wanted.as_bytes());
    // A container's whole identifier is known by its beginning.
    let is_name = |name: &String| name == wanted || identifier(wanted) == Some(name);
    let by_name = |it: &Namespace| it.names.iter().any(is_name) || it.label() == wanted;
    let by_number = |it: &Namespace| number.is_some() && it.number == number;
    let named = seen.iter().position(by_name);
    if named.is_none() && empty.iter().any(|name| name == wanted) {
        return Err(Unknown::Empty(wanted.to_owned()));
    }
    let namesakes: Vec<_> = seen.iter().filter(|it| by_name(it) || by_number(it)).collect();
    if namesakes.len() > 1 {
        let which = namesakes.iter().map(|it| it.unnamed()).collect();
        return Err(Unknown::Several { name: wanted.to_owned(), which });
    }
    let at = named.or_else(|| seen.iter().position(by_number));
    let by_pid = || {
        let threads = pid.map(|pid| threads(root, pid)).unwrap_or_default();
        threads.iter().find_map(|thread| seen.iter().position(|it| it.pids.contains(thread)))
    };
    if let Some(at) = at.or_else(by_pid) {
        return Ok(seen.swap_remove(at));
    }
    let hidden =
        hidden > 0 || hides_processes || seen.iter().any(|namespace| namespace.number.is_none());
    Err(Unknown::Name { name: wanted.to_owned(), hidden })
}

/// The number of the namespace that the process in this directory is in, if it is told.
#[must_use]
pub fn number(process: &Path) -> Option<u64> {
    let link = fs::read_link(process.join("ns/net")).ok()?;
    decimal(link.to_str()?.strip_prefix("net:[")?.strip_suffix(']')?.as_bytes())
}

/// # Errors
///
/// Those of `readlink(2)` and `stat(2)`: `PermissionDenied` where it is not to be known.
fn identity(process: &Path) -> io::Result<Identity> {
    match fs::read_link(process.join("ns/net")) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            fs::metadata(process.join("net/dev")).map(|devices| Identity::Devices(devices.ino()))
        }
        Err(error) => Err(error),
        Ok(_) => number(process).map(Identity::Number).ok_or(io::ErrorKind::InvalidData.into()),
    }
}

/// Joins those that are known by their tables alone with those that are known by their numbers
/// too, from others of their processes.
fn merge(root: &Path, found: &mut BTreeMap<Identity, Vec<Pid>>) {
    let numbered: Vec<_> = found
        .iter()
        .filter(|(identity, _)| matches!(identity, Identity::Number(_)))
        .filter_map(|(&identity, pids)| {
            let path = root.join(pids.first()?.to_string()).join("net/dev");
            Some((identity, Identity::Devices(fs::metadata(path).ok()?.ino())))
        })
        .collect();
    for (number, devices) in numbered {
        if let Some(more) = found.remove(&devices)
            && let Some(pids) = found.get_mut(&number)
        {
            pids.extend(more);
            pids.sort_unstable();
        }
    }
}

/// # Errors
///
/// [`Unknown::Processes`].
fn processes(root: &Path) -> Result<Vec<Pid>, Unknown> {
    let failed = |error| Unknown::Processes { path: root.to_owned(), error };
    let mut pids = Vec::new();
    let directory = Directory::open(root).map_err(failed)?;
    directory.for_each(&mut Scratch::default(), |pid| pids.push(pid)).map_err(failed)?;
    pids.sort_unstable();
    Ok(pids)
}

/// What `ip netns` calls namespaces, by their numbers.
fn names() -> BTreeMap<u64, Vec<String>> {
    let mut names: BTreeMap<u64, Vec<String>> = BTreeMap::new();
    for entry in fs::read_dir(NAMED).into_iter().flatten().flatten() {
        if let Ok(file) = fs::metadata(entry.path()) {
            let name = entry.file_name().to_string_lossy().into_owned();
            names.entry(file.ino()).or_default().push(name);
        }
    }
    for names in names.values_mut() {
        names.sort();
    }
    names
}

/// The short identifier of the container that a process is in, by its control group.
fn container(root: &Path, pid: Pid) -> Option<String> {
    let mut buffer = [0; 8192];
    let path = root.join(pid.to_string()).join("cgroup");
    let text = files::read_start(&path, &mut buffer).ok()?;
    let ProcessCGroups(groups) = ProcessCGroups::from_read(text).ok()?;
    groups.iter().find_map(|group| identifier(&group.pathname)).map(ToOwned::to_owned)
}

/// The container's identifier in the path of a control group: 64 hexadecimal digits, as
/// `/docker/<id>`, `/…/docker-<id>.scope`, `/…/cri-containerd-<id>.scope` have it.
fn identifier(path: &str) -> Option<&str> {
    let words = path.split(|char: char| !char.is_ascii_hexdigit());
    words.filter(|word| word.len() == WHOLE_ID).find_map(|word| word.get(..SHORT_ID))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_containers_identifier_is_in_its_control_group() {
        let id = "4f1c3a5e7b9d".to_owned() + &"0".repeat(52);
        for path in [
            format!("/docker/{id}"),
            format!("/system.slice/docker-{id}.scope"),
            format!("/kubepods/burstable/pod1b2c/cri-containerd-{id}.scope"),
            format!("/machine.slice/libpod-{id}.scope/container"),
        ] {
            assert_eq!(identifier(&path), Some("4f1c3a5e7b9d"), "{path}");
        }
        for path in ["/".to_owned(), "/user.slice/user-1000.slice".into(), format!("/x/{id}0")] {
            assert_eq!(identifier(&path), None, "{path}");
        }
    }
}
