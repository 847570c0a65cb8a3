//! Clicks by category, held against a second reading of the same files.

#![expect(clippy::unwrap_used, reason = "a test may")]

mod clicks;

use std::{cmp::Reverse, path::Path, process::Command};

use clicks::{Counts, expected};
use rusqlite::Connection;

const README: &str = include_str!("../README.md");

fn run(folder: &Path) -> Connection {
    let output = Command::new(env!("CARGO_BIN_EXE_ad_campaigns")).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Connection::open(folder.join("ad_campaigns.db")).unwrap()
}

#[test]
fn every_click_is_counted_once_under_its_category_or_under_none() {
    let folder = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let database = run(folder.path());
        let mut query = database.prepare("SELECT site, category, clicks FROM categories").unwrap();
        let rows = query.query_map((), |row| Ok(((row.get(0)?, row.get(1)?), row.get(2)?))).unwrap();
        let counts: Counts = rows.map(Result::unwrap).collect();
        assert_eq!(counts, expected());
        assert!(counts.keys().any(|(_, category)| category.is_none()));
    }
}

#[test]
fn the_best_categories_of_a_site_are_asked_for_as_the_readme_says() {
    let (_, behind) = README.split_once("## Clicks by category").unwrap();
    let (query, _) = behind.split_once("```sql").and_then(|(_, sql)| sql.split_once("```")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let database = run(folder.path());
    let mut query = database.prepare(query).unwrap();
    let rows = query.query_map((), |row| Ok((row.get(0)?, row.get(2)?, row.get(3)?))).unwrap();
    let best: Vec<(String, Option<String>, i64)> = rows.map(Result::unwrap).collect();

    let mut expected: Vec<_> =
        expected().into_iter().map(|((site, category), clicks)| (site, category, clicks)).collect();
    expected.sort_by_key(|(site, category, clicks)| (site.clone(), Reverse(*clicks), category.clone()));
    let three_best = expected.chunk_by(|(one, ..), (other, ..)| one == other).flat_map(|site| site.iter().take(3));
    assert_eq!(best, three_best.cloned().collect::<Vec<_>>());
    assert!(best.len() >= 15, "{best:?}");
}
