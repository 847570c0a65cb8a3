//! The flows of `examples/` as they stand there, for tests that give them addresses of AWS; `FLOW_UNDER_TEST` says which it is.

use std::{env, process::ExitCode};

use flow_runtime::{Sink, Source, Table, Trap};

#[path = "../../../examples/src/bin/access_log_counts.rs"]
#[expect(dead_code, reason = "its own addresses")]
mod access_log_counts;
#[path = "../../../examples/src/bin/ad_campaigns.rs"]
#[expect(dead_code, reason = "its own addresses")]
mod ad_campaigns;
#[path = "../../../examples/src/bin/two_streams.rs"]
#[expect(dead_code, reason = "its own addresses")]
mod two_streams;

fn main() -> ExitCode {
    let bad = |name: &str| Trap::at(format!("file:{name}.csv"));
    match env::var("FLOW_UNDER_TEST").unwrap_or_default().as_str() {
        "access_log_counts" => flow_runtime::main(access_log_counts::AccessLogCounts {
            log: Source::unbound(),
            hosts: Table::unbound(),
            counts: Sink::at("sqlite:result.db?table=counts").merge(),
            bad_lines: bad("bad_lines"),
        }),
        "ad_campaigns" => flow_runtime::main(ad_campaigns::AdCampaigns {
            clicks: Source::unbound(),
            campaigns: Table::unbound(),
            categories: Sink::at("sqlite:result.db?table=categories").merge(),
            bad_records: bad("bad_records"),
        }),
        "two_streams" => flow_runtime::main(two_streams::TwoStreams {
            orders: Source::unbound(),
            payments: Source::unbound(),
            balances: Sink::at("sqlite:result.db?table=balances").merge(),
            bad_orders: bad("bad_orders"),
            bad_payments: bad("bad_payments"),
        }),
        name => {
            eprintln!("FLOW_UNDER_TEST={name} is none of access_log_counts, ad_campaigns, two_streams");
            ExitCode::from(2)
        }
    }
}
