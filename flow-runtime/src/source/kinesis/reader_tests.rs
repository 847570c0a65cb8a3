//! Readers over a stream in memory, with a clock of their own: what waits takes no time.

use std::collections::VecDeque;

use super::*;
use crate::{
    aws::Kind,
    effect::clock,
    source::{
        Framing, Gaps,
        kinesis::{
            fake::{Fake, Fault, with_clock},
            place::Start,
            readings::{Read, WAIT, numbered, paused, polled, put, read_piece},
            survey::Survey,
        },
    },
};
use proptest::prelude::*;

#[test]
fn all_shards_are_read_side_by_side_and_read_on_from_where_they_ended() {
    paused(async {
        let (fake, mut read) = (Arc::new(Fake::of(2)), Read::default());
        put(&fake, 0, 0..25);
        put(&fake, 1, 25..30);
        assert_eq!(read.on(&fake, usize::MAX).await.unwrap(), 30);
        assert_eq!((&read.records["s/shardId-000000000000"], read.next()), (&numbered(0..25), vec!["125+", "130+"]));
        assert_eq!(read.on(&fake, usize::MAX).await.unwrap(), 0);
        put(&fake, 1, 30..33);
        assert_eq!(read.on(&fake, usize::MAX).await.unwrap(), 3);
        assert_eq!(read.records["s/shardId-000000000001"], numbered(25..33));
        assert!(read.lag.contains(&true) && read.lag.contains(&false));
    });
}

#[test]
fn an_iteration_without_an_end_goes_on_when_something_comes() {
    paused(async {
        let fake = Arc::new(Fake::of(1));
        let survey = Survey { service: &*fake, name: "s", start: Start::Oldest, gaps: Gaps::Refuse, created_us: 0 };
        let shards: Vec<ShardFrom> = survey.list(&[]).await.unwrap().into_iter().map(Result::unwrap).collect();
        let mut reader = Shards::start(&fake, &shards, &polled(), Reading::default()).unwrap();
        let mut said = Vec::new();
        // A clock that takes no time leaves the reader ahead for as long as it likes.
        for round in 0..100_000 {
            if round == 20 {
                put(&fake, 0, 0..3);
            }
            if round >= 40 && said.contains(&"idle") && said.contains(&"piece") {
                break;
            }
            said.push(match reader.next(Vec::new(), WAIT).await.unwrap() {
                Next::Piece(_) => "piece",
                Next::Moved(_) => "moved",
                Next::Idle => "idle",
                Next::Looking | Next::Waiting => "waiting",
                Next::End => "end",
            });
        }
        assert_eq!(said.iter().filter(|said| **said == "piece").count(), 1);
        assert!(said.contains(&"idle") && !said.contains(&"end"), "{said:?}");
    });
}

#[test]
fn who_reads_once_comes_to_an_end() {
    paused(async {
        let fake = Arc::new(Fake::of(2));
        put(&fake, 0, 0..5);
        let survey = Survey { service: &*fake, name: "s", start: Start::Oldest, gaps: Gaps::Refuse, created_us: 0 };
        let shards: Vec<ShardFrom> = survey.list(&[]).await.unwrap().into_iter().map(Result::unwrap).collect();
        let reading = Reading { once: true, ..Reading::default() };
        let mut reader = Shards::start(&fake, &shards, &polled(), reading).unwrap();
        let mut pieces = 0;
        loop {
            match reader.next(Vec::new(), WAIT).await.unwrap() {
                Next::Piece(_) => pieces += 1,
                Next::End => break,
                Next::Idle => panic!("a table is asked again until it ends"),
                Next::Moved(_) | Next::Looking | Next::Waiting => {}
            }
        }
        assert_eq!(pieces, 1);
    });
}

