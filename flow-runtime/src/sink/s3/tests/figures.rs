//! What staging takes: time by megabyte of text, and memory. Figures are in `benches/README.md`.

use std::{
    fs,
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

use bytes::Bytes;

use super::*;
use crate::{
    aws::{
        Trouble,
        clients::{
            objects::{If, OpenUpload},
            s3::Object,
        },
    },
    sink::Stager as _,
};

/// One that forgets what it is given.
#[derive(Debug, Default)]
struct NullBucket {
    bytes: AtomicU64,
}

impl NullBucket {
    fn take(&self, body: &Bytes) -> Result<String, Trouble> {
        self.bytes.fetch_add(body.len() as u64, Ordering::Relaxed);
        Ok("etag".to_owned())
    }
}

impl Bucket for NullBucket {
    fn read(&self, _key: &str) -> Result<Option<(Vec<u8>, String)>, Trouble> {
        Ok(None)
    }

    fn put(&self, _key: &str, body: &Bytes, _on: If<'_>) -> Result<String, Trouble> {
        self.take(body)
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
        self.take(body)
    }

    fn complete_upload(&self, _upload: &OpenUpload, _parts: &[String]) -> Result<String, Trouble> {
        Ok("etag".to_owned())
    }

    fn uploads(&self, _prefix: &str) -> Result<Vec<OpenUpload>, Trouble> {
        Ok(Vec::new())
    }

    fn abort_upload(&self, _upload: &OpenUpload) -> Result<(), Trouble> {
        Ok(())
    }
}

/// Rows like those of the access-log job, in buffers as a worker gives them.
fn buffers(rows: i64) -> impl Iterator<Item = RowBuffer> {
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

/// Stages so many rows; megabytes of text and of objects, and seconds of the processor and of the clock.
fn staged(options: &str, rows: i64) -> (f64, f64, f64, f64) {
    let bucket: Arc<NullBucket> = Arc::default();
    let of_memory = tap_of(&Arc::default(), &COUNTS, Mode::Append, options);
    let tap =
        S3SinkTap { place: Place { bucket: Arc::clone(&bucket) as Arc<dyn Bucket>, ..of_memory.place }, ..of_memory };
    let mut stager = S3Stager::new(tap.place.clone(), tap.format.clone(), tap.shape.fields(), "0-x");
    let (mut busy, began) = (0.0, Instant::now());
    let mut stage = |act: &mut dyn FnMut()| {
        let before = processor_seconds();
        act();
        busy += processor_seconds() - before;
    };
    for rows in buffers(rows) {
        stage(&mut || stager.write(&rows).unwrap());
    }
    let mut stager = Some(Box::new(stager));
    stage(&mut || drop(stager.take().map(|stager| stager.finish().unwrap())));
    let bytes = bucket.bytes.load(Ordering::Relaxed) as f64 / 1e6;
    (text_megabytes(rows), bytes, busy, began.elapsed().as_secs_f64())
}

fn text_megabytes(rows: i64) -> f64 {
    let mut bytes = 0;
    for buffer in buffers(rows) {
        let mut rest = buffer.bytes();
        for _ in 0..buffer.rows() {
            let row = crate::value::RowReader::new(rest).encoded(COUNTS.fields.iter().map(|field| field.ty));
            rest = &rest[row.len()..];
            let mut reader = crate::value::RowReader::new(row);
            bytes += COUNTS
                .fields
                .iter()
                .map(|field| reader.value(field.ty).display(field.ty).to_string().len() + 1)
                .sum::<usize>();
        }
    }
    bytes as f64 / 1e6
}

/// ```sh
/// cargo test --release -p flow-runtime --features aws --lib staging_takes -- --ignored --nocapture
/// ```
#[test]
#[ignore = "it says figures"]
fn staging_takes_so_long_and_so_much() {
    println!("| compression | rows | text, MB | objects, MB | processor, s | MB/s a core | clock, s | peak MB |");
    for rows in [1_000_000, 10_000_000] {
        for compression in ["none", "gzip", "zstd"] {
            for _ in 0..3 {
                // The peak is counted from here.
                fs::write("/proc/self/clear_refs", "5").unwrap();
                let before = status_kilobytes("VmRSS");
                let (text, objects, busy, clock) = staged(&format!("compression={compression}"), rows);
                let peak = (status_kilobytes("VmHWM") - before) as f64 / 1e3;
                let pace = text / busy;
                println!(
                    "| {compression} | {rows} | {text:.1} | {objects:.1} | {busy:.2} | {pace:.0} | {clock:.2} | {peak:.1} |"
                );
            }
        }
    }
}
