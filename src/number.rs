//! Numbers as the kernel prints them: digits alone, in bytes.

/// A hexadecimal number in the range of `T`.
pub(crate) fn hex<T: TryFrom<u64>>(text: &[u8]) -> Option<T> {
    number(text, 16)
}

/// A decimal number in the range of `T`.
pub(crate) fn decimal<T: TryFrom<u64>>(text: &[u8]) -> Option<T> {
    number(text, 10)
}

fn number<T: TryFrom<u64>>(text: &[u8], radix: u32) -> Option<T> {
    if text.is_empty() {
        return None;
    }
    let value = text.iter().try_fold(0_u64, |value, &byte| {
        let digit = char::from(byte).to_digit(radix)?;
        value.checked_mul(radix.into())?.checked_add(digit.into())
    })?;
    T::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_numbers_up_to_the_range_of_the_type() {
        assert_eq!(decimal::<u64>(b"18446744073709551615"), Some(u64::MAX));
        assert_eq!(decimal::<u32>(b"004711"), Some(4711));
        assert_eq!(hex::<u64>(b"FFFFFFFFFFFFFFFF"), Some(u64::MAX));
        assert_eq!(hex::<u16>(b"FFFF"), Some(u16::MAX));
        assert_eq!(hex::<u8>(b"0a"), Some(10));
    }

    #[test]
    fn whatever_else_is_none() {
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
