//! The outcome of a run as JSON, for scripts: one line.

use serde::Serialize;
use serde_json::Value;

use super::explain::{kind_text, operator_text};
use crate::{Error, Failure, Plan, driver, plan::Balance};

/// What a run did, or why it did not.
#[derive(Serialize)]
struct Outcome<'a> {
    flow: String,
    /// `done`, `nothing_new`, `failed`.
    outcome: &'static str,
    exit_code: u8,
    #[serde(flatten)]
    what: What<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum What<'a> {
    Done(Done<'a>),
    Failed { error: Failed<'a> },
}

#[derive(Serialize)]
struct Done<'a> {
    iteration: Option<u64>,
    resumed: &'a [u64],
    elapsed_seconds: f64,
    ports: Vec<Port<'a>>,
    /// Those that count.
    operators: Vec<Operator>,
}

#[derive(Serialize)]
struct Port<'a> {
    name: &'static str,
    kind: &'static str,
    rows: u64,
    bytes: u64,
    place: &'a str,
}

#[derive(Serialize)]
struct Operator {
    pipe: &'static str,
    operator: String,
    rows_in: u64,
    rows_out: u64,
    filtered: u64,
    trapped: u64,
}

#[derive(Serialize)]
struct Failed<'a> {
    kind: &'static str,
    message: String,
    #[serde(flatten)]
    failure: Option<&'a Failure>,
}

impl<'a> Failed<'a> {
    fn of(error: &'a Error) -> Self {
        Self { kind: error.kind(), message: error.to_string(), failure: error.failure() }
    }
}

/// One object on one line.
pub(super) fn outcome(plan: &Plan, result: &Result<driver::Outcome, Error>, exit_code: u8) -> String {
    let (outcome, what) = match result {
        Ok(done) if done.nothing_new => ("nothing_new", What::Done(what_was_done(plan, done))),
        Ok(done) => ("done", What::Done(what_was_done(plan, done))),
        Err(error) => ("failed", What::Failed { error: Failed::of(error) }),
    };
    line(&Outcome { flow: plan.logical_name(), outcome, exit_code, what })
}

fn what_was_done<'a>(plan: &Plan, done: &'a driver::Outcome) -> Done<'a> {
    let ports = plan.ports.iter().zip(&done.ports).map(|(port, done)| Port {
        name: port.name,
        kind: kind_text(port.kind),
        rows: done.rows,
        bytes: done.bytes,
        place: &done.place,
    });
    let counted = plan.operators.iter().zip(&done.counts).filter(|(plan, _)| plan.balance != Balance::Through);
    let operators = counted.map(|(operator, counts)| Operator {
        pipe: operator.pipe,
        operator: operator_text(operator),
        rows_in: counts.rows_in,
        rows_out: counts.rows_out,
        filtered: counts.filtered,
        trapped: counts.trapped,
    });
    Done {
        iteration: done.iteration,
        resumed: &done.resumed,
        elapsed_seconds: done.elapsed.as_secs_f64(),
        ports: ports.collect(),
        operators: operators.collect(),
    }
}

/// What failed, as every command says it.
pub(super) fn failure(error: &Error) -> Value {
    serde_json::to_value(Failed::of(error)).unwrap_or_default()
}

/// These objects hold nothing that JSON cannot say, so writing them cannot fail.
pub(super) fn line(object: &impl Serialize) -> String {
    serde_json::to_string(object).unwrap_or_default() + "\n"
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cli::{example::PLAN, summary::tests::an_outcome};

    #[test]
    fn an_outcome_has_its_ports_and_operators_by_name() {
        let text = outcome(&PLAN, &Ok(an_outcome()), 0);
        assert_eq!(text.lines().count(), 1);
        let object: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(object["flow"], "access_log_counts");
        assert_eq!((&object["outcome"], &object["exit_code"]), (&json!("done"), &json!(0)));
        assert_eq!((&object["iteration"], &object["resumed"]), (&json!(3), &json!([2])));
        assert_eq!(object["elapsed_seconds"], 1.24);
        assert_eq!(
            object["ports"][2],
            json!({"name": "counts", "kind": "sink", "rows": 1, "bytes": 0, "place": "counts.db, table counts"})
        );
        assert_eq!(
            object["operators"][4],
            json!({"pipe": "", "operator": "GroupBy(ip)", "rows_in": 400_000, "rows_out": 1, "filtered": 0, "trapped": 0})
        );
        let nothing_new = driver::Outcome { nothing_new: true, ..an_outcome() };
        let object: Value = serde_json::from_str(&outcome(&PLAN, &Ok(nothing_new), 0)).unwrap();
        assert_eq!(object["outcome"], "nothing_new");
    }

    #[test]
    fn a_failure_has_its_parts_and_its_kind() {
        let failure = Failure::new("cannot open the file").at("port `log`, access.log").help("check --log");
        let object: Value = serde_json::from_str(&outcome(&PLAN, &Err(Error::Input(failure)), 1)).unwrap();
        assert_eq!((&object["outcome"], &object["exit_code"]), (&json!("failed"), &json!(1)));
        assert_eq!(
            object["error"],
            json!({
                "kind": "input",
                "message": "cannot open the file (port `log`, access.log); check --log",
                "what": "cannot open the file",
                "place": "port `log`, access.log",
                "help": "check --log",
            })
        );
        let object: Value = serde_json::from_str(&outcome(&PLAN, &Err(Error::Interrupted), 130)).unwrap();
        assert_eq!(object["error"]["kind"], "interrupted");
    }
}
