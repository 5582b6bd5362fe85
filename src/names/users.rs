//! The numbers of users whose names the user gives.

use std::time::Duration;

use super::pool::ask_all;
use super::resolver::{self, Answer};
use crate::number::decimal;
use crate::remark::{Remark, Sink};

/// Returns the numbers of users, which are looked up in parallel. A name has precedence over a
/// number, as for chown(1). Fails if a user is unknown. Also fails if the resolver fails or does not
/// answer in time, unless the user is a number.
pub(super) fn users(
    users: &[String],
    timeout: Duration,
    remark: Sink<'_>,
) -> Result<Vec<u32>, Remark> {
    users_by(resolver::uid, users, timeout, remark)
}

/// `ask` asks the resolver.
fn users_by(
    ask: fn(&String) -> Answer<u32>,
    users: &[String],
    timeout: Duration,
    remark: Sink<'_>,
) -> Result<Vec<u32>, Remark> {
    let found = ask_all(ask, users.iter().cloned(), timeout);
    let mut unchecked = Vec::new();
    let uids = users.iter().map(|user| {
        let number = decimal(user.as_bytes());
        let name = || user.clone();
        match (found.get(user), number) {
            (Some(Ok(Some(uid))), _) => Ok(*uid),
            (Some(Ok(None)), Some(number)) => Ok(number),
            (Some(Err(_)) | None, Some(number)) => {
                unchecked.push(name());
                Ok(number)
            }
            (Some(Ok(None)), None) => Err(Remark::UnknownUser(name())),
            (Some(Err(error)), None) => {
                Err(Remark::UserNotFound { user: name(), error: error.clone() })
            }
            (None, None) => Err(Remark::UserTooLate { user: name(), timeout }),
        }
    });
    let uids = uids.collect::<Result<_, _>>()?;
    if !unchecked.is_empty() {
        remark(Remark::UsersUnchecked(unchecked));
    }
    Ok(uids)
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn numbers_serve_if_the_resolver_fails_or_hangs() {
        let ask = |user: &String| match user.as_str() {
            "root" => Ok(Some(0)),
            "1001" => Ok(Some(7)),
            "5" | "nosuch" => Ok(None),
            "6" | "broken" => Err("broken".to_owned()),
            _ => loop {
                thread::park();
            },
        };
        let mut remarks = Vec::new();
        let mut find = |users: &str, timeout: u64| {
            let users: Vec<_> = users.split(' ').map(str::to_owned).collect();
            let timeout = Duration::from_millis(timeout);
            let found = users_by(ask, &users, timeout, &mut |remark| remarks.push(remark));
            found.map_err(|error| error.to_string())
        };
        let long = 60_000;
        assert_eq!(find("root 1001 5 root", long), Ok(vec![0, 7, 5, 0]));
        assert_eq!(find("6 5", long), Ok(vec![6, 5]));
        assert_eq!(find("7 8 9", 100), Ok(vec![7, 8, 9]));
        for (user, timeout, error) in [
            ("nosuch", long, "there is no user 'nosuch'"),
            ("broken", long, "the number of user 'broken' could not be found: broken"),
            ("hangs", 100, "the number of user 'hangs' was not found within 100ms"),
        ] {
            let found = find(user, timeout).unwrap_err();
            assert!(found.starts_with(error), "{found}");
        }
        let unchecked = remarks.iter().map(|remark| match remark {
            Remark::UsersUnchecked(users) => users.join(" "),
            other => panic!("{other}"),
        });
        assert_eq!(unchecked.collect::<Vec<_>>(), ["6", "7 8 9"]);
    }
}
