//! What staging takes.

use super::*;
use crate::sink::objects::figures::{self, Forgetful};

fn stager(options: &str, bucket: Forgetful) -> Box<dyn Stager> {
    let of_memory = tap_of(&Arc::default(), &COUNTS, Mode::Append, options);
    let tap = S3SinkTap { place: Place { bucket: Arc::new(bucket), ..of_memory.place }, ..of_memory };
    tap.stager(0, "0-x").unwrap()
}

/// ```sh
/// cargo test --release -p flow-runtime --features redshift --lib staging_takes -- --ignored --nocapture --test-threads 1
/// ```
#[test]
#[ignore = "it says figures"]
fn staging_takes_so_long_and_so_much() {
    figures::say("s3", |compression, bucket| stager(&format!("compression={compression}"), bucket));
}

#[test]
fn a_row_that_is_staged_allocates_nothing() {
    let buffers: Vec<RowBuffer> = figures::buffers(80_000).collect();
    for options in ["", "format=json", "compression=zstd"] {
        assert_eq!(figures::allocations(stager(options, Forgetful::default()), &buffers), 0, "{options}");
    }
}

#[test]
fn the_folder_of_a_row_allocates_nothing() {
    let buffer = |_| rows(&[[("a/b", 7), ("c", 8)]; 2_000].concat());
    let buffers: Vec<RowBuffer> = (0..20).map(buffer).collect();
    let allocations = figures::allocations(stager("partition=count,ip", Forgetful::default()), &buffers);
    assert!(allocations < 5, "{allocations} for 4,000 rows");
}
