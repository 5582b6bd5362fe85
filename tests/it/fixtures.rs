//! The fixtures' cases: what the whole program prints on them, byte for byte, and whether its JSON
//! is what the schema says.

use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::common::schema::{assert_valid, schema};
use crate::common::{NOBODY, RNETSTAT, difference, is_root, say, text};
use nix::pty::{Winsize, openpty};
use serde_json::Value;

/// The folders of the cases.
fn cases() -> Vec<PathBuf> {
    let entries = fs::read_dir("fixtures").unwrap().map(|entry| entry.unwrap().path());
    let mut cases: Vec<_> = entries.filter(|path| path.join("expected").is_dir()).collect();
    cases.sort();
    cases
}

/// What a run has printed, and as which user it was.
struct Printed {
    stdout: String,
    stderr: String,
    status: i32,
    uid: u32,
}

/// Runs each `fixtures/<case>/expected/<flags>.txt`, which netstat prints as well, and each
/// `<flags>.out`, which it does not.
#[test]
fn every_fixture_prints_what_it_should() {
    let mut failures = Vec::new();
    let mut compared = 0;
    for case in cases() {
        for file in fs::read_dir(case.join("expected")).unwrap() {
            let file = file.unwrap().path();
            if !["txt", "out"].map(Some).contains(&file.extension().and_then(|it| it.to_str())) {
                let whose = ["txt", "out"].map(|other| file.with_extension(other).exists());
                assert!(whose.contains(&true), "{} is alone", file.display());
                continue;
            }
            let name = file.file_stem().unwrap().to_str().unwrap().replace("%2F", "/");
            let (flags, width) = match name.split_once('@') {
                Some((flags, width)) => (flags, Some(width.parse().unwrap())),
                None => (name.as_str(), None),
            };
            let printed = run_case(&case, flags, width);
            let expected = fs::read_to_string(&file).unwrap();
            let remarks = fs::read_to_string(file.with_extension("stderr")).unwrap_or_default();
            let remarks = remarks.replace("{uid}", &printed.uid.to_string());
            let status = fs::read_to_string(file.with_extension("status"));
            let status: i32 = status.map_or(0, |status| status.trim().parse().unwrap());
            let differences = [
                difference(&expected, &printed.stdout),
                difference(&remarks, &printed.stderr),
                (printed.status != status).then(|| format!("status {}\n", printed.status)),
            ];
            for difference in differences.into_iter().flatten() {
                failures.push(format!("{} {name}\n{difference}", case.display()));
            }
            compared += 1;
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
    assert!(compared > 190, "only {compared} expectations were found");
    say(&format!("{compared} expectations compared with what rnetstat prints"));
}

/// Runs one case, on a terminal of this width if there is one. A case with a file `modes` changes
/// those of paths in its tree, which root would not mind, so it runs as somebody else on a copy.
fn run_case(case: &Path, flags: &str, width: Option<u16>) -> Printed {
    let own = nix::unistd::Uid::effective().as_raw();
    let run = |command: &mut Command, uid| {
        command.arg("--proc").arg(case.join("proc")).args(flags.split(' '));
        command.env_remove("NO_COLOR").env("TERM", "xterm");
        let (stdout, stderr, status) = output(command, width);
        Printed { stdout, stderr, status, uid }
    };
    let Ok(modes) = fs::read_to_string(case.join("modes")) else {
        return run(&mut Command::new(RNETSTAT), own);
    };
    let (directory, program) = crate::common::public_copy();
    let copy = directory.path().join(case);
    fs::create_dir_all(&copy).unwrap();
    crate::common::copy_tree(&case.join("proc"), &copy);
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
    let printed = run(&mut command, uid);
    // The copy can be removed again.
    for (_, path) in &paths {
        set(path, 0o755);
    }
    printed
}

/// What a command prints on a pipe, or on a terminal of this width, on stderr, and its status.
fn output(command: &mut Command, width: Option<u16>) -> (String, String, i32) {
    let Some(width) = width else {
        let output = command.output().unwrap();
        return (text(output.stdout), text(output.stderr), output.status.code().unwrap());
    };
    let size = Winsize { ws_row: 24, ws_col: width, ws_xpixel: 0, ws_ypixel: 0 };
    let terminal = openpty(&size, None).unwrap();
    let mut child =
        command.stdout(terminal.slave).stderr(Stdio::piped()).stdin(Stdio::null()).spawn().unwrap();
    // The command has its own copy of the terminal's other end, which would keep it open.
    command.stdout(Stdio::null());
    let mut shown = Vec::new();
    // Linux has an error for the end of a terminal.
    let end = fs::File::from(terminal.master).read_to_end(&mut shown).unwrap_err();
    assert_eq!(end.raw_os_error(), Some(nix::libc::EIO));
    let mut remarks = String::new();
    child.stderr.take().unwrap().read_to_string(&mut remarks).unwrap();
    (text(shown).replace("\r\n", "\n"), remarks, child.wait().unwrap().code().unwrap())
}

#[test]
fn json_is_what_the_schema_says_and_the_other_records_have_the_same() {
    let schema = schema();
    let mut objects = 0;
    for case in cases() {
        let name = case.display().to_string();
        for flags in ["-an", "-ln", "-an --peers", "-anc --count 1"] {
            let record =
                |format: &str| run_case(&case, &format!("{flags} --format {format}"), None);
            let json = record("json");
            assert_eq!(json.status, 0, "{name} {flags}");
            let mut array: Value = serde_json::from_str(&json.stdout).expect(&name);
            assert_valid(&schema, &format!("{name} {flags}"), &array);
            let lines = record("jsonl").stdout;
            let mut lines: Vec<Value> =
                lines.lines().map(|line| serde_json::from_str(line).expect(&name)).collect();
            let array = array.as_array_mut().unwrap();
            let sockets = array.iter_mut().chain(&mut lines).map(|it| it.as_object_mut().unwrap());
            for object in sockets {
                assert_eq!(object.remove("time").is_some(), flags.contains('c'), "{name} {flags}");
            }
            assert_eq!(*array, lines, "{name} {flags}");
            objects += lines.len();
            let rows =
                array.iter().map(|it| it["processes"].as_array().map_or(1, |it| it.len().max(1)));
            let csv = record("csv").stdout;
            let mut reader = csv::Reader::from_reader(csv.as_bytes());
            assert_eq!(
                reader.records().map(Result::unwrap).count(),
                rows.sum::<usize>(),
                "{name} {flags}"
            );
        }
    }
    assert!(objects > 500, "only {objects} objects were found");
    say(&format!("{objects} JSON objects held to the schema"));
}

#[test]
fn a_terminal_has_colours_unless_the_environment_says_otherwise() {
    for (variable, value, flags, colored) in [
        ("NO_COLOR", "", "auto", true),
        ("NO_COLOR", "1", "auto", false),
        ("NO_COLOR", "1", "always", true),
        ("TERM", "dumb", "auto", false),
        ("TERM", "vt100", "auto", true),
        ("TERM", "vt100", "never", false),
    ] {
        let mut command = Command::new(RNETSTAT);
        command.args(["-tan", "--proc", "fixtures/24-filters/proc", "--format", "table"]);
        command.args(["--color", flags]).env_remove("NO_COLOR").env("TERM", "xterm");
        let (shown, ..) = output(command.env(variable, value), Some(120));
        assert_eq!(shown.contains("\x1b[32m"), colored, "{variable}={value} {flags}:\n{shown}");
    }
}
