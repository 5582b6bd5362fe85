//! Finds the owners of the sockets in a listing, or takes those of the previous one.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::thread;

use super::Gatherer;
use crate::fields::Needs;
use crate::listing::Part;
use crate::owners::{Owners, Sweep, inodes};
use crate::process::Detail;
use crate::remark::{Remark, Sink};
use crate::socket::{Kind, OtherKind, Socket};

/// The most listings in a row that take the same owners again.
const MOST_USES: u32 = 9;

/// The owners of the previous listing.
pub(super) struct Kept {
    owners: Arc<Owners>,
    /// The inodes whose owners were searched, in order.
    searched: Vec<u64>,
    /// How many listings have taken these owners again.
    uses: u32,
}

impl Gatherer<'_> {
    /// From now on, a listing takes the owners of the previous listing if these still have their sockets
    /// and no socket is new. That costs one link for each descriptor. At least every tenth listing
    /// searches all processes. Only such a listing finds a further owner of a known socket, a changed
    /// command line, unit or user of an owner, and an owner of a socket that had none.
    pub fn keep_owners(&mut self) {
        self.keeps_owners = true;
    }

    /// Reads the tables, and finds the owners of the sockets.
    pub(super) fn read_with_owners(
        &mut self,
        remark: Sink<'_>,
    ) -> Result<(Vec<Part>, Arc<Owners>), Remark> {
        let Some(mut kept) = self.kept.take().filter(|kept| kept.uses < MOST_USES) else {
            return self.sweep(Self::read, remark);
        };
        let root = self.root.path.clone();
        let (lost, parts) = thread::scope(|scope| {
            let lost = || kept.owners.lost(&root);
            let thread = thread::Builder::new().spawn_scoped(scope, lost);
            let parts = self.read(remark);
            let lost = match thread {
                Ok(thread) => thread.join().unwrap_or_else(|panic| resume_unwind(panic)),
                Err(_) => lost(),
            };
            (lost, parts)
        });
        let parts = parts?;
        let wanted = inodes(sockets(&parts));
        let is_in = |inodes: &[u64], inode| inodes.binary_search(inode).is_ok();
        if !wanted.iter().all(|inode| is_in(&kept.searched, inode) && !is_in(&lost, inode)) {
            return self.sweep(|_, _| Ok(parts), remark);
        }
        kept.uses += 1;
        let owners = Arc::clone(&kept.owners);
        self.kept = Some(kept);
        owners.report_hidden(&self.root.path, wanted, remark);
        Ok((parts, owners))
    }

    /// Searches all processes for the owners of the sockets that `read` returns.
    fn sweep(
        &mut self,
        read: impl FnOnce(&mut Self, Sink<'_>) -> Result<Vec<Part>, Remark>,
        remark: Sink<'_>,
    ) -> Result<(Vec<Part>, Arc<Owners>), Remark> {
        let root = &self.root.path.clone();
        let wants_unlisted = self.query.includes(Kind::Other(OtherKind::Generic));
        let before = if wants_unlisted { self.counters() } else { None };
        // [`Sweep::run`] reads the tables while it sweeps, if there are many processes.
        let (sweep, parts) = Sweep::run(root, || read(self, remark));
        let mut parts = parts?;
        if wants_unlisted {
            self.add_unlisted(&sweep, &mut parts, before.as_ref());
        }
        let detail = Detail {
            searched_command: self.needs.include(Needs::SEARCHED_COMMANDS),
            user: self.needs.include(Needs::PROCESS_USERS),
            service: self.needs.include(Needs::SERVICES),
            cwd: self.needs.include(Needs::DIRECTORIES),
            ancestors: self.needs.include(Needs::ANCESTORS),
        };
        let mut owners = sweep.owners(sockets(&parts), detail, remark);
        owners.name_containers(&mut self.runtimes);
        if self.needs.include(Needs::SERVICES)
            && let Some(host) = self.root.host()
        {
            owners.read_activation(&host);
        }
        if !owners.are_saved() && self.request.asks_for_owners() {
            return Err(Remark::OwnersNotSaved(root.to_owned()));
        }
        if let Some((name, ids)) = self.query.ambiguous_container(owners.processes()) {
            return Err(Remark::AmbiguousContainer { name: name.to_owned(), ids });
        }
        owners.report_hidden(root, sockets(&parts).map(Socket::inode), remark);
        let owners = Arc::new(owners);
        // Only a sweep finds sockets that no table has.
        if self.keeps_owners && !wants_unlisted {
            let searched = inodes(sockets(&parts));
            self.kept = Some(Kept { owners: Arc::clone(&owners), searched, uses: 0 });
        }
        Ok((parts, owners))
    }
}

fn sockets(parts: &[Part]) -> impl Iterator<Item = &Socket> + Clone {
    parts.iter().flat_map(|part| &part.sockets)
}
