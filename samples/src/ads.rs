//! Clicks on advertisements, and the campaigns that these belong to, both as JSON.

use std::io::{self, Write};

use jiff::civil::date;

use super::random::Random;

/// One line in so many is malformed.
const LINES_PER_FLAW: u64 = 100;

/// Campaigns that clicks name; some of them nobody may have heard of.
const CAMPAIGNS: u64 = 40;

const SITES: [&str; 6] =
    ["news.example.com", "cook.example.net", "maps.example.org", "games.example.com", "café.example.fr", "bid.example"];

const CATEGORIES: [&str; 8] =
    ["shoes", "travel", "games", "cars", "music", "food & drink", "insurance", "Mode für alle"];

/// Writes clicks: `{"time":"2026-03-01T00:00:01Z","site":"news.example.com","ad":{"campaign":3,"place":"top"},"user":null}`.
///
/// # Errors
/// What `out` fails with.
pub fn write_clicks(out: &mut impl Write, clicks: u64, seed: u64) -> io::Result<()> {
    let mut random = Random::new(seed);
    let (mut day, mut second) = (date(2026, 3, 1), 0);
    for _ in 0..clicks {
        second += random.below(60);
        if second >= 86_400 {
            second -= 86_400;
            day = day.tomorrow().unwrap_or(day);
        }
        let time = format!("{day}T{:02}:{:02}:{:02}Z", second / 3_600, second / 60 % 60, second % 60);
        let site = SITES[random.skewed_below(6) as usize];
        let campaign = random.skewed_below(CAMPAIGNS);
        let place = random.choose(&["top", "side", "end"]);
        let user = match random.below(3) {
            0 => "null".to_owned(),
            _ => format!(r#"{{"id":"u{}"}}"#, random.below(500)),
        };
        let ad = match random.below(LINES_PER_FLAW) {
            0 => format!(r#""campaign {campaign}""#),
            1 => format!(r#"{{"place":"{place}""#),
            2 => format!(r#"{{"campaign":"{campaign}","place":"{place}"}}"#),
            _ => format!(r#"{{"campaign":{campaign},"place":"{place}"}}"#),
        };
        writeln!(out, r#"{{"time":"{time}","site":"{site}","ad":{ad},"user":{user}}}"#)?;
    }
    Ok(())
}

/// Writes the campaigns that somebody has heard of, of three categories and more each: `{"id":3,"category":"shoes","budget":{"cents":50000}}`.
///
/// # Errors
/// What `out` fails with.
pub fn write_campaigns(out: &mut impl Write, seed: u64) -> io::Result<()> {
    let mut random = Random::new(!seed); // not the numbers of the clicks
    for id in (0..CAMPAIGNS).filter(|id| id % 9 != 5) {
        let category = random.choose(&CATEGORIES);
        let cents = 1_000 * (1 + random.below(500));
        writeln!(out, r#"{{"id":{id},"category":"{category}","budget":{{"cents":{cents}}}}}"#)?;
    }
    Ok(())
}
