//! Carries out a request: reads the tables, finds the owners, and looks up the names.

mod elsewhere;
mod lookups;
mod owners;
mod rates;
mod unlisted;

use std::time::{Instant, SystemTime};

use crate::fields::{Grouping, Needs};
use crate::interfaces::Interfaces;
use crate::listing::{Extent, Listing, Part};
use crate::names::{self, Names, Naming, Passwd};
use crate::namespaces::{self, Namespace, Selection};
use crate::privileges::{self, Needs as Privileges};
use crate::process::Runtimes;
use crate::query::{Condition, Query};
use crate::remark::{NameKind, Remark, Sink};
use crate::render;
use crate::request::{Columns, Repeat, Request, SavedOrder};
use crate::root::Root;
use crate::socket::{Kind, OtherKind, Socket};
use crate::tables::policy::{Conditions, Source};
use crate::tables::{ByteOrder, Tables, Wants, detect_byte_order};
use owners::Kept;
use rates::Rates;

/// Gives up the privileges that a request does not need: call it before anything is read, and before
/// other threads start. `shown` is what showing the listing needs.
///
/// Fails if this process has too many privileges for `--proc`.
pub fn give_up_privileges(
    request: &Request,
    shown: Privileges,
    remark: Sink<'_>,
) -> Result<(), Remark> {
    if request.proc.is_some() && privileges::are_elevated() {
        return Err(Remark::ProcRefused);
    }
    let needs = Privileges {
        namespaces: request.netns.is_some(),
        other_calls: shown.other_calls || request.asks_for_names(),
        ..shown
    };
    if request.sandbox
        && let Err(error) = privileges::give_up(needs)
        && request.verbose
    {
        remark(Remark::PrivilegesKept(error));
    }
    Ok(())
}

/// Gathers listings for one request. Keeps names and buffers for the next listing.
pub struct Gatherer<'a> {
    request: &'a Request,
    root: Root,
    /// The sockets to list.
    query: Query,
    /// The sockets to read: those to list, and with `--peers` those that can be other ends. All, to
    /// know which sockets no table has.
    reading: Query,
    /// What the request needs.
    own_needs: Needs,
    /// What is gathered: what the request needs, and what [`Self::also_gather`] adds.
    needs: Needs,
    extent: Extent,
    byte_order: ByteOrder,
    tables: Tables,
    names: Names,
    /// Which names are looked up.
    naming: Naming,
    runtimes: Runtimes,
    /// The number of the namespace that `--netns` names, once it is found.
    found: Option<String>,
    rates: Rates,
    /// The other ends of some UNIX sockets are unknown.
    lacks_unix_peers: bool,
    /// When the time of `--wait` or `--wait-gone` is over.
    end: Option<Instant>,
    /// Owners are taken from the previous listing.
    keeps_owners: bool,
    /// The owners of the previous listing, if they can be taken again.
    kept: Option<Kept>,
    /// The number of names that came too late for the previous listing.
    late: usize,
}

impl<'a> Gatherer<'a> {
    /// Fails if a user is not found in time, or the source cannot serve the request.
    pub fn new(request: &'a Request, remark: Sink<'_>) -> Result<Self, Remark> {
        let root = request.proc.as_deref().map_or_else(Root::this_host, Root::find);
        let passwd = (!root.is_this_host).then(|| read_passwd(&root, remark));
        let end = match request.repeat {
            Repeat::Wait(limit) | Repeat::WaitGone(limit) => {
                limit.and_then(|limit| Instant::now().checked_add(limit))
            }
            Repeat::Rounds(_) => None,
        };
        let mut query = request.query.clone();
        query.conditions = names::conditions(
            &request.conditions,
            passwd.as_ref(),
            lookups::timeout(request, end),
            remark,
        )?;
        let is_about_devices = query.devices().next().is_some();
        if is_about_devices && (request.proc.is_some() || request.source == Source::Text) {
            return Err(Remark::DeviceUnknown);
        }
        if request.proc.is_some() || request.source == Source::Text {
            let keys = only_by_netlink(request);
            if !keys.is_empty() {
                remark(Remark::OnlyNetlinkTells(keys));
            }
        }
        let first = if is_about_devices { Needs::FACTS } else { Needs::default() };
        let needs = first.and(needs(request));
        let (extent, reading) = extent(needs, &query);
        let byte_order = byte_order(request, &root, remark);
        let tables = Tables::new(&root.tables, byte_order, conditions(request, needs))?;
        let names = Names::new(passwd);
        let runtimes = Runtimes::new(root.host());
        Ok(Self {
            request,
            root,
            query,
            reading,
            own_needs: needs,
            needs,
            extent,
            byte_order,
            tables,
            names,
            naming: request.look.naming,
            runtimes,
            found: None,
            rates: Rates::default(),
            lacks_unix_peers: false,
            end,
            keeps_owners: false,
            kept: None,
            late: 0,
        })
    }

