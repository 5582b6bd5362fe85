//! Listings of the live view, which take the owners of the previous listing while these are unchanged.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use rnetstat::cli::{self, Task};
use rnetstat::gather::Gatherer;
use tempfile::TempDir;

const HEADING: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";

/// A saved tree with servers, and their owners.
struct Tree(TempDir);

impl Tree {
    fn new() -> Self {
        let tree = Self(TempDir::new().unwrap());
        fs::create_dir(tree.0.path().join("net")).unwrap();
        tree
    }

    /// Writes the table of TCP: a server for each inode.
    fn put_servers(&self, inodes: &[u32]) {
        let row = |inode: &u32| {
            format!(
                "   0: 00000000:{inode:04X} 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 {inode} 1 0\n"
            )
        };
        let rows: String = inodes.iter().map(row).collect();
        fs::write(self.0.path().join("net/tcp"), format!("{HEADING}{rows}")).unwrap();
    }

    fn fd(&self, pid: u32, fd: u32) -> std::path::PathBuf {
        self.0.path().join(format!("{pid}/fd/{fd}"))
    }

    fn put_owner(&self, pid: u32, fd: u32, inode: u32) {
        let path = self.fd(pid, fd);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let _ = fs::remove_file(&path);
        symlink(format!("socket:[{inode}]"), path).unwrap();
        self.put_command(pid, "program");
    }

    fn put_command(&self, pid: u32, command: &str) {
        fs::write(self.0.path().join(format!("{pid}/cmdline")), command).unwrap();
    }
}

/// Returns the inodes of a listing with their owners and command lines.
fn list(gatherer: &mut Gatherer<'_>) -> Vec<(u64, Vec<(u32, String)>)> {
    let listing = gatherer.gather(&mut |_| ()).unwrap();
    let owners = |entry: rnetstat::listing::Entry<'_>| {
        entry
            .owners
            .all()
            .map(|owner| {
                let command = String::from_utf8_lossy(owner.process.command.program()).into_owned();
                (owner.process.pid, command)
            })
            .collect()
    };
    listing.entries().map(|entry| (entry.socket.inode(), owners(entry))).collect()
}

fn with_kept_owners(root: &Path, test: impl FnOnce(&mut Gatherer<'_>)) {
    let arguments = ["rnetstat", "-tanpc", "--proc"].map(OsString::from);
    let arguments = arguments.into_iter().chain([root.as_os_str().to_owned()]);
    let Task::List(request) = cli::parse(arguments).unwrap() else { panic!() };
    let mut gatherer = Gatherer::new(&request, &mut |_| ()).unwrap();
    gatherer.keep_owners();
    test(&mut gatherer);
}

fn owned(inode: u64, pids: &[u32]) -> (u64, Vec<(u32, String)>) {
    (inode, pids.iter().map(|&pid| (pid, "program".to_owned())).collect())
}

#[test]
fn changed_owners_of_known_sockets_are_found_in_the_next_round() {
    let tree = Tree::new();
    tree.put_servers(&[1001, 1002]);
    tree.put_owner(1, 3, 1001);
    tree.put_owner(2, 3, 1002);
    with_kept_owners(tree.0.path(), |gatherer| {
        let first = [owned(1001, &[1]), owned(1002, &[2])];
        assert_eq!(list(gatherer), first);
        assert_eq!(list(gatherer), first);
        // A socket went to another process.
        fs::remove_file(tree.fd(2, 3)).unwrap();
        tree.put_owner(1, 4, 1002);
        assert_eq!(list(gatherer), [owned(1001, &[1]), owned(1002, &[1])]);
        // The descriptor is another socket now, which is new.
        tree.put_owner(1, 4, 1003);
        tree.put_servers(&[1001, 1003]);
        assert_eq!(list(gatherer), [owned(1001, &[1]), owned(1003, &[1])]);
        // The owner has ended.
        fs::remove_dir_all(tree.0.path().join("1")).unwrap();
        tree.put_owner(9, 3, 1001);
        assert_eq!(list(gatherer), [owned(1001, &[9]), owned(1003, &[])]);
    });
}

#[test]
fn further_owners_and_new_command_lines_are_found_in_every_tenth_round() {
    let tree = Tree::new();
    tree.put_servers(&[1001]);
    tree.put_owner(1, 3, 1001);
    with_kept_owners(tree.0.path(), |gatherer| {
        assert_eq!(list(gatherer), [owned(1001, &[1])]);
        tree.put_owner(2, 3, 1001);
        tree.put_command(1, "other");
        for round in 2..=10 {
            assert_eq!(list(gatherer), [owned(1001, &[1])], "round {round}");
        }
        let both = vec![(1, "other".to_owned()), (2, "program".to_owned())];
        assert_eq!(list(gatherer), [(1001, both)]);
    });
}
