//! The tables of sockets in the kernel, read as text or by netlink.
//!
//! [`policy`] decides which source a table is read from, `merge` combines several readings, and the
//! modules `proc_net` (text) and `sock_diag` (netlink) parse one table at a time.

mod chains;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod merge;
mod pings;
pub mod policy;
mod proc_net;
mod sock_diag;
mod sockstat;
mod subflows;

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::Path;

use crate::entrance::Entrance;
use crate::query::Query;
use crate::remark::{Origin, Reason, Remark, Sink};
use crate::socket::{Family, Kind, OtherKind, Protocol, Socket, TcpInfos};
use chains::Chains;
use merge::RowsFrom;
use policy::{Again, Conditions, Method, Plan, Policy};
pub use proc_net::ByteOrder;
use proc_net::{Coverage, Text};
pub use sock_diag::Wants;
use sock_diag::{Netlink, Scope};
pub(crate) use sockstat::Counters;

/// Returns the byte order of the host that printed the tables in `<directory>/net`, judged by their
/// addresses; `None` if they do not tell.
pub fn detect_byte_order(directory: &Path) -> Option<ByteOrder> {
    ByteOrder::detect(&directory.join("net"))
}

/// Returns true for the tables that some kernels do not have, such as those without IPv6.
const fn is_optional(kind: Kind) -> bool {
    match kind {
        Kind::Internet(protocol, family) => {
            use Protocol::{Icmp, Mptcp, UdpLite};
            matches!((protocol, family), (UdpLite | Icmp | Mptcp, _) | (_, Family::Ipv6))
        }
        // As for netstat, it is an error if these alone are asked for, and the module is not loaded.
        Kind::Sctp(_) | Kind::Unix => false,
        Kind::Other(_) => true,
    }
}

/// Returns true for the optional tables whose absence is an error if only these are asked for: without
/// an option for them, they are not listed, or beside others.
const fn is_asked_for(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Internet(Protocol::UdpLite | Protocol::Mptcp, _) | Kind::Other(OtherKind::Vsock)
    )
}

/// The families that netstat lists without any option for a protocol, and rnetstat does not: their
/// files in `/proc/net`, which exist while a module of the kernel is loaded.
const OMITTED: [&str; 4] = ["ax25", "x25", "nr", "rose"];

/// The tables below one /proc root, and the buffers to read them.
pub struct Tables {
    policy: Policy,
    text: Text,
    netlink: Netlink,
}

/// The result of reading one table.
struct Outcome {
    origin: Origin,
    /// There was at least one row or fault.
    any: bool,
    result: io::Result<()>,
}

/// The trust in the text of a table.
enum Trust {
    /// The text has every socket that existed during the whole reading.
    Whole,
    /// The text may lack sockets that existed during the whole reading.
    Partial,
    /// The text may have rows that an attacker forged with a newline in the name of a UNIX socket.
    Nothing,
}

/// One table to read, and the list of all sockets that were read so far.
struct Reading<'a> {
    kind: Kind,
    query: &'a Query,
    sockets: &'a mut Vec<Socket>,
    /// The index of the first socket of this table.
    start: usize,
}

impl Reading<'_> {
    /// Another reading of the same table.
    fn other<'a>(&'a self, sockets: &'a mut Vec<Socket>) -> Reading<'a> {
        Reading { kind: self.kind, query: self.query, sockets, start: 0 }
    }

    /// Reads the table again with `read`, and appends the sockets that were missed.
    fn complete(&mut self, again: Again, mut read: impl FnMut(&mut Reading<'_>, usize) -> bool) {
        let Reading { kind, query, start, .. } = *self;
        merge::read_again(self.sockets, start, again, |sockets, round| {
            read(&mut Reading { kind, query, sockets, start: 0 }, round)
        });
    }
}

impl Tables {
    /// Returns the tables in `<directory>/net`, printed by a host with this byte order. Fails if the
    /// source that `--source` names cannot serve the request.
    pub fn new(directory: &Path, order: ByteOrder, conditions: Conditions) -> Result<Self, Remark> {
        let (policy, text) = (Policy::new(conditions)?, Text::new(directory, order));
        Ok(Self { policy, text, netlink: Netlink::new(conditions.wants, None) })
    }

    /// Returns the same tables of another network namespace. Without an entrance, only the text in
    /// `<directory>/net` is read.
    #[must_use]
    pub fn elsewhere(&self, directory: &Path, entrance: Option<Entrance>) -> Self {
        let policy = if entrance.is_some() { self.policy } else { Policy::Text };
        let netlink = Netlink::new(self.netlink.wants, entrance);
        Self { policy, text: Text::new(directory, self.text.order()), netlink }
    }

