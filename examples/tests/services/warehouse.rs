//! Jobs into the stand-in for Redshift, each held against another count of the same lines.

use flow_services::redshift;

use crate::{
    Setting,
    clicks::{CAMPAIGNS, CLICKS, Counts, expected},
};

const LOG: &[u8] = include_bytes!("../../data/access.log");
const HOSTS: &[u8] = include_bytes!("../../data/hosts.txt");
/// Counted by awk.
const HITS: &str = include_str!("../../../tests/data/access_log_counts.txt");

/// An address of the warehouse.
fn table(name: &str, bucket: &str) -> Option<String> {
    Some(redshift()?.address(&format!("table={name}&staging=s3://{bucket}/rows&role=default&sslmode=disable")))
}

#[test]
fn hits_of_every_listed_host_are_in_the_table_once() {
    let Some(setting) = Setting::new(env!("CARGO_BIN_EXE_access_log_counts")) else { return };
    let Some(counts) = table("cascading_results", "hits-staging") else { return };
    let job = format!(
        "--log kinesis://hits --hosts s3://hits-hosts/hosts.txt --counts {counts} --bad-lines s3://hits-trap/lines \
         --checkpoint dynamodb://hits"
    );
    setting.run(&format!("setup {job} --shards 2 --yes"));
    setting.others.put_object("hits-hosts", "hosts.txt", HOSTS);
    setting.publish("hits", LOG);
    setting.run(&format!("run {job}"));
    let said = setting.run(&format!("run {job}"));
    assert!(said.starts_with("nothing new"), "{said}");

    let found = redshift().unwrap().ask("SELECT ip, count FROM cascading_results");
    let mut found: Vec<String> = found.lines().map(|row| row.replace('∅', "")).collect();
    found.sort();
    let mut expected: Vec<&str> = HITS.lines().collect();
    expected.sort_unstable();
    assert_eq!(found, expected);
}

#[test]
fn clicks_are_added_up_over_iterations_where_there_is_no_category_too() {
    let Some(setting) = Setting::new(env!("CARGO_BIN_EXE_ad_campaigns")) else { return };
    let Some(categories) = table("categories", "clicks-staging") else { return };
    let job = format!(
        "--clicks kinesis://clicks --campaigns s3://clicks-campaigns/campaigns.jsonl --categories {categories} \
         --bad-records s3://clicks-trap/records --checkpoint dynamodb://clicks"
    );
    setting.run(&format!("setup {job} --shards 2 --yes"));
    setting.others.put_object("clicks-campaigns", "campaigns.jsonl", CAMPAIGNS);
    let (middle, _) = CLICKS.match_indices('\n').nth(600).unwrap();
    for half in [&CLICKS[..middle], &CLICKS[middle + 1..]] {
        setting.publish("clicks", half);
        setting.run(&format!("run {job}"));
    }
    let rows = redshift().unwrap().ask("SELECT site, category, clicks FROM categories");
    let row = |row: &str| {
        let [site, category, clicks] = row.split('|').collect::<Vec<_>>()[..] else { panic!("{row}") };
        ((site.to_owned(), Some(category.to_owned()).filter(|it| it != "∅")), clicks.parse().unwrap())
    };
    let found: Counts = rows.lines().map(row).collect();
    assert_eq!(rows.lines().count(), found.len(), "each once");
    assert_eq!(found, expected());
}
