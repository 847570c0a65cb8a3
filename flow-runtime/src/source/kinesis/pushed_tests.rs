//! Subscriptions to a stream in memory, with a clock of their own: renewed, cut, taken over, refused, contested.

use proptest::prelude::*;

use super::*;
use crate::aws::kpl::{AggregatedRecord, Record};
use crate::source::{
    Framing, Gaps, Next, Piece, Position, Reading, ShardFrom,
    kinesis::{
        aggregate::tests::written,
        fake::{CONSUMER, Fake, Fault, with_clock},
        place::Start,
        reader::{How, Shards},
        readings::{Read, WAIT, numbered, paused, polled, put},
        survey::Survey,
    },
};

const INVALID: &str = "InvalidArgumentException";

const IN_USE_CODE: &str = "ResourceInUseException";

fn pushed() -> Read {
    Read { is_pushed: true, ..Read::default() }
}

async fn shards(fake: &Fake, start: Start, created_us: i64) -> Vec<ShardFrom> {
    let survey = Survey { service: fake, name: "s", start, gaps: Gaps::Refuse, created_us };
    survey.list(&[]).await.unwrap().into_iter().map(Result::unwrap).collect()
}

fn reader(fake: &Arc<Fake>, shards: &[ShardFrom]) -> Shards {
    let how = How { consumer: Some(CONSUMER.into()), ..polled() };
    Shards::start(fake, shards, &how, Reading::default()).unwrap()
}

/// What comes until so many records are there.
async fn texts(reader: &mut Shards, count: usize) -> Vec<String> {
    let mut texts = Vec::new();
    while texts.len() < count {
        if let Next::Piece(piece) = reader.next(Vec::new(), WAIT).await.unwrap() {
            texts.extend(records(&piece));
        }
    }
    texts
}

/// What comes until nothing more does.
async fn rest(reader: &mut Shards) -> Vec<String> {
    let mut texts = Vec::new();
    loop {
        match reader.next(Vec::new(), WAIT).await.unwrap() {
            Next::Piece(piece) => texts.extend(records(&piece)),
            Next::Idle => return texts,
            _ => {}
        }
    }
}

fn records(piece: &Piece) -> Vec<String> {
    let Framing::Listed(listed) = &piece.framing else { panic!("records are listed") };
    listed.iter().map(|(span, _)| String::from_utf8_lossy(&piece.bytes[span.start..span.end]).into()).collect()
}

/// To where each subscription went.
fn begun(fake: &Fake) -> Vec<String> {
    fake.state().subscriptions.iter().map(|(_, from, _)| from.clone()).collect()
}

#[test]
fn a_stream_is_pushed_and_read_on_from_where_it_ended() {
    paused(async {
        let (fake, mut read) = (Arc::new(Fake::of(2)), pushed());
        put(&fake, 0, 0..25);
        put(&fake, 1, 25..30);
        assert_eq!(read.on(&fake, usize::MAX).await.unwrap(), 30);
        assert_eq!((&read.records["s/shardId-000000000000"], read.next()), (&numbered(0..25), vec!["125+", "130+"]));
        assert_eq!(read.on(&fake, usize::MAX).await.unwrap(), 0);
        put(&fake, 1, 30..33);
        assert_eq!(read.on(&fake, usize::MAX).await.unwrap(), 3);
        assert!(fake.state().reads.is_empty(), "nothing was read");
    });
}

#[test]
fn a_subscription_that_has_ended_is_renewed_behind_what_was_pushed() {
    with_clock(|clock| async move {
        let fake = Arc::new(Fake::of(1));
        put(&fake, 0, 0..25);
        let mut reader = reader(&fake, &shards(&fake, Start::Oldest, 0).await);
        assert_eq!(texts(&mut reader, 25).await, numbered(0..25));
        clock.advance(Duration::from_secs(301));
        while begun(&fake).len() < 2 {
            reader.next(Vec::new(), WAIT).await.unwrap();
        }
        put(&fake, 0, 25..30);
        assert_eq!(texts(&mut reader, 5).await, numbered(25..30));
        assert_eq!(begun(&fake)[..2], ["Oldest", "After(\"125\")"]);
    });
}

