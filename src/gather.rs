//! The way from a request to a [`Listing`]: tables, owners, names.

use std::fmt;
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

use nix::errno::Errno;
use nix::unistd::Uid;

use crate::cli::Request;
use crate::listing::{Held, Listing, Part};
use crate::names::{Names, Naming, Number};
use crate::namespaces::{self, Namespace, Namespaces, Unknown, Wanted};
use crate::owners::{Owners, Sight, Sweep};
use crate::process::{Detail, Pid};
use crate::query::Query;
use crate::render::Format;
use crate::socket::{InternetSocket, Socket};
use crate::tables::{Interface, Source, Unreadable, Warning};

/// Why there is no listing, or only a part of one.
#[derive(Debug)]
pub enum Error {
    /// There is no table to list.
    Tables(Unreadable),
    /// There is no such namespace.
    Namespace(Unknown),
    /// The listing could not be written.
    Output(io::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tables(error) => error.fmt(f),
            Self::Namespace(error) => error.fmt(f),
            Self::Output(error) => write!(f, "cannot write the listing: {error}"),
        }
    }
}

impl std::error::Error for Error {}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

/// Where what is amiss and does not stop a listing goes, a line at a time.
pub type Remark<'a> = &'a mut dyn FnMut(&dyn fmt::Display);

/// Gathers what a request asks for, once or again: what serves every listing is kept.
pub struct Gatherer<'a> {
    request: &'a Request,
    /// What has to be read.
    reading: Query,
    source: Source,
    names: Names,
    /// The number of the namespace that was asked for, once it is found.
    found: Option<String>,
}

impl<'a> Gatherer<'a> {
    /// A gatherer for this request.
    #[must_use]
    pub fn new(request: &'a Request) -> Self {
        let query = &request.query;
        Self {
            request,
            reading: if request.look.peers { query.with_other_ends() } else { query.clone() },
            source: Source::new(&request.proc, request.interface),
            names: Names::default(),
            found: None,
        }
    }

    /// Gathers a listing, without the names in it.
    ///
    /// # Errors
    ///
    /// [`Error`], when no table can be read.
    pub fn gather(&mut self, remark: Remark<'_>) -> Result<Listing, Error> {
        let request = self.request;
        let time = SystemTime::now();
        let (parts, owners) = if self.needs_owners() {
            // Both are the kernel's work more than ours, and none waits for the other.
            let (sweep, parts) = Sweep::run(&request.proc, || self.read(remark));
            let parts = parts?;
            let owners = join(sweep, &parts, self.detail(), remark);
            (parts, Some(owners))
        } else {
            (self.read(remark)?, None)
        };
        let Request { query, order, look, .. } = request;
        Ok(Listing::new(parts, owners, query, order, look.peers, time))
    }

    /// The names that are known by now.
    #[must_use]
    pub fn names(&self) -> &Names {
        &self.names
    }

    fn needs_owners(&self) -> bool {
        let Request { look, query, order, .. } = self.request;
        let to_be_shown = look.programs || look.format != Format::Netstat || look.peers;
        to_be_shown || !query.held_by.is_empty() || order.needs_owners()
    }

    fn detail(&self) -> Detail {
        let Request { look, query, order, .. } = self.request;
        let by_name = !query.held_by.programs.is_empty() || order.needs_commands();
        if by_name || look.format != Format::Netstat { Detail::Whole } else { Detail::Name }
    }

