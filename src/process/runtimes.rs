//! The names of containers, from the files of docker and podman. Only root can read them.

use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::service::is_whole_id;
use crate::files;

/// The directory with the files of docker, one directory for each container.
const DOCKER: &str = "var/lib/docker/containers";
/// The file with the containers of podman and cri-o.
const PODMAN: &str = "var/lib/containers/storage/overlay-containers/containers.json";
/// The most bytes that are read of a file.
const MOST: u64 = 16 * 1024 * 1024;

/// The names of the containers of a host. Reads the files of a container when it is first asked for.
#[derive(Debug, Default)]
pub struct Runtimes {
    /// The root directory of the host; `None` if it is unknown.
    root: Option<PathBuf>,
    names: HashMap<String, Option<String>>,
    /// The names from the file of podman, once it is read.
    podman: Option<HashMap<String, String>>,
}

impl Runtimes {
    /// Returns the names of the containers of the host with this root directory.
    pub fn new(root: Option<PathBuf>) -> Self {
        Self { root, ..Self::default() }
    }

    /// Returns the name of the container with this identifier; `None` if it has none that can be
    /// read.
    pub fn name(&mut self, id: &str) -> Option<&str> {
        let root = self.root.as_deref().filter(|_| is_whole_id(id))?;
        if !self.names.contains_key(id) {
            let podman = self.podman.get_or_insert_with(|| podman(root));
            let name = docker(root, id).or_else(|| podman.get(id).cloned());
            self.names.insert(id.to_owned(), name);
        }
        self.names.get(id)?.as_deref()
    }
}

/// Returns the name that docker gave to a container.
fn docker(root: &Path, id: &str) -> Option<String> {
    let config = read(&root.join(DOCKER).join(id).join("config.v2.json"))?;
    let name = config.get("Name")?.as_str()?;
    Some(name.strip_prefix('/').unwrap_or(name).to_owned())
}

/// Returns the names of all containers of podman, by their identifiers.
fn podman(root: &Path) -> HashMap<String, String> {
    let containers = read(&root.join(PODMAN));
    let containers = containers.as_ref().and_then(Value::as_array).into_iter().flatten();
    let named = containers.filter_map(|it| {
        let name = it.get("names")?.as_array()?.first()?.as_str()?;
        Some((it.get("id")?.as_str()?.to_owned(), name.to_owned()))
    });
    named.collect()
}

fn read(path: &Path) -> Option<Value> {
    let mut text = Vec::new();
    files::open(path).ok()?.take(MOST).read_to_end(&mut text).ok()?;
    serde_json::from_slice(&text).ok()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;

    #[test]
    fn names_come_from_the_files_of_docker_and_podman() {
        let root = TempDir::new().unwrap();
        let put = |path: &str, text: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        let [web, db, none, bad] = ["a", "b", "c", "d"].map(|digit| digit.repeat(64));
        put(&format!("{DOCKER}/{web}/config.v2.json"), r#"{"ID":"a","Name":"/web"}"#);
        put(&format!("{DOCKER}/{bad}/config.v2.json"), r#"{"Name":7"#);
        put(PODMAN, &format!(r#"[{{"id":"{none}"}},{{"id":"{db}","names":["db","other"]}},7]"#));
        let mut runtimes = Runtimes::new(Some(root.path().to_owned()));
        for _ in 0..2 {
            assert_eq!(runtimes.name(&web), Some("web"));
            assert_eq!(runtimes.name(&db), Some("db"));
            assert_eq!([&none, &bad].map(|id| runtimes.name(id).map(str::to_owned)), [None, None]);
        }
        assert_eq!(runtimes.name("../../etc"), None);
        assert_eq!(Runtimes::default().name(&web), None);
    }
}
