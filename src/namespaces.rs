//! Network namespaces, found through their processes: `<root>/<pid>/ns/net` (`man 7
//! network_namespaces`).
//!
//! A plain user may not read `ns/net` of the processes of other users, but may read their tables.
//! For all processes of a namespace, `<pid>/net/dev` has the same inode, which identifies it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::directory::{Directory, Scratch, hides_processes, is_procfs};
use crate::files;
use crate::number::decimal;
use crate::process::{Detail, Pid, Process, Service, file, short_id, threads};
use crate::remark::Remark;
use crate::root::Root;

/// The directory with the names of `ip netns` (`man 8 ip-netns`).
pub(crate) const NAMED: &str = "/run/netns";

/// The namespaces that `--netns` selects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// All visible namespaces.
    All,
    /// The namespace with this name or number, or of the process with this PID.
    One(String),
}

/// A network namespace with processes in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Namespace {
    /// The inode, which identifies the namespace; `None` if it is hidden.
    pub number: Option<u64>,
    /// The names that `ip netns` gave it, and the short identifier of its container. Two namespaces
    /// can have the same name: anyone can choose one that misleads.
    pub names: Vec<String>,
    /// rnetstat itself is in this namespace.
    pub is_own: bool,
    /// Its processes, in order of PID. All show the same tables. If the first thread of a process
    /// is in another namespace, another of its threads stands for the process.
    pub pids: Vec<Pid>,
}

impl Namespace {
    /// The label in listings: the first name, else the number, else one of the processes.
    pub fn label(&self) -> Cow<'_, str> {
        match self.names.first() {
            Some(name) => name.into(),
            None => self.unnamed().into(),
        }
    }

    /// The name in records: the label, or `None` if the label is the number.
    pub fn name(&self) -> Option<Cow<'_, str>> {
        let is_named = !self.names.is_empty() || self.number.is_none();
        Some(self.label()).filter(|label| is_named && !label.is_empty())
    }

    /// The label of a namespace without a name.
    fn unnamed(&self) -> String {
        match (self.number, self.pids.first()) {
            (Some(number), _) => number.to_string(),
            (None, Some(pid)) => format!("pid:{pid}"),
            (None, None) => String::new(),
        }
    }
}

/// The namespaces of the processes below a /proc root.
#[derive(Debug, Default)]
pub struct Namespaces {
    /// The visible namespaces: our own first, then in order of their numbers.
    pub seen: Vec<Namespace>,
    /// The number of processes that hide their namespace.
    pub hidden: usize,
    /// /proc does not list the processes of other users, as with `hidepid=2`.
    pub hides_processes: bool,
    /// The names of namespaces without a process, whose tables /proc does not show.
    pub empty: Vec<String>,
    /// The numbers of the namespaces without a process.
    empty_numbers: Vec<(u64, Vec<String>)>,
}

impl Namespaces {
    /// The remarks about namespaces that are missing.
    pub fn remarks(&self) -> Vec<Remark> {
        let mut remarks = Vec::new();
        if self.hidden > 0 {
            remarks.push(Remark::NamespacesHidden(self.hidden));
        }
        if self.hides_processes {
            remarks.push(Remark::NamespaceProcessesHidden);
        }
        if !self.empty.is_empty() {
            remarks.push(Remark::EmptyNamespaces(self.empty.clone()));
        }
        remarks
    }

    /// Moves the namespaces without a process to those that are seen: they can be entered by name.
    pub fn open_empty(&mut self) {
        self.empty.clear();
        let empty = self.empty_numbers.drain(..).map(|(number, names)| Namespace {
            number: Some(number),
            names,
            is_own: false,
            pids: Vec::new(),
        });
        self.seen.extend(empty);
    }

    /// Returns true if the number of some namespace may be hidden, and with it the name.
    fn hides_names(&self) -> bool {
        let is_unknown = |namespace: &Namespace| namespace.number.is_none();
        self.hidden > 0 || self.hides_processes || self.seen.iter().any(is_unknown)
    }
}

/// The key of a namespace: its number, or if that is hidden, the inode of `net/dev`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum NamespaceKey {
    Number(u64),
    /// The inode of `net/dev`.
    Devices(u64),
}