    /// Returns true if netlink is used, which [`find_unix_peers`](Self::find_unix_peers) needs.
    pub fn uses_netlink(&self) -> bool {
        self.policy != Policy::Text
    }

    /// Returns what was told about the connections of the last reading.
    pub fn take_infos(&mut self) -> TcpInfos {
        std::mem::take(&mut self.netlink.infos)
    }

    /// Reads the sockets that `query` selects. A table that this kernel does not have (without
    /// IPv6, for example) has no rows. Fails with [`Remark::NoTable`] if no table can be read.
    pub fn read(&mut self, query: &Query, remark: Sink<'_>) -> Result<Vec<Socket>, Remark> {
        let mut sockets = Vec::new();
        let mut failures = Vec::new();
        let mut is_readable = false;
        let mut plan = self.policy.plan(self.text.directory(), query);
        let has_table = |&kind: &Kind| kind != Kind::Other(OtherKind::Generic);
        for kind in Kind::all().filter(|&kind| query.includes(kind)).filter(has_table) {
            let start = sockets.len();
            let mut reading = Reading { kind, query, sockets: &mut sockets, start };
            let is_empty = plan.is_empty(kind);
            let outcome = (!is_empty).then(|| self.read_table(&mut plan, &mut reading, remark));
            if plan.lists_bound(kind) {
                // An old kernel has none, and without netlink they are not known.
                let _ = self.dump(&mut reading, Scope::Bound, 0, &mut |_| ());
            }
            let Some(outcome) = outcome else {
                is_readable = true;
                continue;
            };
            is_readable |= outcome.result.is_ok() || outcome.any;
            let is_text = matches!(outcome.origin, Origin::Text(_));
            let lacks_devices = is_text && matches!(kind, Kind::Internet(..));
            if lacks_devices && outcome.any && query.devices().next().is_some() {
                remark(Remark::DevicesUntold(outcome.origin.clone()));
            }
            if let Err(error) = outcome.result {
                failures.push((kind, outcome.origin, error));
            }
        }
        let failed: Vec<_> = failures.iter().map(|(kind, ..)| *kind).collect();
        self.mark_subflows(&plan, query, &failed, &mut sockets);
        if query.includes(Kind::Internet(Protocol::Icmp, Family::Ipv6)) {
            pings::drop_twins(&mut sockets);
        }
        if !is_readable {
            self.ensure_only_optional(query, &mut failures)?;
        }
        for (_, origin, error) in failures {
            remark(if is_absent(&error) {
                Remark::AbsentTable(origin)
            } else {
                Remark::PartialTable(origin, error)
            });
        }
        let is_netstats = |kind: &Kind| kind.is_netstats();
        if Kind::all().filter(is_netstats).all(|kind| query.includes(kind)) {
            self.report_omitted(remark);
        }
        Ok(sockets)
    }

    /// Reports the families that netstat would list as well.
    fn report_omitted(&self, remark: Sink<'_>) {
        let files = OMITTED.map(|file| self.text.directory().join(file));
        let present = files.into_iter().filter(|file| file.symlink_metadata().is_ok());
        present.map(Remark::OmittedFamily).for_each(remark);
    }

    /// Sets the other ends of UNIX sockets in rnetstat's own namespace. Only netlink has them.
    pub fn find_unix_peers(&mut self, sockets: &mut [Socket], remark: Sink<'_>) {
        if !self.uses_netlink() {
            return;
        }
        let mut peers = HashMap::new();
        let mut result = Ok(false);
        for round in 0..policy::MOST_READINGS {
            let known = peers.len();
            result = self.netlink.read(Kind::Unix, Scope::All, round, |_, socket| match socket {
                Ok(Socket::Unix(socket)) if socket.inode != 0 => {
                    peers.extend(socket.peer.map(|peer| (socket.inode, peer)));
                }
                _ => {}
            });
            if !matches!(result, Ok(false)) || peers.len() == known {
                break;
            }
        }
        for socket in sockets {
            match socket {
                Socket::Unix(socket) => {
                    socket.peer = socket.peer.or_else(|| peers.get(&socket.inode).copied());
                }
                Socket::Internet(_) | Socket::Sctp(_) | Socket::Other(_) => {}
            }
        }
        if let Err(error) = result {
            remark(Remark::UnixPeersMissing(Origin::Netlink(Kind::Unix.table()), error));
        }
    }

