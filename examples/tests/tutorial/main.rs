//! `docs/tutorial.md`, followed word by word: what it shows is what comes.

#![expect(clippy::unwrap_used, reason = "a test may")]

mod page;
mod shell;
mod template;

use std::{env, path::Path};

use flow_services::{LocalAws, postgres, say_skipped};
use page::{Cargo, fits, steps};
use shell::Shell;

const PAGE: &str = include_str!("../../../docs/tutorial.md");
/// What the page builds, where it builds it.
const BUILT: &str = "target/debug/access_log_counts";

#[test]
fn what_the_tutorial_shows_is_what_comes() {
    let Some(server) = postgres::server() else { return };
    let services = match LocalAws::start() {
        Ok(services) => services,
        Err(why) => return say_skipped(&why),
    };
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    // What the job leaves in its folder does not come to lie among the sources.
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(env!("CARGO_MANIFEST_DIR"), folder.path().join("examples")).unwrap();
    let path = format!("{}:{}", server.program("psql").parent().unwrap().display(), env::var("PATH").unwrap());
    let mut shell = Shell::start(folder.path(), &path);
    for step in steps(PAGE) {
        let is_playground = Cargo::of(&step.command).is_some_and(|cargo| cargo.program == "local-aws");
        let command = match Cargo::of(&step.command) {
            // These are there already; what is printed is pasted.
            Some(cargo) => {
                assert!(cargo.is_possible(root), "line {}: {cargo:?}", step.line);
                if is_playground { services.to_string() } else { ":".to_owned() }
            }
            None => step.command.replace(BUILT, env!("CARGO_BIN_EXE_access_log_counts")),
        };
        let output = shell.run(&format!("{command}\n"));
        let output = output.unwrap_or_else(|output| panic!("line {}: {}\n{output}", step.line, step.command));
        let is_right = step.shown.as_ref().is_none_or(|shown| fits(shown, &output));
        assert!(is_right, "line {}: the page shows something else than\n$ {}\n{output}", step.line, step.command);
    }
}