/// Finds the namespaces of all processes of a root. Fails if no process shows its namespace.
pub fn all(root: &Root) -> Result<Namespaces, Remark> {
    let own = number(&root.process);
    let root = &root.path;
    let (mut by_key, hidden) = group_processes(root)?;
    if by_key.is_empty() {
        return Err(Remark::AllNamespacesHidden(root.to_owned()));
    }
    merge(root, &mut by_key);
    // The names are about this host, and not about a saved tree.
    let mut names = if is_procfs(root) { names() } else { BTreeMap::new() };
    let mut seen: Vec<_> = by_key
        .into_iter()
        .map(|(key, pids)| {
            let number = match key {
                NamespaceKey::Number(number) => Some(number),
                NamespaceKey::Devices(_) => None,
            };
            let mut names = number.and_then(|number| names.remove(&number)).unwrap_or_default();
            names.extend(main_container(root, &pids));
            Namespace { number, names, is_own: number.is_some() && number == own, pids }
        })
        .collect();
    seen.sort_by_key(|namespace| !namespace.is_own);
    let hides_processes = hides_processes(root);
    let mut found = Namespaces { seen, hidden, hides_processes, ..Namespaces::default() };
    // The names that remain are of namespaces without a process, if no number is hidden.
    if !found.hides_names() {
        found.empty_numbers = names.into_iter().collect();
        found.empty = found.empty_numbers.iter().flat_map(|(_, names)| names).cloned().collect();
        found.empty.sort_unstable();
    }
    Ok(found)
}

/// Groups the processes below `root` by namespace, in order of PID. A process with threads in
/// several namespaces is in each of them, by its first thread there. Returns also the number of
/// processes whose namespace is hidden.
fn group_processes(root: &Path) -> Result<(BTreeMap<NamespaceKey, Vec<Pid>>, usize), Remark> {
    let mut by_key: BTreeMap<NamespaceKey, Vec<Pid>> = BTreeMap::new();
    let mut hidden = 0;
    let (mut pids, mut scratch) = (Vec::new(), Scratch::default());
    let listed =
        Directory::open(root).and_then(|it| it.for_each(&mut scratch, |pid| pids.push(pid)));
    listed.map_err(|error| Remark::NoNamespaces(root.to_owned(), error))?;
    for pid in pids {
        // A thread can have its own namespace, and the first thread can have ended.
        let mut of_process: BTreeMap<NamespaceKey, Pid> = BTreeMap::new();
        let mut is_hidden = false;
        for thread in threads(root, pid) {
            match key(&root.join(thread.to_string())) {
                Ok(key) => _ = of_process.entry(key).or_insert(thread),
                // Any other error means that the thread has ended.
                Err(error) => is_hidden |= error.kind() == io::ErrorKind::PermissionDenied,
            }
        }
        hidden += usize::from(is_hidden);
        for (key, thread) in of_process {
            by_key.entry(key).or_default().push(thread);
        }
    }
    for pids in by_key.values_mut() {
        pids.sort_unstable();
    }
    Ok((by_key, hidden))
}

/// Finds the namespace with this name or number, or of the process with this PID. Fails if there is
/// none or several, or if no process is in it and it may not be entered.
pub fn one(root: &Root, wanted: &str, may_enter: bool) -> Result<Namespace, Remark> {
    let mut found = all(root);
    if let (Ok(found), true) = (&mut found, may_enter) {
        found.open_empty();
    }
    // A saved tree can have the tables of a process, but not the link to its namespace.
    if let Err(Remark::AllNamespacesHidden(_)) = found
        && let Some(pid) = decimal(wanted.as_bytes())
        && let process = root.path.join(wanted)
        && process.join("net").is_dir()
    {
        let is_own = process == root.process;
        return Ok(Namespace { number: None, names: Vec::new(), is_own, pids: vec![pid] });
    }
    choose(&root.path, found?, wanted)
}

fn choose(root: &Path, mut found: Namespaces, wanted: &str) -> Result<Namespace, Remark> {
    let number: Option<u64> = decimal(wanted.as_bytes());
    // The whole identifier of a container is accepted as well; `names` has the short one.
    let short = short_id(wanted);
    let is_name = |name: &String| name == wanted || name == short;
    let by_name = |it: &Namespace| it.names.iter().any(is_name) || it.label() == wanted;
    let by_number = |it: &Namespace| number.is_some() && it.number == number;
    let named = found.seen.iter().position(by_name);
    if named.is_none() && found.empty.iter().any(|name| name == wanted) {
        return Err(Remark::EmptyNamespace(wanted.to_owned()));
    }
    only(&found.seen, wanted, |it| by_name(it) || by_number(it))?;
    let mut position = named
        .or_else(|| found.seen.iter().position(by_number))
        .or_else(|| position_of_process(root, &found.seen, decimal(wanted.as_bytes())?));
    if position.is_none() {
        // `names` has only one container. A pod has several.
        let is_inside = |&pid: &Pid| container(root, pid).is_some_and(|it| it == short);
        position = only(&found.seen, wanted, |it| it.pids.iter().any(is_inside))?;
    }
    let wanted = wanted.to_owned();
    match position {
        Some(position) => Ok(found.seen.swap_remove(position)),
        None if found.hides_names() => Err(Remark::NamespaceMaybeHidden(wanted)),
        None => Err(Remark::UnknownNamespace(wanted)),
    }
}