    /// Gathers more than the request needs, from the next listing on. Replaces what an earlier call
    /// added. Fails like [`Tables::new`].
    pub fn also_gather(&mut self, more: Needs) -> Result<(), Remark> {
        let needs = self.own_needs.and(more);
        if needs != self.needs {
            let conditions = conditions(self.request, needs);
            self.tables = Tables::new(&self.root.tables, self.byte_order, conditions)?;
            (self.extent, self.reading) = extent(needs, &self.query);
            self.needs = needs;
            self.kept = None;
        }
        Ok(())
    }

    /// Looks up these names from now on, instead of those of the request, and shows no others.
    pub fn show_names(&mut self, naming: Naming) {
        self.naming = naming;
        self.names.show(naming);
    }

    /// Gathers a listing, without names. Fails if no table can be read or the namespace is unknown.
    pub fn gather(&mut self, remark: Sink<'_>) -> Result<Listing, Remark> {
        let verbose = self.request.verbose;
        let remark: Sink<'_> = &mut |it: Remark| {
            if verbose || !it.is_detail() {
                remark(it);
            }
        };
        let (time, start) = (SystemTime::now(), Instant::now());
        let (mut parts, owners) = if self.needs.include(Needs::OWNERS) {
            let (parts, owners) = self.read_with_owners(remark)?;
            (parts, Some(owners))
        } else {
            (self.read(remark)?, None)
        };
        if self.needs.include(Needs::TCP) && self.request.look.is_continuous {
            self.rates.set(&mut parts, start);
        }
        let mut listing = Listing::new(parts, owners, &self.query, self.extent, time);
        self.request.order.sort(&mut listing);
        Ok(listing)
    }

    /// Tells what can be the cause if no socket matches.
    pub fn explain_no_match(&self, remark: Sink<'_>) {
        let pids = self.query.conditions.iter().filter_map(|condition| match condition {
            Condition::Pids { pids, .. } if self.request.netns.is_none() => Some(&pids.wanted),
            _ => None,
        });
        let own = namespaces::number(&self.root.process);
        for &pid in pids.flatten() {
            let other = namespaces::number(&self.root.path.join(pid.to_string()));
            if other.is_some() && own.is_some() && other != own {
                remark(Remark::InOtherNamespace(pid));
            }
        }
    }

    /// The names that are known so far.
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// Reads the tables of the namespaces that the request selects.
    fn read(&mut self, remark: Sink<'_>) -> Result<Vec<Part>, Remark> {
        self.lacks_unix_peers = self.finds_unix_peers() && !self.tables.uses_netlink();
        let parts = self.read_parts(remark)?;
        self.ensure_devices_exist(&parts)?;
        if self.lacks_unix_peers {
            remark(Remark::UnixPeersUnknown);
        }
        Ok(parts)
    }

    fn read_parts(&mut self, remark: Sink<'_>) -> Result<Vec<Part>, Remark> {
        match &self.request.netns {
            None => {
                let namespace = self.needs.include(Needs::NAMESPACES).then(|| {
                    let number = namespaces::number(&self.root.process);
                    Namespace { number, names: Vec::new(), is_own: true, pids: Vec::new() }
                });
                let sockets = self.read_own_tables(remark)?;
                Ok(vec![self.own_part(namespace, sockets)])
            }
            Some(Selection::One(wanted)) => {
                let may_enter = self.may_enter();
                // The process that `--netns` names can have ended since the previous listing, but
                // the namespace can also have been made again.
                let found =
                    self.found.take().map(|found| namespaces::one(&self.root, &found, may_enter));
                let namespace = match found {
                    Some(Ok(namespace)) => namespace,
                    Some(Err(_)) | None => namespaces::one(&self.root, wanted, may_enter)?,
                };
                self.found = namespace.number.map(|number| number.to_string());
                Ok(vec![self.read_namespace(&namespace, remark)?])
            }
            Some(Selection::All) => self.read_all_namespaces(remark),
        }
    }

    fn finds_unix_peers(&self) -> bool {
        self.extent == Extent::WithPeers && self.reading.includes(Kind::Unix)
    }

    /// Returns true if names of network devices are shown, or asked for.
    fn needs_interfaces(&self, sockets: &[Socket]) -> bool {
        self.query.devices().next().is_some() || sockets.iter().any(|it| it.interface().is_some())
    }

    /// Fails if a network device that the query names is in none of these namespaces.
    fn ensure_devices_exist(&self, parts: &[Part]) -> Result<(), Remark> {
        let is_unknown = |name: &&str| !parts.iter().any(|part| part.interfaces.include(name));
        match self.query.devices().find(is_unknown) {
            Some(name) => {
                Err(Remark::UnknownName { kind: NameKind::Interface, name: name.to_owned() })
            }
            None => Ok(()),
        }
    }

    /// Returns the sockets of the own namespace, with its network devices if a socket is bound to one.
    fn own_part(&mut self, namespace: Option<Namespace>, sockets: Vec<Socket>) -> Part {
        let interfaces = match self.request.proc {
            _ if !self.needs_interfaces(&sockets) => Interfaces::default(),
            Some(_) => Interfaces::read(&self.root.tables.join("net")),
            None => Interfaces::own(),
        };
        Part { namespace, sockets, interfaces, infos: self.tables.take_infos() }
    }

    fn read_own_tables(&mut self, remark: Sink<'_>) -> Result<Vec<Socket>, Remark> {
        let mut sockets = self.tables.read(&self.reading, remark)?;
        if self.finds_unix_peers() {
            self.tables.find_unix_peers(&mut sockets, remark);
        }
        Ok(sockets)
    }
}

