//! The help: one screen with `-h`, everything with `--help`.

use std::fmt::Write;

use clap::builder::PossibleValue;
use clap::{Arg, CommandFactory};

use super::arguments::{Arguments, FILTERS, MORE, OUTPUT};
use super::legend::{self, EXAMPLES, STATUS};
use crate::fields;
use crate::live;

/// The short help before its examples.
const SHORT: &str = include_str!("short_help.txt");
/// How filters work together.
const MATCHES: &str = "All words and filters must match. The values of a filter are separated by \
    commas, and one of them must match. A value with ^ before it is excluded: --state ^time_wait.";
/// The number of examples in the short help.
const FEW: usize = 3;
/// An option with more values than these does not list them: they have a section of their own.
const FEW_VALUES: usize = 8;
/// The most columns of a line: longer lines are hard to read.
const WIDEST: usize = 100;
/// Text that is narrower than this goes below its label.
const NARROWEST: usize = 36;

/// Which help the user asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Help {
    /// `-h`: the most used options on one screen of 24 lines and 80 columns.
    Short,
    /// `--help`: every option, state, format and key.
    Long,
}

impl Help {
    /// clap prints one of these texts for `-h`, and the other for `--help`. They tell which of the two
    /// the user gave; this module makes the help itself.
    pub(super) const MARKS: [&str; 2] = ["short", "long"];

    /// Returns the help that the user asks for, if clap prints this text.
    pub(super) fn asked(text: &str) -> Self {
        if text.contains(Self::MARKS[1]) { Self::Long } else { Self::Short }
    }

    /// Returns the help for a terminal with this many columns.
    pub fn text(self, columns: usize) -> String {
        match self {
            Self::Short => short(),
            Self::Long => long(columns.min(WIDEST)),
        }
    }
}

fn short() -> String {
    let few = EXAMPLES.iter().take(FEW);
    let longest = few.clone().map(|(command, _)| command.len()).max().unwrap_or(0);
    let mut text = format!("{}.\n\n{SHORT}", about());
    for (command, meaning) in few {
        let _ = writeln!(text, "  {command:longest$}  {meaning}");
    }
    text + "\nMore: rnetstat --help, and man rnetstat (or rnetstat --generate man | man -l -).\n"
}

/// Returns what rnetstat does, in one sentence without its full stop.
fn about() -> String {
    Arguments::command().get_about().map(ToString::to_string).unwrap_or_default()
}

fn long(columns: usize) -> String {
    let mut page = Page { text: String::new(), columns };
    let mut command = Arguments::command();
    command.build();
    page.paragraph(&(about() + "."));
    page.paragraph("Usage: rnetstat [OPTIONS] [WORD]...");
    let shown: Vec<_> = command.get_arguments().filter(|arg| !arg.is_hide_set()).collect();
    for heading in [None, Some(FILTERS), Some(OUTPUT), Some(MORE)] {
        page.heading(heading.unwrap_or("Options"));
        for arg in shown.iter().filter(|arg| arg.get_help_heading() == heading) {
            page.entry(&label(arg), &description(arg));
        }
        if heading == Some(FILTERS) {
            page.paragraph(MATCHES);
        }
    }
    page.section("Examples", EXAMPLES);
    page.section("Formats", legend::formats());
    page.section("States (in upper or lower case)", legend::states());
    page.heading("Keys of --columns, --sort and --group (--group takes neither recv-q nor send-q)");
    page.lines("  ", 2, &fields::ALL.map(|field| field.key).join(", "));
    page.section("Keys of the live view", live::KEYS);
    page.section("Exit status", STATUS);
    page.text
}

/// Returns the option as a user types it, such as `-t, --tcp`.
fn label(arg: &Arg) -> String {
    match (arg.get_short(), arg.get_long()) {
        (Some(short), Some(_)) => format!("-{short}, {arg}"),
        (None, Some(_)) => format!("    {arg}"),
        _ => arg.to_string(),
    }
}

/// Returns what an option does, with its default and its values.
fn description(arg: &Arg) -> String {
    let mut text = arg.get_help().map(ToString::to_string).unwrap_or_default();
    if arg.get_action().takes_values() {
        let values = arg.get_possible_values();
        let names: Vec<_> = values.iter().map(PossibleValue::get_name).collect();
        if (1..=FEW_VALUES).contains(&names.len()) {
            text.extend([". Values: ", &names.join(", ")]);
        }
        if let Some(default) = arg.get_default_values().first() {
            text.extend([". Default: ", &default.to_string_lossy()]);
        }
    }
    text
}

