//! Starts services of AWS on this machine to play with, says how programs find them, and ends them on Ctrl-C.
//!
//! ```sh
//! cargo run --package flow-services --bin local-aws
//! ```
//!
//! What it prints is pasted into another shell; `docs/tutorial.md` goes on there.

use std::{
    convert::Infallible,
    io::{self, Write as _},
    process::ExitCode,
    thread,
};

use flow_services::LocalAws;

fn main() -> ExitCode {
    let Err(why) = run();
    eprintln!("error: {why}");
    ExitCode::FAILURE
}

fn run() -> Result<Infallible, String> {
    eprintln!("Installing what is not there yet, and starting …");
    let services = LocalAws::start()?;
    // Whoever reads this from a pipe may have seen enough.
    let _ = write!(io::stdout(), "{services}").and_then(|()| io::stdout().flush());
    eprintln!(
        "\nPaste that into another shell. Nothing is in them, and what you put there is gone when they end: with Ctrl-C."
    );
    loop {
        // The services end with this process, whatever ends it.
        thread::park();
    }
}
