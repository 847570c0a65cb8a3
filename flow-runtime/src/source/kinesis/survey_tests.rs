//! What a survey says of streams that have changed, aged, or been replaced.

use std::time::Duration;

use super::*;
use crate::aws::wait;
use crate::source::{
    Position,
    kinesis::{
        fake::{Fake, Fault, trouble, with_clock},
        oldest::SEARCH_READS_MAX,
    },
};

const HOUR_US: i64 = 3_600_000_000;

fn listed(fake: &Fake, known: &[KnownShard], start: Start, gaps: Gaps) -> Result<Vec<Result<ShardFrom, Error>>, Error> {
    let survey = Survey { service: fake, name: "s", start, gaps, created_us: 5 * HOUR_US };
    wait(survey.list(known))
}

/// Each shard as `name from`, or what is wrong with it.
fn told(fake: &Fake, known: &[KnownShard], gaps: Gaps) -> Vec<String> {
    let shards = listed(fake, known, Start::Oldest, gaps).unwrap();
    shards
        .into_iter()
        .map(|shard| match shard {
            Ok(shard) => format!("{} {}", shard.shard.name, shard.from),
            Err(error) => error.to_string(),
        })
        .collect()
}

fn known(shard: usize, next: &str, covered_us: Option<i64>) -> KnownShard {
    let name = format!("s/shardId-{shard:012}");
    let id = format!("s@1000/shardId-{shard:012}");
    KnownShard { id, name, mark: String::new(), next: Position::new(next), last: None, covered_us }
}

#[test]
fn a_start_counts_when_nothing_was_read_and_changes_nothing_later() {
    let fake = Fake::of(1);
    let from = |known: &[KnownShard], start| listed(&fake, known, start, Gaps::Refuse).unwrap().remove(0).unwrap().from;
    assert_eq!(from(&[], Start::Oldest).as_str(), "oldest");
    assert_eq!(from(&[], Start::Latest).as_str(), "time:1970-01-01T05:00:00Z");
    assert_eq!(from(&[], Start::Time(0)).as_str(), "time:1970-01-01T00:00:00Z");
    for start in [Start::Oldest, Start::Latest, Start::Time(0)] {
        assert_eq!(from(&[known(0, "101+", None)], start).as_str(), "101+");
    }
}

#[test]
fn a_list_that_comes_in_many_pages_is_read_to_its_end() {
    assert_eq!(told(&Fake::of(30), &[], Gaps::Refuse).len(), 30);
}

#[test]
fn a_position_that_is_older_than_what_is_kept_is_held_with_the_size_of_the_hole() {
    let (fake, now) = (Fake::of(1), clock::now_us());
    fake.state().put(0, b"left", now - 20 * HOUR_US);
    let read = known(0, "99+", Some(now - 30 * HOUR_US));
    let held = told(&fake, std::slice::from_ref(&read), Gaps::Refuse);
    assert!(held[0].contains("a hole of up to 6 h 0 min") && held[0].contains("--accept-gap"), "{held:?}");
    assert_eq!(told(&fake, std::slice::from_ref(&read), Gaps::FromBeginning), ["s/shardId-000000000000 oldest"]);
    assert!(told(&fake, std::slice::from_ref(&read), Gaps::FromEnd)[0].contains(" time:"));
    let accepted = listed(&fake, &[read], Start::Oldest, Gaps::FromBeginning).unwrap().remove(0).unwrap();
    // It is not held for the same hole again.
    let again = KnownShard { next: accepted.from, ..known(0, "", accepted.covered_us) };
    assert_eq!(told(&fake, &[again], Gaps::Refuse), ["s/shardId-000000000000 oldest"]);
}

#[test]
fn nothing_is_missing_where_what_was_read_last_is_still_there() {
    let (fake, now) = (Fake::of(1), clock::now_us());
    fake.state().put(0, b"read", now - 20 * HOUR_US);
    let read = known(0, "101+", Some(now - 30 * HOUR_US));
    assert_eq!(told(&fake, &[read], Gaps::Refuse), ["s/shardId-000000000000 101+"]);
}

#[test]
fn a_shard_that_was_looked_at_since_has_no_hole() {
    let (fake, now) = (Fake::of(1), clock::now_us());
    let read = known(0, "99+", Some(now - 23 * HOUR_US));
    assert_eq!(told(&fake, &[read], Gaps::Refuse), ["s/shardId-000000000000 99+"]);
}

