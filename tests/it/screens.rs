//! The screens of the live view, as `tests/screens/` has them: each for a saved tree and a width.

use std::fs;

use crate::common::run::RNETSTAT;
use crate::common::terminal::Terminal;

/// The name of a screen, the saved tree, and the flags.
const CASES: [(&str, &str, &str); 3] = [
    ("lab", "01-lab", "-tuanc --table"),
    ("long-addresses", "06-long-addresses", "-tuanc --table"),
    ("containers", "44-questions", "-anc --columns +unit,+container"),
];
/// The widths, and the lines of each screen.
const WIDTHS: [u16; 4] = [60, 80, 120, 200];
const LINES: &str = "20";

#[test]
fn screens_are_as_expected() {
    let Some(terminal) = Terminal::new() else { return };
    for (name, tree, flags) in CASES {
        let tree = format!("fixtures/{tree}/proc");
        terminal.enter(&format!("clear; {RNETSTAT} {flags} --interval 60 --proc {tree}"));
        for width in WIDTHS {
            let path = format!("tests/screens/{name}-{width}.txt");
            let expected = fs::read_to_string(&path).unwrap();
            terminal.tmux(&["resize-window", "-x", &width.to_string(), "-y", LINES]);
            let is_expected =
                |screen: &[String]| screen.join("\n").trim_end() == expected.trim_end();
            terminal.until(&path, is_expected);
        }
        terminal.press("q");
        terminal.until("the shell", |screen| !screen.concat().contains("Proto"));
    }
}