#[test]
fn an_iterator_that_expires_is_made_anew_behind_what_was_read_last() {
    with_clock(|clock| async move {
        let (fake, mut read) = (Arc::new(Fake::of(1)), Read::default());
        // More reads than may wait to be taken.
        fake.state().page = 2;
        put(&fake, 0, 0..60);
        let survey = Survey { service: &*fake, name: "s", start: Start::Oldest, gaps: Gaps::Refuse, created_us: 0 };
        let shards: Vec<ShardFrom> = survey.list(&[]).await.unwrap().into_iter().map(Result::unwrap).collect();
        let mut reader = Shards::start(&fake, &shards, &polled(), Reading::default()).unwrap();
        loop {
            match reader.next(Vec::new(), WAIT).await.unwrap() {
                Next::Piece(piece) => {
                    let Framing::Listed(listed) = &piece.framing else { panic!("records are listed") };
                    read.all.extend(listed.iter().map(|(_, position)| position.to_string()));
                    // Whoever takes pieces is busy for longer than an iterator lives.
                    clock.advance(Duration::from_secs(400));
                }
                Next::Idle => break,
                _ => {}
            }
        }
        let expected: Vec<String> = (101..161).map(|number| number.to_string()).collect();
        assert_eq!(read.all, expected);
        assert!(fake.state().reads.len() > 32, "some reads had an iterator that had expired");
    });
}

/// Reads a shard of 30 records whose reader stands still for more than a day after a part of it; `act` is what happens to
/// the shard in the meantime.
fn stood_still(act: impl FnOnce(&Fake)) -> Result<Vec<String>, Error> {
    let mut act = Some(act);
    with_clock(|clock| async move {
        let fake = Arc::new(Fake::of(1));
        fake.state().page = 1;
        put(&fake, 0, 0..30);
        let survey = Survey { service: &*fake, name: "s", start: Start::Oldest, gaps: Gaps::Refuse, created_us: 0 };
        let shards: Vec<ShardFrom> = survey.list(&[]).await.unwrap().into_iter().map(Result::unwrap).collect();
        let mut reader = Shards::start(&fake, &shards, &polled(), Reading::default()).unwrap();
        let mut read = Vec::new();
        loop {
            match reader.next(Vec::new(), WAIT).await? {
                Next::Piece(piece) => read.push(String::from_utf8_lossy(&piece.bytes).into_owned()),
                Next::Idle => return Ok(read),
                _ => {}
            }
            if let Some(act) = act.take_if(|_| !read.is_empty()) {
                clock.advance(Duration::from_secs(25 * 3600));
                act(&fake);
            }
        }
    })
}

#[test]
fn what_a_shard_forgets_while_it_is_read_is_told_with_the_size_of_the_hole() {
    let says = "a hole of up to ";
    for forgotten in [25, 30] {
        let told = stood_still(|fake| fake.state().shards[0].trimmed = forgotten).unwrap_err();
        assert!(matches!(told, Error::Held(_)) && told.to_string().contains(says), "{forgotten}: {told}");
    }
    let of_closed = stood_still(|fake| {
        fake.reshard(&[0], 1);
        fake.state().shards[0].trimmed = 30;
    });
    assert!(of_closed.unwrap_err().to_string().contains(says));
}

#[test]
fn who_stood_still_for_long_reads_on_where_nothing_was_forgotten() {
    assert_eq!(stood_still(|_| ()).unwrap(), numbered(0..30));
    // A stream that keeps more than was stood still for forgets nothing: it is not looked for.
    let kept_longer = stood_still(|fake| {
        fake.state().about.retention = Duration::from_secs(48 * 3600);
        fake.state().shards[0].trimmed = 25;
    });
    assert_eq!(kept_longer.unwrap().last().unwrap(), "29");
}

#[test]
fn whatever_fails_and_passes_each_record_comes_once() {
    paused(async {
        let (fake, mut read) = (Arc::new(Fake::of(1)), Read::default());
        put(&fake, 0, 0..50);
        let faults = [
            Fault::Trouble(Kind::Throttled),
            Fault::None,
            Fault::AnswerLost,
            Fault::Trouble(Kind::Passing),
            Fault::Trouble(Kind::IteratorExpired),
            Fault::Empty(Duration::from_secs(9)),
        ];
        fake.state().faults.extend(faults);
        assert_eq!(read.on(&fake, usize::MAX).await.unwrap(), 50);
        assert_eq!(read.all, numbered(0..50));
    });
}

