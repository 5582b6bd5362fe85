//! Generates the shell completions and the manual page from the grammar.

use std::io::{self, Write};

use clap::CommandFactory;
use clap_mangen::Man;

use super::arguments::Arguments;
use super::values::Artefact;

/// The manual page before its options (`man 7 man`).
const BEFORE: &str = include_str!("man/before.man");
/// The manual page after its options.
const AFTER: &str = include_str!("man/after.man");

impl Artefact {
    /// Writes the artefact.
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
                text.extend_from_slice(AFTER.as_bytes());
            }
        }
        out.write_all(&text)?;
        out.flush()
    }
}
