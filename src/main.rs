//! Runs the program: arguments in, exit status out. Handles a closed pipe, and is the only reader
//! of the environment.

use std::env;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::process::ExitCode;
use std::time::Duration;

use rnetstat::cli::{self, Task};
use rnetstat::fields::Groups;
use rnetstat::gather::{Gatherer, give_up_privileges};
use rnetstat::listing::{Listing, changes};
use rnetstat::live::{self, repeat};
use rnetstat::pager::{Output, Pager};
use rnetstat::privileges::{self, Needs};
use rnetstat::remark::Remark;
use rnetstat::render::table::Screen;
use rnetstat::render::{Renderer, groups};
use rnetstat::request::{Color, Format, Repeat, Request, Rounds};
use rnetstat::terminal;

/// The exit status if everything went well.
const SUCCESS: u8 = 0;
/// A filter or `--wait` is given, and no socket matches.
const NO_MATCH: u8 = 1;
/// The arguments were wrong, no table could be read, or the output could not be written.
const FAILURE: u8 = 2;
/// A signal ended the live view: its number is added, as a shell does it.
const SIGNAL: u8 = 128;
/// The columns of the help if it is not printed on a terminal.
const USUAL_COLUMNS: u16 = 80;

fn main() -> ExitCode {
    match cli::parse(env::args_os()).and_then(|task| run(&task)) {
        Ok(status) => ExitCode::from(status),
        // The reader does not want more: `| head -1`, `| grep -q`.
        Err(Remark::CannotWrite(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(remark) => {
            say(&remark);
            ExitCode::from(FAILURE)
        }
    }
}

/// Carries out the task. Returns the exit status.
fn run(task: &Task) -> Result<u8, Remark> {
    match task {
        Task::List(request) => {
            let mut out = Output::new(stdout()?, pager(request));
            // The pager would hide remarks that are printed before it starts.
            let is_late = out.is_collected() && io::stderr().is_terminal();
            let mut late = Vec::new();
            let mut print = |remark| if is_late { late.push(remark) } else { say(&remark) };
            let result = list(request, &mut out, &mut print);
            for line in late.iter().flat_map(Remark::lines) {
                writeln!(out, "{line}")?;
            }
            out.finish()?;
            return result;
        }
        Task::Generate(artefact) => artefact.write(&mut stdout()?)?,
        Task::Help(help) => {
            let columns = terminal::size(io::stdout()).map_or(USUAL_COLUMNS, |it| it.columns);
            stdout()?.write_all(help.text(columns.into()).as_bytes())?;
        }
        Task::Print(text) => stdout()?.write_all(text.as_bytes())?,
    }
    Ok(SUCCESS)
}

/// Returns the pager for a long table on a terminal, and the lines of the terminal.
fn pager(request: &Request) -> Option<(Pager, u16)> {
    let look = &request.look;
    let is_listed_once = matches!(request.repeat, Repeat::Rounds(_) | Repeat::Wait(_))
        && !look.is_continuous
        && look.format == Format::Table
        && look.grouping.is_none();
    // The pager would have the privileges, and could be anything.
    let can_page = request.pager && is_capable() && io::stdin().is_terminal();
    if !is_listed_once || !can_page || privileges::are_elevated() {
        return None;
    }
    let size = terminal::size(io::stdout())?;
    Some((Pager::new(variable("PAGER"), variable("LESS"))?, size.lines))
}

/// Returns true if standard output is a terminal that knows escape sequences.
fn is_capable() -> bool {
    io::stdout().is_terminal() && value("TERM").is_some_and(|term| term != "dumb")
}

/// Returns true if the table has colours.
fn has_colors(color: Color) -> bool {
    let is_forced = || value("CLICOLOR_FORCE").is_some_and(|value| value != "0");
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => value("NO_COLOR").is_none() && (is_forced() || is_capable()),
    }
}

/// Lists sockets. Returns the exit status.
fn list(
    request: &Request,
    mut out: &mut Output,
    print: &mut dyn FnMut(Remark),
) -> Result<u8, Remark> {
    let color = has_colors(request.color);
    let screen = Screen { width: terminal::size(io::stdout()).map(|size| size.columns), color };
    let is_live = request.look.is_continuous
        && request.look.format == Format::Table
        && request.look.grouping.is_none()
        && !request.look.changes
        && is_capable()
        && io::stdin().is_terminal();
    let needs = Needs {
        other_calls: is_live || out.is_collected(),
        new_privileges: out.has_chosen_pager(),
        ..Needs::default()
    };
    give_up_privileges(request, needs, print)?;
    let mut gatherer = Gatherer::new(request, print)?;
    let mut renderer = Renderer::new(request.look.clone(), screen);
    let found = match request.repeat {
        Repeat::Rounds(rounds) if is_live => {
            let settings = live::Settings { request, rounds, color, parse: cli::word };
            let seen = live::run(settings, &mut gatherer)?;
            seen.remarks.into_iter().for_each(&mut *print);
            if let Some(signal) = seen.signal {
                return Ok(SIGNAL.saturating_add(signal));
            }
            seen.any
        }
        Repeat::Rounds(rounds) => {
            list_rounds(rounds, &mut gatherer, &mut renderer, &mut out, print)?
        }
        Repeat::Wait(limit) => {
            let is_done = |listing: &Listing| !listing.is_empty();
            let (listing, remarks) = wait(limit, &mut gatherer, is_done)?;
            remarks.into_iter().for_each(&mut *print);
            show(&mut gatherer, &mut renderer, &listing, &mut out, print)?;
            !listing.is_empty()
        }
        Repeat::WaitGone(limit) => {
            let (listing, remarks) = wait(limit, &mut gatherer, Listing::is_empty)?;
            let is_gone = listing.is_empty();
            // An empty file is no JSON, and no csv.
            if !is_gone || matches!(request.look.format, Format::Json | Format::Csv) {
                remarks.into_iter().filter(|_| !is_gone).for_each(&mut *print);
                show(&mut gatherer, &mut renderer, &listing, &mut out, print)?;
            }
            return Ok(if is_gone { SUCCESS } else { NO_MATCH });
        }
    };
    let is_filtered = request.has_filters() || matches!(request.repeat, Repeat::Wait(_));
    if is_filtered && !found {
        print(Remark::NoMatch);
        gatherer.explain_no_match(print);
        return Ok(NO_MATCH);
    }
    Ok(SUCCESS)
}

/// Lists in rounds, with `--changes` only what has changed. Returns false if no listing had a socket.
fn list_rounds(
    rounds: Rounds,
    gatherer: &mut Gatherer<'_>,
    renderer: &mut Renderer,
    out: &mut impl Write,
    print: &mut dyn FnMut(Remark),
) -> Result<bool, Remark> {
    let (mut found, mut before) = (false, None);
    repeat::repeat(rounds, || {
        let listing = gatherer.gather(print)?;
        found |= !listing.is_empty();
        match before.take().filter(|_| renderer.look().changes) {
            None => show(gatherer, renderer, &listing, out, print)?,
            Some(before) => {
                gatherer.look_up(&listing, print);
                let changes = changes(Some(&before), &listing);
                renderer.write_changes(changes, listing.time, gatherer.names(), &mut *out)?;
            }
        }
        before = Some(listing);
        Ok::<_, Remark>(())
    })?;
    Ok(found)
}

/// Lists until `is_done` or the time is over. Returns the last listing, and the remarks about it.
fn wait(
    limit: Option<Duration>,
    gatherer: &mut Gatherer<'_>,
    is_done: fn(&Listing) -> bool,
) -> Result<(Listing, Vec<Remark>), Remark> {
    let list = || {
        let mut remarks = Vec::new();
        match gatherer.gather(&mut |remark| remarks.push(remark)) {
            // The namespace can appear later.
            Err(remark) if remark.is_about_missing_namespace() => {
                Ok((Listing::empty(), vec![remark]))
            }
            result => Ok::<_, Remark>((result?, remarks)),
        }
    };
    repeat::wait(limit, list, |(listing, _)| is_done(listing))
}

/// Looks up the names in a listing and writes it.
fn show(
    gatherer: &mut Gatherer<'_>,
    renderer: &mut Renderer,
    listing: &Listing,
    out: &mut impl Write,
    print: &mut dyn FnMut(Remark),
) -> Result<(), Remark> {
    let look = renderer.look();
    if let Some(grouping) = look.grouping.clone() {
        let format = look.format;
        let groups = Groups::new(listing, &grouping);
        gatherer.look_up_groups(&groups, print);
        if format == Format::Openmetrics
            && grouping.limit.is_none()
            && let Some((key, count)) = groups::too_many_values(&groups, gatherer.names())
        {
            return Err(Remark::TooManyValues { key, count });
        }
        return Ok(renderer.write_groups(&groups, listing.time, gatherer.names(), out)?);
    }
    gatherer.look_up(listing, print);
    let hidden = renderer.write(listing, gatherer.names(), out)?;
    if !hidden.is_empty() {
        print(Remark::NoRoom { titles: hidden });
    }
    Ok(())
}

/// Reads a variable of the environment. The manual page lists all variables that are read.
#[expect(clippy::disallowed_methods, reason = "only here")]
fn variable(name: &str) -> Option<OsString> {
    env::var_os(name)
}

/// Reads a variable that counts only if it is not empty.
fn value(name: &str) -> Option<OsString> {
    variable(name).filter(|value| !value.is_empty())
}

/// Returns standard output as a file: writes to `io::stdout` would hide the error EBADF.
fn stdout() -> io::Result<File> {
    Ok(File::from(io::stdout().as_fd().try_clone_to_owned()?))
}

/// Prints a remark on stderr.
fn say(remark: &Remark) {
    for line in remark.lines() {
        // If stderr is closed, there is no other place for the message.
        let _ = writeln!(io::stderr(), "{line}");
    }
}
