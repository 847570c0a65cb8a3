//! Hand-made plans whose counts add up, and each way in which they may not.

use super::*;
use crate::plan::PortPlan;

const fn port(name: &'static str, kind: PortKind) -> PortPlan {
    PortPlan { name, kind, about: "", scheme: "", fields: &[], key: &[], grouped: false, covers: &[], line: 0 }
}

const fn operator(text: &'static str, inputs: &'static [usize], balance: Balance) -> OperatorPlan {
    OperatorPlan {
        kind: text,
        text,
        pipe: "",
        inputs,
        port: None,
        fields: &[],
        read: &[],
        balance,
        trap: None,
        line: 0,
        note: "",
    }
}

const fn at_port(mut operator: OperatorPlan, port: usize) -> OperatorPlan {
    operator.port = Some(port);
    operator
}

const fn trapping(mut operator: OperatorPlan) -> OperatorPlan {
    operator.trap = Some(3);
    operator
}

/// log -> Each -> Rename -> HashJoin(…, hosts) -> GroupBy -> counts.
static PLAN: Plan = Plan {
    flow: "Counts",
    about: "",
    ports: &[
        port("log", PortKind::Source),
        port("hosts", PortKind::Table),
        port("counts", PortKind::Sink),
        port("bad", PortKind::Trap),
    ],
    operators: &[
        trapping(at_port(operator("Read(log)", &[], Balance::RowByRow), 0)),
        trapping(operator("Each", &[0], Balance::RowByRow)),
        operator("Rename", &[1], Balance::Through),
        at_port(operator("Read(hosts)", &[], Balance::RowByRow), 1),
        operator("HashJoin", &[2, 3], Balance::FanOut),
        operator("GroupBy", &[4], Balance::Group),
        at_port(operator("Write(counts)", &[5], Balance::RowByRow), 2),
    ],
    steps: &[],
    drains: &[],
    hash: 0,
};

const fn counts(rows_in: u64, rows_out: u64, filtered: u64, trapped: u64) -> Counts {
    Counts { rows_in, rows_out, filtered, trapped }
}

/// 10 records, 1 not decoded, 2 refused by Each, 3 without a host; a host twice, one unmatched; 3 groups.
const OPERATORS: [Counts; 7] = [
    counts(10, 9, 0, 1),
    counts(9, 7, 0, 2),
    counts(0, 0, 0, 0),
    counts(4, 4, 0, 0),
    counts(7, 6, 3, 0),
    counts(6, 3, 0, 0),
    counts(3, 3, 0, 0),
];
const PORTS: [u64; 4] = [10, 4, 3, 3];

fn imbalance(operators: [Counts; 7], ports: [u64; 4]) -> String {
    match check(&PLAN, Counted { operators: &operators, ports: &ports }) {
        Err(Error::Imbalance(failure)) => failure.to_string(),
        other => format!("{other:?}"),
    }
}

fn with_operator(index: usize, counts: Counts) -> String {
    let mut operators = OPERATORS;
    operators[index] = counts;
    imbalance(operators, PORTS)
}

fn with_port(index: usize, rows: u64) -> String {
    let mut ports = PORTS;
    ports[index] = rows;
    imbalance(OPERATORS, ports)
}

#[test]
fn counts_that_add_up_pass() {
    check(&PLAN, Counted { operators: &OPERATORS, ports: &PORTS }).unwrap();
}

#[test]
fn an_iteration_of_nothing_adds_up() {
    check(&PLAN, Counted { operators: &[Counts::default(); 7], ports: &[0; 4] }).unwrap();
}

#[test]
fn a_row_lost_inside_an_operator_is_found() {
    assert!(with_operator(1, counts(9, 6, 0, 2)).contains("(`Each`): in 9, out 6, filtered 0, trapped 2"));
}

#[test]
fn a_row_doubled_inside_an_operator_is_found() {
    assert!(with_operator(1, counts(9, 8, 0, 2)).contains("`Each`"));
}

#[test]
fn a_row_lost_between_two_operators_is_found_through_one_that_counts_nothing() {
    assert!(with_operator(4, counts(6, 6, 2, 0)).contains("6 rows came in, but 7 went out of `Rename`"));
}

#[test]
fn an_operator_that_should_count_nothing_and_does_is_found() {
    assert!(with_operator(2, counts(7, 7, 0, 0)).contains("`Rename`"));
}

#[test]
fn a_join_that_loses_a_streamed_row_is_found() {
    assert!(with_operator(4, counts(7, 3, 3, 0)).contains("`HashJoin`"));
}

#[test]
fn a_group_with_more_rows_than_came_in_is_found() {
    assert!(with_operator(5, counts(6, 7, 0, 0)).contains("`GroupBy`"));
}

#[test]
fn an_operator_without_a_trap_cannot_have_trapped() {
    assert!(with_operator(3, counts(4, 3, 0, 1)).contains("it has no trap"));
}

#[test]
fn a_record_read_but_not_decoded_is_found() {
    assert!(with_port(0, 11).contains("(`Read(log)`): it counted 10 rows, but 11 were read"));
}

#[test]
fn a_row_of_a_table_that_was_not_decoded_is_found() {
    assert!(with_port(1, 5).contains("`Read(hosts)`"));
}

#[test]
fn a_row_that_was_not_staged_is_found() {
    assert!(with_port(2, 2).contains("it counted 3 rows, but 2 were staged"));
}

#[test]
fn a_trapped_record_that_was_not_staged_is_found() {
    assert!(with_port(3, 2).contains("(port `bad`): 3 records were refused, but 2 were staged"));
}

#[test]
fn counts_near_the_limit_do_not_overflow_into_balance() {
    assert!(with_operator(1, counts(9, 10, u64::MAX, u64::MAX)).contains("`Each`"));
}
