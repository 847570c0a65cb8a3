//! `publish`: sends the lines of a file, of standard input, or made-up ones to a stream.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use clap::{Arg, ArgMatches, Command, builder::ValueParser, value_parser};
use serde_json::json;

use super::{Call, Program};
use crate::{
    Address, Error, Flow,
    cli::{
        options::{flag, option},
        progress,
        telling::Telling,
        units::{self, parse_count},
    },
    effect::clock,
    publish::{From, KeyBy, Publication, Stream, Totals},
};

pub(super) fn grammar(_: &Program<'_>) -> Command {
    Command::new("publish")
        .about("Send the lines of a file, of stdin, or made-up log lines to a Kinesis stream")
        .next_line_help(false)
        .arg(
            Arg::new("stream")
                .value_name("ADDRESS")
                .required(true)
                .help("kinesis://STREAM, with ?region=, ?endpoint=, ?role=, ?profile= where they differ from the environment"),
        )
        .arg(
            option("from", "FILE", "Lines to send: a file, - for stdin, or generated: a web server's log without end")
                .required(true)
                .value_parser(value_parser!(From)),
        )
        .arg(option("records", "COUNT", "Send so many and no more").value_parser(ValueParser::new(parse_count)))
        .arg(option("rate", "COUNT/s", "Send so many a second: 500/s").value_parser(ValueParser::new(parse_rate)))
        .arg(
            option("partition-key", "RULE", "random, word:1 (the first word of the line), json:user.id (a field)")
                .value_parser(value_parser!(KeyBy))
                .default_value("random"),
        )
        .arg(flag("aggregate", "Put many lines into one record, as the Kinesis Producer Library does"))
        .arg(flag("json", "Print the totals as one line of JSON on stdout, and no text"))
        .arg(flag("quiet", "Print nothing but errors").short('q'))
        .after_help(
            "\
A line is a record, without its end. What the service refuses of a request is sent again alone, after a random wait that
grows, until it has it. If the answer to a request is lost nobody knows whether it was done: it is sent again, and what may
therefore be in the stream twice is counted. The records of one partition key stay in one shard, in their order but for
those that the service took out of turn.

Exit codes: 0 all was sent; 1 some were not, and how many; 2 a wrong option or address; 130 interrupted (143 when
terminated): what was read until then was sent once more, and counted as failed where the service did not take it.",
        )
}

fn parse_rate(text: &str) -> Result<u64, String> {
    parse_count(text.strip_suffix("/s").unwrap_or(text)).map_err(|_| "write it as 500/s".to_owned())
}

pub(super) fn act<F: Flow>(call: Call<'_, F>) -> Result<u8, Error> {
    let (_, matches, telling) = Telling::new(call);
    let began = clock::elapsed();
    match prepared(matches) {
        Err(error) => telling.tell_part(None, None, Some(&error)),
        Ok((from, mut stream)) => {
            let publication = given(matches, &telling);
            let line = telling.is_for_people() && progress::Line::is_possible();
            let line = line.then(|| progress::Line::show(progress_text(&publication, from.bytes(), began)));
            let (totals, result) = match from.lines() {
                Ok(lines) => publication.run(&lines, &mut stream),
                Err(error) => (Totals::default(), Err(error)),
            };
            drop(line);
            let error = result.err().map(|error| error.of_place(&stream.place));
            let text = as_text(&totals, clock::elapsed() - began);
            telling.tell_part(Some(text), Some(json!(totals)), error.as_ref())
        }
    }
}

fn prepared(matches: &ArgMatches) -> Result<(From, Stream), Error> {
    let address: Address = matches.get_one::<String>("stream").map(String::as_str).unwrap_or_default().parse()?;
    let from = matches.get_one("from").cloned().unwrap_or(From::Stdin);
    Ok((from, Stream::at(&address)?))
}

