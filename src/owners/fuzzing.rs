//! Checks that hold for every target of a link in `<pid>/fd`.

#![allow(clippy::missing_panics_doc, reason = "a check that fails panics")]

use super::link::socket_inode;

/// Checks one target of a link.
pub fn link(input: &[u8]) {
    let Some(inode) = socket_inode(input) else { return };
    let again = format!("socket:[{inode}]");
    assert_eq!(socket_inode(again.as_bytes()), Some(inode));
    let digits: Vec<u8> = input.iter().copied().filter(u8::is_ascii_digit).collect();
    assert!(digits.ends_with(inode.to_string().as_bytes()), "{}", input.escape_ascii());
}
