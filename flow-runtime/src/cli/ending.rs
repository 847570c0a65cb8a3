//! How a command ends: what it prints, how an error is told, which exit code says so.

use std::{
    env,
    io::{self, ErrorKind, IsTerminal as _, Write},
};

use crate::{Error, Failure};

/// Prints what was asked for. A reader that has gone away, as `head` does, has had enough.
///
/// # Errors
/// [`Error::Target`] when it cannot be written: a full disk.
pub(super) fn print(stdout: &mut dyn Write, text: &str) -> Result<(), Error> {
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Error::Target(Failure::new("cannot write to stdout").cause(error)))
        }
        _ => Ok(()),
    }
}

/// Says what failed, and what to do, on lines of their own; returns the exit code.
pub(super) fn fail(stderr: &mut dyn Write, error: &Error, signal: Option<i32>) -> u8 {
    let is_coloured = io::stderr().is_terminal() && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let _ = stderr.write_all(error_text(error, is_coloured).as_bytes());
    exit_code(error, signal)
}

fn error_text(error: &Error, is_coloured: bool) -> String {
    let (red, cyan, plain) = if is_coloured { ("\x1b[1;31m", "\x1b[1;36m", "\x1b[0m") } else { ("", "", "") };
    let account = error.failure().map_or_else(|| error.to_string(), Failure::account);
    let advice = error.failure().and_then(Failure::advice).map(|advice| match error {
        Error::Held(_) => format!("{advice}; `doctor` has the commands"),
        _ => advice.to_owned(),
    });
    let help = advice.map(|advice| format!("{cyan}help:{plain} {advice}\n")).unwrap_or_default();
    format!("{red}error:{plain} {account}\n{help}")
}

/// What the process ends with; `signal` is the one that asked it to stop.
pub(super) fn exit_code(error: &Error, signal: Option<i32>) -> u8 {
    match error {
        Error::Config(_) => 2,
        Error::Held(_) => 3,
        Error::Busy(_) => 4,
        Error::Interrupted => 128 + signal.and_then(|signal| u8::try_from(signal).ok()).unwrap_or(2),
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_that_has_had_enough_is_no_failure_but_a_full_disk_is() {
        struct Refusing(ErrorKind);
        impl Write for Refusing {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(self.0.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        assert!(print(&mut Refusing(ErrorKind::BrokenPipe), "text").is_ok());
        let error = print(&mut Refusing(ErrorKind::StorageFull), "text").unwrap_err();
        assert!(error.to_string().starts_with("cannot write to stdout: "), "{error}");
    }

    #[test]
    fn errors_are_coloured_only_where_asked() {
        let error = Error::Config(Failure::new("it failed").help("do this"));
        let held = Error::Held(Failure::new("it is held").help("do this"));
        assert_eq!(error_text(&held, false), "error: it is held\nhelp: do this; `doctor` has the commands\n");
        assert_eq!(
            error_text(&error, true),
            "\u{1b}[1;31merror:\u{1b}[0m it failed\n\u{1b}[1;36mhelp:\u{1b}[0m do this\n"
        );
    }
}
