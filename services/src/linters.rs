//! Programs that read what flow writes for others, and say what is wrong with it.

use std::{
    path::PathBuf,
    process::{Command, Stdio},
    sync::OnceLock,
};

use crate::{
    install::{self, Family},
    say_skipped,
};

/// A program of the linters that `pins/linters.txt` names: `cfn-lint`, or the `python` that imports `sqlglot`. `None`, and a
/// line that says how many tests are skipped, where they cannot be installed.
///
/// # Example
/// ```
/// if let Some(mut python) = flow_services::linter("python") {
///     let read = "import sqlglot; sqlglot.parse_one('select getdate()', dialect='redshift')";
///     assert!(python.args(["-c", read]).status().unwrap().success());
/// }
/// ```
pub fn linter(program: &str) -> Option<Command> {
    static PLACE: OnceLock<Option<PathBuf>> = OnceLock::new();
    let place = PLACE.get_or_init(|| match install::installed(Family::Linters) {
        Ok(place) => Some(place),
        Err(why) => {
            say_skipped(&format!("linters: {why}"));
            None
        }
    });
    let mut command = Command::new(place.as_ref()?.join("bin").join(program));
    command.stdin(Stdio::null());
    Some(command)
}
