//! What is made of the grammar: shell completions and the manual page.

use std::io::{self, Write};

use clap::CommandFactory;
use clap_complete::Shell;
use clap_mangen::Man;

use super::arguments::Arguments;

/// Something that can be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Artefact {
    /// Completions for a shell.
    Completions(Shell),
    /// The manual page.
    Man,
}

/// All of them, by their names.
pub(super) const ARTEFACTS: [(&str, Artefact); 5] = [
    ("bash", Artefact::Completions(Shell::Bash)),
    ("zsh", Artefact::Completions(Shell::Zsh)),
    ("fish", Artefact::Completions(Shell::Fish)),
    ("elvish", Artefact::Completions(Shell::Elvish)),
    ("man", Artefact::Man),
];

/// What the page says before the options, in the language of manual pages (`man 7 man`).
const BEFORE: &str = include_str!("man/before.man");
/// What it says behind them.
const BEHIND: &str = include_str!("man/behind.man");

impl Artefact {
    /// Writes it.
    ///
    /// # Errors
    ///
    /// Those of the output.
    pub fn write(self, out: &mut impl Write) -> io::Result<()> {
        let mut text = Vec::new();
        match self {
            Self::Completions(shell) => {
                clap_complete::generate(shell, &mut Arguments::command(), "rnetstat", &mut text);
            }
            Self::Man => {
                let man =
                    Man::new(Arguments::command()).section("8").manual("System Administration");
                man.render_title(&mut text)?;
                man.render_name_section(&mut text)?;
                text.extend_from_slice(BEFORE.as_bytes());
                man.render_options_section(&mut text)?;
                text.extend_from_slice(BEHIND.as_bytes());
            }
        }
        out.write_all(&text)?;
        out.flush()
    }
}
