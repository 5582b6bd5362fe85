//! Owners of sockets in small trees.

use std::fs;
use std::os::unix::fs::symlink;

use tempfile::TempDir;

use super::*;
use crate::socket::{InternetSocket, State};

fn listener(inode: u64) -> Socket {
    Socket::Internet(InternetSocket { inode, ..InternetSocket::example() })
}

#[test]
fn each_socket_gets_its_owner_unless_the_process_has_ended() {
    let root = TempDir::new().unwrap();
    let pids = 1..=150;
    for pid in pids.clone() {
        let fds = root.path().join(pid.to_string()).join("fd");
        fs::create_dir_all(&fds).unwrap();
        symlink(format!("socket:[{}]", 1000 + pid), fds.join("3")).unwrap();
        fs::write(process::file(root.path(), pid, "cmdline"), format!("program {pid}")).unwrap();
    }
    let (sweep, ()) = Sweep::run(root.path(), || ());
    let ended: [Pid; 2] = [7, 149];
    for pid in ended {
        fs::remove_dir_all(root.path().join(pid.to_string())).unwrap();
    }
    let mut panic = |remark: Remark| panic!("{remark}");
    let sockets: Vec<_> = (1000..2000).rev().map(listener).collect();
    let owners = sweep.owners(&sockets, Detail::default(), &mut panic);
    for pid in pids {
        let program = owners.of(1000 + u64::from(pid)).next().map(|owner| {
            assert_eq!((owner.process.pid, owner.fds().collect()), (pid, vec![3]));
            String::from_utf8_lossy(owner.process.command.program()).into_owned()
        });
        let expected = (!ended.contains(&pid)).then(|| format!("program {pid}"));
        assert_eq!(program, expected);
    }
    owners.report_hidden(root.path(), [], &mut panic);
}

#[test]
fn process_that_was_forked_during_the_sweep_is_an_owner() {
    let root = TempDir::new().unwrap();
    let add = |pid: Pid, inode: u64| {
        let fds = root.path().join(pid.to_string()).join("fd");
        fs::create_dir_all(&fds).unwrap();
        symlink(format!("socket:[{inode}]"), fds.join("3")).unwrap();
        fs::write(process::file(root.path(), pid, "cmdline"), "program").unwrap();
    };
    add(1, 1001);
    let (sweep, ()) = Sweep::run(root.path(), || add(2, 1002));
    let mut panic = |remark: Remark| panic!("{remark}");
    let owners = sweep.owners(&[1001, 1002].map(listener), Detail::default(), &mut panic);
    let pids: Vec<_> = owners.processes().iter().map(|process| process.pid).collect();
    assert_eq!(pids, [1, 2]);
}

#[test]
fn socket_that_a_known_process_opened_during_the_sweep_has_its_owner() {
    let root = TempDir::new().unwrap();
    let add = |pid: Pid, fd: u32, inode: u64| {
        let fds = root.path().join(pid.to_string()).join("fd");
        fs::create_dir_all(&fds).unwrap();
        symlink(format!("socket:[{inode}]"), fds.join(fd.to_string())).unwrap();
        fs::write(process::file(root.path(), pid, "cmdline"), "program").unwrap();
    };
    let count = |sockets: u32| {
        fs::create_dir_all(root.path().join("net")).unwrap();
        let text = format!("sockets: used {sockets}\n");
        fs::write(root.path().join("net/sockstat"), text).unwrap();
        fs::write(root.path().join("net/snmp"), "").unwrap();
    };
    // With this many processes, the tables are read during the sweep.
    (1..=100).for_each(|pid| add(pid, 3, 1000 + u64::from(pid)));
    let connection = |inode| {
        let state = State::Established;
        Socket::Internet(InternetSocket { state, inode, ..InternetSocket::example() })
    };
    for (sockets, inode, socket, owner) in [
        (100, 2001, listener as fn(u64) -> Socket, None),
        (101, 2002, listener, Some(7)),
        (100, 2003, connection, Some(7)),
    ] {
        count(100);
        let (sweep, ()) = Sweep::run(root.path(), || ());
        add(7, u32::try_from(inode).unwrap(), inode);
        count(sockets);
        let mut panic = |remark: Remark| panic!("{remark}");
        let owners = sweep.owners(&[listener(1001), socket(inode)], Detail::default(), &mut panic);
        let found = owners.of(inode).next().map(|owner| owner.process.pid);
        assert_eq!(found, owner, "{sockets} sockets");
    }
}

#[test]
fn socket_that_its_owner_gave_to_another_process_has_an_owner() {
    let root = TempDir::new().unwrap();
    let fd = |pid: Pid, fd: &str| root.path().join(pid.to_string()).join("fd").join(fd);
    let add = |pid: Pid, inode: u64| {
        fs::create_dir_all(fd(pid, "")).unwrap();
        symlink(format!("socket:[{inode}]"), fd(pid, &inode.to_string())).unwrap();
        fs::write(process::file(root.path(), pid, "cmdline"), "program").unwrap();
    };
    for (receiver, is_known) in [(4, true), (6, true), (7, false)] {
        let inode = 1000 + u64::from(receiver);
        add(5, 2005);
        add(5, inode);
        if is_known {
            add(receiver, 2000 + u64::from(receiver));
        }
        let (sweep, ()) = Sweep::run(root.path(), || ());
        add(receiver, inode);
        fs::remove_file(fd(5, &inode.to_string())).unwrap();
        let mut panic = |remark: Remark| panic!("{remark}");
        let owners = sweep.owners(&[listener(inode)], Detail::default(), &mut panic);
        let pids: Vec<_> = owners.of(inode).map(|owner| owner.process.pid).collect();
        assert_eq!(pids, [receiver]);
        fs::remove_dir_all(root.path().join("5")).unwrap();
    }
}

#[test]
fn process_that_got_the_pid_of_an_ended_owner_is_no_owner() {
    let root = TempDir::new().unwrap();
    let fds = root.path().join("5/fd");
    fs::create_dir_all(&fds).unwrap();
    symlink("socket:[1005]", fds.join("3")).unwrap();
    fs::write(process::file(root.path(), 5, "cmdline"), "owner").unwrap();
    let (sweep, ()) = Sweep::run(root.path(), || ());
    fs::remove_file(fds.join("3")).unwrap();
    symlink("socket:[2005]", fds.join("3")).unwrap();
    fs::write(process::file(root.path(), 5, "cmdline"), "innocent").unwrap();
    let mut panic = |remark: Remark| panic!("{remark}");
    let owners = sweep.owners(&[listener(1005)], Detail::default(), &mut panic);
    assert!(owners.of(1005).next().is_none() && owners.processes().is_empty());
}

#[test]
fn socket_of_a_program_that_the_kernel_started_has_its_owner() {
    let root = TempDir::new().unwrap();
    let put = |path: &str, text: &str| {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    put("2/stat", "2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0");
    put("2/task/2/children", "30 ");
    put("30/cmdline", "helper");
    fs::create_dir_all(root.path().join("30/fd")).unwrap();
    symlink("socket:[1030]", root.path().join("30/fd/3")).unwrap();
    let (sweep, ()) = Sweep::run(root.path(), || ());
    assert!(sweep.findings.sockets.is_empty(), "it is skipped first");
    let mut panic = |remark: Remark| panic!("{remark}");
    let owners = sweep.owners(&[listener(1030)], Detail::default(), &mut panic);
    assert_eq!(owners.of(1030).next().map(|owner| owner.process.pid), Some(30));
}
