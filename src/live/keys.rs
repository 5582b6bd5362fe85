//! The keys that a terminal reports as bytes.
//!
//! crossterm's own reader is not used. It reads a terminal that is gone in an endless loop, and waits
//! for the rest of a cut escape sequence, however long that takes; and a signalfd cannot wake it.

/// The longest escape sequence that is kept until its end. No key has a longer one.
const LONGEST: usize = 32;

/// A pressed key, or a turn of the mouse wheel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Char(char),
    /// A letter together with Ctrl.
    Ctrl(char),
    Up,
    Down,
    Left,
    Right,
    PageUp,
    PageDown,
    Home,
    End,
    Enter,
    Esc,
    Backspace,
    WheelUp,
    WheelDown,
}

/// Turns bytes into keys. Keeps the beginning of a key until the rest of it comes.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    pending: Vec<u8>,
}

impl Decoder {
    /// Returns the keys that are complete with these bytes.
    pub(super) fn keys(&mut self, bytes: &[u8]) -> Vec<Key> {
        let mut keys = Vec::new();
        if self.pending == b"\x1b" && !matches!(bytes, [] | [b'[' | b'O', ..]) {
            // Only a whole escape sequence can be cut by a slow line. Alt with a letter comes at once.
            self.pending.clear();
            keys.push(Key::Esc);
        }
        self.pending.extend_from_slice(bytes);
        let mut rest = &self.pending[..];
        while let Some((length, key)) = first(rest) {
            keys.extend(key);
            rest = rest.get(length..).unwrap_or_default();
        }
        self.pending = rest.to_vec();
        keys
    }

    /// Returns true if the bytes so far can be the beginning of a key.
    pub(super) fn is_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Returns the key whose rest did not come: `Esc` if its byte came alone.
    pub(super) fn end(&mut self) -> Option<Key> {
        (std::mem::take(&mut self.pending) == b"\x1b").then_some(Key::Esc)
    }
}

/// Returns the length of the first key, and the key if it has a meaning. `None` if its end is missing.
fn first(bytes: &[u8]) -> Option<(usize, Option<Key>)> {
    Some(match bytes {
        [] | [0x1b] | [0x1b, b'O'] => return None,
        [0x1b, b'[', parameters @ ..] => {
            // `man 4 console_codes`: parameters, then a final byte.
            match parameters.iter().position(|byte| !(0x20..=0x3f).contains(byte)) {
                Some(end) => {
                    let (parameters, last) = parameters.split_at(end);
                    (2 + end + 1, sequence(parameters, *last.first()?))
                }
                None if parameters.len() > LONGEST => (bytes.len(), None),
                None => return None,
            }
        }
        [0x1b, b'O', last, ..] => (3, sequence(b"", *last)),
        // Esc, and another key soon after it. Esc and a letter can be Alt with this letter, which has
        // no meaning.
        [0x1b, 0..=0x1f, ..] => (1, Some(Key::Esc)),
        [0x1b, ..] => (2, None),
        [b'\r' | b'\n', ..] => (1, Some(Key::Enter)),
        [0x7f | 0x08, ..] => (1, Some(Key::Backspace)),
        [byte @ 1..=26, ..] => (1, Some(Key::Ctrl(char::from(b'a' + byte - 1)))),
        [byte, ..] if byte.is_ascii() => {
            (1, (*byte >= b' ').then_some(Key::Char(char::from(*byte))))
        }
        _ => return character(bytes),
    })
}

/// Returns the key with this escape sequence, as xterm sends it.
fn sequence(parameters: &[u8], last: u8) -> Option<Key> {
    let number = parameters.split(|&byte| byte == b';').next().unwrap_or_default();
    Some(match (number, last) {
        (_, b'A') => Key::Up,
        (_, b'B') => Key::Down,
        (_, b'C') => Key::Right,
        (_, b'D') => Key::Left,
        (_, b'H') | (b"1" | b"7", b'~') => Key::Home,
        (_, b'F') | (b"4" | b"8", b'~') => Key::End,
        (b"5", b'~') => Key::PageUp,
        (b"6", b'~') => Key::PageDown,
        (b"<64", b'M') => Key::WheelUp,
        (b"<65", b'M') => Key::WheelDown,
        (b"", b'M') if parameters.is_empty() => Key::Enter,
        _ => return None,
    })
}

