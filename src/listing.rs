//! One listing: the way through the rooms, from a request to bytes.

use std::fmt;
use std::io::{self, Write};

use nix::unistd::Uid;

use crate::cli::Request;
use crate::names::{Names, Naming, Number};
use crate::owners::{Owners, Sight, Sweep};
use crate::process::Process;
use crate::render::netstat::Table;
use crate::socket::Socket;
use crate::tables::{Interface, Sockets, Source, Unreadable, Warning};

/// Why there is no listing, or only a part of one.
#[derive(Debug)]
pub enum Error {
    /// There is no table to list.
    Tables(Unreadable),
    /// The listing could not be written.
    Output(io::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tables(error) => error.fmt(f),
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

/// Lists what a request asks for, once or again: what serves every listing is kept.
pub struct Lister<'a> {
    request: &'a Request,
    source: Source,
    names: Names,
}

impl<'a> Lister<'a> {
    /// A lister for this request.
    #[must_use]
    pub fn new(request: &'a Request) -> Self {
        Self {
            request,
            source: Source::new(&request.proc, request.interface),
            names: Names::default(),
        }
    }

    /// Lists on `out`.
    ///
    /// # Errors
    ///
    /// [`Error`], when no table can be read or `out` cannot be written.
    pub fn list(&mut self, out: impl Write, remark: Remark<'_>) -> Result<(), Error> {
        let (sockets, owners) = if self.request.layout.programs {
            // Both are the kernel's work more than ours, and none waits for the other.
            let (sweep, sockets) = Sweep::run(&self.request.proc, || self.read(remark));
            let sockets = sockets?;
            let owners = join(sweep, &sockets, remark);
            (sockets, Some(owners))
        } else {
            (self.read(remark)?, None)
        };
        let process = |inode: u64| -> Option<&Process> { owners.as_ref()?.first(inode) };
        self.look_up(&sockets, remark);

        let mut table = Table::new(self.request.layout, &self.names, out);
        if !self.request.query.protocols.is_empty() {
            table.internet_heading()?;
        }
        for socket in &sockets.internet {
            table.internet(socket, process(socket.inode))?;
        }
        if self.request.query.unix {
            table.unix_heading()?;
        }
        for socket in &sockets.unix {
            table.unix(socket, process(socket.inode))?;
        }
        table.finish()?;
        Ok(())
    }

    fn read(&mut self, remark: Remark<'_>) -> Result<Sockets, Error> {
        let Self { request, source, .. } = self;
        let mut warn = |warning: Warning| {
            let matters = match warning {
                Warning::Absent { .. } => false,
                Warning::Fallback { .. } => request.interface == Interface::Netlink,
                Warning::Line { .. } | Warning::Table { .. } => true,
            };
            if matters || request.verbose {
                remark(&format_args!("rnetstat: {warning}"));
            }
        };
        source.read(&request.query, &mut warn).map_err(Error::Tables)
    }

    fn look_up(&mut self, sockets: &Sockets, remark: Remark<'_>) {
        let naming = self.request.layout.naming;
        let numbers = sockets.internet.iter().flat_map(|socket| numbers(socket, naming));
        let timeout = self.request.resolve_timeout;
        let unknown = self.names.look_up(numbers, timeout);
        if unknown > 0 {
            remark(&format_args!(
                "rnetstat: names that were not known after {timeout:?}: {unknown}; numbers are shown \
                 for them (-n asks for none, --resolve-timeout SECONDS waits longer)"
            ));
        }
    }
}

/// Finds the sockets' owners, and says what is amiss about that.
fn join(sweep: Sweep<'_>, sockets: &Sockets, remark: Remark<'_>) -> Owners {
    let internet = sockets.internet.iter().map(|socket| socket.inode);
    let unix = sockets.unix.iter().map(|socket| socket.inode);
    let owners = sweep.owners(internet.chain(unix), &mut |warning| {
        remark(&format_args!("rnetstat: {warning}"));
    });
    for line in blindness(owners.sight()) {
        remark(&line);
    }
    if owners.veiled() {
        remark(
            &"rnetstat: what some processes hold may not be seen without CAP_SYS_PTRACE; \
              their sockets are shown as nobody's",
        );
    }
    owners
}

/// The numbers in a row that are to be shown by name.
fn numbers(socket: &Socket, naming: Naming) -> impl Iterator<Item = Number> {
    let Socket { local, remote, protocol, uid, .. } = *socket;
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
