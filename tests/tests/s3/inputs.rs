//! The taps themselves, in a process of their own whose environment has credentials.

use flow_runtime::{
    MemoryRows, Sink, Table,
    driver::{self, Options},
    flow,
    source::{Input, conformance},
};
use flow_tests::{
    aws::run_with_credentials,
    services::{Service, ministack},
};
use serde_json::json;

/// Objects that come one by one.
struct Objects {
    service: &'static Service,
    bucket: String,
    objects: usize,
}

impl conformance::Subject for Objects {
    fn input(&self) -> Input {
        Input::Address(format!("s3://{}/logs/?endpoint={}", self.bucket, self.service.endpoint()))
    }

    fn add(&mut self, records: &[&str]) {
        self.objects += 1;
        self.service.put_object(&self.bucket, &format!("logs/{}", self.objects), records.join("\n"));
    }

    fn spoil(&mut self) -> bool {
        self.service.put_object(&self.bucket, &format!("logs/{}", self.objects), "x\ny\nz\n");
        true
    }
}

#[test]
fn objects_are_a_source() {
    if ministack().is_some() {
        run_with_credentials("inputs::objects_are_a_source_indeed");
    }
}

#[test]
#[ignore = "needs credentials"]
fn objects_are_a_source_indeed() {
    let service = ministack().unwrap();
    for keeps_versions in [false, true] {
        let mut buckets = 0;
        conformance::check(|| {
            buckets += 1;
            let bucket = format!("source-{keeps_versions}-{buckets}");
            service.create_bucket(&bucket);
            if keeps_versions {
                service.keep_versions(&bucket);
            }
            Objects { service, bucket, objects: 0 }
        });
    }
}

flow! {
    /// Campaigns by category.
    pub flow Campaigns {
        table campaigns: JsonLine { category: Option<&str>, "bid.cents" as cents: i64 };
        sink totals key(category) { category: Option<&str>, count: i64, cents: i64 };
        campaigns -> GroupBy(category) -> Every(Count => count) -> Every(cents => Sum => cents) -> totals;
    }
}

#[test]
fn items_are_json_records_of_a_table() {
    if ministack().is_some() {
        run_with_credentials("inputs::items_are_json_records_of_a_table_indeed");
    }
}

#[test]
#[ignore = "needs credentials"]
fn items_are_json_records_of_a_table_indeed() {
    let service = ministack().unwrap();
    service.create_table("campaigns", &["id"]);
    for id in 0..100 {
        let mut item = json!({ "id": { "S": id.to_string() }, "bid": { "M": { "cents": { "N": "2" } } } });
        if id % 5 > 0 {
            item["category"] = json!({ "S": format!("c{}", id % 5) });
        }
        service.put_item("campaigns", &item);
    }
    for segments in [1, 4, 7] {
        let totals = MemoryRows::default();
        let address = format!("dynamodb://campaigns?segments={segments}&endpoint={}", service.endpoint());
        let flow = Campaigns { campaigns: Table::at(address), totals: Sink::memory(&totals).replace() };
        driver::run(&flow, &Options::default()).unwrap();
        let mut rows: Vec<String> = totals.values().iter().map(|row| format!("{row:?}")).collect();
        rows.sort();
        assert!(rows.len() == 5 && rows.iter().all(|row| row.contains("20") && row.contains("40")), "{rows:?}");
    }
    let missing = Campaigns {
        campaigns: Table::at(format!("dynamodb://nowhere?endpoint={}", service.endpoint())),
        totals: Sink::memory(&MemoryRows::default()).replace(),
    };
    let error = driver::run(&missing, &Options::default()).unwrap_err().to_string();
    assert!(error.contains("cannot read the table (port `campaigns`, dynamodb://nowhere): dynamodb.scan"), "{error}");
}
