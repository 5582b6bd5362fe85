//! Generates the shell completions and the manual page from the grammar, and prints the schema of
//! the records.

use std::io::{self, Write};

use clap::{Arg, CommandFactory, ValueHint};
use clap_complete::Shell;
use clap_mangen::Man;

use super::arguments::Arguments;
use super::legend::{self, EXAMPLES, STATUS};
use super::values::Artefact;
use crate::fields;
use crate::live;

/// The manual page before its options (`man 7 man`).
const BEFORE: &str = include_str!("man/before.man");
/// The manual page after its options. A comment stands for each part that the help has as well.
const AFTER: &str = include_str!("man/after.man");
/// The day of the release, as in the CHANGELOG.
const DATE: &str = "2026-11-26";
/// The JSON Schema of the records.
const SCHEMA: &str = include_str!("../../fixtures/schema.json");

/// Returns the completions for a shell. They offer files only where files are meant, and the names
/// of values in every shell.
fn completions(shell: Shell) -> String {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "rnetstat", &mut text);
    let text = String::from_utf8_lossy(&text).into_owned();
    match shell {
        Shell::Bash => {
            // Users and hosts are no files, and neither are bare words.
            let files = "COMPREPLY=($(compgen -f \"${cur}\"))";
            let option = |option, what| {
                let space = " ".repeat(20);
                let head = format!("{option})\n{space}");
                (
                    format!("{head}{files}"),
                    format!("{head}COMPREPLY=($(compgen -A {what} \"${{cur}}\"))"),
                )
            };
            [("--user", "user"), ("--address", "hostname"), ("--dst", "hostname")]
                .map(|(name, what)| option(name, what))
                .into_iter()
                .fold(text, |text, (from, to)| text.replace(&from, &to))
                .replace(" -o bashdefault -o default", "")
        }
        Shell::Fish => text + "complete -c rnetstat -f\n",
        // With this line, zsh lists the options, but does not complete them.
        Shell::Zsh => {
            let lines = text.split_inclusive('\n');
            lines.filter(|line| !line.starts_with("'*::words")).collect()
        }
        Shell::Elvish => text + &elvish_values(),
        _ => text,
    }
}

/// The part of the completions for elvish that offers the values of options: `clap_complete` only
/// offers the options.
const ELVISH: &str = "
var rnetstat-values = [
VALUES]
var rnetstat-options = $edit:completion:arg-completer[rnetstat]
set edit:completion:arg-completer[rnetstat] = {|@words|
    if (has-key $rnetstat-values $words[-2]) {
        $rnetstat-values[$words[-2]] $words[-1]
    } else {
        $rnetstat-options $@words
    }
}
";

/// Returns [`ELVISH`] with the options and their values.
fn elvish_values() -> String {
    let mut values = String::new();
    let command = Arguments::command();
    let takes_word = |arg: &&Arg| arg.get_action().takes_values() && !arg.is_require_equals_set();
    for arg in command.get_arguments().filter(takes_word) {
        let names = arg.get_possible_values().into_iter().map(|it| it.get_name().to_owned());
        let offered = match arg.get_value_hint() {
            ValueHint::DirPath => "edit:complete-filename $word".to_owned(),
            _ => format!("all [{}]", names.collect::<Vec<_>>().join(" ")),
        };
        let long = arg.get_long().map(|long| format!("--{long}"));
        let short = arg.get_short().map(|short| format!("-{short}"));
        for option in long.into_iter().chain(short) {
            values.extend(["    &'", &option, "'= {|word| ", &offered, " }\n"]);
        }
    }
    ELVISH.replace("VALUES", &values)
}

/// Returns the manual page after its options.
fn after_options() -> String {
    [
        ("EXAMPLES", entries(EXAMPLES)),
        ("FORMATS", entries(legend::formats())),
        ("STATES", entries(legend::states())),
        ("FIELDS", roff(&fields::ALL.map(|field| field.key).join(", ")) + "\n"),
        ("LIVE KEYS", entries(live::KEYS)),
        ("STATUS", entries(STATUS)),
    ]
    .into_iter()
    .fold(AFTER.to_owned(), |page, (name, text)| page.replace(&format!(".\\\" {name}\n"), &text))
}

/// Returns entries in the format of `man 7 man`.
fn entries<'a>(entries: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let entry = |(label, meaning): (&str, &str)| match label {
        // More about the entry before: another sentence, or the rest of one.
        "" if meaning.starts_with(char::is_uppercase) => format!(".br\n{}\n", roff(meaning)),
        "" => format!("{}\n", roff(meaning)),
        _ => format!(".TP\n.B {}\n{}\n", roff(label), roff(meaning)),
    };
    entries.into_iter().map(entry).collect()
}

/// Escapes text (`man 7 groff_char`).
fn roff(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-");
    text.replace('\'', "\\(aq").replace('"', "\\(dq").replace('^', "\\(ha").replace('~', "\\(ti")
}

impl Artefact {
    /// Writes the artefact.
    pub fn write(self, out: &mut impl Write) -> io::Result<()> {
        let mut text = Vec::new();
        match self {
            Self::Completions(shell) => text = completions(shell).into_bytes(),
            Self::Schema => text.extend_from_slice(SCHEMA.as_bytes()),
            Self::Man => {
                let man = Man::new(Arguments::command())
                    .section("8")
                    .date(DATE)
                    .manual("System Administration");
                man.render_title(&mut text)?;
                man.render_name_section(&mut text)?;
                text.extend_from_slice(BEFORE.as_bytes());
                man.render_options_section(&mut text)?;
                text.extend_from_slice(after_options().as_bytes());
            }
        }
        out.write_all(&text)?;
        out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manual_page_has_every_example_format_state_field_key_and_status() {
        let page = after_options();
        assert!(!page.contains(".\\\""), "a part is missing from\n{page}");
        let lists = [&EXAMPLES[..], &live::KEYS, &STATUS].concat();
        for (label, meaning) in lists.into_iter().chain(legend::formats()).chain(legend::states()) {
            assert!(
                label.is_empty() || page.contains(&format!(".TP\n.B {}\n", roff(label))),
                "{label}"
            );
            assert!(page.contains(&roff(meaning)), "{meaning}");
        }
        for field in fields::ALL {
            let key = roff(field.key);
            let is_listed = page.lines().any(|line| line.split(", ").any(|it| it == key));
            assert!(is_listed, "{key}");
        }
    }

    #[test]
    fn text_is_escaped_for_roff() {
        assert_eq!(roff(r#"-a '\n' "^~""#), r"\-a \(aq\en\(aq \(dq\(ha\(ti\(dq");
    }
}
