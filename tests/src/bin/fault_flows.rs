//! Small flows in one program, for tests that break them at every effect; `FLOW_UNDER_TEST` says which it is.

use std::{env, process::ExitCode};

use flow_runtime::{Sink, Source, Trap, flow};

flow! {
    /// Counts records by key, null keys too.
    pub flow Counted {
        source lines: TextDelimited(delimiter = ",") { id: i64, key: Option<&str>, amount: i64 };
        sink counts key(key) { key: Option<&str>, count: i64 add, total: i64 add };

        lines -> GroupBy(key) -> Every(Count => count) -> Every(amount => Sum => total) -> counts;
    }
}

flow! {
    /// Keeps the records of large amounts.
    pub flow Filtered {
        source lines: TextDelimited(delimiter = ",") { id: i64, key: Option<&str>, amount: i64 };
        sink rows { id: i64, key: Option<&str>, amount: i64 };

        lines -> Filter(amount >= 50) -> rows;
    }
}

/// The same flow after a change.
mod mended {
    flow_runtime::flow! {
        /// Keeps the records of larger amounts.
        pub flow Filtered {
            source lines: TextDelimited(delimiter = ",") { id: i64, key: Option<&str>, amount: i64 };
            sink rows { id: i64, key: Option<&str>, amount: i64 };

            lines -> Filter(amount >= 60) -> rows;
        }
    }
}

flow! {
    /// Does both, and traps what is no record.
    pub flow Split {
        source lines: TextDelimited(delimiter = ",") { id: i64, key: Option<&str>, amount: i64 };
        sink rows { id: i64, key: Option<&str>, amount: i64 };
        sink counts key(key) { key: Option<&str>, count: i64 add, total: i64 add };
        trap bad;

        all = lines -> Filter(id >= 0);
        all -> Filter(amount >= 50) -> rows;
        all -> GroupBy(key) -> Every(Count => count) -> Every(amount => Sum => total) -> counts;
    }
}

flow! {
    /// Writes by key: sums, the last record of each, and each record by its number.
    pub flow Keyed {
        source lines: TextDelimited(delimiter = ",") { id: i64, key: Option<&str>, amount: i64 };
        sink counts key(key) { key: Option<&str>, count: i64 add, total: i64 add };
        sink latest key(key) { key: Option<&str>, id: i64, amount: i64 };
        sink events key(id) { id: i64, key: Option<&str>, amount: i64 };
        trap bad;

        all = lines -> Filter(id >= 0);
        all -> latest;
        all -> events;
        all -> GroupBy(key) -> Every(Count => count) -> Every(amount => Sum => total) -> counts;
    }
}

fn main() -> ExitCode {
    let lines = || Source::at("file:lines.csv");
    let (rows, counts) = (|| Sink::at("file:rows.csv"), || Sink::at("sqlite:counts.db"));
    match env::var("FLOW_UNDER_TEST").unwrap_or_default().as_str() {
        "counted" => flow_runtime::main(Counted { lines: lines(), counts: counts() }),
        "filtered" => flow_runtime::main(Filtered { lines: lines(), rows: rows() }),
        "mended" => flow_runtime::main(mended::Filtered { lines: lines(), rows: rows() }),
        "keyed" => {
            let (latest, events, bad) = (Sink::unbound(), Sink::unbound(), Trap::at("file:bad.csv"));
            flow_runtime::main(Keyed { lines: lines(), counts: counts(), latest, events, bad })
        }
        "split" => {
            let bad = Trap::at("file:bad.csv");
            flow_runtime::main(Split { lines: lines(), rows: rows(), counts: counts(), bad })
        }
        name => {
            eprintln!("FLOW_UNDER_TEST={name} is none of counted, filtered, mended, keyed, split");
            ExitCode::from(2)
        }
    }
}