/// Returns the index of the only namespace that matches; `None` if there is none. Fails if there are
/// several.
fn only(
    namespaces: &[Namespace],
    wanted: &str,
    matches: impl Fn(&Namespace) -> bool,
) -> Result<Option<usize>, Remark> {
    let found: Vec<_> = (0..).zip(namespaces).filter(|(_, it)| matches(it)).collect();
    match found[..] {
        [] => Ok(None),
        [(position, _)] => Ok(Some(position)),
        _ => {
            let numbers = found.iter().map(|(_, it)| it.unnamed()).collect();
            Err(Remark::AmbiguousNamespace { name: wanted.to_owned(), numbers })
        }
    }
}

/// Returns the index of the namespace that the first visible thread of a process is in.
fn position_of_process(root: &Path, namespaces: &[Namespace], pid: Pid) -> Option<usize> {
    threads(root, pid)
        .iter()
        .find_map(|thread| namespaces.iter().position(|it| it.pids.contains(thread)))
}

/// Returns the number of the namespace of the process in this directory; `None` if it is hidden.
pub fn number(process: &Path) -> Option<u64> {
    let link = files::link_target(&process.join("ns/net")).ok()?;
    decimal(link.strip_prefix(b"net:[")?.strip_suffix(b"]")?)
}

/// Returns the key of the namespace of a process. Fails with `PermissionDenied` if it is hidden.
fn key(process: &Path) -> io::Result<NamespaceKey> {
    match files::link_target(&process.join("ns/net")) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            fs::metadata(process.join("net/dev"))
                .map(|devices| NamespaceKey::Devices(devices.ino()))
        }
        Err(error) => Err(error),
        Ok(_) => number(process).map(NamespaceKey::Number).ok_or(io::ErrorKind::InvalidData.into()),
    }
}

/// Merges a namespace that is in the map twice: by number, and by `net/dev`.
fn merge(root: &Path, found: &mut BTreeMap<NamespaceKey, Vec<Pid>>) {
    let numbered: Vec<_> = found
        .iter()
        .filter(|(key, _)| matches!(key, NamespaceKey::Number(_)))
        .filter_map(|(&key, pids)| {
            let path = root.join(pids.first()?.to_string()).join("net/dev");
            Some((key, NamespaceKey::Devices(fs::metadata(path).ok()?.ino())))
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

/// Returns the names that `ip netns` gave to namespaces, keyed by the number of the namespace.
fn names() -> BTreeMap<u64, Vec<String>> {
    let mut names: BTreeMap<u64, Vec<String>> = BTreeMap::new();
    // `ip netns` mounts a namespace on each file. A file without a mount is left over.
    let Ok(own) = fs::metadata("/proc/self/ns/net") else { return names };
    for entry in fs::read_dir(NAMED).into_iter().flatten().flatten() {
        if let Ok(file) = fs::metadata(entry.path())
            && file.dev() == own.dev()
        {
            let name = entry.file_name().to_string_lossy().into_owned();
            names.entry(file.ino()).or_default().push(name);
        }
    }
    for names in names.values_mut() {
        names.sort();
    }
    names
}

/// Returns the short identifier of the container of these processes. If there are several, as in a pod,
/// the first with sockets; else the first that does more than to keep the namespaces.
fn main_container(root: &Path, pids: &[Pid]) -> Option<String> {
    let first = container(root, *pids.first()?)?;
    let others = || pids.iter().filter(|&&pid| container(root, pid).is_some_and(|it| it != first));
    if others().next().is_none() {
        return Some(first);
    }
    let found = |is_wanted: &dyn Fn(Pid) -> bool| pids.iter().find(|&&pid| is_wanted(pid)).copied();
    let main = found(&|pid| has_sockets(root, pid)).or_else(|| found(&|pid| !is_pause(root, pid)));
    main.and_then(|pid| container(root, pid)).or(Some(first))
}

/// Returns true if a process visibly owns a socket.
fn has_sockets(root: &Path, pid: Pid) -> bool {
    let Ok(directory) = Directory::open(&file(root, pid, "fd")) else { return false };
    let mut fds = Vec::new();
    // The descriptors before an error are listed.
    let _ = directory.for_each(&mut Scratch::default(), |fd| fds.push(fd));
    let is_socket = |fd| directory.link(fd, |target| target.starts_with(b"socket:["));
    fds.into_iter().any(|fd| is_socket(fd).unwrap_or(false))
}

/// Returns true if this process is the program `pause`, which Kubernetes runs in each pod.
fn is_pause(root: &Path, pid: Pid) -> bool {
    Process::read(root, pid, Detail::default()).is_ok_and(|it| it.command.program() == b"pause")
}

/// Returns the short identifier of the container of a process, from its control group.
fn container(root: &Path, pid: Pid) -> Option<String> {
    Some(Service::read(root, pid).ok()?.container?.short_id().to_owned())
}
