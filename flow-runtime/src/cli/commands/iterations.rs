//! `iterations`: lists the iterations that the store knows, or shows one in full.

use clap::{Arg, Command, value_parser};

use super::{Call, Program};
use crate::{
    Error, Failure, Flow,
    cli::{
        detail,
        ending::print,
        listing, listing_json,
        options::{checkpoint, flag, given_store, option},
    },
    driver::Place,
};

/// Iterations that are listed unless told otherwise.
const LISTED: u64 = 20;

pub(super) fn grammar(program: &Program<'_>) -> Command {
    let last = option("last", "COUNT", "List only so many of the last iterations [default: 20; with --json all]");
    Command::new("iterations")
        .about("List the iterations that the checkpoint store knows, or show one in full")
        .arg(iteration("Show this one in full: attempts, positions, tables, manifests, counts, times").required(false))
        .arg(last.value_parser(value_parser!(u64).range(1..)).conflicts_with("iteration"))
        .arg(flag("all", "List those from before a reset, too").conflicts_with("iteration"))
        .arg(checkpoint(program.plan))
        .arg(flag("json", "Print them as JSON, one object a line"))
}

/// The number of an iteration.
pub(super) fn iteration(help: &'static str) -> Arg {
    Arg::new("iteration").value_name("ITERATION").help(help).value_parser(value_parser!(u64)).required(true)
}

pub(super) fn act<F: Flow>(call: Call<'_, F>) -> Result<u8, Error> {
    let place = given_store(F::PLAN, call.matches, "there are no iterations to list")?;
    let flow = F::PLAN.logical_name();
    let is_json = call.matches.get_flag("json");
    if let Some(iteration) = call.matches.get_one::<u64>("iteration") {
        let detail = place.detail(&flow, *iteration)?.ok_or_else(|| unknown(&place, &flow, *iteration))?;
        let text = if is_json { listing_json::one(&flow, &detail) } else { detail::text(&flow, &detail) };
        return print(call.stdout, &text).map(|()| 0);
    }
    let default = Some(LISTED).filter(|_| !is_json);
    let listing = place.list(&flow, call.matches.get_one("last").copied().or(default))?;
    let all = call.matches.get_flag("all");
    let text = if is_json { listing_json::list(&flow, &listing, all) } else { listing::table(&flow, &listing, all) };
    print(call.stdout, &text).map(|()| 0)
}

fn unknown(place: &Place, flow: &str, iteration: u64) -> Error {
    Error::Config(
        Failure::new(format!("{flow} has no iteration {iteration}"))
            .at(format!("store {place}"))
            .help("`iterations` lists those that there are"),
    )
}
