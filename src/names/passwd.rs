//! The users of another host, from its `etc/passwd` (`man 5 passwd`).

use std::collections::HashMap;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::files;
use crate::number::decimal;
use crate::remark::Remark;

/// The most bytes that are read. The file can be of a hostile container.
const MOST: u64 = 4 * 1024 * 1024;

/// The users of another host.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Passwd {
    /// The file; `None` if there is none.
    path: Option<PathBuf>,
    /// Number and name of each user. The first of several users with the same number or name counts.
    users: Vec<(u32, String)>,
    /// The index in `users` for each number.
    by_number: HashMap<u32, usize>,
}

impl Passwd {
    /// Reads the file. Fails like `open(2)` and `read(2)`, but a missing file has no users.
    pub fn read(path: Option<PathBuf>) -> io::Result<Self> {
        let Some(path) = path else { return Ok(Self::default()) };
        let mut text = Vec::new();
        match files::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            file => _ = file?.take(MOST).read_to_end(&mut text)?,
        }
        Ok(Self::parse(&text, &path))
    }

    fn parse(text: &[u8], path: &Path) -> Self {
        let mut passwd = Self { path: Some(path.to_owned()), ..Self::default() };
        for line in text.split(|&byte| byte == b'\n') {
            let mut fields = line.split(|&byte| byte == b':');
            let (Some(name), Some(_), Some(number)) = (fields.next(), fields.next(), fields.next())
            else {
                continue;
            };
            if let Some(number) = decimal(number) {
                passwd.by_number.entry(number).or_insert(passwd.users.len());
                passwd.users.push((number, String::from_utf8_lossy(name).into_owned()));
            }
        }
        passwd
    }

    /// Returns the name of a user, if the file has it.
    pub(super) fn name(&self, number: u32) -> Option<&str> {
        let (_, name) = self.users.get(*self.by_number.get(&number)?)?;
        Some(name)
    }

    /// Returns the number of a user. A name has precedence over a number, as for chown(1). Fails if
    /// the user is unknown.
    pub fn user(&self, user: &str) -> Result<u32, Remark> {
        let named = self.users.iter().find(|(_, name)| name == user).map(|&(number, _)| number);
        named.or_else(|| decimal(user.as_bytes())).ok_or_else(|| match &self.path {
            Some(path) => Remark::UserNotInFile { user: user.to_owned(), path: path.clone() },
            None => Remark::UsersNotSaved(user.to_owned()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_found_by_name_and_number() {
        let text =
            b"root:x:0:0:root:/root:/bin/sh\ntoor:x:0:0::/:/bin/sh\n\n# a comment\n+::::::\n\
            1001:x:1000:1000::/:\nhalf:x\nroot:x:7:7::/:\nbad:x:-1:0::/:\nlast:*:65534";
        let passwd = Passwd::parse(text, Path::new("etc/passwd"));
        for (number, name) in [
            (0, Some("root")),
            (7, Some("root")),
            (1000, Some("1001")),
            (65534, Some("last")),
            (1001, None),
        ] {
            assert_eq!(passwd.name(number), name, "{number}");
        }
        for (user, number) in [("root", 0), ("toor", 0), ("1001", 1000), ("0", 0), ("42", 42)] {
            assert_eq!(passwd.user(user).unwrap(), number, "{user}");
        }
        let unknown = passwd.user("half").unwrap_err().to_string();
        assert!(unknown.contains("etc/passwd"), "{unknown}");
        assert!(Passwd::default().user("root").is_err());
    }
}