#[test]
fn what_does_not_pass_ends_it_with_shard_position_and_attempts() {
    paused(async {
        let (fake, mut read) = (Arc::new(Fake::of(1)), Read::default());
        put(&fake, 0, 0..50);
        fake.state().faults = VecDeque::from([Fault::Trouble(Kind::Passing); 99]);
        let error = read.on(&fake, usize::MAX).await.unwrap_err();
        let text = error.to_string();
        assert!(matches!(error, Error::Input(_)) && text.contains("(attempt 8 of 8)"), "{text}");
        assert!(text.starts_with("cannot read the shard (s/shardId-000000000000, position oldest)"), "{text}");
        fake.state().faults = VecDeque::from([Fault::Trouble(Kind::Denied)]);
        let error = read.on(&fake, usize::MAX).await.unwrap_err().to_string();
        assert!(error.contains("`plan --iam`"), "{error}");
    });
}

#[test]
fn throttling_is_waited_out_for_minutes_and_not_for_ever() {
    paused(async {
        let (fake, mut read) = (Arc::new(Fake::of(1)), Read::default());
        put(&fake, 0, 0..5);
        fake.state().faults = VecDeque::from([Fault::Trouble(Kind::Throttled); 60]);
        let began = clock::elapsed();
        assert_eq!(read.on(&fake, usize::MAX).await.unwrap(), 5);
        assert!(clock::elapsed() - began > Duration::from_secs(60));

        fake.state().faults = VecDeque::from([Fault::Trouble(Kind::Throttled); 9999]);
        let error = read.on(&fake, usize::MAX).await.unwrap_err().to_string();
        assert!(error.contains("others use the same stream"), "{error}");
    });
}

#[test]
fn a_call_that_never_comes_back_stops_nobody_else() {
    paused(async {
        let fake = Arc::new(Fake::of(2));
        put(&fake, 1, 0..5);
        fake.state().hanging = Some(0);
        let survey = Survey { service: &*fake, name: "s", start: Start::Oldest, gaps: Gaps::Refuse, created_us: 0 };
        let shards: Vec<ShardFrom> = survey.list(&[]).await.unwrap().into_iter().map(Result::unwrap).collect();
        read_piece(&mut Shards::start(&fake, &shards, &polled(), Reading::default()).unwrap()).await;
    });
}

#[test]
fn who_reads_has_looked_when_each_shard_that_can_be_read_has_answered() {
    with_clock(|clock| async move {
        // Else the throttled would soon have waited for too long.
        clock.stop();
        let fake = Arc::new(Fake::of(3));
        put(&fake, 2, 0..5);
        fake.reshard(&[2], 1);
        fake.state().throttled = 1;
        fake.state().hanging = Some(1);
        let survey = Survey { service: &*fake, name: "s", start: Start::Oldest, gaps: Gaps::Refuse, created_us: 0 };
        let shards: Vec<ShardFrom> = survey.list(&[]).await.unwrap().into_iter().map(Result::unwrap).collect();
        let mut reader = Shards::start(&fake, &shards, &polled(), Reading::default()).unwrap();
        read_piece(&mut reader).await;
        assert!(!reader.has_looked());

        // The first is throttled, and that is an answer; a child has none before its parent is read.
        let both = [shards[0].clone(), shards[2].clone(), shards[3].clone()];
        let mut reader = Shards::start(&fake, &both, &polled(), Reading::default()).unwrap();
        for _ in 0..2_000 {
            if reader.has_looked() {
                return;
            }
            reader.next(Vec::new(), WAIT).await.unwrap();
        }
        panic!("all have answered");
    });
}

#[test]
fn shards_that_others_read_empty_leave_the_rest_to_be_read() {
    with_clock(|clock| async move {
        // Else the throttled would soon have waited for too long.
        clock.stop();
        let fake = Arc::new(Fake::of(READS_AT_ONCE + 1));
        put(&fake, READS_AT_ONCE, 0..5);
        fake.state().throttled = READS_AT_ONCE;
        let survey = Survey { service: &*fake, name: "s", start: Start::Oldest, gaps: Gaps::Refuse, created_us: 0 };
        let shards: Vec<ShardFrom> = survey.list(&[]).await.unwrap().into_iter().map(Result::unwrap).collect();
        let mut reader = Shards::start(&fake, &shards, &polled(), Reading::default()).unwrap();
        for _ in 0..4_000 {
            if matches!(reader.next(Vec::new(), WAIT).await.unwrap(), Next::Piece(_)) {
                return;
            }
        }
        panic!("the shard that could be read was not");
    });
}

