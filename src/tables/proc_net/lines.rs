//! Splits the bytes of a reader into lines, in a buffer that the caller reuses.

use std::io::{self, Read};

use memchr::memchr;

/// A line, with its newline. The last line can lack it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    Whole(&'a [u8]),
    /// The line and its newline do not fit into the buffer together. The text of the line is lost.
    TooLong,
}

/// Calls `each` with the number of every line of `input`, from 1, and the line. The last line needs
/// no newline. If a read fails, `each` has already been called for the lines before.
pub(super) fn for_each(
    mut input: impl Read,
    buffer: &mut [u8],
    mut each: impl FnMut(u64, Line<'_>),
) -> io::Result<()> {
    let mut number = 0;
    let mut filled = 0; // bytes of an unfinished line at the start of the buffer
    let mut too_long = false; // the unfinished line does not fit into the buffer
    loop {
        if filled == buffer.len() {
            too_long = true;
            filled = 0;
        }
        let got = match input.read(buffer.get_mut(filled..).unwrap_or_default()) {
            Ok(got) => got,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let end = filled + got;
        let mut rest = buffer.get(..end).unwrap_or_default();
        let mut searched = filled;
        while let Some(newline) = position(rest, searched) {
            let (line, after) = rest.split_at(newline + 1);
            number += 1;
            each(number, if too_long { Line::TooLong } else { Line::Whole(line) });
            rest = after;
            searched = 0;
            too_long = false;
        }
        if got == 0 {
            if too_long {
                each(number + 1, Line::TooLong);
            } else if !rest.is_empty() {
                each(number + 1, Line::Whole(rest));
            }
            return Ok(());
        }
        filled = rest.len();
        buffer.copy_within(end - filled..end, 0);
    }
}

/// Returns the index of the first newline of `text` from index `from` on.
fn position(text: &[u8], from: usize) -> Option<usize> {
    memchr(b'\n', text.get(from..)?).map(|found| found + from)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns one part per read, as a file of /proc does. `None` is an interruption.
    struct InParts<'a>(Vec<Option<&'a [u8]>>);

    impl Read for InParts<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.0.is_empty() {
                return Ok(0);
            }
            match self.0.remove(0) {
                None => Err(io::ErrorKind::Interrupted.into()),
                Some(part) => {
                    let (now, later) = part.split_at(part.len().min(buffer.len()));
                    buffer[..now.len()].copy_from_slice(now);
                    if !later.is_empty() {
                        self.0.insert(0, Some(later));
                    }
                    Ok(now.len())
                }
            }
        }
    }

    fn lines_of(parts: Vec<Option<&[u8]>>, size: usize) -> Vec<(u64, Option<Vec<u8>>)> {
        let mut lines = Vec::new();
        for_each(InParts(parts), &mut vec![0; size], |number, line| match line {
            Line::Whole(text) => lines.push((number, Some(text.to_vec()))),
            Line::TooLong => lines.push((number, None)),
        })
        .unwrap();
        lines
    }

    #[test]
    fn line_can_arrive_in_parts_and_end_without_a_newline() {
        let parts = vec![Some(&b"on"[..]), None, Some(b"e\n\ntw"), Some(b"o")];
        let whole = |text: &[u8]| Some(text.to_vec());
        let expected = vec![(1, whole(b"one\n")), (2, whole(b"\n")), (3, whole(b"two"))];
        assert_eq!(lines_of(parts, 8), expected);
    }

    #[test]
    fn line_longer_than_the_buffer_does_not_affect_other_lines() {
        let text = b"a\nbbbbbbbbbbbbbbbbbbbbbbbbbbbb\nc\ndddddddddd";
        let expected =
            vec![(1, Some(b"a\n".to_vec())), (2, None), (3, Some(b"c\n".to_vec())), (4, None)];
        assert_eq!(lines_of(vec![Some(text)], 8), expected);
    }

    #[test]
    fn line_must_be_shorter_than_the_buffer() {
        assert_eq!(lines_of(vec![Some(b"1234567\n")], 8), [(1, Some(b"1234567\n".to_vec()))]);
        assert_eq!(lines_of(vec![Some(b"12345678\n")], 8), [(1, None)]);
    }

    #[test]
    fn error_comes_after_the_lines_before_it() {
        struct Fails;
        impl Read for Fails {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::from_raw_os_error(5))
            }
        }
        let mut count = 0;
        let result = for_each(b"one\ntwo\nth".chain(Fails), &mut [0; 64], |_, _| count += 1);
        assert_eq!((count, result.unwrap_err().raw_os_error()), (2, Some(5)));
    }
}