    fn read(&mut self, remark: Remark<'_>) -> Result<Vec<Part>, Error> {
        let root = &self.request.proc;
        let Request { look, netlink, netns, .. } = self.request;
        if look.peers && self.reading.unix && (!netlink || netns.is_some()) {
            remark(
                &"rnetstat: the other ends of UNIX sockets are known of this process's own network \
                  namespace alone, and by netlink",
            );
        }
        match netns {
            None => {
                let namespace = self.request.look.format.is_for_programs().then(|| {
                    let number = namespaces::number(&root.join("self"));
                    Namespace { number, names: Vec::new(), is_own: true, pids: Vec::new() }
                });
                Ok(vec![Part { namespace, sockets: self.read_tables(None, remark)? }])
            }
            Some(Wanted::One(wanted)) => {
                let wanted = self.found.as_ref().unwrap_or(wanted);
                let namespace = namespaces::one(root, wanted).map_err(Error::Namespace)?;
                // The process by which it was found may end while others stay in it.
                self.found = namespace.number.map(|number| number.to_string());
                let sockets = self.read_namespace(&namespace, remark)?;
                Ok(vec![Part { namespace: Some(namespace), sockets }])
            }
            Some(Wanted::All) => {
                let found = namespaces::all(root).map_err(Error::Namespace)?;
                say_what_is_missing(&found, remark);
                let (mut parts, mut errors) = (Vec::new(), Vec::new());
                for namespace in found.seen {
                    match self.read_namespace(&namespace, remark) {
                        Ok(sockets) => parts.push(Part { namespace: Some(namespace), sockets }),
                        Err(Error::Tables(error)) if self.have_ended(&namespace, &error) => {}
                        Err(error) => errors.push(error),
                    }
                }
                if parts.is_empty()
                    && let Some(error) = errors.pop()
                {
                    return Err(error);
                }
                for error in errors {
                    remark(&format_args!("rnetstat: {error}"));
                }
                Ok(parts)
            }
        }
    }

    /// Reads the tables of a namespace through the first of its processes that is still there.
    fn read_namespace(
        &mut self,
        namespace: &Namespace,
        remark: Remark<'_>,
    ) -> Result<Vec<Socket>, Error> {
        if namespace.is_own {
            match self.read_tables(None, remark) {
                // Mounted with `subset=pid`, /proc has them of each process alone.
                Err(Error::Tables(Unreadable { error, .. }))
                    if error.kind() == io::ErrorKind::NotFound => {}
                read => return read,
            }
        }
        let Some((last, others)) = namespace.pids.split_last() else {
            return Ok(Vec::new());
        };
        for pid in others {
            let process = self.request.proc.join(pid.to_string());
            match self.read_tables(Some(&process), remark) {
                Err(Error::Tables(error)) if has_ended(&process, &error) => {}
                read => return read,
            }
        }
        self.read_tables(Some(&self.request.proc.join(last.to_string())), remark)
    }

    /// Whether the tables of a namespace cannot be read because no process is left in it.
    fn have_ended(&self, namespace: &Namespace, error: &Unreadable) -> bool {
        let directory = |pid: &Pid| self.request.proc.join(pid.to_string());
        !namespace.is_own && namespace.pids.iter().all(|pid| has_ended(&directory(pid), error))
    }

    /// Reads the tables of this process, or else this one's own.
    fn read_tables(
        &mut self,
        process: Option<&Path>,
        remark: Remark<'_>,
    ) -> Result<Vec<Socket>, Error> {
        let Self { request, reading, source, .. } = self;
        let mut warn = |warning: Warning| {
            let matters = match warning {
                Warning::Absent { .. } | Warning::Unchecked { .. } => false,
                Warning::Fallback { .. } => request.interface == Interface::Netlink,
                Warning::Line { .. } | Warning::Table { .. } | Warning::Peers { .. } => true,
            };
            if matters || request.verbose {
                remark(&format_args!("rnetstat: {warning}"));
            }
        };
        let mut sockets = match process {
            // netlink knows this process's own namespace alone.
            Some(process) => Source::new(process, Interface::Proc).read(reading, &mut warn),
            None => source.read(reading, &mut warn),
        }
        .map_err(Error::Tables)?;
        if process.is_none() && request.look.peers && request.netlink && reading.unix {
            source.find_unix_peers(&mut sockets, &mut warn);
        }
        Ok(sockets)
    }

    /// Looks up the names in a listing, for as long as the request says.
    pub fn look_up(&mut self, listing: &Listing, remark: Remark<'_>) {
        let timeout = self.request.resolve_timeout;
        let unknown = self.look_up_within(timeout, listing);
        if unknown > 0 {
            remark(&format_args!(
                "rnetstat: names that were not known after {timeout:?}: {unknown}; numbers are shown \
                 for them (-n asks for none, --resolve-timeout SECONDS waits longer)"
            ));
        }
    }

