//! The house is as its map says: the rooms, what they use, and how large they are.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::common::say;

/// Lines of a file from which on it wants a wall.
const LARGE: usize = 500;

/// The source files below a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let (folders, files): (Vec<_>, Vec<_>) = paths.partition(|path| path.is_dir());
    let below = folders.iter().flat_map(|folder| sources(folder));
    below.chain(files).filter(|path| path.extension().is_some_and(|it| it == "rs")).collect()
}

/// The room that a file is in.
fn room(file: &Path) -> String {
    let inside = file.strip_prefix("src").unwrap();
    inside.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs").to_owned()
}

/// The rooms that a file's code names, without its tests.
fn used(file: &Path) -> Vec<String> {
    if file.ends_with("tests.rs") {
        return Vec::new();
    }
    let text = fs::read_to_string(file).unwrap();
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let name = |rest: &str| -> String {
        rest.chars().take_while(|char| char.is_alphanumeric() || *char == '_').collect()
    };
    code.split("crate::").skip(1).map(name).collect()
}

#[test]
fn the_map_is_true() {
    let text = fs::read_to_string("src/lib.rs").unwrap();
    let rows: Vec<(String, BTreeSet<String>)> = text
        .lines()
        .filter_map(|line| line.strip_prefix("//! | ")?.strip_suffix('|'))
        .filter(|line| line.starts_with(['[', '`']))
        .map(|line| {
            let cells: Vec<_> = line.split(" |").map(str::trim).collect();
            let [room, _, uses] = cells[..] else { panic!("{line}") };
            let uses = uses.split(", ").filter(|it| !it.is_empty()).map(str::to_owned);
            (room.trim_matches(['[', ']', '`']).to_owned(), uses.collect())
        })
        .collect();
    let modules = text
        .lines()
        .filter_map(|line| line.trim_start_matches("pub ").strip_prefix("mod ")?.strip_suffix(';'));
    let modules: BTreeSet<_> = modules.filter(|it| *it != "fuzzing").collect();
    let on_map: BTreeSet<_> = rows.iter().map(|(room, _)| room.as_str()).collect();
    assert_eq!(on_map, modules, "the rooms on the map, and those that there are");

    let mut uses: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in sources(Path::new("src")) {
        let room = room(&file);
        let others = used(&file).into_iter().filter(|other| *other != room && *other != "fuzzing");
        uses.entry(room.clone()).or_default().extend(others);
    }
    for (place, (room, on_map)) in rows.iter().enumerate() {
        assert_eq!(on_map, &uses[room], "what {room} uses on the map, and in the code");
        let above = rows.iter().take(place + 1).map(|(other, _)| other);
        let upward: Vec<_> = above.filter(|other| on_map.contains(*other)).collect();
        assert!(upward.is_empty(), "{room} uses {upward:?}, which are not below it");
    }
    say(&format!("{} rooms are where the map has them", rows.len()));
}

#[test]
fn no_file_wants_a_wall() {
    let mut files = 0;
    for file in sources(Path::new("src")).into_iter().chain(sources(Path::new("tests"))) {
        let lines = fs::read_to_string(&file).unwrap().lines().count();
        assert!(lines < LARGE, "{} has {lines} lines", file.display());
        files += 1;
    }
    assert!(files > 50, "only {files} files");
}
