//! What a process belongs to: its control group, and the systemd unit and the container that the
//! path of the group names (`man 7 cgroups`).

use std::io;
use std::path::Path;

use procfs::{FromRead, ProcessCGroups};

use super::{Pid, file};
use crate::files;

/// The number of characters in the short identifier of a container, as `docker ps` shows it.
const SHORT_ID: usize = 12;
/// The number of characters in the whole identifier.
const WHOLE_ID: usize = 64;

/// What a process belongs to. The text is foreign: anyone who may make control groups chooses it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Service {
    /// The path of the control group, in the hierarchy of systemd if there are several.
    pub cgroup: Option<String>,
    /// The innermost systemd unit that is no slice; `None` for systemd itself.
    pub unit: Option<String>,
    /// The innermost container.
    pub container: Option<Container>,
}

/// A container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Container {
    /// The whole identifier, or the name for lxc, which has no identifiers.
    pub id: String,
    /// The name that the runtime's own files give it, if they can be read.
    pub name: Option<String>,
}

impl Service {
    /// Reads `<root>/<pid>/cgroup`. Fails like `open(2)` and `read(2)`.
    pub fn read(root: &Path, pid: Pid) -> io::Result<Self> {
        let mut buffer = [0; 16 * 1024];
        let text = files::read_start(&file(root, pid, "cgroup"), &mut buffer)?;
        let text = String::from_utf8_lossy(text);
        // A line that is no group, which the kernel does not print, hides all of them.
        let groups = ProcessCGroups::from_read(text.as_bytes()).map_or(Vec::new(), |it| it.0);
        let path = |is_wanted: &dyn Fn(&procfs::ProcessCGroup) -> bool| {
            groups.iter().find(|group| is_wanted(group)).map(|group| group.pathname.as_str())
        };
        let systemd = path(&|it| it.controllers.iter().any(|name| name == "name=systemd"));
        // In version 2 there is only one hierarchy. Beside version 1, it can be unused.
        let unified = path(&|it| it.hierarchy == 0);
        let any = path(&|it| it.pathname != "/");
        let cgroup = unified.filter(|&path| path != "/").or(systemd).or(unified).or(any);
        Ok(Self {
            cgroup: cgroup.map(ToOwned::to_owned),
            // systemd itself has sockets for the services that it starts on demand.
            unit: cgroup
                .and_then(unit)
                .filter(|&unit| pid != 1 || unit != "init.scope")
                .map(ToOwned::to_owned),
            container: groups.iter().find_map(|it| Container::of(&it.pathname)),
        })
    }

    /// Returns true if this is the name of the container, or the beginning of its identifier.
    pub fn is_container(&self, text: &str) -> bool {
        self.container.as_ref().is_some_and(|it| it.is_called(text) || it.id.starts_with(text))
    }
}

/// Returns true if this is the name of the unit; `.service` can be missing.
pub fn is_unit(unit: &str, name: &str) -> bool {
    unit == name || unit.strip_suffix(".service") == Some(name)
}

impl Container {
    /// Returns the innermost container in the path of a control group.
    fn of(path: &str) -> Option<Self> {
        let container = |id: &str| Self { id: id.to_owned(), name: None };
        // The path begins with `/`, so each part has one before it.
        let parts: Vec<_> = path.split('/').collect();
        let found = parts.windows(2).rev().find_map(|pair| match *pair {
            [parent, part] => identifier(part).or_else(|| lxc_name(parent, part)),
            _ => None,
        });
        found.map(container)
    }

    /// Returns true if this is its name.
    pub fn is_called(&self, name: &str) -> bool {
        self.id == name || self.name.as_deref() == Some(name)
    }

    /// The short identifier.
    pub fn short_id(&self) -> &str {
        short_id(&self.id)
    }

    /// The name if there is one, else the short identifier.
    pub fn label(&self) -> &str {
        self.name.as_deref().unwrap_or(self.short_id())
    }
}

/// Returns the short form of an identifier. Names of lxc containers stay as they are.
pub fn short_id(id: &str) -> &str {
    if is_whole_id(id) { id.get(..SHORT_ID).unwrap_or(id) } else { id }
}

pub(super) fn is_whole_id(text: &str) -> bool {
    text.len() == WHOLE_ID && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Returns the whole identifier in one part of a path, such as `<id>`, `docker-<id>.scope`,
/// `cri-containerd-<id>.scope`, or `kubepods-pod1.slice:cri-containerd:<id>`. The process that
/// watches a container of podman or cri-o, conmon, has a group of its own outside of it.
fn identifier(part: &str) -> Option<&str> {
    let id = part.split(|char: char| !char.is_ascii_alphanumeric()).rfind(|it| is_whole_id(it))?;
    (!part.contains("conmon-")).then_some(id)
}

/// Returns the name of the lxc container in one part of a path: `lxc.payload.<name>`, and
/// `lxc/<name>` or `lxc.payload/<name>` in older versions.
fn lxc_name<'a>(parent: &str, part: &'a str) -> Option<&'a str> {
    let is_below_lxc = ["lxc", "lxc.payload"].contains(&parent);
    part.strip_prefix("lxc.payload.").or(is_below_lxc.then_some(part)).filter(|it| !it.is_empty())
}