#[test]
fn a_silent_shard_that_says_to_be_behind_is_covered_up_to_there() {
    paused(async {
        let fake = Arc::new(Fake::of(1));
        fake.state().behind_at_end = Duration::from_secs(7);
        let survey = Survey { service: &*fake, name: "s", start: Start::Oldest, gaps: Gaps::Refuse, created_us: 0 };
        let shards: Vec<ShardFrom> = survey.list(&[]).await.unwrap().into_iter().map(Result::unwrap).collect();
        let began = clock::now_us();
        let (mut reader, mut covered) =
            (Shards::start(&fake, &shards, &polled(), Reading::default()).unwrap(), Vec::new());
        for _ in 0..20 {
            match reader.next(Vec::new(), WAIT).await.unwrap() {
                Next::Moved(moved) => covered.extend(moved.covered_us),
                Next::Idle | Next::Looking | Next::Waiting => {}
                Next::Piece(_) | Next::End => panic!("it is silent, and open"),
            }
        }
        let last = clock::now_us() - 7_000_000;
        assert!(covered.iter().all(|us| (began..=last.max(began)).contains(us)), "{covered:?}");
        assert!(covered.len() > 1 && covered.is_sorted(), "{covered:?}");
    });
}

#[test]
fn empty_reads_with_more_behind_them_are_read_past() {
    paused(async {
        let (fake, mut read) = (Arc::new(Fake::of(1)), Read::default());
        put(&fake, 0, 0..5);
        fake.state().faults = (1..=40).rev().map(|behind| Fault::Empty(Duration::from_secs(behind))).collect();
        assert_eq!(read.on(&fake, usize::MAX).await.unwrap(), 5);
    });
}

#[test]
fn a_silent_shard_that_says_to_be_behind_ends_an_iteration_all_the_same() {
    paused(async {
        let (fake, mut read) = (Arc::new(Fake::of(1)), Read::default());
        put(&fake, 0, 0..5);
        fake.state().behind_at_end = Duration::from_secs(7);
        assert_eq!(read.on(&fake, usize::MAX).await.unwrap(), 5);
        assert_eq!(read.on(&fake, usize::MAX).await.unwrap(), 0);
    });
}

#[test]
fn children_are_read_when_their_parents_are_read_to_their_end() {
    paused(async {
        let (fake, mut read) = (Arc::new(Fake::of(2)), Read::default());
        read.generations(&fake).await;
        // Nothing of it is read again, also when the parents are listed no more.
        fake.state().shards.iter_mut().for_each(|shard| shard.is_listed = !shard.listed.is_closed);
        put(&fake, 4, 75..80);
        assert_eq!(read.on(&fake, usize::MAX).await.unwrap(), 5);
    });
}

#[test]
fn an_iteration_that_is_closed_early_leaves_children_to_the_next() {
    paused(async {
        let (fake, mut read) = (Arc::new(Fake::of(1)), Read::default());
        put(&fake, 0, 0..35);
        fake.reshard(&[0], 2);
        put(&fake, 1, 35..40);
        put(&fake, 2, 40..45);
        for most in [7, 7, 7, 7, 7, 4, 100] {
            read.on(&fake, most).await.unwrap();
        }
        assert_eq!(read.all.len(), 45);
        assert_eq!(read.records["s/shardId-000000000000"], numbered(0..35));
    });
}

#[test]
fn a_closed_shard_without_records_comes_to_its_end() {
    paused(async {
        let (fake, mut read) = (Arc::new(Fake::of(1)), Read::default());
        fake.reshard(&[0], 1);
        put(&fake, 1, 0..3);
        assert_eq!(read.on(&fake, usize::MAX).await.unwrap(), 3);
        assert_eq!(read.next(), ["end", "103+"]);
    });
}

