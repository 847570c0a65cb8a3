//! Streams: what a record costs on its way from an HTTP body to the loop of a flow, and how fast flow reads a service,
//! against a loop of the SDK of AWS that throws the bodies away.
//!
//! `cargo bench -p flow-benches --features aws --bench kinesis`, or with the number of rounds and parts:
//! `… --bench kinesis -- 9 canned service`
//!
//! - *canned*: bodies of 10,000 records and of 1,000, made beforehand and sent by a thread of this process, whose own work
//!   is not counted. What is counted is the work of processors.
//! - *service*: kinesalite, started for this: of the local services that flow can read the fastest. What is counted is time.
//!
//! Reads are not paced, neither flow's (`?reads=1000`) nor the SDK's: Kinesis would allow each shard five in a second, and
//! 2 MB, and whoever keeps to that is as fast as anybody else.

use std::{
    cell::RefCell,
    env,
    error::Error,
    process::{Command, ExitCode},
};

use flow_benches::{
    bare_sdk::BareSdk,
    canned::{Canned, RECORD_BYTES, line},
    interleaved::{self, Contender, median, median_ratio, median_seconds},
    process::processor_seconds,
};
use flow_runtime::{
    MemoryRows, Sink, Source,
    driver::{self, Options},
    flow,
};
use flow_services::{CREDENTIALS, kinesalite};

const ROUNDS: usize = 7;
const CANNED_RECORDS: usize = 400_000;
const SERVED_RECORDS: usize = 100_000;
const SHARDS: usize = 4;
const PARTS: [&str; 2] = ["canned", "service"];

/// Records of one PutRecords.
const PUT_RECORDS: usize = 500;

/// Set when the environment is as flow wants it.
const IS_CHILD: &str = "FLOW_BENCH_KINESIS";

type Result<T> = std::result::Result<T, Box<dyn Error>>;

flow! {
    /// Looks at every record, and has no row to write: its records are counted.
    pub flow Counted {
        source log { data: &str };
        sink   long { data: &str };

        log -> Filter(data.len() > 1000) -> long;
    }
}

fn through_flow(endpoint: &str, stream: &str) -> Result<u64> {
    let long = MemoryRows::default();
    let flow = Counted {
        log: Source::at(format!("kinesis://{stream}?endpoint={endpoint}&reads=1000")),
        long: Sink::memory(&long).replace(),
    };
    Ok(driver::run(&flow, &Options::default())?.ports[0].rows)
}

/// What a contender takes of the processors, round by round; the first is there to warm up.
struct Worked<'a> {
    seconds: RefCell<Vec<f64>>,
    /// What is not its own.
    others: &'a dyn Fn() -> f64,
}

impl<'a> Worked<'a> {
    fn new(others: &'a dyn Fn() -> f64) -> Self {
        Self { seconds: RefCell::default(), others }
    }

    fn measure(&self, records: usize, run: impl FnOnce() -> Result<u64>) {
        let own = || processor_seconds() - (self.others)();
        let before = own();
        match run() {
            Ok(read) => assert_eq!(read, records as u64, "as many records as there are"),
            Err(error) => panic!("{error}"),
        }
        self.seconds.borrow_mut().push(own() - before);
    }

    /// Microseconds a record, in each round.
    fn micros(&self, records: usize) -> Vec<f64> {
        self.seconds.borrow().iter().skip(1).map(|seconds| seconds * 1e6 / records as f64).collect()
    }
}

/// A stream, somewhere.
struct Stream<'a> {
    what: String,
    endpoint: String,
    name: &'a str,
    records: usize,
    /// What the processors have worked for it in this process.
    processor_seconds: &'a dyn Fn() -> f64,
}

