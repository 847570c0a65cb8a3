//! Writes sample data for the example jobs: an access log of any size, a list of hosts.
//!
//! `cargo run --release --bin generate -- --log access.log --bytes 1GB --hosts hosts.txt`

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Arg, ArgGroup, ArgMatches, Command, value_parser};
use flow_examples::generate::{
    Amount, write_campaigns, write_clicks, write_hosts, write_log, write_orders, write_payments,
};

const OUTPUTS: [&str; 6] = ["log", "hosts", "clicks", "campaigns", "orders", "payments"];

fn command() -> Command {
    let path = |name: &'static str| Arg::new(name).long(name).value_name("PATH").value_parser(value_parser!(PathBuf));
    let number = |name: &'static str| Arg::new(name).long(name).value_name("N").value_parser(value_parser!(u64));
    Command::new("generate")
        .about("Writes sample data for the example jobs: the same seed gives the same bytes")
        .arg(path("log").requires("amount").help("Write an access log here"))
        .arg(path("hosts").help("Write a list of hosts here, some of which occur in the log"))
        .arg(path("clicks").help("Write clicks on advertisements here, as JSON"))
        .arg(path("campaigns").help("Write the campaigns of these clicks here, as JSON"))
        .arg(path("orders").help("Write a shop's orders here, as JSON"))
        .arg(path("payments").help("Write the payments of these orders here"))
        .arg(number("records").help("Lines of the log, clicks, orders [default of the latter: 1000]"))
        .arg(
            Arg::new("bytes")
                .long("bytes")
                .value_name("SIZE")
                .value_parser(parse_size)
                .requires("log")
                .help("Least size of the log: 500kB, 100MB, 2GB"),
        )
        .arg(number("lines").default_value("40").help("Lines of the list"))
        .arg(number("seed").default_value("1").help("Where the random numbers begin"))
        .group(ArgGroup::new("output").args(OUTPUTS).multiple(true).required(true))
        .group(ArgGroup::new("amount").args(["records", "bytes"]))
}

/// Clicks and orders, if their number is not given.
const RECORDS: u64 = 1_000;

type WriteFn = fn(&mut BufWriter<File>, u64, u64) -> io::Result<()>;

/// What else can be written, given a number of records and a seed.
const WRITERS: [(&str, WriteFn); 4] = [
    ("clicks", write_clicks),
    ("campaigns", |out, _, seed| write_campaigns(out, seed)),
    ("orders", write_orders),
    ("payments", write_payments),
];

fn main() -> ExitCode {
    match run(&command().get_matches()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &ArgMatches) -> Result<(), String> {
    let number = |name| arguments.get_one::<u64>(name).copied();
    let seed = number("seed").unwrap_or(1);
    let amount = number("records").map(Amount::Records).or(number("bytes").map(Amount::Bytes));

    if let (Some(path), Some(amount)) = (arguments.get_one::<PathBuf>("log"), amount) {
        let (records, bytes) = create(path, |out| write_log(out, amount, seed))?;
        println!("{}: {records} lines, {bytes} bytes", path.display());
    }
    if let Some(path) = arguments.get_one::<PathBuf>("hosts") {
        let lines = number("lines").unwrap_or(40);
        create(path, |out| write_hosts(out, lines, seed))?;
        println!("{}: {lines} hosts", path.display());
    }
    let records = number("records").unwrap_or(RECORDS);
    for (name, write) in WRITERS {
        if let Some(path) = arguments.get_one::<PathBuf>(name) {
            create(path, |out| write(out, records, seed))?;
            println!("{}", path.display());
        }
    }
    Ok(())
}

/// Creates the file, or empties it, and has `write` fill it.
fn create<T>(path: &Path, write: impl FnOnce(&mut BufWriter<File>) -> io::Result<T>) -> Result<T, String> {
    let file = File::create(path).map_err(|error| format!("cannot create {}: {error}", path.display()))?;
    let mut out = BufWriter::with_capacity(256 * 1024, file);
    write(&mut out)
        .and_then(|written| out.flush().map(|()| written))
        .map_err(|error| format!("cannot write {}: {error}", path.display()))
}

fn parse_size(text: &str) -> Result<u64, String> {
    let (number, unit) = text.split_at(text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len()));
    let factor: u64 = match unit {
        "" | "B" => 1,
        "kB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        _ => return Err(format!("`{unit}` is no unit of size; there are B, kB, MB, GB")),
    };
    let number: u64 = number.parse().map_err(|error| format!("{error}; write it as 100MB"))?;
    number.checked_mul(factor).ok_or_else(|| "too large".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_decimal_units() {
        let sizes = ["17", "17B", "500kB", "100MB", "2GB"].map(|text| parse_size(text).unwrap());
        assert_eq!(sizes, [17, 17, 500_000, 100_000_000, 2_000_000_000]);
        for (text, part) in [("5 parsecs", "no unit"), ("MB", "write it as 100MB"), ("99999999999GB", "too large")] {
            assert!(parse_size(text).unwrap_err().contains(part), "{text}");
        }
    }

    #[test]
    fn the_options_that_belong_together_must_come_together() {
        command().debug_assert();
        let accepts = |line: &str| command().try_get_matches_from(line.split(' ')).is_ok();
        assert!(accepts("generate --log a.log --records 5 --hosts b.txt --seed 3"));
        assert!(accepts("generate --hosts b.txt --lines 9"));
        assert!(accepts("generate --orders a.jsonl --payments b.csv --records 5"));
        assert!(!accepts("generate --orders a.jsonl --bytes 5MB"));
        assert!(!accepts("generate"));
        assert!(!accepts("generate --log a.log"));
        assert!(!accepts("generate --hosts b.txt --bytes 5MB"));
        assert!(!accepts("generate --log a.log --records 5 --bytes 5MB"));
    }

    #[test]
    fn a_path_that_cannot_be_written_is_named() {
        let error = create(Path::new("/nowhere/at/all"), |_| Ok(())).unwrap_err();
        assert!(error.starts_with("cannot create /nowhere/at/all: "), "{error}");
    }
}