    /// Reads one table as the plan says. If netlink fails, reads the text instead.
    fn read_table(
        &mut self,
        plan: &mut Plan,
        reading: &mut Reading<'_>,
        remark: Sink<'_>,
    ) -> Outcome {
        match plan.method(reading.kind) {
            Method::Text { checked } => return self.read_text(plan, reading, checked, remark),
            Method::Netlink => {}
            Method::Unavailable => {
                let error = io::Error::new(io::ErrorKind::NotFound, Reason::OnlyNetlink);
                let origin = Origin::Netlink(reading.kind.table());
                return Outcome { origin, any: false, result: Err(error) };
            }
        }
        let (mut outcome, mut faults) = self.read_netlink(plan, reading);
        if plan.tolerates_faults() {
            faults.into_iter().for_each(&mut *remark);
        } else if let Some(fault) = faults.pop() {
            outcome.result = Err(io::Error::other(fault));
        }
        match outcome.result {
            Err(error) if plan.falls_back(reading.kind, &error) => {
                reading.sockets.truncate(reading.start);
                let text = self.read_text(plan, reading, false, remark);
                if !text.result.as_ref().is_err_and(is_absent) {
                    remark(Remark::TextInstead {
                        origin: outcome.origin,
                        error,
                        netlink_was_asked_for: plan.tolerates_faults(),
                    });
                }
                text
            }
            result => Outcome { result, ..outcome },
        }
    }

    /// Reads the text of a table, and then the sockets that it lacks.
    fn read_text(
        &mut self,
        plan: &Plan,
        reading: &mut Reading<'_>,
        checked: bool,
        remark: Sink<'_>,
    ) -> Outcome {
        // Hold the faults back. If netlink then shows that the text can have forged lines, it is
        // not used, and its faults are not reported.
        let mut faults = Vec::new();
        let keeps_faults = checked && policy::needs_check(reading.kind, true);
        let (outcome, is_whole) = self.read_text_once(reading, 0, &mut |fault| {
            if keeps_faults { faults.push(fault) } else { remark(fault) }
        });
        if outcome.result.is_err() {
            faults.into_iter().for_each(remark);
            return outcome;
        }
        let mut trust = if is_whole { Trust::Whole } else { Trust::Partial };
        if checked && policy::needs_check(reading.kind, is_whole) {
            trust = self.cross_check(plan, reading, remark).unwrap_or(trust);
        }
        let rows_from = if is_whole { RowsFrom::WholeText } else { RowsFrom::Text };
        merge::drop_repeated(reading.sockets, reading.start, rows_from);
        match trust {
            Trust::Whole => {}
            Trust::Partial => self.read_text_again(reading),
            Trust::Nothing => {
                reading.sockets.truncate(reading.start);
                let (outcome, faults) = self.read_netlink(plan, reading);
                faults.into_iter().for_each(remark);
                return outcome;
            }
        }
        faults.into_iter().for_each(remark);
        outcome
    }

    /// Reads the text of a table once. The returned bool is true if no socket can be missing.
    fn read_text_once(
        &mut self,
        reading: &mut Reading<'_>,
        round: usize,
        remark: Sink<'_>,
    ) -> (Outcome, bool) {
        let mut any = false;
        let Reading { kind, query, .. } = *reading;
        let origin = Origin::Text(self.text.file(kind));
        let result = self.text.read(kind, round, |number, socket| {
            any = true;
            match socket {
                Ok(socket) => keep(reading.sockets, socket, query),
                Err(fault) => remark(Remark::Line { origin: origin.clone(), number, fault }),
            }
        });
        if let Ok(Coverage { is_empty: true, .. }) = result {
            remark(Remark::EmptyTable(origin.clone()));
        }
        let is_whole = result.as_ref().is_ok_and(|coverage| coverage.is_whole);
        (Outcome { origin, any, result: result.map(|_| ()) }, is_whole)
    }

    fn read_text_again(&mut self, reading: &mut Reading<'_>) {
        let again = Again { scope: Scope::All, most: policy::MOST_READINGS_OF_TEXT };
        reading.complete(again, |more, round| {
            self.read_text_once(more, round, &mut |_| ()).0.result.is_ok()
        });
    }