/// Returns a character outside ASCII, in UTF-8.
fn character(bytes: &[u8]) -> Option<(usize, Option<Key>)> {
    let start = bytes.get(..4).unwrap_or(bytes);
    match start.utf8_chunks().next() {
        Some(chunk) if !chunk.valid().is_empty() => {
            let char = chunk.valid().chars().next()?;
            Some((char.len_utf8(), Some(Key::Char(char))))
        }
        // The bytes so far are right, so the rest can still come.
        Some(chunk)
            if chunk.invalid().len() == bytes.len() && bytes.len() < 4 && is_start(bytes) =>
        {
            None
        }
        chunk => Some((chunk.map_or(1, |it| it.invalid().len()).max(1), None)),
    }
}

/// Returns true if these bytes can be the beginning of a character.
fn is_start(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_err_and(|error| error.error_len().is_none())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn keys(parts: &[&[u8]]) -> Vec<Key> {
        let mut decoder = Decoder::default();
        let mut keys: Vec<_> = parts.iter().flat_map(|part| decoder.keys(part)).collect();
        keys.extend(decoder.end());
        keys
    }

    #[test]
    fn sequences_of_common_terminals_are_keys() {
        for (bytes, key) in [
            (&b"\x1b[A"[..], Key::Up),
            (b"\x1bOA", Key::Up),
            (b"\x1b[1;5A", Key::Up),
            (b"\x1b[B", Key::Down),
            (b"\x1b[C", Key::Right),
            (b"\x1bOD", Key::Left),
            (b"\x1b[H", Key::Home),
            (b"\x1bOH", Key::Home),
            (b"\x1b[1~", Key::Home),
            (b"\x1b[7~", Key::Home),
            (b"\x1b[F", Key::End),
            (b"\x1b[4~", Key::End),
            (b"\x1b[5~", Key::PageUp),
            (b"\x1b[6~", Key::PageDown),
            (b"\x1b[<64;10;5M", Key::WheelUp),
            (b"\x1b[<65;10;5M", Key::WheelDown),
            (b"\r", Key::Enter),
            (b"\n", Key::Enter),
            (b"\x1bOM", Key::Enter),
            (b"\x7f", Key::Backspace),
            (b"\x08", Key::Backspace),
            (b"\x1a", Key::Ctrl('z')),
            (b"\x1b", Key::Esc),
            (b"q", Key::Char('q')),
            ("é".as_bytes(), Key::Char('é')),
            ("🦀".as_bytes(), Key::Char('🦀')),
        ] {
            assert_eq!(keys(&[bytes]), [key], "{bytes:?}");
            // A slow line can deliver each byte alone.
            let bytes: Vec<_> = bytes.chunks(1).collect();
            assert_eq!(keys(&bytes), [key], "{bytes:?}");
        }
    }

    #[test]
    fn keys_without_a_meaning_are_skipped_whole() {
        for bytes in [
            &b"\x1b[<0;10;5M"[..],
            b"\x1b[<0;10;5m",
            b"\x1b[<64;10;5m",
            b"\x1b[15~",
            b"\x1b[200~",
            b"\x1bOP",
            b"\x1bx",
            b"\x00",
            b"\x1c",
            b"\xff\xc3",
            b"\xe2\x82",
        ] {
            assert_eq!(keys(&[bytes]), [], "{bytes:?}");
            let followed: Vec<_> = [bytes, b"q"].concat();
            assert_eq!(keys(&[&followed]), [Key::Char('q')], "{bytes:?}");
        }
        assert_eq!(keys(&[b"\x1b\x1b[A"]), [Key::Esc, Key::Up]);
        assert_eq!(keys(&[b"\x1b", b"\x1b"]), [Key::Esc, Key::Esc]);
        assert_eq!(keys(&[b"\x1b", b"g"]), [Key::Esc, Key::Char('g')]);
        assert_eq!(keys(&[b"\x1b\x1a"]), [Key::Esc, Key::Ctrl('z')]);
        assert_eq!(keys(&[b"ab\x1b[Ac"]).len(), 4);
    }

    proptest! {
        #[test]
        fn any_bytes_are_decoded_and_few_are_kept(parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..80), 0..6)) {
            let mut decoder = Decoder::default();
            for part in &parts {
                decoder.keys(part);
                prop_assert!(decoder.pending.len() <= LONGEST + 4);
            }
        }
    }
}
