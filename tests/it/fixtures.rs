//! The expected output of every case in `fixtures/`, byte for byte, and the schema of records.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::unistd::Uid;
use serde_json::Value;

use crate::common::pty::Pty;
use crate::common::run::{RNETSTAT, Run, RunCommand, program, rnetstat};
use crate::common::schema::{assert_valid, schema};
use crate::common::{NOBODY, copy_tree, difference, is_root, public_copy, say, words};

/// Returns the folders of the cases.
fn cases() -> Vec<PathBuf> {
    let entries = fs::read_dir("fixtures").unwrap().map(|entry| entry.unwrap().path());
    let mut cases: Vec<_> = entries.filter(|path| path.join("expected").is_dir()).collect();
    cases.sort();
    cases
}

/// Compares the output with each `fixtures/<case>/expected/<flags>.txt`, which is the output of
/// netstat unless the file `differs` lists the flags, and with each `<flags>.out`, for options that
/// netstat does not have.
#[test]
fn every_fixture_prints_its_expected_output() {
    let mut failures = Vec::new();
    let mut compared = 0;
    for case in cases() {
        for file in fs::read_dir(case.join("expected")).unwrap() {
            let file = file.unwrap().path();
            if !["txt", "out"].map(Some).contains(&file.extension().and_then(|it| it.to_str())) {
                let listings = ["txt", "out"].map(|other| file.with_extension(other).exists());
                assert!(listings.contains(&true), "{} has no listing", file.display());
                continue;
            }
            let name = file.file_stem().unwrap().to_str().unwrap().replace("%2F", "/");
            let (flags, width) = match name.split_once('@') {
                Some((flags, width)) => (flags, Some(width.parse().unwrap())),
                None => (name.as_str(), None),
            };
            let (run, uid) = run_case(&case, flags, width);
            let expected = fs::read_to_string(&file).unwrap();
            let remarks = fs::read_to_string(file.with_extension("stderr")).unwrap_or_default();
            let remarks = remarks.replace("{uid}", &uid.to_string());
            let status = fs::read_to_string(file.with_extension("status"));
            let status: i32 = status.map_or(0, |status| status.trim().parse().unwrap());
            let differences = [
                difference(&expected, &run.stdout),
                difference(&of_any_machine(&remarks), &of_any_machine(&run.stderr)),
                (run.status != Some(status)).then(|| format!("status {:?}\n", run.status)),
            ];
            for difference in differences.into_iter().flatten() {
                failures.push(format!("{} {name}\n{difference}", case.display()));
            }
            compared += 1;
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
    assert!(compared > 190, "only {compared} expectations were found");
    say(&format!("{compared} expectations compared with the output of rnetstat"));
}

/// Removes the remark about the byte order if another program is under test: its machine decides which
/// trees have the other order.
fn of_any_machine(remarks: &str) -> String {
    let is_kept =
        |line: &&str| program() == RNETSTAT || !line.contains("-endian host; --byte-order");
    remarks.split_inclusive('\n').filter(is_kept).collect()
}

/// Runs a case, on a terminal if a width is given. Returns also the UID of the run.
///
/// A case can have a file `modes` with the permissions of paths in its tree. They are set on a copy
/// of the tree. Root would ignore them, so root runs such a case as nobody.
fn run_case(case: &Path, flags: &str, width: Option<u16>) -> (Run, u32) {
    let own = Uid::effective().as_raw();
    let run = |command: &mut Command| {
        let proc = case.join("proc");
        command.arg("--proc").arg(proc).args(words(flags));
        command.env_remove("NO_COLOR").env("TERM", "xterm");
        run_on(command, width)
    };
    let Ok(modes) = fs::read_to_string(case.join("modes")) else {
        return (run(&mut Command::new(program())), own);
    };
    let (directory, program) = public_copy();
    let copy = directory.path().join(case);
    fs::create_dir_all(&copy).unwrap();
    copy_tree(&case.join("proc"), &copy);
    let paths: Vec<_> = modes.lines().map(|line| line.split_once(' ').unwrap()).collect();
    let set = |path: &str, mode| {
        fs::set_permissions(copy.join("proc").join(path), fs::Permissions::from_mode(mode))
            .unwrap();
    };
    for (mode, path) in &paths {
        set(path, u32::from_str_radix(mode, 8).unwrap());
    }
    let mut command = Command::new(program);
    command.current_dir(directory.path());
    let uid = if is_root() { NOBODY } else { own };
    if is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    let run = run(&mut command);
    // Restore the permissions, so that the copy can be removed.
    for (_, path) in &paths {
        set(path, 0o755);
    }
    (run, uid)
}

/// Runs a command on a terminal of this width, or on a pipe if there is none.
fn run_on(command: &mut Command, width: Option<u16>) -> Run {
    match width {
        Some(width) => Pty::new(width).run(command.stdin(Stdio::null())),
        None => command.run(),
    }
}

#[test]
fn json_matches_the_schema_and_jsonl_and_csv_match_json() {
    let schema = schema();
    let mut objects = 0;
    for case in cases() {
        for flags in ["-an", "-ln", "-an --peers", "-anc --count 1"] {
            let name = format!("{} {flags}", case.display());
            let records =
                |format: &str| run_case(&case, &format!("{flags} --format {format}"), None).0;
            let json = records("json");
            assert_eq!(json.status, Some(0), "{name}");
            let mut array: Value = serde_json::from_str(&json.stdout).expect(&name);
            assert_valid(&schema, &name, &array);
            let lines = records("jsonl").stdout;
            let mut lines: Vec<Value> =
                lines.lines().map(|line| serde_json::from_str(line).expect(&name)).collect();
            let array = array.as_array_mut().unwrap();
            let sockets = array.iter_mut().chain(&mut lines).map(|it| it.as_object_mut().unwrap());
            for object in sockets {
                assert_eq!(object.remove("time").is_some(), flags.contains('c'), "{name}");
            }
            assert_eq!(*array, lines, "{name}");
            objects += lines.len();
            let rows =
                array.iter().map(|it| it["processes"].as_array().map_or(1, |it| it.len().max(1)));
            let csv = records("csv").stdout;
            let mut reader = csv::Reader::from_reader(csv.as_bytes());
            let records = reader.records().map(Result::unwrap).count();
            assert_eq!(records, rows.sum::<usize>(), "{name}");
        }
    }
    assert!(objects > 500, "only {objects} objects were found");
    say(&format!("{objects} JSON objects match the schema"));
}

#[test]
fn no_color_and_dumb_terminal_disable_automatic_colours() {
    for (variable, value, color, colored) in [
        ("NO_COLOR", "", "auto", true),
        ("NO_COLOR", "1", "auto", false),
        ("NO_COLOR", "1", "always", true),
        ("TERM", "dumb", "auto", false),
        ("TERM", "", "auto", false),
        ("TERM", "vt100", "auto", true),
        ("TERM", "vt100", "never", false),
        ("CLICOLOR_FORCE", "1", "never", false),
    ] {
        let mut command = rnetstat("-tan --proc fixtures/24-filters/proc --format table --color");
        command.arg(color).env_remove("NO_COLOR").env("TERM", "xterm").env(variable, value);
        let shown = run_on(&mut command, Some(120)).stdout;
        assert_eq!(shown.contains("\x1b[32m"), colored, "{variable}={value} {color}:\n{shown}");
    }
    let mut command = rnetstat("-tan --proc fixtures/24-filters/proc --format table");
    let shown = run_on(command.env_remove("NO_COLOR").env_remove("TERM"), Some(120)).stdout;
    assert!(!shown.contains('\x1b'), "{shown}");
}