/// A text that is wrapped to the width of the terminal.
struct Page {
    text: String,
    columns: usize,
}

impl Page {
    /// The column where the meaning of an entry begins.
    const MEANING: usize = 30;

    fn paragraph(&mut self, text: &str) {
        self.text += if self.text.is_empty() { "" } else { "\n" };
        self.lines("", 0, text);
    }

    fn heading(&mut self, heading: &str) {
        self.paragraph(&format!("{heading}:"));
    }

    fn section<'a>(
        &mut self,
        heading: &str,
        entries: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) {
        self.heading(heading);
        for (label, meaning) in entries {
            self.entry(label, meaning);
        }
    }

    /// Adds a label and its meaning: below the label if there is not enough room beside it.
    fn entry(&mut self, label: &str, meaning: &str) {
        let label = format!("  {label}");
        let is_narrow = self.columns < Self::MEANING + NARROWEST;
        if is_narrow || label.len() + 2 > Self::MEANING {
            if !label.trim().is_empty() {
                self.lines(&label, 4, "");
            }
            let indent = if is_narrow { 8 } else { Self::MEANING };
            self.lines(&" ".repeat(indent), indent, meaning);
        } else {
            self.lines(&format!("{label:0$}", Self::MEANING), Self::MEANING, meaning);
        }
    }

    /// Adds text in lines. The first one begins with `start`, the others with spaces.
    fn lines(&mut self, start: &str, indent: usize, text: &str) {
        let mut line = String::new();
        let mut is_empty = true;
        for word in start.split_inclusive(' ').chain(text.split_inclusive(' ')) {
            let width = line.chars().count() + word.trim_end().chars().count();
            if width > self.columns && !is_empty {
                self.text.extend([line.trim_end(), "\n"]);
                line = " ".repeat(indent);
            }
            line += word;
            is_empty = line.trim().is_empty();
        }
        self.text.extend([line.trim_end(), "\n"]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::socket::State;

    #[test]
    fn short_help_fits_one_screen() {
        let text = Help::Short.text(200);
        assert!(text.lines().count() <= 24, "{text}");
        assert!(text.lines().all(|line| line.len() <= 80), "{text}");
    }

    #[test]
    fn long_help_is_wrapped_to_the_terminal() {
        for columns in [40, 60, 66, 80, 100, 200] {
            let text = Help::Long.text(columns);
            let longest = text.lines().map(|line| line.chars().count()).max().unwrap();
            // A command of an example is not split within a word.
            assert!(longest <= columns.min(WIDEST), "{longest} of {columns}:\n{text}");
            assert!(longest + 12 > columns.min(WIDEST), "only {longest} of {columns}");
        }
    }

    #[test]
    fn long_help_has_every_option_state_format_and_key() {
        let text = Help::Long.text(100);
        let words: Vec<_> = text.split([' ', ',', '\n', '=', '[']).collect();
        let mut wanted: Vec<_> = State::all().map(|state| state.name().to_owned()).collect();
        wanted.extend(legend::formats().map(|(name, _)| name.to_owned()));
        wanted.extend(fields::ALL.map(|field| field.key.to_owned()));
        let mut command = Arguments::command();
        command.build();
        for arg in command.get_arguments().filter(|arg| !arg.is_hide_set()) {
            wanted.extend(arg.get_long().map(|long| format!("--{long}")));
            wanted.extend(arg.get_short().map(|short| format!("-{short}")));
        }
        for word in &wanted {
            assert!(words.contains(&word.as_str()), "{word} is missing from\n{text}");
        }
        for (key, meaning) in live::KEYS {
            let is_there = text.lines().any(|line| {
                line.trim_start().starts_with(key) && (key.is_empty() || line.starts_with("  "))
            });
            assert!(is_there, "the key {key} is missing from\n{text}");
            let first = meaning.split(' ').take(3).collect::<Vec<_>>().join(" ");
            assert!(text.contains(&first), "{meaning} is missing from\n{text}");
        }
        assert!(wanted.len() > 120, "{wanted:?}");
    }
}
