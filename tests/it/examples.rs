//! The examples and links in `README.md`, `docs/` and `docs/terminal.svg`.
//!
//! Every block of code is run or marked:
//!
//! - `console`: lines that start with `$ ` are commands, and the lines below are what they print on
//!   the host of `tests/programs/documented_host.py`, in a terminal. A line `...` stands for any
//!   lines. A line that starts with `# ` before a command is a comment.
//! - `sh`: a script whose last command must succeed. The blocks of a page share a directory.
//! - Any other block needs `<!-- not run: REASON -->` on the line before, with a reason of
//!   [`NOT_RUN`].

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tempfile::TempDir;

use crate::common::host::Host;
use crate::common::pty::Pty;
use crate::common::run::{RNETSTAT, Run};

/// Why a block is not run.
const NOT_RUN: [&str; 6] = [
    "it changes the system",
    "it takes minutes",
    "it needs another host",
    "it runs until it is interrupted",
    "it is the content of a file",
    "it is a question to another program",
];

/// The columns of the terminal, as in `tests/picture.py`.
const COLUMNS: u16 = 100;

/// A block of code.
#[derive(Debug)]
struct Block {
    /// The number of its first line.
    line: usize,
    language: String,
    text: Vec<String>,
    /// Why it is not run.
    mark: Option<String>,
}

/// A command, and what it prints.
#[derive(Debug)]
struct Example {
    command: String,
    output: Vec<String>,
}

/// Returns the files with examples.
fn pages() -> Vec<PathBuf> {
    let docs = fs::read_dir("docs").unwrap().map(|entry| entry.unwrap().path());
    let mut pages: Vec<_> = docs.filter(|path| path.extension().unwrap() == "md").collect();
    pages.sort();
    pages.insert(0, "README.md".into());
    pages
}

/// Returns the blocks of code of a page.
fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = (1..).zip(page.lines());
    let mut before = "";
    while let Some((line, text)) = lines.next() {
        if let Some(language) = text.strip_prefix("```") {
            let mark = before.strip_prefix("<!-- not run: ").and_then(|it| it.strip_suffix(" -->"));
            let inside = lines.by_ref().map(|(_, text)| text).take_while(|text| *text != "```");
            blocks.push(Block {
                line,
                language: language.to_owned(),
                text: inside.map(str::to_owned).collect(),
                mark: mark.map(str::to_owned),
            });
        }
        let is_indented = text.starts_with("    ") && before.is_empty();
        assert!(!is_indented, "line {line}: a block of code needs ``` before and after it");
        before = text;
    }
    blocks
}

/// Splits what a terminal shows into examples.
fn examples(lines: &[String]) -> Vec<Example> {
    let mut examples = Vec::<Example>::new();
    for (number, line) in lines.iter().enumerate() {
        let is_before_command = lines.get(number + 1).is_some_and(|next| next.starts_with("$ "));
        if let Some(command) = line.strip_prefix("$ ") {
            examples.push(Example { command: command.to_owned(), output: Vec::new() });
        } else if let Some(example) = examples.last_mut()
            && !(line.starts_with("# ") && is_before_command)
        {
            example.output.push(line.clone());
        }
    }
    examples
}

/// Returns the lines of a picture that `tests/picture.py` made.
fn picture() -> Vec<String> {
    let picture = fs::read_to_string("docs/terminal.svg").unwrap();
    let texts = picture.lines().filter(|line| line.starts_with("<text "));
    let text = |line: &str| -> String {
        let parts = line.split('<').filter_map(|part| part.split_once('>'));
        parts.map(|(_, text)| text).collect()
    };
    let plain = |text: String| text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    texts.map(text).map(plain).collect()
}