#[test]
fn what_was_sealed_is_read_again_exactly_and_not_found_missing() {
    paused(async {
        let (fake, mut read) = (Arc::new(Fake::of(1)), Read::default());
        put(&fake, 0, 0..50);
        fake.reshard(&[0], 1);
        let survey = Survey { service: &*fake, name: "s", start: Start::Oldest, gaps: Gaps::Refuse, created_us: 0 };
        let listed = survey.list(&[]).await.unwrap().remove(0).unwrap();
        let range = |from: &str, until: &str| ShardFrom {
            from: Position::new(from),
            until: Some(Position::new(until)),
            ..listed.clone()
        };
        for (from, until, records) in
            [("oldest", "116", 0..15), ("116", "130+", 15..30), ("130+", "150+", 30..50), ("130+", "end", 30..50)]
        {
            read.all.clear();
            read.of(&fake, vec![range(from, until)], usize::MAX).await.unwrap();
            assert_eq!((&read.all, read.next()), (&numbered(records), vec![until]), "{from} {until}");
        }
        let error = read.of(&fake, vec![range("130+", "151")], usize::MAX).await.unwrap_err().to_string();
        assert!(error.contains("it was read up to 151, and now ends at 150+"), "{error}");
    });
}

#[test]
fn a_position_of_another_tap_is_held() {
    paused(async {
        let fake = Arc::new(Fake::of(1));
        let survey = Survey { service: &*fake, name: "s", start: Start::Oldest, gaps: Gaps::Refuse, created_us: 0 };
        let listed = survey.list(&[]).await.unwrap().remove(0).unwrap();
        let shards = [ShardFrom { from: Position::new("0x17"), ..listed }];
        let error = Shards::start(&fake, &shards, &polled(), Reading::default()).unwrap_err();
        assert!(matches!(error, Error::Held(_)), "{error}");
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// However reads fail, iterations are cut, and shards come and go: each record comes once, those of a shard in order.
    #[test]
    fn each_record_comes_once_whatever_happens(
        acts in prop::collection::vec((0_u8..8, 1_usize..40), 1..30),
        faults in prop::collection::vec(0_u8..6, 0..60),
        is_pushed: bool,
    ) {
        paused(async {
            let (fake, mut count) = (Arc::new(Fake::of(1)), 0);
            let mut read = Read { is_pushed, ..Read::default() };
            // More of a kind in a row would end it, and rightly.
            fake.state().faults = faults.chunks(6).flat_map(|some| some.iter().chain(&[9])).map(|fault| match fault {
                0 => Fault::Trouble(Kind::Throttled),
                1 => Fault::AnswerLost,
                2 if is_pushed => Fault::End,
                2 => Fault::Trouble(Kind::IteratorExpired),
                3 => Fault::Empty(Duration::from_secs(9)),
                _ => Fault::None,
            }).collect();
            for (act, number) in acts {
                let open: Vec<usize> = {
                    let state = fake.state();
                    (0..state.shards.len()).filter(|shard| !state.shards[*shard].listed.is_closed).collect()
                };
                match act {
                    0 => fake.reshard(&[open[number % open.len()]], 2),
                    1 if open.len() > 1 => fake.reshard(&open[..2], 1),
                    2 | 3 => _ = read.on(&fake, number).await.unwrap(),
                    _ => {
                        put(&fake, open[number % open.len()], count..count + number);
                        count += number;
                    }
                }
            }
            fake.state().faults.clear();
            while read.on(&fake, usize::MAX).await.unwrap() > 0 {}
            let mut all: Vec<usize> = read.all.iter().map(|record| record.parse().unwrap()).collect();
            for of_shard in read.records.values() {
                let numbers: Vec<usize> = of_shard.iter().map(|record| record.parse().unwrap()).collect();
                assert!(numbers.is_sorted(), "{numbers:?}");
            }
            all.sort_unstable();
            assert_eq!(all, (0..count).collect::<Vec<_>>());
        });
    }
}
