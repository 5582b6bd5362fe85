//! Arguments in, exit status out.

use std::env;
use std::fmt::Display;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::os::fd::AsFd;
use std::process::ExitCode;

use rnetstat::cli::{self, Request};
use rnetstat::listing::{Error, Lister};
use rnetstat::render::harmless;

/// Nothing could be listed, or the arguments were wrong.
const FAILURE: u8 = 2;

fn main() -> ExitCode {
    let result = match cli::parse(env::args_os()) {
        Ok(request) => list(&request),
        Err(message) if message.use_stderr() => {
            message.to_string().lines().for_each(|line| remark(&line));
            return ExitCode::from(FAILURE);
        }
        Err(help) => help.print().map_err(Error::Output),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads has seen enough: `| head -1`, `| grep -q`.
        Err(Error::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            remark(&format_args!("rnetstat: {error}"));
            ExitCode::from(FAILURE)
        }
    }
}

fn list(request: &Request) -> Result<(), Error> {
    // The standard library's own handle takes a descriptor that cannot be written for a sink.
    let out = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    let mut out = BufWriter::with_capacity(64 * 1024, out);
    let mut lister = Lister::new(request);
    let mut list = || lister.list(&mut out, &mut remark);
    match request.watch {
        None => list(),
        Some(watch) => watch.run(list),
    }
}

/// Says one line on stderr. What it quotes may be of any making.
fn remark(line: &dyn Display) {
    let line: String = harmless(line.to_string().as_bytes()).collect();
    // Where nobody reads it there is nobody to tell so.
    let _ = writeln!(io::stderr(), "{line}");
}