#[test]
fn an_accepted_gap_never_goes_back_behind_what_was_read() {
    with_clock(|_| async {
        let (fake, now) = (Fake::of(1), clock::now_us());
        ["read", "new"].iter().for_each(|text| fake.state().put(0, text.as_bytes(), now - 20 * HOUR_US));
        fake.state().faults.extend([Fault::Empty(Duration::from_secs(9)); SEARCH_READS_MAX]);
        let read = known(0, "101+", Some(now - 30 * HOUR_US));
        let gaps = Gaps::FromBeginning;
        let survey = Survey { service: &fake, name: "s", start: Start::Oldest, gaps, created_us: 0 };
        let accepted = survey.list(&[read]).await.unwrap().remove(0).unwrap();
        assert_eq!(accepted.from.as_str(), "101+");
    });
}

#[test]
fn an_accepted_gap_covers_no_more_than_what_was_given_up() {
    let (fake, now) = (Fake::of(1), clock::now_us());
    fake.state().put(0, b"left", now - 20 * HOUR_US);
    let read = known(0, "99+", Some(now - 30 * HOUR_US));
    let accepted = |gaps| listed(&fake, std::slice::from_ref(&read), Start::Oldest, gaps).unwrap().remove(0).unwrap();
    assert_eq!(accepted(Gaps::FromBeginning).covered_us, Some(now - 20 * HOUR_US));
    assert!(accepted(Gaps::FromEnd).covered_us >= Some(now));
    // Nothing can be told of a shard of which nothing is left: that is given up up to now.
    fake.state().shards[0].records.clear();
    assert!(accepted(Gaps::FromBeginning).covered_us >= Some(now));
}

#[test]
fn who_goes_on_with_what_comes_from_now_on_reads_nothing_older_of_children_either() {
    let fake = Fake::of(2);
    fake.reshard(&[0], 1);
    fake.reshard(&[2], 1);
    fake.state().shards[0].is_listed = false;
    let told = told(&fake, &[known(1, "101+", None)], Gaps::FromEnd);
    assert!(told[1].ends_with("1 101+") && told[2].contains("2 time:") && told[3].contains("3 time:"), "{told:?}");
}

#[test]
fn a_list_whose_next_page_has_expired_is_listed_anew() {
    let fake = Fake::of(3);
    fake.state().list_faults.extend([Fault::None, Fault::None, Fault::Trouble(Kind::IteratorExpired)]);
    let names: Vec<String> = (0..3).map(|shard| format!("s/shardId-{shard:012} oldest")).collect();
    assert_eq!(told(&fake, &[], Gaps::Refuse), names);
}

#[test]
fn a_child_whose_parents_were_read_long_ago_has_a_hole() {
    let (fake, now) = (Fake::of(1), clock::now_us());
    fake.reshard(&[0], 1);
    let held = told(&fake, &[known(0, "end", Some(now - 30 * HOUR_US))], Gaps::Refuse);
    assert_eq!(held[0], "s/shardId-000000000000 end");
    assert!(held[1].contains("a hole of up to 6 h 0 min"), "{held:?}");
}

#[test]
fn a_parent_that_has_aged_out_is_noted_as_read_at_first_and_a_hole_later() {
    let fake = Fake::of(2);
    fake.reshard(&[0], 1);
    fake.state().shards[0].is_listed = false;
    let first =
        ["s/shardId-000000000000 (aged out) end", "s/shardId-000000000001 oldest", "s/shardId-000000000002 oldest"];
    assert_eq!(told(&fake, &[], Gaps::Refuse), first);
    let later = told(&fake, &[known(1, "101+", None)], Gaps::Refuse);
    assert!(later[0].contains("the shard was made and closed since"), "{later:?}");
    assert_eq!(told(&fake, &[known(1, "oldest", None)], Gaps::FromBeginning), first);
}

#[test]
fn a_shard_that_went_before_it_was_read_is_held_and_ended_when_the_gap_is_accepted() {
    let fake = Fake::of(2);
    fake.reshard(&[0], 1);
    fake.state().shards[0].is_listed = false;
    let read = [known(0, "101+", None), known(1, "oldest", None)];
    let held = told(&fake, &read, Gaps::Refuse);
    assert!(held[0].contains("position 101+") && held[0].contains("is not there any more"), "{held:?}");
    assert_eq!(told(&fake, &read, Gaps::FromBeginning)[0], "s/shardId-000000000000 (aged out) end");
}

