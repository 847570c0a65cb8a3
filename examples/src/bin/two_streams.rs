//! Two streams that belong together: a shop's orders and its bank's payments in, a table of what is ordered and paid out.
//!
//! `cargo run --bin two_streams` runs it on the sample data, from any folder. Orders and payments meet in a join if they
//! come in one iteration. Which come in one depends on when it is closed, and a payment may well be read before its
//! order. So the join keeps what has no partner (`OuterJoin`), and the table, merged by order, adds up what comes later.

use std::process::ExitCode;

use flow_runtime::{Sink, Source, Trap, flow};

flow! {
    /// What is ordered and what is paid, by order.
    pub flow TwoStreams {
        source orders:   JsonLine { id: i64, "customer.name" as customer: Option<&str>, "total.cents" as cents: i64 };
        source payments: TextDelimited(delimiter = ",") { order: i64, cents: i64, reference: &str };
        sink   balances key(order) { order: i64, ordered_cents: i64 add, paid_cents: i64 add };
        trap   bad_orders for orders;
        trap   bad_payments for payments;

        // An order may be paid in parts, and rows of a key multiply in a join.
        paid = payments -> GroupBy(order) -> Every(cents => Sum => paid);

        HashJoin(orders on id, paid on order, OuterJoin)
            -> Retain(id, cents, order, paid)
            -> Insert(any: i64 = id.or(order), ordered_cents: i64 = cents.unwrap_or(0), paid_cents: i64 = paid.unwrap_or(0))
            -> Discard(order)
            -> Rename(any => order)
            -> balances;
    }
}

fn main() -> ExitCode {
    flow_runtime::main(TwoStreams {
        orders: Source::at(concat!("file:", env!("CARGO_MANIFEST_DIR"), "/data/orders.jsonl")),
        payments: Source::at(concat!("file:", env!("CARGO_MANIFEST_DIR"), "/data/payments.csv")),
        balances: Sink::at("sqlite:two_streams.db?table=balances").merge(),
        bad_orders: Trap::at("file:bad_orders.csv"),
        bad_payments: Trap::at("file:bad_payments.csv"),
    })
}