/// Reads a stream in turn by the SDK alone and through flow, and prints a row.
fn compare(stream: &Stream<'_>, rounds: usize) -> Result<()> {
    let &Stream { ref what, ref endpoint, name, records, processor_seconds } = stream;
    let bare = BareSdk::new(endpoint, name).map_err(|error| error.to_string())?;
    let (by_sdk, by_flow) = (Worked::new(processor_seconds), Worked::new(processor_seconds));
    let mut contenders = [
        Contender {
            name: "SDK".to_owned(),
            run: Box::new(|| by_sdk.measure(records, || bare.read().map_err(|error| error.to_string().into()))),
        },
        Contender {
            name: "flow".to_owned(),
            run: Box::new(|| by_flow.measure(records, || through_flow(endpoint, name))),
        },
    ];
    let times = interleaved::rounds(&mut contenders, rounds);
    drop(contenders);
    let [sdk, flow] = times.as_slice() else { return Ok(()) };
    let rate = |seconds: f64| records as f64 / seconds / 1000.0;
    let (sdk_us, flow_us) = (by_sdk.micros(records), by_flow.micros(records));
    let more = median(flow_us.iter().zip(&sdk_us).map(|(flow, sdk)| flow - sdk).collect());
    println!(
        "| {what} | {:.0} | {:.0} | {:.2} | {:.2} | {:.2} | {more:.2} |",
        rate(median_seconds(sdk)),
        rate(median_seconds(flow)),
        median_ratio(sdk, flow),
        median(sdk_us),
        median(flow_us),
    );
    Ok(())
}

fn canned(rounds: usize) -> Result<()> {
    for body in [10_000, 1_000] {
        let canned = Canned::start(SHARDS, CANNED_RECORDS / SHARDS / body, body)?;
        let stream = Stream {
            what: format!("canned, {body} a body"),
            endpoint: canned.endpoint(),
            name: "canned",
            records: CANNED_RECORDS,
            processor_seconds: &|| canned.processor_seconds(),
        };
        compare(&stream, rounds)?;
    }
    Ok(())
}

fn service(rounds: usize) -> Result<()> {
    let Some(service) = kinesalite() else { return Ok(()) };
    let (what, name) = (service.name().to_owned(), "lines");
    service.create_stream(name, SHARDS);
    for first in (0..SERVED_RECORDS).step_by(PUT_RECORDS) {
        let lines: Vec<(String, String)> =
            (first..first + PUT_RECORDS).map(|number| (number.to_string(), line(number))).collect();
        let records: Vec<(&str, &[u8])> = lines.iter().map(|(key, line)| (key.as_str(), line.as_bytes())).collect();
        service.put_records(name, &records);
    }
    let endpoint = service.endpoint();
    compare(&Stream { what, endpoint, name, records: SERVED_RECORDS, processor_seconds: &|| 0.0 }, rounds)
}

fn measure() -> Result<()> {
    // Cargo adds `--bench` of its own.
    let words: Vec<String> = env::args().skip(1).filter(|word| word != "--bench").collect();
    let rounds = words.iter().find_map(|word| word.parse().ok()).unwrap_or(ROUNDS);
    let named: Vec<&str> = PARTS.into_iter().filter(|part| words.iter().any(|word| word == part)).collect();
    let parts = if named.is_empty() { PARTS.to_vec() } else { named };

    println!("records of {RECORD_BYTES} bytes in {SHARDS} shards, medians of {rounds} interleaved rounds\n");
    println!("| | SDK, thousand a second | flow | flow ÷ SDK | SDK, µs of processors a record | flow | flow − SDK |");
    println!("|---|---|---|---|---|---|---|");
    for part in parts {
        match part {
            "canned" => canned(rounds)?,
            _ => service(rounds)?,
        }
    }
    Ok(())
}

/// The same program as somebody whom these services know, whatever account this machine has.
fn as_somebody() -> Result<()> {
    let mut child = Command::new(env::current_exe()?);
    child.args(env::args().skip(1)).envs(CREDENTIALS).env(IS_CHILD, "").env("AWS_CONFIG_FILE", "/dev/null");
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("AWS_ENDPOINT")) {
        child.env_remove(name);
    }
    let status = child.env_remove("AWS_PROFILE").status()?;
    if status.success() { Ok(()) } else { Err(status.to_string().into()) }
}

fn main() -> ExitCode {
    let done = if env::var_os(IS_CHILD).is_some() { measure() } else { as_somebody() };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
