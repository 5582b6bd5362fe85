//! Foreign text made harmless for a terminal.

use std::iter::repeat_n;

use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

/// Returns the characters of `text`, with `.` for each character that controls a terminal, is
/// invisible or changes the direction of writing, and for each byte that is not valid UTF-8.
pub(crate) fn harmless(text: &[u8]) -> impl Iterator<Item = char> {
    text.utf8_chunks().flat_map(|chunk| {
        let valid = chunk.valid().chars().map(|char| if is_visible(char) { char } else { '.' });
        valid.chain(repeat_n('.', chunk.invalid().len()))
    })
}

/// Returns false for the characters that [`harmless`] replaces.
pub(crate) fn is_visible(char: char) -> bool {
    use GeneralCategory::{
        Control, Format, LineSeparator, ParagraphSeparator, PrivateUse, SpaceSeparator, Surrogate,
        Unassigned,
    };
    match char {
        ' '..='~' => true,
        // Letters and marks that are shown as nothing (Unicode's Default_Ignorable_Code_Point), and
        // the blank Braille pattern.
        '\u{34f}'
        | '\u{115f}'..='\u{1160}'
        | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{2800}'
        | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{ffa0}'
        // Two of them are one flag, and terminals do not agree on its width.
        | '\u{1f1e6}'..='\u{1f1ff}'
        | '\u{e0100}'..='\u{e01ef}' => false,
        _ => !matches!(
            char.general_category(),
            Control
                | Format
                | LineSeparator
                | ParagraphSeparator
                | PrivateUse
                | SpaceSeparator
                | Surrogate
                | Unassigned
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: impl AsRef<[u8]>) -> String {
        harmless(text.as_ref()).collect()
    }

    #[test]
    fn printable_text_is_unchanged() {
        for text in ["sshd: /usr/sbin", "naïve", "čeština", "日本語", "हिन्दी", "🦀", "a~!\"\\'"]
        {
            assert_eq!(shown(text), text);
        }
    }

    #[test]
    fn control_characters_become_dots() {
        assert_eq!(shown("\x1b[31mred\x07\r\n\t\x7f"), ".[31mred.....");
        assert_eq!(shown("c1 \u{9b}31m \u{85}"), "c1 .31m .");
    }

    #[test]
    fn invisible_and_direction_changing_characters_become_dots() {
        for char in [
            '\u{a0}',
            '\u{ad}',
            '\u{200b}',
            '\u{200d}',
            '\u{200e}',
            '\u{202e}',
            '\u{2028}',
            '\u{2029}',
            '\u{2066}',
            '\u{2800}',
            '\u{3000}',
            '\u{3164}',
            '\u{1f1e9}',
            '\u{fe0f}',
            '\u{feff}',
            '\u{e0001}',
            '\u{e0100}',
            '\u{e000}',
            '\u{378}',
        ] {
            assert_eq!(shown(format!("a{char}b")), "a.b", "{}", char.escape_unicode());
        }
    }

    #[test]
    fn each_invalid_utf8_byte_becomes_a_dot() {
        assert_eq!(shown(b"a\xff\xfeb"), "a..b");
        assert_eq!(shown(b"cut \xe6\x97"), "cut ..");
        assert_eq!(shown(b"\xc0\xaf \xed\xa0\x80"), ".. ...");
    }
}
