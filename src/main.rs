//! Arguments in, exit status out.

use std::env;
use std::ffi::OsString;
use std::fmt::Display;
use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::os::fd::AsFd;
use std::process::ExitCode;

use rnetstat::cli::{self, Color, Repeat, Request, Task};
use rnetstat::gather::{Error, Gatherer};
use rnetstat::listing::Listing;
use rnetstat::render::table::Screen;
use rnetstat::render::{Format, Renderer, harmless};
use rnetstat::terminal;
use rnetstat::watch::{self, live};

/// Filters were given, and no socket matches them.
const NO_MATCH: u8 = 1;
/// Nothing could be listed, or the arguments were wrong.
const FAILURE: u8 = 2;

fn main() -> ExitCode {
    let result = match cli::parse(env::args_os()) {
        Ok(Task::List(request)) => list(&request),
        Ok(Task::Generate(artefact)) => {
            let written = stdout().and_then(|mut out| artefact.write(&mut out));
            written.map(|()| true).map_err(Error::Output)
        }
        Err(message) if message.use_stderr() => {
            message.to_string().lines().for_each(|line| remark(&line));
            return ExitCode::from(FAILURE);
        }
        Err(help) => help.print().map(|()| true).map_err(Error::Output),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(NO_MATCH),
        // Whoever reads has seen enough: `| head -1`, `| grep -q`.
        Err(Error::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            remark(&format_args!("rnetstat: {error}"));
            ExitCode::from(FAILURE)
        }
    }
}

/// Lists what is asked for. Whether there was anything to list, where not all sockets were asked
/// for.
fn list(request: &Request) -> Result<bool, Error> {
    let mut out = stdout()?;
    let color = match request.color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => {
            let is_set = |value: Option<OsString>| value.is_some_and(|value| !value.is_empty());
            let is_dumb = variable("TERM").is_some_and(|value| value == "dumb");
            io::stdout().is_terminal() && !is_set(variable("NO_COLOR")) && !is_dumb
        }
    };
    let screen = Screen { width: terminal::size(io::stdout()).map(|size| size.columns), color };
    let is_live = request.look.format == Format::Table
        && io::stdout().is_terminal()
        && io::stdin().is_terminal();
    let mut gatherer = Gatherer::new(request);
    let mut renderer = Renderer::new(request.look, screen);
    let mut show = |gatherer: &mut Gatherer<'_>, listing: &Listing| -> Result<(), Error> {
        gatherer.look_up(listing, &mut remark);
        let left_out = renderer.write(listing, gatherer.names(), &mut out)?;
        if !left_out.is_empty() {
            remark(&format_args!(
                "rnetstat: there is no room for {}: a wider terminal has it, and so has a pipe",
                left_out.join(", ")
            ));
        }
        Ok(())
    };
    let found = match request.repeat {
        Repeat::Once => {
            let listing = gatherer.gather(&mut remark)?;
            show(&mut gatherer, &listing)?;
            !listing.is_empty()
        }
        Repeat::Watch(watch) if is_live => {
            let seen = live::run(watch, &mut gatherer, &request.look, color, out)?;
            for line in &seen.remarks {
                remark(line);
            }
            seen.any
        }
        Repeat::Watch(watch) => {
            let mut found = false;
            watch::repeat(watch, || {
                let listing = gatherer.gather(&mut remark)?;
                found |= !listing.is_empty();
                show(&mut gatherer, &listing)
            })?;
            found
        }
        Repeat::Wait(limit) => {
            // What is amiss is said once, of the listing that is shown.
            let look = || {
                let mut remarks = Vec::new();
                let listing = gatherer.gather(&mut |line| remarks.push(line.to_string()))?;
                Ok::<_, Error>((listing, remarks))
            };
            let (listing, remarks) = watch::wait(limit, look, |(listing, _)| !listing.is_empty())?;
            for line in &remarks {
                remark(line);
            }
            show(&mut gatherer, &listing)?;
            !listing.is_empty()
        }
    };
    let is_selection = request.query.has_filters() || matches!(request.repeat, Repeat::Wait(_));
    if is_selection && !found {
        remark(&"rnetstat: no socket matches");
    }
    Ok(found || !is_selection)
}

/// A variable of the environment; what has one is in the README.
#[expect(clippy::disallowed_methods, reason = "here alone")]
fn variable(name: &str) -> Option<OsString> {
    env::var_os(name)
}

/// Standard output. The standard library's own handle takes a descriptor that cannot be written
/// for a sink.
fn stdout() -> io::Result<BufWriter<File>> {
    let out = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    Ok(BufWriter::with_capacity(64 * 1024, out))
}

/// Says one line on stderr. What it quotes may be of any making.
fn remark(line: &dyn Display) {
    let line: String = harmless(line.to_string().as_bytes()).collect();
    // Where nobody reads it there is nobody to tell so.
    let _ = writeln!(io::stderr(), "{line}");
}
