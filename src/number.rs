//! Numbers as the kernel prints them: only digits and no spaces. Few have a sign.

/// Parses a hexadecimal number; `None` if it is malformed or out of the range of `T`.
pub(crate) fn hex<T: TryFrom<u64>>(text: &[u8]) -> Option<T> {
    number::<16, T>(text)
}

/// Parses a decimal number; `None` if it is malformed or out of the range of `T`.
pub(crate) fn decimal<T: TryFrom<u64>>(text: &[u8]) -> Option<T> {
    number::<10, T>(text)
}

/// Parses a decimal number of 32 bits that some kernels print with a sign, although it has none:
/// `-2` is 4294967294. `None` if it is malformed or out of range.
pub(crate) fn unsigned(text: &[u8]) -> Option<u32> {
    const LOWEST: u32 = i32::MIN.unsigned_abs();
    match text.strip_prefix(b"-") {
        None => decimal(text),
        Some(digits) => decimal(digits).filter(|&it| it <= LOWEST).map(u32::wrapping_neg),
    }
}

fn number<const RADIX: u8, T: TryFrom<u64>>(text: &[u8]) -> Option<T> {
    /// A number of this many digits cannot overflow a `u64`.
    const SHORT: usize = 16;
    let radix = u64::from(RADIX);
    let mut digits = text.iter().map(|&byte| digit::<RADIX>(byte));
    let value = match text.len() {
        0 => return None,
        1..=SHORT => digits.try_fold(0, |value, digit| Some(value * radix + digit?))?,
        _ => {
            digits.try_fold(0, |value: u64, digit| value.checked_mul(radix)?.checked_add(digit?))?
        }
    };
    T::try_from(value).ok()
}

fn digit<const RADIX: u8>(byte: u8) -> Option<u64> {
    let value = match byte {
        b'0'..=b'9' => byte - b'0',
        b'a'..=b'f' => byte - b'a' + 10,
        b'A'..=b'F' => byte - b'A' + 10,
        _ => return None,
    };
    (value < RADIX).then_some(value.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_parse_up_to_the_range_of_the_type() {
        assert_eq!(decimal::<u64>(b"18446744073709551615"), Some(u64::MAX));
        assert_eq!(decimal::<u32>(b"004711"), Some(4711));
        assert_eq!(hex::<u64>(b"FFFFFFFFFFFFFFFF"), Some(u64::MAX));
        assert_eq!(hex::<u16>(b"FFFF"), Some(u16::MAX));
        assert_eq!(hex::<u8>(b"0a"), Some(10));
    }

    #[test]
    fn negative_number_is_the_unsigned_one_with_the_same_bits() {
        for (text, expected) in [
            ("-1", Some(u32::MAX)),
            ("-2147483648", Some(1 << 31)),
            ("2147483648", Some(1 << 31)),
            ("4294967295", Some(u32::MAX)),
            ("-2147483649", None),
            ("4294967296", None),
            ("--1", None),
            ("-", None),
            ("", None),
        ] {
            assert_eq!(unsigned(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn malformed_and_too_large_numbers_are_rejected() {
        for text in [&b""[..], b" 1", b"1 ", b"+1", b"-1", b"0x1", b"1A", b"\xd9\xa1"] {
            assert_eq!(decimal::<u64>(text), None, "{}", text.escape_ascii());
        }
        assert_eq!(decimal::<u64>(b"18446744073709551616"), None);
        assert_eq!(decimal::<u32>(b"4294967296"), None);
        assert_eq!(hex::<u16>(b"10000"), None);
        assert_eq!(hex::<u64>(b"10000000000000000"), None);
        assert_eq!(hex::<u8>(b"G"), None);
    }
}
