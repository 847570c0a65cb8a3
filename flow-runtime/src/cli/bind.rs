//! Binds ports: what the program says, and what the command line says over it.

use crate::{
    Address, Error, Failure, Flow, Plan, Sink,
    address::without_secrets,
    flow::{PortMut, PortRef},
    plan::option_name,
    sink::Target,
    source::Input,
};

/// Says of each port what the program binds it to: `default: file:access.log`.
pub(super) fn defaults<F: Flow>(flow: &F) -> Vec<String> {
    flow.ports().into_iter().map(default_text).collect()
}

/// Binds the ports to the addresses that the command line gives, and finds every port that is bound nowhere.
///
/// # Errors
/// [`Error::Config`] for an address that is none, and for inputs and sinks without one.
pub(super) fn bind<F: Flow>(flow: &mut F, addresses: &[Option<String>]) -> Result<(), Error> {
    bind_given(flow, addresses)?;
    let unbound: Vec<usize> =
        flow.ports().iter().enumerate().filter(|(_, port)| is_missing(port)).map(|(n, _)| n).collect();
    if unbound.is_empty() { Ok(()) } else { Err(missing(F::PLAN, &unbound)) }
}

/// Binds the ports to the addresses that the command line gives; for a command that does not need them all.
///
/// # Errors
/// [`Error::Config`] for an address that is none.
pub(super) fn bind_given<F: Flow>(flow: &mut F, addresses: &[Option<String>]) -> Result<(), Error> {
    for ((port, plan), address) in flow.ports_mut().into_iter().zip(F::PLAN.ports).zip(addresses) {
        if let Some(text) = address {
            rebind(port, text).map_err(|error| error.of_port(plan.name))?;
        }
    }
    Ok(())
}

/// The address that each port is bound to, if it is to one.
pub(super) fn addresses<F: Flow>(flow: &F) -> Vec<Option<String>> {
    let of_input = |input: &Input| match input {
        Input::Address(text) => Some(text.clone()),
        Input::Unbound | Input::Memory(_) => None,
    };
    let of_target = |target: &Target| match target {
        Target::Address(text) => Some(text.clone()),
        Target::Unbound | Target::Memory(_) => None,
    };
    let address = |port| match port {
        PortRef::Source(source) => of_input(&source.input),
        PortRef::Table(table) => of_input(&table.input),
        PortRef::Sink(sink) => of_target(&sink.target),
        PortRef::Trap(trap) => of_target(&trap.target),
    };
    flow.ports().into_iter().map(address).collect()
}

/// Whether some rows go to `stdout:`.
pub(super) fn prints<F: Flow>(flow: &F) -> bool {
    let is_stdout = |target: &Target| matches!(target, Target::Address(text) if text.starts_with("stdout:"));
    flow.ports().iter().any(|port| match port {
        PortRef::Sink(sink) => is_stdout(&sink.target),
        PortRef::Trap(trap) => is_stdout(&trap.target),
        PortRef::Source(_) | PortRef::Table(_) => false,
    })
}

/// Binds the ports to what the command line gives, whatever it is: for a check, which finds out by itself what is wrong
/// with each.
pub(super) fn bind_unchecked<F: Flow>(flow: &mut F, addresses: &[Option<String>]) {
    for (port, address) in flow.ports_mut().into_iter().zip(addresses) {
        if let Some(text) = address {
            // Opening the port says it again.
            let _ = rebind(port, text);
        }
    }
}

fn rebind(port: PortMut<'_>, text: &str) -> Result<(), Error> {
    let address = text.parse::<Address>();
    match port {
        PortMut::Source(source) => source.input = Input::Address(text.to_owned()),
        PortMut::Table(table) => table.input = Input::Address(text.to_owned()),
        PortMut::Trap(trap) => trap.target = Target::Address(text.to_owned()),
        PortMut::Sink(sink) => {
            sink.target = Target::Address(text.to_owned());
            // The command line has the last word on the mode, too.
            if address.as_ref().is_ok_and(|address| address.option("mode").is_some()) {
                sink.mode = None;
            }
        }
    }
    address.map(drop)
}

/// A trap may stay unbound: it matters only when a record is trapped.
fn is_missing(port: &PortRef<'_>) -> bool {
    match port {
        PortRef::Source(source) => matches!(source.input, Input::Unbound),
        PortRef::Table(table) => matches!(table.input, Input::Unbound),
        PortRef::Sink(sink) => matches!(sink.target, Target::Unbound),
        PortRef::Trap(_) => false,
    }
}

