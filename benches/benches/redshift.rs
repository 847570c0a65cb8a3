//! What COPY takes through the stand-in for Redshift, against psql's `\copy` of the same rows on the same PostgreSQL, in turn.
//!
//! `cargo bench -p flow-benches --features redshift --bench redshift`, or with the number of rows and of rounds:
//! `… --bench redshift -- 1_000_000 7`

use std::{env, error::Error, fmt::Write as _, fs, io::Write as _};

use flate2::{Compression, write::GzEncoder};
use flow_benches::interleaved::{self, Contender, median_ratio, median_seconds};
use flow_services::{ministack, postgres::server, redshift};

const ROWS: usize = 1_000_000;
const ROUNDS: usize = 7;

const BUCKET: &str = "bench";

/// A name, as it stands in a manifest's address, the option of COPY, and the rows.
type File = (&'static str, &'static str, Vec<u8>);

fn main() -> Result<(), Box<dyn Error>> {
    let mut numbers = env::args().skip(1).filter_map(|text| text.replace('_', "").parse().ok());
    let (rows, rounds) = (numbers.next().unwrap_or(ROWS), numbers.next().unwrap_or(ROUNDS));
    let (Some(server), Some(storage), Some(warehouse)) = (server(), ministack(), redshift()) else {
        return Err("the services are not there".into());
    };
    let text = text(rows);
    let place = tempfile::NamedTempFile::new()?;
    fs::write(place.path(), &text)?;
    let mut gzip = GzEncoder::new(Vec::new(), Compression::new(1));
    gzip.write_all(&text)?;
    let files: [File; 2] = [("plain", "", text), ("gzip", "GZIP", gzip.finish()?)];
    storage.create_bucket(BUCKET);
    for (name, _, bytes) in &files {
        storage.put_object(BUCKET, name, bytes);
        let entry =
            format!(r#"{{"url":"s3://{BUCKET}/{name}","mandatory":true,"meta":{{"content_length":{}}}}}"#, bytes.len());
        storage.put_object(BUCKET, &format!("{name}.manifest"), format!(r#"{{"entries":[{entry}]}}"#));
    }
    warehouse.run("CREATE TABLE loaded (host varchar(100), count bigint)");
    let empty = || drop(server.ask_in(warehouse.database(), "TRUNCATE loaded"));
    let load = |name: &'static str, option: &'static str| {
        let sql = format!(
            "COPY loaded FROM 's3://{BUCKET}/{name}.manifest' IAM_ROLE default MANIFEST CSV NULL AS '@NULL@' {option}"
        );
        let run = move || {
            empty();
            warehouse.run(&sql);
        };
        Contender { name: format!("stand-in, {name}"), run: Box::new(run) }
    };
    let copy = format!("\\copy loaded FROM '{}' CSV NULL '@NULL@'", place.path().display());
    let run = move || {
        empty();
        drop(server.ask_in(warehouse.database(), &copy));
    };
    let psql = Contender { name: "psql".to_owned(), run: Box::new(run) };
    let mut contenders = vec![psql];
    contenders.extend(files.iter().map(|(name, option, _)| load(name, option)));
    let times = interleaved::rounds(&mut contenders, rounds);
    for (contender, times_of) in contenders.iter().zip(&times) {
        let (seconds, ratio) = (median_seconds(times_of), median_ratio(times_of, &times[0]));
        println!("{}: {seconds:.3} s, {ratio:.2} of psql", contender.name);
    }
    let there = server.ask_in(warehouse.database(), "SELECT count(*) FROM loaded");
    if there == rows.to_string() { Ok(()) } else { Err(format!("{there} rows are there, not {rows}").into()) }
}

fn text(rows: usize) -> Vec<u8> {
    let mut text = String::new();
    for row in 0..rows {
        let _ = writeln!(text, "\"10.{}.{}.{}\",{}", row % 7, row / 251 % 251, row % 251, row * 31 % 10_007);
    }
    text.into_bytes()
}