    /// Looks up the names in a listing, for no longer than this. How many are not known by then;
    /// those that come later are for the next listing.
    pub fn look_up_within(&mut self, timeout: Duration, listing: &Listing) -> usize {
        let naming = self.request.look.naming;
        let of_processes = self.request.look.format.is_for_programs() && naming.users;
        let users = |held: Option<Held<'_>>| -> Vec<Number> {
            let held = held.filter(|_| of_processes);
            let holdings = held.into_iter().flat_map(|held| held.all());
            holdings.filter_map(|holding| Some(Number::User(holding.process.uid?))).collect()
        };
        let numbers = listing.entries().flat_map(|entry| {
            let holders = users(Some(entry.held)).into_iter().chain(users(entry.peer));
            let own = entry.socket.internet().map(|socket| numbers(socket, naming));
            own.into_iter().flatten().chain(holders)
        });
        self.names.look_up(numbers, timeout)
    }
}

/// Whether the tables of the process in this directory cannot be read because it has ended: it is
/// not there any more, or the kernel says `EINVAL` of one of which only its exit status is left.
fn has_ended(process: &Path, Unreadable { error, .. }: &Unreadable) -> bool {
    match error.raw_os_error().map(Errno::from_raw) {
        Some(Errno::ENOENT) => !process.exists(),
        Some(Errno::ESRCH | Errno::EINVAL) => true,
        _ => false,
    }
}

fn say_what_is_missing(found: &Namespaces, remark: Remark<'_>) {
    if found.hidden > 0 {
        remark(&format_args!(
            "rnetstat: network namespaces may be missing: of {} processes it is hidden which one \
             they are in",
            found.hidden
        ));
    }
    if found.hides_processes {
        remark(
            &"rnetstat: network namespaces may be missing: the processes of others are hidden here",
        );
    }
    if !found.empty.is_empty() {
        remark(&format_args!(
            "rnetstat: network namespaces that no process is in, so that /proc does not show their \
             sockets: {} ({})",
            found.empty.len(),
            found.empty.join(", ")
        ));
    }
}

/// Finds the sockets' owners, and says what is amiss about that.
fn join(sweep: Sweep<'_>, parts: &[Part], detail: Detail, remark: Remark<'_>) -> Owners {
    let inodes = || parts.iter().flat_map(|part| &part.sockets).map(Socket::inode);
    let owners = sweep.owners(inodes(), detail, &mut |warning| {
        remark(&format_args!("rnetstat: {warning}"));
    });
    for line in blindness(owners.sight()) {
        remark(&line);
    }
    if owners.veiled() {
        remark(
            &"rnetstat: what some processes hold may not be seen without CAP_SYS_PTRACE; \
              who holds their sockets is not known",
        );
    }
    if owners.has_outsiders(inodes()) {
        remark(
            &"rnetstat: processes outside of this PID namespace cannot be seen; some of the sockets \
              may be theirs",
        );
    }
    owners
}

/// The numbers in a row that are to be shown by name.
fn numbers(socket: &InternetSocket, naming: Naming) -> impl Iterator<Item = Number> + use<> {
    let InternetSocket { local, remote, protocol, uid, .. } = *socket;
    let hosts = [local, remote].into_iter().filter(|end| !end.address.is_unspecified());
    let ports = [local, remote].into_iter().filter(|end| end.port != 0);
    let hosts = hosts.map(|end| Number::Host(end.address)).filter(move |_| naming.hosts);
    let ports = ports.map(move |end| Number::Port(protocol.into(), end.port));
    let ports = ports.filter(move |_| naming.ports);
    hosts.chain(ports).chain(naming.users.then_some(Number::User(uid)))
}

/// What netstat says when it may not see who holds what, line by line.
fn blindness(sight: Sight) -> Vec<String> {
    match sight {
        Sight::Whole => Vec::new(),
        Sight::Partial => vec![
            "(Not all processes could be identified, non-owned process info".to_owned(),
            " will not be shown, you would have to be root to see it all.)".to_owned(),
        ],
        Sight::Nothing => vec![format!(
            "(No info could be read for \"-p\": geteuid()={} but you should be root.)",
            Uid::effective()
        )],
    }
}