/// Replaces what differs from run to run: numbers of five and more digits (inodes, and the ports
/// that the kernel chooses), numbers with a fraction (times), and the spaces around them.
fn masked(line: &str) -> String {
    let is_number = |char: char| char.is_ascii_digit() || char == '.';
    let mut masked = String::new();
    let mut rest = line;
    while let Some(start) = rest.find(is_number) {
        let (before, number) = rest.split_at(start);
        let (number, after) =
            number.split_at(number.find(|it| !is_number(it)).unwrap_or(number.len()));
        let is_long = number.len() >= 5 && !number.contains('.');
        let is_fraction = number.split('.').count() == 2 && !number.ends_with('.');
        masked.extend([before, if is_long || is_fraction { "#" } else { number }]);
        rest = after;
    }
    masked += rest;
    masked.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns what differs between the documented and the found lines. Their order does not count: it is that
/// of the kernel's hash tables, and differs from host to host.
fn difference(documented: &[String], found: &str) -> Option<String> {
    let sorted = |lines: &mut dyn Iterator<Item = &str>| {
        let mut lines: Vec<_> = lines.map(masked).filter(|line| !line.is_empty()).collect();
        lines.sort();
        lines
    };
    let documented_lines =
        sorted(&mut documented.iter().map(String::as_str).filter(|it| *it != "..."));
    let found_lines = sorted(&mut found.lines());
    let is_complete = !documented.iter().any(|line| line == "...");
    let is_equal = if is_complete {
        documented_lines == found_lines
    } else {
        documented_lines.iter().all(|line| found_lines.contains(line))
    };
    let documented = documented.join("\n");
    (!is_equal).then(|| format!("documented:\n{documented}\nfound:\n{found}"))
}

/// A host where examples run, and the directory with the programs that they call by name.
struct Stage {
    host: Host,
    programs: TempDir,
}

impl Stage {
    fn new() -> Option<Self> {
        let host = Host::new(&["python3", "mount", "jq", "tar", "grep"])?;
        let programs = TempDir::new().unwrap();
        symlink(RNETSTAT, programs.path().join("rnetstat")).unwrap();
        let sudo = programs.path().join("sudo");
        fs::write(&sudo, "#!/bin/sh\nexec \"$@\"\n").unwrap();
        fs::set_permissions(sudo, fs::Permissions::from_mode(0o755)).unwrap();
        Some(Self { host, programs })
    }

    /// Runs a script in a terminal without colours. Its messages are part of its output.
    fn run(&self, script: &str, directory: &Path) -> Run {
        let path = format!("{}:{}", self.programs.path().display(), std::env::var("PATH").unwrap());
        let mut command = self.host.command("sh");
        command.arg("-c").arg(format!("exec 2>&1; cd \"$0\" || exit\n{script}")).arg(directory);
        Pty::new(COLUMNS).run(command.env("PATH", path).env("TERM", "dumb").stdin(Stdio::null()))
    }

    /// Runs the block, and returns what is wrong.
    fn faults(&self, block: &Block, directory: &Path) -> Vec<String> {
        match (&block.mark, block.language.as_str()) {
            (Some(reason), _) if NOT_RUN.contains(&reason.as_str()) => Vec::new(),
            (Some(reason), _) => vec![format!("unknown reason: {reason}")],
            (None, "sh") => {
                let run = self.run(&block.text.join("\n"), directory);
                let fault = || format!("status {:?}:\n{}", run.status, run.stdout);
                (run.status != Some(0)).then(fault).into_iter().collect()
            }
            (None, "console") => self.wrong_examples(&block.text, directory),
            (None, language) => vec![format!("a block of {language:?} is neither run nor marked")],
        }
    }

    /// Runs the examples, and returns what is wrong.
    fn wrong_examples(&self, lines: &[String], directory: &Path) -> Vec<String> {
        let examples = examples(lines);
        assert!(!examples.is_empty(), "no command in {lines:?}");
        let wrong = |Example { command, output }| {
            let found = self.run(&command, directory).stdout;
            difference(&output, &found).map(|it| format!("$ {command}\n{it}"))
        };
        examples.into_iter().filter_map(wrong).collect()
    }
}

#[test]
fn every_example_prints_what_is_documented() {
    let Some(stage) = Stage::new() else { return };
    let _services = stage.host.python_ready("documented_host.py", &[]);
    let mut wrong = Vec::new();
    for page in pages() {
        let directory = TempDir::new().unwrap();
        for block in blocks(&fs::read_to_string(&page).unwrap()) {
            let faults = stage.faults(&block, directory.path());
            let place = format!("{}, line {}", page.display(), block.line);
            wrong.extend(faults.into_iter().map(|fault| format!("{place}: {fault}")));
        }
    }
    let directory = TempDir::new().unwrap();
    let faults = stage.wrong_examples(&picture(), directory.path());
    wrong.extend(
        faults.into_iter().map(|it| format!("docs/terminal.svg: {it}\nrun tests/picture.py")),
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn changed_lines_and_blocks_without_a_mark_are_noticed() {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let documented = "tcp 0.0.0.0:80 LISTEN 12/x\nudp 1.2.3.4:50000 90/y";
    for (found, is_equal) in [
        ("udp  1.2.3.4:6553 90/y\ntcp 0.0.0.0:80 LISTEN 12/x", false),
        ("udp  1.2.3.4:65530   90/y\ntcp 0.0.0.0:80 LISTEN 12/x", true),
        ("udp 1.2.3.4:50000 90/y\ntcp 0.0.0.0:81 LISTEN 12/x", false),
        ("udp 1.2.3.4:50000 90/y\ntcp 0.0.0.0:80 LISTEN 13/x", false),
        ("udp 1.2.3.4:50000 90/y", false),
        ("udp 1.2.3.4:50000 90/y\ntcp 0.0.0.0:80 LISTEN 12/x\nmore", false),
    ] {
        assert_eq!(difference(&lines(documented), found).is_none(), is_equal, "{found}");
    }
    assert!(difference(&lines("a\n..."), "b\na\nc").is_none());
    assert!(difference(&lines("a 1.25 x"), "a 100.5   x").is_none());
    assert!(difference(&lines("d\n..."), "b\na\nc").is_some());
    let Some(stage) = Stage::new() else { return };
    let directory = TempDir::new().unwrap();
    for (page, count) in [
        ("```text\nx\n```", 1),
        ("<!-- not run: it is dull -->\n```text\nx\n```", 1),
        ("<!-- not run: it takes minutes -->\n```text\nx\n```", 0),
        ("```sh\nfalse\n```", 1),
        ("```console\n$ echo a\na\n# and\n$ echo b\nb\n```", 0),
        ("```console\n$ echo a\nb\n$ echo b\na\n```", 2),
    ] {
        let blocks = blocks(page);
        let faults = blocks.iter().map(|it| stage.faults(it, directory.path()).len());
        assert_eq!(faults.sum::<usize>(), count, "{page}");
    }
}

/// Returns the anchors of the headings of a page, as GitHub makes them.
fn anchors(page: &Path) -> BTreeSet<String> {
    let text = fs::read_to_string(page).unwrap();
    let headings = text.lines().filter_map(|line| line.strip_prefix('#'));
    let anchor = |heading: &str| -> String {
        let heading = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = heading.chars().filter(|it| it.is_alphanumeric() || " -_".contains(*it));
        kept.map(|it| if it == ' ' { '-' } else { it }).collect()
    };
    headings.map(anchor).collect()
}

#[test]
fn links_lead_to_files_and_headings() {
    for page in pages().into_iter().chain(["CONTRIBUTING.md".into(), "CHANGELOG.md".into()]) {
        let text = fs::read_to_string(&page).unwrap();
        let links = text.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0));
        for link in links.filter(|it| !it.starts_with("https://")) {
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let file = if path.is_empty() { page.clone() } else { page.with_file_name(path) };
            assert!(file.exists(), "{}: there is no {link}", page.display());
            let leads = anchor.is_empty() || anchors(&file).contains(anchor);
            assert!(leads, "{}: there is no heading {link}", page.display());
        }
    }
}

/// The first page should answer quickly. Details belong into `docs/`.
#[test]
fn readme_has_at_most_160_lines_and_names_no_test() {
    let readme = fs::read_to_string("README.md").unwrap();
    assert!(readme.lines().count() <= 160, "{} lines", readme.lines().count());
    for entry in fs::read_dir("tests/it").unwrap() {
        let Ok(tests) = fs::read_to_string(entry.unwrap().path()) else { continue };
        let functions =
            tests.lines().filter_map(|line| line.strip_prefix("fn ")?.split('(').next());
        for name in functions.filter(|name| name.len() > 15) {
            assert!(!readme.contains(name), "{name}");
        }
    }
}
