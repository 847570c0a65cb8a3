//! `forget`: has targets forget what was published to them.

use clap::{Arg, ArgGroup, Command};

use super::{Call, Program, check::given_options};
use crate::{
    Error, Failure, Flow,
    cli::{
        bind,
        ending::print,
        options::{checkpoint, flag, given_ports, ports},
    },
    driver::{self, Forgetting, Forgotten, Which},
};

pub(super) fn grammar(program: &Program<'_>) -> Command {
    Command::new("forget")
        .about("Have a target forget what was published to it, where it and the checkpoint store disagree")
        .next_line_help(false)
        .arg(Arg::new("port-to-forget").value_name("PORT").help("The sink or trap"))
        .arg(flag("all", "All sinks and traps"))
        .group(ArgGroup::new("which").args(["port-to-forget", "all"]).required(true))
        .arg(flag("empty", "Take its rows away, too"))
        .arg(flag("store-is-lost", "There is no checkpoint store any more: every target disagrees with a new one"))
        .arg(flag("yes", "Do it; else say what would be done"))
        .args(ports(program).map(|port| port.help_heading("Ports")))
        .arg(checkpoint(program.plan).help_heading("Run"))
        .after_help(
            "The ledger in the target forgets the flow: its rows begin with whatever iteration is published next.\n\
             A target that agrees with the store is left alone. `doctor` says when this command is right.",
        )
}

pub(super) fn act<F: Flow>(call: Call<'_, F>) -> Result<u8, Error> {
    bind::bind(call.flow, &given_ports(F::PLAN, call.matches))?;
    let given = |name: &str| call.matches.get_flag(name);
    let (empty, do_it) = (given("empty"), given("yes"));
    let port = call.matches.get_one::<String>("port-to-forget").map(|port| port.replace('-', "_"));
    let which = port.as_deref().map_or(Which::All, Which::Port);
    let options = given_options(F::PLAN, call.matches);
    let forgetting = Forgetting { which, empty, store_is_lost: given("store-is-lost"), do_it };
    let forgotten = driver::forget(&*call.flow, &options, forgetting)?;
    print(call.stdout, &forgotten.iter().map(|target| line(target, empty, do_it)).collect::<String>())?;
    if do_it || forgotten.iter().all(|target| target.held.is_none()) {
        return Ok(0);
    }
    Err(Error::Config(Failure::new("nothing was done").help("say --yes to do it")))
}

fn line(target: &Forgotten, empty: bool, do_it: bool) -> String {
    let Forgotten { port, place, held, .. } = target;
    let Some(held) = held else {
        return format!("{port}: {place} agrees with the checkpoint store, and is left alone\n");
    };
    let what = match (empty, do_it) {
        (false, false) => "its ledger would forget the flow, its rows would stay",
        (false, true) => "its ledger has forgotten the flow, its rows are as they were",
        (true, false) => "its ledger would forget the flow, ALL ITS ROWS WOULD GO",
        (true, true) => "its ledger has forgotten the flow, its rows are gone",
    };
    format!("{port}: {place}: {what} ({held})\n")
}
