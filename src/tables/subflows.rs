//! Which TCP sockets are subflows of MPTCP sockets.

use std::collections::HashSet;
use std::io;

use super::Tables;
use super::policy::Plan;
use super::sock_diag::Scope;
use crate::query::Query;
use crate::socket::{Family, Kind, Protocol, Socket};

const TABLES: [Kind; 2] =
    [Kind::Internet(Protocol::Mptcp, Family::Ipv4), Kind::Internet(Protocol::Mptcp, Family::Ipv6)];

impl Tables {
    /// Marks the TCP sockets that are subflows: they have the inode of an MPTCP socket. Without netlink,
    /// that is unknown.
    pub(super) fn mark_subflows(
        &mut self,
        plan: &Plan,
        query: &Query,
        failed: &[Kind],
        sockets: &mut [Socket],
    ) {
        if !self.netlink.wants.facts && !TABLES.iter().all(|&kind| query.includes(kind)) {
            return;
        }
        let mut inodes = HashSet::new();
        for kind in TABLES {
            if query.includes(kind) && query.conditions.is_empty() && !failed.contains(&kind) {
                let of_kind = sockets.iter().filter(|it| it.kind() == kind);
                inodes.extend(of_kind.map(Socket::inode));
            } else if !self.uses_netlink() || self.read_inodes(plan, kind, &mut inodes).is_err() {
                return;
            }
        }
        // No program has accepted these connections yet.
        inodes.remove(&0);
        for socket in sockets {
            match socket {
                Socket::Internet(it) if it.protocol == Protocol::Tcp && it.inode != 0 => {
                    it.facts.mptcp = Some(inodes.contains(&it.inode));
                }
                _ => {}
            }
        }
    }

    fn read_inodes(
        &mut self,
        plan: &Plan,
        kind: Kind,
        inodes: &mut HashSet<u64>,
    ) -> io::Result<()> {
        if !plan.lacks_protocol(kind) {
            self.netlink.read(kind, Scope::All, 0, |_, socket| {
                inodes.extend(socket.ok().map(|it| it.inode()));
            })?;
        }
        Ok(())
    }
}
