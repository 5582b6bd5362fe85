//! What may not be seen, and what goes wrong, live.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use common::host::Host;
use common::{NOBODY, is_root, public_copy, skipped, text};

/// With `hidepid=1` the kernel refuses with EPERM, which netstat does not take for a refusal.
#[test]
fn hidden_processes_are_said_to_be_hidden() {
    if !is_root() {
        return skipped("not root");
    }
    let Some(host) = Host::new(&["python3", "mount", "setpriv"]) else { return };
    let mut receiver = host.start("python3", &["tests/programs/receiver.py"]);
    receiver.line();
    let (_directory, rnetstat) = public_copy();
    let list = || {
        let output = host
            .command("setpriv")
            .args([&format!("--reuid={NOBODY}"), &format!("--regid={NOBODY}"), "--clear-groups"])
            .arg(&rnetstat)
            .arg("-uanp")
            .output()
            .unwrap();
        (text(output.stdout), text(output.stderr), output.status.code())
    };
    let expected = list();
    let remark =
        format!("(No info could be read for \"-p\": geteuid()={NOBODY} but you should be root.)\n");
    assert_eq!((expected.1.as_str(), expected.2), (remark.as_str(), Some(0)));
    let remount = host.command("mount").args(["-o", "remount,hidepid=1", "/proc"]).status();
    assert!(remount.unwrap().success());
    assert_eq!(list(), expected);
}
