//! The module table in `src/lib.rs`, and the size of source files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::common::say;

/// Returns the Rust files in a folder and the folders below it.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let (folders, files): (Vec<_>, Vec<_>) = paths.partition(|path| path.is_dir());
    let below = folders.iter().flat_map(|folder| sources(folder));
    below.chain(files).filter(|path| path.extension().is_some_and(|it| it == "rs")).collect()
}

/// Returns the top-level module that a file belongs to.
fn module_of(file: &Path) -> String {
    let inside = file.strip_prefix("src").unwrap();
    inside.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs").to_owned()
}

/// Returns the modules that a file names in its code. Its unit tests do not count.
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

/// Checks the rows ``| [`module`] | what it does | modules it uses |``: every module has a row,
/// uses the modules named there, and only modules of rows below its own.
#[test]
fn module_table_in_lib_matches_the_code() {
    let text = fs::read_to_string("src/lib.rs").unwrap();
    let rows: Vec<(String, BTreeSet<String>)> = text
        .lines()
        .filter_map(|line| line.strip_prefix("//! | ")?.strip_suffix('|'))
        .filter(|line| line.starts_with(['[', '`']))
        .map(|line| {
            let cells: Vec<_> = line.split(" |").map(str::trim).collect();
            let [module, _, uses] = cells[..] else { panic!("{line}") };
            let uses = uses.split(", ").filter(|it| !it.is_empty()).map(str::to_owned);
            (module.trim_matches(['[', ']', '`']).to_owned(), uses.collect())
        })
        .collect();
    let modules = text
        .lines()
        .filter_map(|line| line.trim_start_matches("pub ").strip_prefix("mod ")?.strip_suffix(';'));
    let modules: BTreeSet<_> = modules.filter(|it| *it != "fuzzing").collect();
    let in_table: BTreeSet<_> = rows.iter().map(|(module, _)| module.as_str()).collect();
    assert_eq!(in_table, modules, "the modules in the table (left) and in the code (right)");

    let mut uses: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in sources(Path::new("src")) {
        let module = module_of(&file);
        let others = used(&file).into_iter().filter(|it| *it != module && *it != "fuzzing");
        uses.entry(module.clone()).or_default().extend(others);
    }
    for (place, (module, in_table)) in rows.iter().enumerate() {
        assert_eq!(in_table, &uses[module], "{module} uses: table (left) and code (right)");
        let above = rows.iter().take(place + 1).map(|(other, _)| other);
        let upward: Vec<_> = above.filter(|other| in_table.contains(*other)).collect();
        assert!(upward.is_empty(), "{module} uses {upward:?}, which are not below it in the table");
    }
    say(&format!("{} modules match their rows in the table", rows.len()));
}

#[test]
fn files_stay_under_500_lines() {
    let mut files = 0;
    for file in sources(Path::new("src")).into_iter().chain(sources(Path::new("tests"))) {
        let lines = fs::read_to_string(&file).unwrap().lines().count();
        assert!(lines < 500, "{} has {lines} lines", file.display());
        files += 1;
    }
    assert!(files > 50, "only {files} files");
}
