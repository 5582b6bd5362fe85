//! One listing: the way through the rooms, from a request to bytes.

use std::collections::HashSet;
use std::fmt;
use std::io::{self, Write};

use nix::unistd::Uid;

use crate::cli::Request;
use crate::owners::{Owners, Sight};
use crate::render::netstat::Table;
use crate::tables::{Source, Unreadable};

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

/// Lists what `request` asks for on `out`. What was amiss and did not stop it goes to `remark`,
/// a line at a time.
///
/// # Errors
///
/// [`Error`], when no table can be read or `out` cannot be written.
pub fn list(
    request: &Request,
    out: impl Write,
    remark: &mut dyn FnMut(&dyn fmt::Display),
) -> Result<(), Error> {
    let mut sockets = Vec::new();
    Source::new(&request.proc)
        .read(&request.query, |row| match row {
            Ok(socket) if request.query.selects(&socket) => sockets.push(socket),
            Ok(_) => {}
            Err(warning) => remark(&format_args!("rnetstat: {warning}")),
        })
        .map_err(Error::Tables)?;

    let owners = request.layout.programs.then(|| {
        let wanted: HashSet<u64> =
            sockets.iter().map(|socket| socket.inode).filter(|&inode| inode != 0).collect();
        let owners = Owners::sweep(&request.proc, &wanted, &mut |warning| {
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
    });

    let mut table = Table::new(request.layout, out)?;
    for socket in &sockets {
        let process = owners.as_ref().and_then(|owners| owners.first(socket.inode));
        table.row(socket, process)?;
    }
    table.finish()?;
    Ok(())
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