/// Returns the innermost unit in the path of a control group that is no slice: a service, a scope,
/// or another unit with processes (`man 5 systemd.unit`). systemd puts `_` before a name that would
/// be that of a file of the kernel.
fn unit(path: &str) -> Option<&str> {
    const TYPES: [&str; 5] = [".service", ".scope", ".socket", ".mount", ".swap"];
    let name = |part: &'_ str| -> Option<usize> {
        let start = TYPES.iter().find_map(|&it| part.strip_suffix(it))?;
        (!start.is_empty() && start != "_").then_some(usize::from(part.starts_with('_')))
    };
    path.split('/').rev().find_map(|part| part.get(name(part)?..))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;

    fn read(text: &str) -> Service {
        let root = TempDir::new().unwrap();
        fs::create_dir(root.path().join("5")).unwrap();
        fs::write(file(root.path(), 5, "cgroup"), text).unwrap();
        Service::read(root.path(), 5).unwrap()
    }

    #[test]
    fn unit_is_the_innermost_that_is_no_slice() {
        for (path, unit) in [
            ("/system.slice/nginx.service", Some("nginx.service")),
            ("/system.slice/system-getty.slice/getty@tty1.service", Some("getty@tty1.service")),
            (
                "/user.slice/user-1000.slice/user@1000.service/app.slice/app-firefox.scope",
                Some("app-firefox.scope"),
            ),
            ("/user.slice/user-1000.slice/session-4.scope", Some("session-4.scope")),
            ("/user.slice/user-1000.slice/user@1000.service/init.scope", Some("init.scope")),
            ("/system.slice/web.service/workers/1", Some("web.service")),
            ("/system.slice/_cpu.service", Some("cpu.service")),
            ("/system.slice/a b\\x2dc.service", Some("a b\\x2dc.service")),
            ("/system.slice", None),
            ("/.service/_.service", None),
            ("/", None),
        ] {
            let service = read(&format!("0::{path}\n"));
            assert_eq!(service.unit.as_deref(), unit, "{path}");
            assert_eq!(service.cgroup.as_deref(), Some(path));
        }
    }

    #[test]
    fn container_is_the_innermost_of_any_runtime() {
        let id = "4f1c3a5e7b9d".to_owned() + &"0".repeat(52);
        let (id, other) = (&id[..], &"ab".repeat(32)[..]);
        for (path, container) in [
            (format!("/docker/{id}"), Some(id)),
            (format!("/system.slice/docker-{id}.scope"), Some(id)),
            (format!("/kubepods/burstable/pod1b2c/{id}"), Some(id)),
            (format!("/kubepods.slice/kubepods-pod1.slice/cri-containerd-{id}.scope"), Some(id)),
            (format!("/kubepods.slice/kubepods-pod1.slice/crio-{id}.scope"), Some(id)),
            (
                format!("/system.slice/containerd.service/kube-pod1.slice:cri-containerd:{id}"),
                Some(id),
            ),
            (format!("/machine.slice/libpod-{id}.scope/container"), Some(id)),
            (format!("/docker/{other}/docker/{id}/init.scope"), Some(id)),
            (format!("/docker/{id}/lxc.payload.web"), Some("web")),
            (format!("/lxc/web/docker/{id}"), Some(id)),
            ("/lxc/web/system.slice/ssh.service".into(), Some("web")),
            ("/lxc.payload/web/init.scope".into(), Some("web")),
            ("/lxc.payload.web-1/init.scope".into(), Some("web-1")),
            ("/lxc.monitor.web".into(), None),
            (format!("/machine.slice/libpod-conmon-{id}.scope"), None),
            (format!("/system.slice/crio-conmon-{id}.scope"), None),
            (format!("/x/{id}0"), None),
            ("/user.slice/user-1000.slice".into(), None),
            ("/".into(), None),
        ] {
            let service = read(&format!("0::{path}\n"));
            let found = service.container.as_ref().map(|it| it.id.as_str());
            assert_eq!(found, container, "{path}");
        }
    }

    #[test]
    fn group_is_that_of_systemd_if_there_are_several() {
        let docker = format!("/docker/{}", "c".repeat(64));
        for (text, cgroup) in [
            (format!("12:pids:{docker}\n1:name=systemd:/a.service\n0::/\n"), "/a.service"),
            (format!("12:pids:{docker}\n1:name=systemd:/a.service\n0::/b.service\n"), "/b.service"),
            (format!("12:pids:{docker}\n11:cpu:/\n"), &docker),
            (format!("12:pids:{docker}\n1:name=systemd:/\n"), "/"),
        ] {
            let service = read(&text);
            assert_eq!(service.cgroup.as_deref(), Some(cgroup), "{text}");
            assert!(service.is_container("ccc") && service.is_container(&"c".repeat(64)));
            assert!(!service.is_container("d"));
        }
        assert_eq!(read(""), Service::default());
    }

    #[test]
    fn systemd_itself_is_of_no_unit() {
        let root = TempDir::new().unwrap();
        fs::create_dir(root.path().join("1")).unwrap();
        for (group, unit) in [("/init.scope", None), ("/system.slice/a.scope", Some("a.scope"))] {
            fs::write(file(root.path(), 1, "cgroup"), format!("0::{group}\n")).unwrap();
            let service = Service::read(root.path(), 1).unwrap();
            assert_eq!((service.unit.as_deref(), service.cgroup.as_deref()), (unit, Some(group)));
        }
    }

    #[test]
    fn suffix_of_a_service_can_be_missing() {
        let service = read("0::/system.slice/nginx.service\n");
        let unit = service.unit.as_deref().unwrap();
        assert!(is_unit(unit, "nginx") && is_unit(unit, "nginx.service"));
        assert!(!is_unit(unit, "ngin") && !is_unit("a.scope", "a"));
    }
}
