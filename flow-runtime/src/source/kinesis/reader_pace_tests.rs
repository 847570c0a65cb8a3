//! How often a shard is read: within what the service allows, whoever reads it.

use std::collections::VecDeque;

use super::*;
use crate::{
    aws::Kind,
    source::{
        Framing, Gaps,
        kinesis::{
            fake::{Fake, Fault, with_clock},
            pace::Paces,
            place::Start,
            readings::{Read, WAIT, paused, polled, put, read_piece},
            survey::Survey,
        },
    },
};

#[test]
fn a_throttled_shard_is_tried_no_more_often_than_it_may_be_read() {
    paused(async {
        let (fake, mut read) = (Arc::new(Fake::of(1)), Read::default());
        put(&fake, 0, 0..5);
        fake.state().faults = VecDeque::from([Fault::Trouble(Kind::Throttled); 12]);
        read.on(&fake, usize::MAX).await.unwrap();
        let times: Vec<Duration> = fake.state().reads.iter().map(|(_, at)| *at).collect();
        assert!(times.windows(2).all(|pair| pair[1] - pair[0] >= Duration::from_millis(190)), "{times:?}");
    });
}

#[test]
fn a_shard_is_not_read_more_often_than_is_allowed() {
    paused(async {
        // One shard alone: what others wait for is no time that a shard may save up.
        let (fake, mut read) = (Arc::new(Fake::of(1)), Read::default());
        put(&fake, 0, 0..300);
        read.on(&fake, usize::MAX).await.unwrap();
        let times: Vec<Duration> = fake.state().reads.iter().map(|(_, at)| *at).collect();
        assert!(times.len() >= 30);
        for window in times.windows(6) {
            assert!(window[5] - window[0] >= Duration::from_millis(990), "{window:?}");
        }
    });
}

/// When the reads of a shard were, of a reader that looks, reads if something is there, and begins again, so often; each
/// with readers of its own, as a service has them. Somebody puts a record for each pass.
async fn passes(fake: &Arc<Fake>, reads_per_second: u32, count: usize) -> Vec<Duration> {
    let how = How { paces: Arc::new(Paces::new(reads_per_second)), consumer: None };
    let mut read = Read::default();
    for number in 0..count {
        put(fake, 0, number..number + 1);
        let survey = Survey { service: &**fake, name: "s", start: Start::Oldest, gaps: Gaps::Refuse, created_us: 0 };
        let shards: Vec<ShardFrom> = survey.list(&read.known).await.unwrap().into_iter().map(Result::unwrap).collect();
        let look = Reading { is_look: true, ..Reading::default() };
        read_piece(&mut Shards::start(fake, &shards, &how, look).unwrap()).await;
        assert_eq!(read.by(fake, &how, shards, usize::MAX).await.unwrap(), 1);
    }
    fake.state().reads.iter().map(|(_, at)| *at).collect()
}

#[test]
fn who_looks_and_reads_again_and_again_reads_no_more_often_than_is_allowed() {
    for allowed in [1, 5] {
        let times = paused(async { passes(&Arc::new(Fake::of(1)), allowed, 20).await });
        assert!(times.len() >= 40, "a look and a read each: {times:?}");
        for window in times.windows(allowed as usize + 1) {
            assert!(window[allowed as usize] - window[0] >= Duration::from_millis(990), "{allowed}: {window:?}");
        }
    }
}

#[test]
fn who_only_looks_is_given_one_record_however_many_there_are() {
    paused(async {
        let fake = Arc::new(Fake::of(1));
        put(&fake, 0, 0..10);
        let survey = Survey { service: &*fake, name: "s", start: Start::Oldest, gaps: Gaps::Refuse, created_us: 0 };
        let shards: Vec<ShardFrom> = survey.list(&[]).await.unwrap().into_iter().map(Result::unwrap).collect();
        let look = Reading { is_look: true, ..Reading::default() };
        let mut reader = Shards::start(&fake, &shards, &polled(), look).unwrap();
        loop {
            if let Next::Piece(piece) = reader.next(Vec::new(), WAIT).await.unwrap() {
                let Framing::Listed(listed) = &piece.framing else { panic!("records are listed") };
                assert_eq!(listed.len(), 1);
                break;
            }
        }
    });
}

#[test]
fn readers_of_one_stream_share_its_paces_and_others_have_their_own() {
    let account = |region: &str| crate::aws::Account { region: Some(region.to_owned()), ..Default::default() };
    let of = |region, reads| Paces::of(&account(region), "shared-by-this-test", reads);
    assert!(Arc::ptr_eq(&of("here", 5), &of("here", 5)));
    assert!(!Arc::ptr_eq(&of("here", 5), &of("there", 5)) && !Arc::ptr_eq(&of("here", 5), &of("here", 1)));
}

#[test]
fn the_paces_of_shards_that_rest_are_forgotten() {
    with_clock(|clock| async move {
        let paces = Paces::new(5);
        for shard in 0..100 {
            paces.shard(&shard.to_string()).before_read();
            clock.advance(Duration::from_secs(1));
        }
        assert!(paces.known() <= 2, "{paces:?}");
        let busy = paces.shard("busy");
        assert!(busy.before_read().is_zero() && !paces.shard("busy").before_read().is_zero());
    });
}
