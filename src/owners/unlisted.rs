//! Sockets that processes own, but that no table has: those that are not bound, and those of families
//! without a table.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::MetadataExt;

use super::{Descriptor, Sweep, own_pid};
use crate::process::{self, Pid};
use crate::socket::{OtherKind, OtherSocket};

/// The longest name of a protocol, in bytes (`struct proto` in `include/net/sock.h`).
const LONGEST: usize = 32;

impl Sweep<'_> {
    /// Returns the sockets that are not `listed`, each with a process that owns it. Skips sockets
    /// whose protocol the kernel does not tell, as in a saved tree.
    pub fn unlisted(&self, listed: &HashSet<u64>) -> Vec<(Pid, OtherSocket)> {
        let own = own_pid(self.root);
        let mut known = HashSet::new();
        let unlisted = self.findings.sockets.iter().filter(|(inode, it)| {
            // rnetstat opens sockets itself. Its descriptors 0 to 2 can be sockets of its caller.
            let is_own = own == Some(it.pid) && it.fd > 2;
            !is_own && !listed.contains(inode)
        });
        unlisted
            .filter_map(|&(inode, descriptor)| {
                let socket = self.generic(inode, descriptor).filter(|_| known.insert(inode))?;
                Some((descriptor.pid, socket))
            })
            .collect()
    }

    /// Returns the socket of a descriptor, as far as the descriptor tells.
    fn generic(&self, inode: u64, Descriptor { pid, fd }: Descriptor) -> Option<OtherSocket> {
        let path = process::file(self.root, pid, "fd").join(fd.to_string());
        let mut name = [0_u8; LONGEST];
        // `sockfs_xattr_handlers` in the kernel's `net/socket.c`.
        let length = rustix::fs::getxattr(&path, "system.sockprotoname", &mut name[..]).ok()?;
        let name = name.get(..length)?.split(|&byte| byte == 0).next()?;
        // The process can have closed the socket meanwhile, and opened another one.
        let metadata = fs::metadata(&path).ok().filter(|it| it.ino() == inode)?;
        Some(OtherSocket {
            protocol: Some(String::from_utf8_lossy(name).into()),
            uid: Some(metadata.uid()),
            ..OtherSocket::new(OtherKind::Generic, inode)
        })
    }
}
