//! Functions and expressions that give a field's type, an `Option` or a `Result` of it, borrowed or owned.

use std::{borrow::Cow, num::ParseIntError};

flow_runtime::flow! {
    pub flow Shapes {
        source log { line: &str };
        sink shapes { line: &str, size: i64, least: Option<i64>, text: Option<&str>, first: &str, rest: &str, when: bool };
        trap bad for log, shaped;

        shaped = log
            -> Each(line => |line| line.len() as i64 => ALL, size: i64)
            -> Each(line => str::parse::<i64> => ALL, least: Option<i64>)
            -> Each(line, size => |line, size| (size > 3).then(|| line.to_uppercase()) => ALL, text: Option<&str>)
            -> Each(line => |line| line.split_once(' ') => ALL, first: &str, rest: &str)
            -> Each(line => pair => ALL, name: &str, number: i64)
            -> Each(line => escaped => REPLACE)
            -> Each(line => shorter_than(9) => ALL, short: bool)
            -> Each( => || true => ALL, always: bool)
            -> Each( => never => ALL, never: bool)
            -> Insert(when: bool = short && always && !never, twice: i64 = number * 2, whole: &str = line)
            -> Insert(checked: i64 = line.parse::<i64>(), maybe: Option<i64> = line.parse::<i64>().ok())
            -> Filter({
                let mut sum = 0;
                for letter in whole.chars() {
                    if letter == 'x' { break; }
                    sum += 1;
                }
                let parse = |text: &str| -> Option<i64> { text.parse::<i64>().ok()?.checked_add(1) };
                sum > twice && checked > 0 && maybe != parse(name)
            });
        shaped -> shapes;
    }
}

fn pair(line: &str) -> Result<(String, i64), ParseIntError> {
    Ok((line.to_owned(), line.parse()?))
}

fn escaped(line: &str) -> Cow<'_, str> {
    line.into()
}

fn shorter_than(limit: usize) -> impl Fn(&str) -> bool {
    move |line| line.len() < limit
}

fn never() -> bool {
    false
}

fn main() {
    let _ = Shapes::default();
}
