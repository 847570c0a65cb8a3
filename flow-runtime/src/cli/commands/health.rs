//! `health`: whether a service is well, by the file that it writes; for the probe of a container.

use std::path::PathBuf;

use clap::Command;
use jiff::Timestamp;

use super::{Call, Program};
use crate::{
    Error, Flow,
    cli::{
        ending::print,
        service::{health_file, read_health},
    },
    effect::clock,
};

pub(super) fn grammar(_: &Program<'_>) -> Command {
    Command::new("health")
        .about("Say whether a service is well: exit code 0 if it is, 1 if not; for the probe of a container")
        .arg(health_file("The file that `run --follow --health-file` writes").required(true))
}

pub(super) fn act<F: Flow>(call: Call<'_, F>) -> Result<u8, Error> {
    let path = call.matches.get_one::<PathBuf>("health-file").cloned().unwrap_or_default();
    let now = Timestamp::from_microsecond(clock::now_us()).unwrap_or_default();
    let (good, line) = match read_health(&path) {
        Ok(health) => health.verdict(now),
        Err(why) => (false, why),
    };
    print(call.stdout, &format!("{line}\n"))?;
    Ok(u8::from(!good))
}