fn given(matches: &ArgMatches, telling: &Telling<'_>) -> Publication {
    Publication {
        key_by: matches.get_one("partition-key").cloned().unwrap_or_default(),
        is_aggregated: matches.get_flag("aggregate"),
        rate: matches.get_one("rate").copied(),
        records_max: matches.get_one("records").copied(),
        stop: telling.stop(),
        ..Publication::default()
    }
}

/// `12,345 records sent  [#####     ] 48 %  1,000/s  3 sent again  12.30 s`; how far it is, where that is known.
fn progress_text(
    publication: &Publication,
    all_bytes: Option<u64>,
    began: Duration,
) -> impl FnMut() -> String + Send + 'static {
    let (totals, records_max): (Arc<Mutex<Totals>>, _) = (Arc::clone(&publication.totals), publication.records_max);
    move || {
        let totals = *totals.lock().unwrap_or_else(PoisonError::into_inner);
        let time = clock::elapsed() - began;
        let part = match (records_max, all_bytes) {
            (Some(all), _) => Some(totals.sent as f64 / all as f64),
            // Each line had an end.
            (None, Some(all)) => Some((totals.bytes + totals.sent) as f64 / all.max(1) as f64),
            (None, None) => None,
        };
        format!(
            "{} sent  {}{}/s  {} sent again  {}",
            units::counted(totals.sent, "record"),
            part.map(bar).unwrap_or_default(),
            units::count((totals.sent as f64 / time.as_secs_f64().max(1e-3)) as u64),
            units::count(totals.retried),
            units::elapsed(time)
        )
    }
}

/// `[#####     ] 48 %  `.
fn bar(part: f64) -> String {
    const WIDTH: usize = 20;
    let part = part.clamp(0.0, 1.0);
    let full = (part * WIDTH as f64) as usize;
    format!("[{}{}] {:.0} %  ", "#".repeat(full), " ".repeat(WIDTH - full), part * 100.0)
}

/// `2,000 records read = 2,000 sent + 0 failed`, and what else there is to say.
fn as_text(totals: &Totals, time: Duration) -> String {
    let Totals { read, sent, failed, retried, maybe_twice, bytes, requests, stream_records } = *totals;
    let mut text = format!(
        "{} read = {} sent + {} failed; {} in {}, {} in {}\n",
        units::counted(read, "record"),
        units::count(sent),
        units::count(failed),
        units::counted(retried, "retry").replace("retrys", "retries"),
        units::counted(requests, "request"),
        units::bytes(bytes),
        units::elapsed(time),
    );
    if stream_records != sent {
        text += &format!("aggregated in {} of the stream\n", units::counted(stream_records, "record"));
    }
    if maybe_twice > 0 {
        let records = units::counted(maybe_twice, "record");
        text += &format!("{records} may be in the stream twice: the answer to an earlier attempt was lost\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_are_told_as_a_sum() {
        let totals = Totals { read: 2_000, sent: 1_999, failed: 1, retried: 3, requests: 6, ..Totals::default() };
        let text = as_text(&Totals { stream_records: 1_999, bytes: 150_000, ..totals }, Duration::from_millis(420));
        assert_eq!(text, "2,000 records read = 1,999 sent + 1 failed; 3 retries in 6 requests, 150.0 kB in 0.42 s\n");
        let text = as_text(&Totals { stream_records: 7, maybe_twice: 1, ..totals }, Duration::ZERO);
        assert!(text.contains("aggregated in 7 records of the stream\n1 record may be in the stream twice"), "{text}");
    }

    #[test]
    fn the_bar_is_as_long_as_the_part_that_is_done() {
        assert_eq!(bar(0.48), format!("[{}{}] 48 %  ", "#".repeat(9), " ".repeat(11)));
        assert_eq!(bar(7.0), format!("[{}] 100 %  ", "#".repeat(20)));
    }

    #[test]
    fn a_rate_is_a_count_a_second() {
        assert_eq!((parse_rate("500/s"), parse_rate("500")), (Ok(500), Ok(500)));
        assert_eq!(parse_rate("fast/s").unwrap_err(), "write it as 500/s");
    }
}