    /// Cross-checks the text of a table against netlink, and appends the sockets that the text
    /// lacks. Returns the trust in the text, or `None` if netlink failed.
    fn cross_check(
        &mut self,
        plan: &Plan,
        reading: &mut Reading<'_>,
        remark: Sink<'_>,
    ) -> Option<Trust> {
        let mut more = Vec::new();
        let mut is_forged = false;
        let mut chains = plan.chains(reading.kind);
        let mut check = |socket: &Socket| is_forged |= can_forge_rows(socket);
        let mut dump = reading.other(&mut more);
        let result = self.dump(&mut dump, Scope::All, 0, &mut |socket| {
            chains.add(socket);
            check(socket);
        });
        if !matches!(result, Ok(true)) {
            self.dump_again(plan, &chains, &mut dump, &mut check);
        }
        merge::add_missed(reading.sockets, reading.start, more);
        match result {
            Ok(_) if is_forged => Some(Trust::Nothing),
            Ok(_) => Some(Trust::Whole),
            // netlink gave every socket; only the users of some handshakes are unknown.
            Err(error) if error.kind() == io::ErrorKind::Unsupported => Some(Trust::Whole),
            Err(error) => {
                remark(Remark::Unchecked(Origin::Netlink(reading.kind.table()), error));
                None
            }
        }
    }

    /// Reads a table by netlink. Returns also remarks about malformed messages.
    fn read_netlink(&mut self, plan: &Plan, reading: &mut Reading<'_>) -> (Outcome, Vec<Remark>) {
        let Reading { kind, query, .. } = *reading;
        let origin = Origin::Netlink(kind.table());
        let mut any = false;
        let mut faults = Vec::new();
        let mut chains = plan.chains(kind);
        let result = merge::retry_if_interrupted(reading.sockets, |sockets| {
            faults.clear();
            self.netlink.read(kind, Scope::All, 0, |number, socket| {
                any = true;
                match socket {
                    Ok(socket) => {
                        chains.add(&socket);
                        keep(sockets, socket, query);
                    }
                    Err(fault) => {
                        faults.push(Remark::Line { origin: origin.clone(), number, fault });
                    }
                }
            })
        });
        if let Ok(false) = result {
            self.dump_again(plan, &chains, reading, &mut |_| ());
        }
        (Outcome { origin, any, result: result.map(|_| ()) }, faults)
    }

    /// Reads a table by netlink again, as the plan says, and appends the sockets that were missed.
    fn dump_again(
        &mut self,
        plan: &Plan,
        chains: &Chains,
        reading: &mut Reading<'_>,
        check: &mut dyn FnMut(&Socket),
    ) {
        let again = plan.again(reading.kind, chains);
        if !again.is_empty() {
            merge::drop_repeated(reading.sockets, reading.start, RowsFrom::Netlink);
        }
        for again in again {
            reading
                .complete(again, |more, round| self.dump(more, again.scope, round, check).is_ok());
        }
    }

    /// Reads a table by netlink. Calls `check` with every socket, also with those that are not
    /// selected. Ignores faults. The result is that of [`Netlink::read`].
    fn dump(
        &mut self,
        reading: &mut Reading<'_>,
        scope: Scope,
        round: usize,
        check: &mut dyn FnMut(&Socket),
    ) -> io::Result<bool> {
        self.netlink.read(reading.kind, scope, round, |_, socket| {
            if let Ok(socket) = socket {
                check(&socket);
                keep(reading.sockets, socket, reading.query);
            }
        })
    }

    /// Fails if a table could not be read although it exists, or although every kernel has it.
    fn ensure_only_optional(
        &self,
        query: &Query,
        failures: &mut Vec<(Kind, Origin, io::Error)>,
    ) -> Result<(), Remark> {
        // The directory `net` must exist: a kernel without IPv6 lacks only some of its tables.
        if self.policy != Policy::Netlink
            && let Err(error) = fs::metadata(self.text.directory())
        {
            let origin = Origin::Text(self.text.directory().to_owned());
            return Err(Remark::NoTable(origin, error));
        }
        let asks_for_these = query.kinds.iter().all(|&kind| is_asked_for(kind));
        let is_fatal = |(kind, _, error): &(Kind, Origin, io::Error)| {
            asks_for_these || !(is_optional(*kind) && is_absent(error))
        };
        match failures.iter().position(is_fatal).map(|first| failures.swap_remove(first)) {
            Some((_, origin, error)) => Err(Remark::NoTable(origin, error)),
            None => Ok(()),
        }
    }
}

fn keep(sockets: &mut Vec<Socket>, socket: Socket, query: &Query) {
    if query.selects(&socket, None) {
        sockets.push(socket);
    }
}

/// Returns true if the name of this socket can forge rows in the text of its table.
fn can_forge_rows(socket: &Socket) -> bool {
    match socket {
        Socket::Internet(_) | Socket::Sctp(_) | Socket::Other(_) => false,
        Socket::Unix(socket) => socket.path.as_ref().is_some_and(|path| path.contains(&b'\n')),
    }
}

fn is_absent(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
}
