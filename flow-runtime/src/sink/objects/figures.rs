//! What staging takes, whoever stages: time by megabyte of text, memory, and allocations. Figures are in `benches/README.md`.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use bytes::Bytes;

use super::Bucket;
use crate::{
    aws::{
        Trouble,
        clients::{
            objects::{If, OpenUpload},
            s3::Object,
        },
    },
    sink::Stager,
    value::{Encode as _, RowBuffer},
};

const ETAG: &str = "etag";

/// A bucket that forgets what it is given, but how much that was.
#[derive(Clone, Debug, Default)]
pub(in crate::sink) struct Forgetful {
    bytes: Arc<AtomicU64>,
}

impl Forgetful {
    fn forget(&self, body: &Bytes) -> String {
        self.bytes.fetch_add(body.len() as u64, Ordering::Relaxed);
        ETAG.to_owned()
    }
}

impl Bucket for Forgetful {
    fn read(&self, _key: &str) -> Result<Option<(Vec<u8>, String)>, Trouble> {
        Ok(None)
    }

    fn put(&self, _key: &str, body: &Bytes, _on: If<'_>) -> Result<String, Trouble> {
        Ok(self.forget(body))
    }

    fn list(&self, _prefix: &str) -> Result<Vec<Object>, Trouble> {
        Ok(Vec::new())
    }

    fn delete(&self, _keys: &[String]) -> Result<(), Trouble> {
        Ok(())
    }

    fn begin_upload(&self, key: &str) -> Result<OpenUpload, Trouble> {
        Ok(OpenUpload { key: key.to_owned(), id: String::new(), begun_us: None })
    }

    fn upload_part(&self, _upload: &OpenUpload, _number: i32, body: &Bytes) -> Result<String, Trouble> {
        Ok(self.forget(body))
    }

    fn complete_upload(&self, _upload: &OpenUpload, _parts: &[String]) -> Result<String, Trouble> {
        Ok(ETAG.to_owned())
    }

    fn uploads(&self, _prefix: &str) -> Result<Vec<OpenUpload>, Trouble> {
        Ok(Vec::new())
    }

    fn abort_upload(&self, _upload: &OpenUpload) -> Result<(), Trouble> {
        Ok(())
    }
}

/// Rows like those of the access-log job, in buffers as a worker gives them.
pub(in crate::sink) fn buffers(rows: i64) -> impl Iterator<Item = RowBuffer> {
    const ROWS_IN_A_BUFFER: i64 = 4_000;
    (0..rows / ROWS_IN_A_BUFFER).map(|buffer| {
        let mut rows = RowBuffer::default();
        for row in buffer * ROWS_IN_A_BUFFER..(buffer + 1) * ROWS_IN_A_BUFFER {
            // As if by chance.
            let chance = row.wrapping_mul(0x9E37_79B9_7F4A_7C15_u64.cast_signed()).cast_unsigned();
            let ip = format!("{}.{}.{}.{}", chance >> 56, chance >> 48 & 255, chance >> 40 & 255, chance >> 32 & 255);
            let into = rows.row();
            Some(ip.as_str()).encode(into);
            Some(i64::try_from(chance >> 24 & 0xffff).unwrap()).encode(into);
        }
        rows
    })
}

fn status_kilobytes(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim_matches([':', ' ', '\t', 'k', 'B']).parse().unwrap()
}

/// Of this thread, in the program and in the system, as Linux tells.
fn processor_seconds() -> f64 {
    let taken = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    taken.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e9
}

/// Has so many rows staged, and says how many seconds of the processor that took.
fn staged(mut stager: Box<dyn Stager>, rows: i64) -> f64 {
    let mut busy = 0.0;
    for rows in buffers(rows) {
        let before = processor_seconds();
        stager.write(&rows).unwrap();
        busy += processor_seconds() - before;
    }
    let before = processor_seconds();
    stager.finish().unwrap();
    busy + processor_seconds() - before
}

/// Says what it takes to stage rows of COUNTS, as `stager` does with a compression into a bucket.
pub(in crate::sink) fn say(what: &str, stager: impl Fn(&str, Forgetful) -> Box<dyn Stager>) {
    println!("| {what} | rows | text, MB | objects, MB | processor, s | MB/s a core | clock, s | peak MB |");
    for rows in [1_000_000, 10_000_000] {
        let mut text = 0.0;
        for compression in ["none", "gzip", "zstd"] {
            for _ in 0..3 {
                // The peak is counted from here.
                fs::write("/proc/self/clear_refs", "5").unwrap();
                let (before, began, bucket) = (status_kilobytes("VmRSS"), Instant::now(), Forgetful::default());
                let busy = staged(stager(compression, bucket.clone()), rows);
                let (clock, peak) = (began.elapsed().as_secs_f64(), (status_kilobytes("VmHWM") - before) as f64 / 1e3);
                let objects = bucket.bytes.load(Ordering::Relaxed) as f64 / 1e6;
                if compression == "none" {
                    text = objects;
                }
                let pace = text / busy;
                println!(
                    "| {compression} | {rows} | {text:.1} | {objects:.1} | {busy:.2} | {pace:.0} | {clock:.2} | {peak:.1} |"
                );
            }
        }
    }
}

/// How often memory is allocated for a buffer of rows of COUNTS while they are gathered.
pub(in crate::sink) fn allocations(mut stager: Box<dyn Stager>, buffers: &[RowBuffer]) -> u64 {
    // Some text was compressed already, and its memory is there for more.
    buffers.iter().for_each(|rows| stager.write(rows).unwrap());
    let fewest = buffers.iter().map(|rows| allocation_counter::measure(|| stager.write(rows).unwrap()).count_total);
    fewest.min().unwrap()
}
