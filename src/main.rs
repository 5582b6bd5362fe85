//! Arguments in, exit status out.

use std::env;
use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use rnetstat::{cli, listing};

/// Nothing could be listed, or the arguments were wrong.
const FAILURE: u8 = 2;

fn main() -> ExitCode {
    let request = match cli::parse(env::args_os()) {
        Ok(request) => request,
        Err(message) => {
            // Where nobody reads the message there is nobody to tell so.
            let _ = message.print();
            return if message.use_stderr() { ExitCode::from(FAILURE) } else { ExitCode::SUCCESS };
        }
    };
    let out = BufWriter::with_capacity(64 * 1024, io::stdout().lock());
    let result = listing::list(&request, out, &mut |text| {
        let _ = writeln!(io::stderr(), "{text}");
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads has seen enough: `| head -1`, `| grep -q`.
        Err(listing::Error::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(error) => {
            let _ = writeln!(io::stderr(), "rnetstat: {error}");
            ExitCode::from(FAILURE)
        }
    }
}
