//! How long the macro takes for flows of many operators. It measures and asserts little, so it runs only when asked:
//! `cargo test -p flow-macros expansion_time -- --ignored --nocapture`

use std::{fmt::Write as _, time::Instant};

use proc_macro2::TokenStream;

const OPERATORS: [usize; 3] = [10, 50, 200];
const ROUNDS: usize = 5;

/// A flow of so many operators, of every kind that a record meets on its way; the last two are a group and its count.
fn flow_of(operators: usize) -> String {
    let mut flow = String::from(
        "pub flow Long { source lines: TextDelimited { host: &str, hits: i64, size: Option<f64> };
         sink counts { host: &str, count: i64 }; trap bad;
         lines",
    );
    for step in 0..operators - 2 {
        // Writing to a String cannot fail.
        let _ = match step % 5 {
            0 => write!(flow, "-> Insert(a{step}: i64 = hits + {step})"),
            1 => write!(flow, "-> Filter(hits > {step} && !host.is_empty())"),
            2 => write!(flow, "-> Rename(a{} => b{step})", step - 2),
            3 => write!(flow, r#"-> Each(host => RegexParser(r"^(\w+)\.(\S+)$") => ALL, c{step}, d{step})"#),
            _ => write!(flow, "-> Discard(b{}, c{}, d{})", step - 2, step - 1, step - 1),
        };
    }
    flow + "-> GroupBy(host) -> Every(Count => count) -> counts; }"
}

#[test]
#[ignore = "measures, and is meant to be read"]
fn expansion_time_of_long_flows() {
    for operators in OPERATORS {
        let text = flow_of(operators);
        let mut milliseconds: Vec<f64> = (0..ROUNDS)
            .map(|_| {
                let tokens: TokenStream = text.parse().unwrap();
                let start = Instant::now();
                let printed = crate::compile(tokens);
                let elapsed = start.elapsed().as_secs_f64() * 1e3;
                assert!(!printed.to_string().contains("compile_error"), "{text}");
                elapsed
            })
            .collect();
        milliseconds.sort_by(f64::total_cmp);
        println!("{operators} operators: {:.2} ms, the middle of {ROUNDS}", milliseconds[ROUNDS / 2]);
    }
}
