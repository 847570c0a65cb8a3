//! Commands that other builds of the program have: they are not listed, and say what is missing.

use clap::{Arg, Command};

use super::{Call, Program};
use crate::{Error, Failure};

pub(super) fn setup(_: &Program<'_>) -> Command {
    named("setup")
}

pub(super) fn teardown(_: &Program<'_>) -> Command {
    named("teardown")
}

pub(super) fn publish(_: &Program<'_>) -> Command {
    named("publish")
}

fn named(name: &'static str) -> Command {
    let rest = Arg::new("rest").num_args(0..).trailing_var_arg(true).allow_hyphen_values(true);
    Command::new(name).hide(true).disable_help_flag(true).arg(rest)
}

pub(super) fn act<F>(call: Call<'_, F>) -> Result<u8, Error> {
    let _ = call;
    let help =
        "build it with the feature `aws` of flow-runtime; tables of SQLite and PostgreSQL are made by the first run";
    Err(Error::Config(Failure::new("this program was built without AWS, and so without this command").help(help)))
}