#[test]
fn where_nothing_comes_the_next_subscription_begins_where_the_service_says() {
    with_clock(|clock| async move {
        // Of two shards, the other has the numbers.
        let fake = Arc::new(Fake::of(2));
        put(&fake, 1, 0..5);
        let mut reader = reader(&fake, &shards(&fake, Start::Oldest, 0).await[..1]);
        while !matches!(reader.next(Vec::new(), WAIT).await.unwrap(), Next::Idle) {}
        clock.advance(Duration::from_secs(301));
        while begun(&fake).len() < 2 {
            reader.next(Vec::new(), WAIT).await.unwrap();
        }
        put(&fake, 0, 5..6);
        assert_eq!(texts(&mut reader, 1).await, ["5"]);
        assert_eq!(begun(&fake)[..2], ["Oldest", "After(\"105\")"]);
    });
}

#[test]
fn a_subscription_that_is_cut_goes_on_behind_what_was_read_last() {
    paused(async {
        let (fake, mut read) = (Arc::new(Fake::of(1)), pushed());
        put(&fake, 0, 0..50);
        let faults = [
            Fault::None,
            Fault::Trouble(Kind::Passing),
            Fault::None,
            Fault::AnswerLost,
            Fault::Empty(Duration::from_secs(9)),
            Fault::End,
            Fault::Trouble(Kind::Throttled),
        ];
        fake.state().faults.extend(faults);
        assert_eq!(read.on(&fake, usize::MAX).await.unwrap(), 50);
        assert_eq!(read.all, numbered(0..50));
    });
}

#[test]
fn an_iteration_that_ends_within_an_aggregate_goes_on_there_also_when_it_is_cut() {
    paused(async {
        let (fake, mut read) = (Arc::new(Fake::of(1)), pushed());
        let part = |text: &str| Record { data: text.into(), ..Record::default() };
        let parts = vec![part("0"), part("1"), part("2"), part("3")];
        let aggregate =
            AggregatedRecord { partition_key_table: vec!["k".into()], records: parts, ..Default::default() };
        fake.state().put(0, &written(&aggregate), clock::now_us());
        put(&fake, 0, 4..6);
        assert_eq!(read.on(&fake, 2).await.unwrap(), 2);
        assert_eq!(read.next(), ["101/2"]);
        fake.state().faults.extend([Fault::Trouble(Kind::Passing), Fault::Empty(Duration::from_secs(9)), Fault::End]);
        assert_eq!(read.on(&fake, usize::MAX).await.unwrap(), 4);
        assert_eq!(read.all, numbered(0..6));
        assert!(begun(&fake)[1..].iter().all(|from| from == "At(\"101\")"), "{:?}", begun(&fake));
    });
}

#[test]
fn children_are_subscribed_to_when_their_parents_have_said_their_end() {
    for tells_ends in [true, false] {
        paused(async {
            let (fake, mut read) = (Arc::new(Fake::of(2)), pushed());
            fake.state().tells_ends = tells_ends;
            read.generations(&fake).await;
            assert_eq!(fake.state().reads.is_empty(), tells_ends, "who is not told asks");
        });
    }
}

#[test]
fn a_shard_that_is_split_while_it_is_pushed_comes_to_its_end() {
    paused(async {
        let fake = Arc::new(Fake::of(1));
        put(&fake, 0, 0..5);
        let mut reader = reader(&fake, &shards(&fake, Start::Oldest, 0).await);
        assert_eq!(texts(&mut reader, 5).await.len(), 5);
        fake.reshard(&[0], 2);
        let mut last = None;
        loop {
            match reader.next(Vec::new(), WAIT).await.unwrap() {
                Next::Moved(moved) => last = Some(moved.to),
                Next::End => break,
                _ => {}
            }
        }
        assert_eq!(last, Some(Position::new("end")));
    });
}

#[test]
fn who_has_just_subscribed_is_waited_for() {
    paused(async {
        let (fake, mut read) = (Arc::new(Fake::of(1)), pushed());
        put(&fake, 0, 0..20);
        for _ in 0..4 {
            assert_eq!(read.on(&fake, 5).await.unwrap(), 5);
        }
        assert_eq!(read.all, numbered(0..20));
        let times: Vec<Duration> = fake.state().subscriptions.iter().map(|(_, _, at)| *at).collect();
        assert!(times.windows(2).all(|two| two[1] - two[0] >= limits::SUBSCRIBE_AGAIN), "{times:?}");
    });
}

#[test]
fn a_subscription_that_was_taken_over_is_taken_back() {
    with_clock(|clock| async move {
        let fake = Arc::new(Fake::of(1));
        put(&fake, 0, 0..5);
        let mut reader = reader(&fake, &shards(&fake, Start::Oldest, 0).await);
        assert_eq!(texts(&mut reader, 5).await.len(), 5);
        clock.advance(Duration::from_secs(6));
        let other = fake.subscribe(CONSUMER, "shardId-000000000000", Beginning::Oldest).await.unwrap();
        put(&fake, 0, 5..9);
        assert_eq!(texts(&mut reader, 4).await, numbered(5..9));
        drop(other);
    });
}

