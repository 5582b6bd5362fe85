//! The completions, in real shells: a key completes the word that is begun.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::common::have;
use crate::common::run::{RunCommand, rnetstat};
use crate::common::terminal::Terminal;

/// The beginning of a word, and the completed word.
const WORDS: [(&str, &str); 12] = [
    ("--interv", "--interval"),
    ("--sort proces", "--sort process-user"),
    ("--columns cgr", "--columns cgroup"),
    ("--group contai", "--group container"),
    ("--state time_", "--state time_wait"),
    ("-A un", "-A unix"),
    ("--format openm", "--format openmetrics"),
    ("--source netl", "--source netlink"),
    ("--proc fold", "--proc folder/"),
    // `file` is there, but no file is meant.
    ("--port fil", "--port fil"),
    ("--count fil", "--count fil"),
    ("-t fil", "-t fil"),
];

/// Starts a shell with these lines, in a directory with a file and a folder. Types each beginning and
/// completes it.
fn complete(shell: &str, lines: &[&str]) {
    if !have(&[shell]) {
        return;
    }
    let directory = TempDir::new().unwrap();
    fs::write(directory.path().join("file"), "").unwrap();
    fs::create_dir(directory.path().join("folder")).unwrap();
    let script = rnetstat(&format!("--generate {shell}")).listing();
    fs::write(directory.path().join("script"), script).unwrap();
    let Some(terminal) = Terminal::new() else { return };
    enter(&terminal, directory.path(), lines);
    for (number, (begun, completed)) in (1..).zip(WORDS) {
        // The number tells this prompt from the one before.
        terminal.enter(&format!("clear; echo {number}"));
        terminal.until("an empty line", |screen| {
            let [first, second, rest @ ..] = screen else { return false };
            first.trim_end() == number.to_string()
                && second.trim_end() == ">"
                && rest.concat().is_empty()
        });
        terminal.tmux(&["send-keys", "-l", &format!("rnetstat {begun}")]);
        terminal.press("Tab");
        // What the shell offers for nothing would come before this character.
        terminal.tmux(&["send-keys", "-l", "~"]);
        terminal.until(&format!("{completed} in {shell}"), |screen| {
            let joined = screen[1..].concat().replace("error: no candidates", "");
            let line: String = joined.chars().filter(|char| !" =".contains(*char)).collect();
            line.starts_with(&format!(">rnetstat{completed}~").replace(' ', ""))
        });
        terminal.press("C-u");
    }
}

fn enter(terminal: &Terminal, directory: &Path, lines: &[&str]) {
    terminal.enter(&format!("cd {}", directory.display()));
    for line in lines {
        terminal.enter(line);
    }
    terminal.until("the prompt", |screen| screen.iter().any(|line| line.trim_end() == ">"));
}

#[test]
fn bash_completes_options_and_values() {
    let start = "HOME=/nonexistent PS1='> ' exec bash --norc --noprofile";
    complete("bash", &[start, "bind 'set bell-style none'; . ./script; clear"]);
}

#[test]
fn zsh_completes_options_and_values() {
    let start = "HOME=/nonexistent PS1='> ' exec zsh -f";
    complete(
        "zsh",
        &[start, "unsetopt beep; autoload compinit; compinit -u -D", ". ./script; clear"],
    );
}

#[test]
fn fish_completes_options_and_values() {
    let start = "HOME=$PWD exec fish --no-config";
    let prompt = "function fish_prompt; echo '> '; end; set fish_autosuggestion_enabled 0";
    complete("fish", &[start, prompt, "source ./script; clear"]);
}

#[test]
fn elvish_completes_options_and_values() {
    let start = "HOME=$PWD exec elvish -norc";
    let prompt = "set edit:prompt = { put '> ' }; set edit:rprompt = { }";
    complete("elvish", &[start, prompt, "eval (slurp < script); clear"]);
}