/// Returns which sockets must be there for these needs, and the query that reads them.
fn extent(needs: Needs, query: &Query) -> (Extent, Query) {
    let wants_unlisted = query.includes(Kind::Other(OtherKind::Generic));
    let is_about_devices = query.devices().next().is_some();
    let extent = match (needs.include(Needs::PEERS), wants_unlisted) {
        (true, _) => Extent::WithPeers,
        (false, false) if !is_about_devices => Extent::Selected,
        (false, _) => Extent::Wider,
    };
    let reading = match extent {
        _ if wants_unlisted => Query::all(),
        Extent::WithPeers => query.with_other_ends(),
        Extent::Wider | Extent::Selected => query.clone(),
    };
    (extent, reading)
}

/// Returns what decides which source the tables are read from.
fn conditions(request: &Request, needs: Needs) -> Conditions {
    Conditions {
        source: request.source,
        wants: Wants {
            timers: needs.include(Needs::TIMERS),
            facts: needs.include(Needs::FACTS),
            tcp: needs.include(Needs::TCP),
        },
        other_root: request.proc.is_some(),
    }
}

/// Returns the byte order of the host that prints the text of the tables.
fn byte_order(request: &Request, root: &Root, remark: Sink<'_>) -> ByteOrder {
    let detected = match request.saved_order {
        SavedOrder::Given(order) => return order,
        SavedOrder::Detected if root.is_saved => detect_byte_order(&root.tables),
        SavedOrder::Detected => None,
    };
    let order = detected.unwrap_or(ByteOrder::OWN);
    if order != ByteOrder::OWN {
        let (root, order, own) = (root.path.clone(), order.name(), ByteOrder::OWN.name());
        remark(Remark::ForeignByteOrder { root, order, own });
    }
    order
}

/// Reads the users of another host. If their file cannot be read, there are none.
fn read_passwd(root: &Root, remark: Sink<'_>) -> Passwd {
    let path = root.passwd();
    Passwd::read(path.clone()).unwrap_or_else(|error| {
        remark(Remark::UsersUnknown(path.unwrap_or_default(), error));
        Passwd::default()
    })
}

/// Returns what the shown fields, the order and the filters need.
fn needs(request: &Request) -> Needs {
    let Request { look, conditions, order, query, .. } = request;
    let fields =
        render::fields(look).into_iter().chain(order.fields().iter().map(|&(field, _)| field));
    let wants_unlisted = query.includes(Kind::Other(OtherKind::Generic));
    let first = if wants_unlisted { Needs::OWNERS } else { Needs::default() };
    let needs = conditions.iter().fold(first, |needs, condition| {
        needs.and(match condition {
            Condition::Ports(..)
            | Condition::Addresses(..)
            | Condition::Ends(_)
            | Condition::Interfaces(_)
            | Condition::States(_) => Needs::default(),
            Condition::Users(_) => Needs::PROCESS_USERS,
            Condition::Pids { with_children: true, .. } => Needs::ANCESTORS,
            Condition::Pids { with_children: false, .. } => Needs::OWNERS,
            Condition::Programs(_) => Needs::SEARCHED_COMMANDS,
            Condition::Units(_) | Condition::Containers(_) => Needs::SERVICES,
        })
    });
    fields.fold(needs, |needs, field| needs.and(field.needs))
}

/// Returns the fields that the user names and only netlink tells.
fn only_by_netlink(request: &Request) -> Vec<&'static str> {
    let look = &request.look;
    let (Columns::UsualAnd(columns) | Columns::Only(columns)) = &look.columns;
    let counted = look.grouping.iter().flat_map(Grouping::fields);
    let sorted = request.order.fields().iter().map(|&(field, _)| field);
    let mut keys: Vec<_> = columns
        .iter()
        .copied()
        .chain(counted)
        .chain(sorted)
        .filter(|field| field.is_only_by_netlink())
        .map(|field| field.key)
        .collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}
