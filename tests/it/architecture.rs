//! The modules: their order in `src/lib.rs`, what they use, and how large their files are.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::common::say;

/// Each file must have fewer lines than this.
const MOST_LINES: usize = 500;

/// Returns the source files below a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let (folders, files): (Vec<_>, Vec<_>) = paths.partition(|path| path.is_dir());
    let below = folders.iter().flat_map(|folder| sources(folder));
    below.chain(files).filter(|path| path.extension().is_some_and(|it| it == "rs")).collect()
}

/// Returns the module that a file belongs to.
fn module(file: &Path) -> String {
    let inside = file.strip_prefix("src").unwrap();
    inside.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs").to_owned()
}

/// Returns the modules that a file uses outside its tests.
fn used(file: &Path) -> BTreeSet<String> {
    let text = fs::read_to_string(file).unwrap();
    let tests = text.find("mod tests {").unwrap_or(text.len());
    let name = |rest: &str| -> String {
        rest.chars().take_while(|char| char.is_alphanumeric() || *char == '_').collect()
    };
    text[..tests].split("crate::").skip(1).map(name).collect()
}

#[test]
fn modules_use_only_modules_below_them() {
    let text = fs::read_to_string("src/lib.rs").unwrap();
    let listed: Vec<String> = text
        .lines()
        .filter_map(|line| line.strip_prefix("//! - "))
        .map(|line| line.split(' ').next().unwrap().trim_matches(['[', ']', '`']).to_owned())
        .collect();
    let declared = text
        .lines()
        .filter_map(|line| line.trim_start_matches("pub ").strip_prefix("mod ")?.strip_suffix(';'));
    let declared: BTreeSet<_> = declared.filter(|name| *name != "fuzzing").collect();
    let names: BTreeSet<_> = listed.iter().map(String::as_str).collect();
    assert_eq!(names, declared, "the modules in the list, and those that lib.rs declares");
    let mut uses = 0;
    for file in sources(Path::new("src")) {
        let module = module(&file);
        let Some(place) = listed.iter().position(|name| *name == module) else {
            assert!(["main", "lib", "fuzzing"].contains(&&*module), "{module} is not listed");
            continue;
        };
        for other in
            used(&file).into_iter().filter(|other| !["fuzzing", &module].contains(&&**other))
        {
            let is_below = listed[place + 1..].contains(&other);
            assert!(is_below, "{} uses {other}, which is not below {module}", file.display());
            uses += 1;
        }
    }
    assert!(uses > 100, "only {uses} uses were found");
    say(&format!("{} modules use only modules below them", listed.len()));
}

#[test]
fn files_stay_under_500_lines() {
    let mut files = 0;
    for folder in ["src", "tests", "benches"] {
        for file in sources(Path::new(folder)) {
            let lines = fs::read_to_string(&file).unwrap().lines().count();
            assert!(lines < MOST_LINES, "{} has {lines} lines", file.display());
            files += 1;
        }
    }
    assert!(files > 80, "only {files} files");
}
