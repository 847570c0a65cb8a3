//! The clicks of the sample, counted without flow.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

pub(crate) const CLICKS: &str = include_str!("../../data/clicks.jsonl");
pub(crate) const CAMPAIGNS: &str = include_str!("../../data/campaigns.jsonl");

/// Clicks by site and category.
pub(crate) type Counts = BTreeMap<(String, Option<String>), i64>;

/// Lines that are malformed are left out.
pub(crate) fn expected() -> Counts {
    let campaigns: Vec<Value> = CAMPAIGNS.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let categories: HashMap<i64, &str> =
        campaigns.iter().map(|it| (it["id"].as_i64().unwrap(), it["category"].as_str().unwrap())).collect();
    let click = |line: &str| -> Option<(String, Option<String>)> {
        let click: Value = serde_json::from_str(line).ok()?;
        let category = categories.get(&click["ad"]["campaign"].as_i64()?).map(|category| (*category).to_owned());
        Some((click["site"].as_str()?.to_owned(), category))
    };
    let mut counts = Counts::new();
    CLICKS.lines().filter_map(click).for_each(|key| *counts.entry(key).or_default() += 1);
    counts
}
