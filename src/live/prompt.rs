//! The prompt in which the user types a filter.

use unicode_width::UnicodeWidthStr;

use super::keys::Key;
use super::layout::{cut, cut_before};

/// The longest text.
pub(super) const LONGEST: usize = 200;
/// The sign of the cursor.
const CURSOR: &str = "_";
/// In a line of this width, there is room for the text and for what is wrong with it.
const WIDE: usize = 30;

/// Changes the text as a key asks for. Returns false if the key does not change texts.
pub(super) fn edit(text: &mut String, key: Key) -> bool {
    match key {
        Key::Backspace => drop(text.pop()),
        Key::Ctrl('u') => text.clear(),
        Key::Ctrl('w') => {
            let kept = text.trim_end().rfind(' ').map_or(0, |space| space + 1);
            text.truncate(kept);
        }
        Key::Char(char) if crate::harmless::is_visible(char) => {
            if text.len() < LONGEST {
                text.push(char);
            }
        }
        _ => return false,
    }
    true
}

/// Returns the line of the prompt: the end of the text, the cursor, and what is wrong with the text.
pub(super) fn line(text: &str, error: Option<&str>, width: usize) -> String {
    let error = error.filter(|_| width >= WIDE);
    let most = if error.is_some() { width / 2 } else { width };
    let text = cut_before(&format!("/{text}"), most.saturating_sub(CURSOR.len())) + CURSOR;
    match error {
        Some(error) => {
            let room = width.saturating_sub(text.width() + 2);
            format!("{text}  {}", cut(error, room))
        }
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_shows_the_end_of_the_text_and_the_cursor_at_every_width() {
        let text = "10.0.0.0/8 ^nginx 日本";
        for width in 1..60 {
            for error in [None, Some("a word is ports")] {
                let line = line(text, error, width);
                assert!(line.width() <= width, "{width}: {line}");
                assert!(line.contains(CURSOR), "{width}: {line}");
            }
        }
        assert_eq!(line(text, None, 1), "_");
        assert_eq!(line(text, None, 2), "…_");
        assert_eq!(line(text, None, 12), "…nginx 日本_");
        assert_eq!(line("x", None, 12), "/x_");
        assert_eq!(line("80,x", Some("a word is ports"), 30), "/80,x_  a word is ports");
        assert_eq!(line(text, Some("a word is ports"), 30), "…8 ^nginx 日本_  a word is po…");
    }
}