#[test]
fn a_consumer_that_is_always_in_use_is_an_error_that_says_so() {
    paused(async {
        let (fake, mut read) = (Arc::new(Fake::of(1)), pushed());
        fake.state().subscribe_faults.extend([IN_USE_CODE; 99]);
        let began = clock::elapsed();
        let error = read.on(&fake, usize::MAX).await.unwrap_err().to_string();
        assert!(error.contains("the consumer is always in use (s/shardId-000000000000)"), "{error}");
        assert!(error.contains("(attempt 30 of 30)") && error.contains("a consumer of its own"), "{error}");
        assert!(clock::elapsed() - began > 4 * limits::SUBSCRIBE_AGAIN);
    });
}

#[test]
fn what_does_not_pass_ends_it() {
    paused(async {
        let (fake, mut read) = (Arc::new(Fake::of(1)), pushed());
        put(&fake, 0, 0..50);
        fake.state().faults.extend([Fault::Trouble(Kind::Passing); 99]);
        let error = read.on(&fake, usize::MAX).await.unwrap_err().to_string();
        assert!(error.contains("(attempt 8 of 8)"), "{error}");
        fake.state().faults = [Fault::End; 99].into();
        let error = read.on(&fake, usize::MAX).await.unwrap_err().to_string();
        assert!(error.contains("the subscription ended at once (attempt 8 of 8)"), "{error}");
        fake.state().faults = [Fault::None, Fault::Trouble(Kind::Denied)].into();
        let error = read.on(&fake, usize::MAX).await.unwrap_err().to_string();
        assert!(error.contains("`plan --iam`"), "{error}");
    });
}

#[test]
fn a_position_that_is_refused_is_held_and_a_number_of_the_service_is_let_go() {
    with_clock(|clock| async move {
        let (fake, mut read) = (Arc::new(Fake::of(1)), pushed());
        put(&fake, 0, 0..5);
        assert_eq!(read.on(&fake, 3).await.unwrap(), 3);
        fake.state().subscribe_faults.push_back(INVALID);
        let error = read.on(&fake, usize::MAX).await.unwrap_err();
        assert!(matches!(error, Error::Held(_)), "{error}");

        let mut reader = reader(&fake, &shards(&fake, Start::Oldest, 0).await);
        assert_eq!(texts(&mut reader, 5).await.len(), 5);
        fake.state().subscribe_faults.push_back(INVALID);
        clock.advance(Duration::from_secs(301));
        while !fake.state().subscribe_faults.is_empty() {
            reader.next(Vec::new(), WAIT).await.unwrap();
        }
        put(&fake, 0, 5..7);
        assert_eq!(texts(&mut reader, 2).await, numbered(5..7));
    });
}

#[test]
fn a_time_that_is_still_to_come_for_the_service_is_now() {
    paused(async {
        let fake = Arc::new(Fake::of(1));
        put(&fake, 0, 0..5);
        let listed = shards(&fake, Start::Latest, clock::now_us() + 1).await;
        fake.state().subscribe_faults.push_back(INVALID);
        let mut reader = reader(&fake, &listed);
        while !matches!(reader.next(Vec::new(), WAIT).await.unwrap(), Next::Idle) {}
        put(&fake, 0, 5..7);
        assert_eq!(texts(&mut reader, 2).await, numbered(5..7));
        assert_eq!(begun(&fake)[0], "Latest");
    });
}