#[test]
fn a_stream_that_was_made_again_is_held_as_another() {
    let fake = Fake::of(1);
    fake.state().about.created_ms = 2_000;
    let read = [known(0, "101+", None)];
    let error = listed(&fake, &read, Start::Oldest, Gaps::Refuse).unwrap_err();
    assert!(matches!(error, Error::Held(_)), "{error}");
    assert!(error.to_string().starts_with("the stream is another one than the one that was read (s)"), "{error}");
    assert_eq!(told(&fake, &read, Gaps::FromBeginning), ["s/shardId-000000000000 oldest"]);
    // Once it was read, the former one is out of sight.
    let both = [read[0].clone(), KnownShard { id: "s@2000/shardId-000000000000".to_owned(), ..known(0, "7+", None) }];
    assert_eq!(told(&fake, &both, Gaps::Refuse), ["s/shardId-000000000000 7+"]);
}

#[test]
fn an_accepted_gap_is_told_with_the_size_of_the_hole() {
    let gap = |fake: &Fake, known: &[KnownShard], gaps: Gaps, index: usize| {
        listed(fake, known, Start::Oldest, gaps).unwrap().remove(index).unwrap().gap
    };
    let (fake, now) = (Fake::of(1), clock::now_us());
    fake.state().put(0, b"left", now - 20 * HOUR_US);
    for position in ["99+", "oldest"] {
        let read = [known(0, position, Some(now - 30 * HOUR_US))];
        let told = gap(&fake, &read, Gaps::FromBeginning, 0).unwrap();
        assert!(told.starts_with("a hole of up to 6 h 0 min") && told.ends_with("goes on at oldest"), "{told}");
        let told = gap(&fake, &read, Gaps::FromEnd, 0).unwrap();
        assert!(told.starts_with("a hole of up to 6 h 0 min") && told.contains("goes on at time:"), "{told}");
    }
    assert_eq!(gap(&fake, &[known(0, "101+", Some(now))], Gaps::FromBeginning, 0), None);

    let fake = Fake::of(2);
    fake.reshard(&[0], 1);
    fake.state().shards[0].is_listed = false;
    let other = known(1, "101+", Some(now - 30 * HOUR_US));
    let aged = gap(&fake, std::slice::from_ref(&other), Gaps::FromBeginning, 0).unwrap();
    assert!(aged.contains("a hole of up to 6 h 0 min") && aged.contains("made and closed since"), "{aged}");
    let child = gap(&fake, std::slice::from_ref(&other), Gaps::FromEnd, 2).unwrap();
    assert!(child.contains("what it goes on from is missing"), "{child}");
    let gone = gap(&fake, &[known(0, "101+", Some(now - 27 * HOUR_US)), other], Gaps::FromBeginning, 0).unwrap();
    assert!(gone.contains("a hole of up to 3 h 0 min") && gone.contains("the shard was closed since"), "{gone}");

    let fake = Fake::of(1);
    fake.state().about.created_ms = 2_000;
    let anew = gap(&fake, &[known(0, "101+", None)], Gaps::FromBeginning, 0).unwrap();
    assert!(anew.contains("what was read is s/shardId-000000000000"), "{anew}");
}

#[test]
fn a_shard_that_was_seen_and_not_read_for_as_long_as_records_are_kept_has_a_hole() {
    with_clock(|clock| async move {
        let fake = Fake::of(2);
        fake.reshard(&[0], 1);
        let survey = Survey { service: &fake, name: "s", start: Start::Oldest, gaps: Gaps::Refuse, created_us: 0 };
        let seen = survey.list(&[]).await.unwrap().into_iter().map(Result::unwrap);
        let seen: Vec<KnownShard> = seen
            .map(|ShardFrom { shard, from, covered_us, .. }| KnownShard {
                id: shard.id,
                name: shard.name,
                mark: shard.mark,
                next: from,
                last: None,
                covered_us,
            })
            .collect();
        clock.advance(Duration::from_secs(23 * 3600));
        assert!(survey.list(&seen).await.unwrap().into_iter().all(|shard| shard.is_ok()));
        clock.advance(Duration::from_secs(2 * 3600));
        fake.put(1, &["late"]);
        // One of them has aged out as a whole.
        fake.state().shards[0].is_listed = false;
        let held: Vec<String> =
            survey.list(&seen).await.unwrap().into_iter().map(|shard| shard.unwrap_err().to_string()).collect();
        assert!(held.len() == 3 && held.iter().all(|held| held.contains("a hole of up to 1 h 0 min")), "{held:?}");
    });
}

#[test]
fn what_the_stream_cannot_be_asked_is_told() {
    let error = Survey { service: &Fake::of(1), name: "s", start: Start::Oldest, gaps: Gaps::Refuse, created_us: 0 }
        .failed(&trouble(Kind::Missing))
        .to_string();
    assert!(error.starts_with("there is no such stream (s)") && error.contains("`setup`"), "{error}");
}
