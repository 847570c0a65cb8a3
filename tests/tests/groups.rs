//! Groups and their aggregations against a plain map, for any number of workers.

use std::collections::BTreeMap;

use flow_runtime::{Error, MemoryRecords, MemoryRows, Sink, Source, Trap, flow};
use flow_tests::{WORKERS, run};

flow! {
    /// One of each aggregation.
    pub flow Totals {
        source sales: TextDelimited(delimiter = ",") {
            shop: Option<&str>, day: Date("%Y-%m-%d"), amount: Option<i64>, price: Decimal(9, 2),
            rate: f64, name: &str, at: Option<Timestamp("%Y-%m-%d %H:%M:%S %z")>
        };
        sink totals {
            shop: Option<&str>, day: Date("%Y-%m-%d"), rows: i64, amount: Option<i64>, least: Option<i64>,
            price: Decimal(38, 2), dearest: Decimal(9, 2), rate: f64, first_name: &str, last_name: &str,
            latest: Option<Timestamp("%Y-%m-%d %H:%M:%S %z")>
        };
        trap bad;

        sales
            -> GroupBy(shop, day)
            -> Every(Count => rows)
            -> Every(amount => Sum => amount)
            -> Every(amount => Min => least)
            -> Every(price => Sum => price)
            -> Every(price => Max => dearest)
            -> Every(rate => Sum => rate)
            -> Every(name => Min => first_name)
            -> Every(name => Max => last_name)
            -> Every(at => Max => latest)
            -> totals;
    }
}

#[derive(Default)]
struct Group {
    rows: i64,
    amounts: Vec<i64>,
    cents: Vec<i64>,
    eighths: i64,
    names: Vec<String>,
    hours: Vec<u32>,
}

type Groups = BTreeMap<(Option<String>, String), Group>;

/// Lines and what they add up to. Rates are eighths, so that their sums are exact in any order.
fn sales() -> (MemoryRecords, Groups) {
    let mut random = fastrand::Rng::with_seed(11);
    let records = MemoryRecords::default();
    let mut groups = Groups::new();
    for _ in 0..30_000 {
        let shop = (random.u32(0..6) > 0).then(|| format!("shop {}", random.u32(0..40)));
        let day = format!("2026-11-{:02}", random.u32(1..4));
        let amount = (random.u32(0..3) > 0).then(|| random.i64(-1000..1000));
        let (cents, eighths) = (random.i64(-99_999..99_999), random.i64(0..100));
        let name = format!("name {}", random.u32(0..500));
        let hour = (shop.as_deref() != Some("shop 3")).then(|| random.u32(0..24));
        let at = hour.map(|hour| format!("{day} {hour:02}:00:00 +0000")).unwrap_or_default();
        records.push_line(format!(
            "{},{day},{},{},{},{name},{at}",
            shop.as_deref().unwrap_or_default(),
            amount.map(|amount| amount.to_string()).unwrap_or_default(),
            decimal(cents),
            eighths as f64 / 8.0
        ));
        let group = groups.entry((shop, day)).or_default();
        group.rows += 1;
        group.amounts.extend(amount);
        group.cents.push(cents);
        group.eighths += eighths;
        group.names.push(name);
        group.hours.extend(hour);
    }
    (records, groups)
}

fn decimal(cents: i64) -> String {
    let sign = if cents < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", cents.abs() / 100, cents.abs() % 100)
}

fn expected(groups: &Groups) -> Vec<Vec<Option<String>>> {
    let row = |((shop, day), group): (&(Option<String>, String), &Group)| {
        let sum = (!group.amounts.is_empty()).then(|| group.amounts.iter().sum::<i64>().to_string());
        vec![
            shop.clone(),
            Some(day.clone()),
            Some(group.rows.to_string()),
            sum,
            group.amounts.iter().min().map(i64::to_string),
            Some(decimal(group.cents.iter().sum())),
            group.cents.iter().max().map(|cents| decimal(*cents)),
            Some((group.eighths as f64 / 8.0).to_string()),
            group.names.iter().min().cloned(),
            group.names.iter().max().cloned(),
            group.hours.iter().max().map(|hour| format!("{day} {hour:02}:00:00 +0000")),
        ]
    };
    groups.iter().map(row).collect()
}

#[test]
fn groups_come_out_in_key_order_null_first_and_the_same_for_any_number_of_workers() {
    let (records, groups) = sales();
    for workers in WORKERS {
        let (totals, bad) = (MemoryRows::default(), MemoryRows::default());
        let flow =
            Totals { sales: Source::memory(&records), totals: Sink::memory(&totals).append(), bad: Trap::memory(&bad) };
        run(&flow, workers).unwrap();
        assert_eq!(totals.values(), expected(&groups), "{workers} workers");
        assert!(bad.is_empty());
    }
}

#[test]
fn no_rows_give_no_group() {
    let totals = MemoryRows::default();
    let flow = Totals {
        sales: Source::memory(&MemoryRecords::default()),
        totals: Sink::memory(&totals).append(),
        bad: Trap::unbound(),
    };
    run(&flow, 2).unwrap();
    assert!(totals.is_empty());
}

flow! {
    /// A sum that can overflow.
    pub flow Overflow {
        source numbers: TextDelimited(delimiter = ",") { key: &str, n: i64 };
        sink sums { key: &str, sum: i64 };
        trap bad;
        numbers -> GroupBy(key) -> Every(n => Sum => sum) -> sums;
    }
}

#[test]
fn a_sum_that_fits_in_the_end_is_no_overflow_whatever_the_order() {
    let lines = [i64::MAX, i64::MAX, -i64::MAX].map(|n| format!("a,{n}"));
    let sums = MemoryRows::default();
    let flow = Overflow {
        numbers: Source::memory(&MemoryRecords::lines(lines)),
        sums: Sink::memory(&sums).append(),
        bad: Trap::unbound(),
    };
    run(&flow, 2).unwrap();
    assert_eq!(sums.rows::<overflow::OwnedSumsRow>(), [overflow::OwnedSumsRow { key: "a".into(), sum: i64::MAX }]);
}

#[test]
fn a_sum_that_overflows_stops_the_run_and_nothing_is_published() {
    let lines = [i64::MAX, 1].map(|n| format!("a,{n}"));
    let sums = MemoryRows::default();
    let flow = Overflow {
        numbers: Source::memory(&MemoryRecords::lines(lines)),
        sums: Sink::memory(&sums).append(),
        bad: Trap::memory(&MemoryRows::default()),
    };
    let error = run(&flow, 2).unwrap_err();
    assert!(matches!(error, Error::Record(_)), "{error}");
    assert!(error.to_string().contains("`sum`"), "{error}");
    assert!(sums.is_empty());
}
