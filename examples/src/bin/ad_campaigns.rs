//! Which categories of advertisements are clicked on which site: clicks and a table of campaigns in, counts out.
//!
//! `cargo run --bin ad_campaigns` runs it on the sample data, from any folder. The counts grow from iteration to
//! iteration; which are the best of a site is a question to the table (`examples/README.md`).

use std::process::ExitCode;

use flow_runtime::{Sink, Source, Table, Trap, flow};

flow! {
    /// Clicks by site and category.
    pub flow AdCampaigns {
        source clicks:    JsonLine { site: &str, "ad.campaign" as campaign: i64 };
        table  campaigns: JsonLine { id: i64, category: &str };
        sink   categories key(site, category) { site: &str, category: Option<&str>, clicks: i64 add };
        trap   bad_records;

        // Clicks on campaigns that the table lacks are counted under no category.
        HashJoin(clicks on campaign, campaigns on id, LeftJoin)
            -> GroupBy(site, category)
            -> Every(Count => clicks)
            -> categories;
    }
}

fn main() -> ExitCode {
    flow_runtime::main(AdCampaigns {
        clicks: Source::at(concat!("file:", env!("CARGO_MANIFEST_DIR"), "/data/clicks.jsonl")),
        campaigns: Table::at(concat!("file:", env!("CARGO_MANIFEST_DIR"), "/data/campaigns.jsonl")),
        categories: Sink::at("sqlite:ad_campaigns.db?table=categories").merge(),
        bad_records: Trap::at("file:bad_records.csv"),
    })
}