/// How it goes when a time to begin at, which was still to come for the service at first, has come when the first try to take
/// what comes from now on has failed: where records went, and to where the subscriptions.
fn begun_at_a_time_that_comes(refusals: &[&'static str], faults: &[Fault]) -> (Vec<String>, Vec<String>) {
    paused(async {
        let fake = Arc::new(Fake::of(1));
        let listed = shards(&fake, Start::Latest, clock::now_us()).await;
        put(&fake, 0, 0..3);
        fake.state().subscribe_faults.extend(refusals);
        fake.state().faults.extend(faults);
        (rest(&mut reader(&fake, &listed)).await, begun(&fake))
    })
}

#[test]
fn what_comes_between_two_tries_to_take_what_comes_from_now_on_is_not_skipped() {
    let at_time = "Time(1800000000000000)";
    let (records, begun) = begun_at_a_time_that_comes(&[INVALID, IN_USE_CODE], &[]);
    assert_eq!((records, &begun[..]), (numbered(0..3), &[at_time.to_owned()][..]));
    for fault in [Fault::Trouble(Kind::Passing), Fault::Code(IN_USE_CODE), Fault::End] {
        let (records, begun) = begun_at_a_time_that_comes(&[INVALID], &[fault]);
        assert_eq!(
            (records, &begun[..]),
            (numbered(0..3), &["Latest".to_owned(), at_time.to_owned()][..]),
            "{fault:?}"
        );
    }
}

#[test]
fn a_time_that_is_refused_as_what_comes_from_now_on_is_ends_it() {
    paused(async {
        let fake = Arc::new(Fake::of(1));
        let listed = shards(&fake, Start::Latest, clock::now_us()).await;
        fake.state().subscribe_faults.extend([INVALID; 2]);
        let mut reader = reader(&fake, &listed);
        let error = loop {
            if let Err(error) = reader.next(Vec::new(), WAIT).await {
                break error.to_string();
            }
        };
        assert!(error.contains("cannot read the shard") && error.contains(INVALID), "{error}");
    });
}

#[test]
fn a_stream_whose_key_is_of_no_use_has_no_hole() {
    for code in ["KMSDisabledException", "KMSInvalidStateException", "KMSNotFoundException", "KMSOptInRequired"] {
        for is_event in [false, true] {
            paused(async {
                let (fake, mut read) = (Arc::new(Fake::of(1)), pushed());
                put(&fake, 0, 0..5);
                assert_eq!(read.on(&fake, 3).await.unwrap(), 3);
                match is_event {
                    true => fake.state().faults.push_back(Fault::Code(code)),
                    false => fake.state().subscribe_faults.push_back(code),
                }
                let error = read.on(&fake, usize::MAX).await.unwrap_err();
                assert!(matches!(&error, Error::Input(_)) && error.to_string().contains(code), "{error}");
                assert_eq!(read.on(&fake, usize::MAX).await.unwrap(), 2);
            });
        }
    }
}

#[test]
fn a_silent_shard_is_covered_up_to_where_its_event_was_waited_for() {
    with_clock(|clock| async move {
        let fake = Arc::new(Fake::of(1));
        put(&fake, 0, 0..5);
        let listed = shards(&fake, Start::Oldest, 0).await;
        let began = clock::now_us();
        let (mut reader, mut covered) = (reader(&fake, &listed), Vec::new());
        // Long after the event was made.
        assert_eq!(texts(&mut reader, 5).await.len(), 5);
        clock.advance(Duration::from_secs(100));
        while covered.last().is_none_or(|last| *last <= began + 100_000_000) {
            if let Next::Moved(moved) = reader.next(Vec::new(), WAIT).await.unwrap() {
                covered.extend(moved.covered_us);
            }
        }
        assert_eq!(covered[0], began, "as far as is known when records come without a wait");
        assert!(covered.is_sorted() && covered.last() <= Some(&clock::now_us()), "{covered:?}");
    });
}

#[test]
fn a_consumer_is_waited_for_until_it_is_active() {
    paused(async {
        let fake = Fake::of(1);
        fake.state().consumer = [ConsumerState::Creating, ConsumerState::Creating, ConsumerState::Active].into();
        assert_eq!(&*consumer(&fake, "s", "c").await.unwrap(), CONSUMER);
        let error = consumer(&fake, "s", "d").await.unwrap_err().to_string();
        assert_eq!(error, "the stream has no consumer `d` (s); register it with `setup`, or read without ?consumer=");
        fake.state().consumer = [ConsumerState::Creating].into();
        let error = consumer(&fake, "s", "c").await.unwrap_err().to_string();
        assert!(error.contains("`c` is not active yet"), "{error}");
    });
}

proptest! {
    /// However far the service says to have come, no record that is not read yet is passed over.
    #[test]
    fn a_subscription_begins_behind_what_was_read(read in 1_u64..100, sub in 0_u64..3, after in prop::option::of(1_u64..100)) {
        let mut subscribed = Subscribed::<crate::source::kinesis::fake::FakePushed>::default();
        if let Some(after) = after {
            subscribed.go_on_after(&after.to_string());
        }
        let number = Sequence::parse(&read.to_string()).unwrap();
        let further = after.filter(|after| *after > read).map(|after| after.to_string());
        for place in [Place::At(number.clone(), sub), Place::After(number)] {
            let expected = further.as_deref().map_or_else(|| place.beginning(), Beginning::After);
            prop_assert_eq!(subscribed.beginning(&place), expected);
        }
    }
}
