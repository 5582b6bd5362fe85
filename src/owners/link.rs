//! The links in `<root>/<pid>/fd`.

use crate::number::decimal;

/// Returns the inode if the target of a link is a socket: `socket:[4711]`, or `[0000]:4711` on
/// kernels before 2.6.
pub(super) fn socket_inode(link: &[u8]) -> Option<u64> {
    let digits = match link.strip_prefix(b"socket:[") {
        Some(rest) => rest.strip_suffix(b"]")?,
        None => link.strip_prefix(b"[0000]:")?,
    };
    decimal(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn socket_links_have_an_inode() {
        assert_eq!(socket_inode(b"socket:[4711]"), Some(4711));
        assert_eq!(socket_inode(b"[0000]:4711"), Some(4711));
        assert_eq!(socket_inode(b"socket:[18446744073709551615]"), Some(u64::MAX));
    }

    #[test]
    fn other_links_have_no_inode() {
        for link in [
            &b"pipe:[4711]"[..],
            b"/dev/null",
            b"socket:[]",
            b"socket:[4711",
            b"socket:[47 11]",
            b"socket:[-1]",
            b"socket:[18446744073709551616]",
            b"/tmp/socket:[4711]",
            b"[0000]:",
            b"",
        ] {
            assert_eq!(socket_inode(link), None, "{}", link.escape_ascii());
        }
    }
}