fn missing(plan: &Plan, ports: &[usize]) -> Error {
    let names: Vec<&str> = ports.iter().filter_map(|port| plan.ports.get(*port)).map(|port| port.name).collect();
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    let options: Vec<String> = names.iter().map(|name| format!("--{} ADDRESS", option_name(name))).collect();
    let (subject, verb) = if names.len() == 1 { ("port", "has") } else { ("ports", "have") };
    Error::Config(
        Failure::new(format!("{subject} {} {verb} no address", quoted.join(", ")))
            .help(format!("give {}", options.join(" "))),
    )
}

fn default_text(port: PortRef<'_>) -> String {
    match port {
        PortRef::Source(source) => input_text(&source.input),
        PortRef::Table(table) => input_text(&table.input),
        PortRef::Sink(sink) => format!("{}{}", target_text(&sink.target, "required"), mode_text(sink)),
        PortRef::Trap(trap) => target_text(&trap.target, "default: none, a record that fails stops the run"),
    }
}

fn input_text(input: &Input) -> String {
    match input {
        Input::Unbound => "required".to_owned(),
        Input::Address(text) => format!("default: {}", without_secrets(text)),
        Input::Memory(_) => "default: in memory".to_owned(),
    }
}

fn target_text(target: &Target, unbound: &str) -> String {
    match target {
        Target::Unbound => unbound.to_owned(),
        Target::Address(text) => format!("default: {}", without_secrets(text)),
        Target::Memory(_) => "default: in memory".to_owned(),
    }
}

fn mode_text(sink: &Sink) -> String {
    sink.mode.map(|mode| format!(", {}", mode.as_str())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{cli::example::AccessLogCounts, sink::Mode};

    fn addresses(log: Option<&str>, counts: Option<&str>) -> Vec<Option<String>> {
        [log, None, counts, None].map(|address| address.map(str::to_owned)).into()
    }

    #[test]
    fn an_option_overrides_what_the_program_says_and_leaves_the_rest() {
        let mut flow = AccessLogCounts::bound();
        bind(&mut flow, &addresses(Some("stdin:"), Some("sqlite:other.db"))).unwrap();
        assert!(matches!(&flow.log.input, Input::Address(text) if text == "stdin:"));
        assert!(matches!(&flow.hosts.input, Input::Address(text) if text == "file:hosts.txt"));
        assert!(matches!(&flow.counts.target, Target::Address(text) if text == "sqlite:other.db"));
        assert_eq!(flow.counts.mode, Some(Mode::Merge));
    }

    #[test]
    fn a_mode_in_the_option_outdoes_the_programs() {
        let mut flow = AccessLogCounts::bound();
        bind(&mut flow, &addresses(None, Some("sqlite:counts.db?mode=replace"))).unwrap();
        assert_eq!(flow.counts.mode, None);
    }

    #[test]
    fn it_is_known_whether_rows_go_to_stdout() {
        let mut flow = AccessLogCounts::bound();
        assert!(!prints(&flow));
        bind(&mut flow, &addresses(None, Some("stdout:"))).unwrap();
        assert!(prints(&flow));
    }

    #[test]
    fn an_option_that_is_no_address_is_refused_with_its_port() {
        let error = bind(&mut AccessLogCounts::bound(), &addresses(Some("access.log"), None)).unwrap_err();
        assert!(matches!(error, Error::Config(_)));
        assert!(error.to_string().contains("port `log`, `access.log`"), "{error}");
    }

    #[test]
    fn all_ports_without_an_address_are_named_at_once() {
        let error = bind(&mut AccessLogCounts::unbound(), &addresses(None, Some("stdout:"))).unwrap_err();
        assert_eq!(error.to_string(), "ports `log`, `hosts` have no address; give --log ADDRESS --hosts ADDRESS");
    }

    #[test]
    fn defaults_are_shown_without_secrets() {
        let mut flow = AccessLogCounts::bound();
        flow.counts = Sink::at("sqlite:counts.db?token=abc").append();
        let texts = defaults(&flow);
        assert_eq!(texts[0], "default: file:access.log");
        assert_eq!(texts[2], "default: sqlite:counts.db?token=…, append");
        assert_eq!(defaults(&AccessLogCounts::unbound())[1..3], ["required", "required"]);
    }
}
