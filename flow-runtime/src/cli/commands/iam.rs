//! `plan --iam`: the least policy with which the flow can do its work on AWS.

use clap::{ArgMatches, Command};

use super::{Call, Program};
use crate::{
    Address, Error, Flow, Plan,
    aws::permissions::{Policy, Purpose, Used, copy_policies, policies},
    cli::{
        bind,
        ending::print,
        options::{checkpoint, given_checkpoint, given_ports, option},
    },
    driver::Checkpoint,
    iteration::dynamodb::DynamoDbPlace,
    plan::{PortKind, PortPlan},
};

/// Adds the option, and those that say what the flow uses.
pub(super) fn add_to(command: Command, program: &Program<'_>) -> Command {
    let iam = "Print the least IAM policy instead, for `run` or another command";
    let names: Vec<&str> = Purpose::NAMES.iter().map(|(name, _)| *name).collect();
    let heading =
        |option: clap::Arg| option.help_heading("What the policy or the statements are for").conflicts_with("dot");
    command
        .arg(
            option("iam", "COMMAND", iam)
                .num_args(0..=1)
                .require_equals(true)
                .value_parser(names)
                .default_missing_value("run")
                .conflicts_with("dot"),
        )
        // Without the policy, what that costs is told.
        .arg(heading(checkpoint(program.plan)))
        .after_help(
            "\
The policy is of what the addresses name, as narrow as they are: give the ones that the flow will run with. The number of the
account, which no address says, is `*`. Of each role that is taken on (?role=) a policy of its own follows, and of each by which
COPY of Redshift reads what is staged (stderr says whose each is). Streams, tables and objects that are encrypted with a key of one's own need kms:Decrypt for that key, too (kms:GenerateDataKey to publish).",
        )
}

/// What keeping iterations where it was said costs, if it costs anything.
pub(super) fn cost(plan: &Plan, matches: &ArgMatches) -> Result<String, Error> {
    let Checkpoint::DynamoDb(address) = given_checkpoint(plan, matches) else { return Ok(String::new()) };
    let is_output = |port: &&PortPlan| matches!(port.kind, PortKind::Sink | PortKind::Trap);
    Ok(DynamoDbPlace::of(&address)?.cost(plan.ports.iter().filter(is_output).count()))
}

/// For which command a policy was asked for, if one was.
pub(super) fn given(matches: &ArgMatches) -> Option<Purpose> {
    let given = matches.get_one::<String>("iam")?;
    Purpose::NAMES.iter().find(|(name, _)| name == given).map(|(_, purpose)| *purpose)
}

pub(super) fn act<F: Flow>(call: Call<'_, F>, purpose: Purpose) -> Result<u8, Error> {
    let Call { flow, matches, stdout, stderr, .. } = call;
    bind::bind_given(flow, &given_ports(F::PLAN, matches))?;
    let uses = used(F::PLAN, &bind::addresses(flow), matches)?;
    if uses.is_empty() {
        let _ = writeln!(stderr, "nothing that this flow uses is on AWS");
    }
    let own =
        policies(&uses, purpose).into_iter().map(|(role, policy)| (role.map(|role| format!("of {role}")), policy));
    let of_copy = if purpose == Purpose::Run { copying(F::PLAN, &bind::addresses(flow))? } else { Vec::new() };
    let of_copy = of_copy
        .into_iter()
        .map(|(role, policy)| (Some(format!("of {role}, by which COPY reads what is staged")), policy));
    for (whose, policy) in own.chain(of_copy) {
        if let Some(whose) = whose {
            let _ = writeln!(stderr, "the policy {whose}:");
        }
        let text = serde_json::to_string_pretty(&policy).unwrap_or_default();
        print(stdout, &format!("{text}\n"))?;
    }
    Ok(0)
}

/// The policies of those by whom COPY reads.
fn copying(plan: &Plan, addresses: &[Option<String>]) -> Result<Vec<(String, Policy)>, Error> {
    let mut policies: Vec<(String, Policy)> = Vec::new();
    for (port, text) in plan.ports.iter().zip(addresses) {
        let Some(text) = text else { continue };
        let address: Address = text.parse().map_err(|error: Error| error.of_port(port.name))?;
        policies.extend(copy_policies(port, &address));
    }
    Ok(policies)
}

fn used(plan: &Plan, addresses: &[Option<String>], matches: &ArgMatches) -> Result<Vec<Used>, Error> {
    let mut uses = Vec::new();
    for (port, text) in plan.ports.iter().zip(addresses) {
        let Some(text) = text else { continue };
        let address: Address = text.parse().map_err(|error: Error| error.of_port(port.name))?;
        let of_port = Used::of_port(port, &address);
        let ledger = of_port.as_ref().and_then(Used::ledger);
        uses.extend(of_port.into_iter().chain(ledger));
    }
    if let Checkpoint::DynamoDb(address) = given_checkpoint(plan, matches) {
        uses.extend(Used::of_checkpoint(&address));
    }
    Ok(uses)
}
