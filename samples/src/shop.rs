//! A shop's orders, as JSON, and the payments that its bank tells of, as delimited text: two streams that belong together.

use std::io::{self, Write};

use super::random::Random;

/// One line in so many is malformed.
const LINES_PER_FLAW: u64 = 100;

const CUSTOMERS: u64 = 60;

const NAMES: [&str; 6] = ["Ana", "Björn", "Chloé", "Dmitri", "Eun-ji", "\"Fox\" Garcia"];

/// Writes orders, numbered from 1: `{"id":1,"customer":{"number":5,"name":"Ana"},"total":{"cents":1250,"currency":"EUR"}}`.
///
/// # Errors
/// What `out` fails with.
pub fn write_orders(out: &mut impl Write, orders: u64, seed: u64) -> io::Result<()> {
    for id in 1..=orders {
        let mut random = random(seed, id);
        let cents = cents(&mut random);
        let customer = random.skewed_below(CUSTOMERS);
        let name = NAMES[(customer % 6) as usize].replace('"', "\\\"");
        let end = match random.below(LINES_PER_FLAW) {
            0 => "",
            1 => "}} back-order",
            _ => "}}",
        };
        write!(out, r#"{{"id":{id},"customer":{{"number":{customer},"name":"{name}"}},"#)?;
        writeln!(out, r#""total":{{"cents":{cents},"currency":"EUR"{end}"#)?;
    }
    Ok(())
}

/// Writes the payments of as many orders, in nearly the same order, `order,cents,reference`: most orders are paid at once,
/// some in two parts, some in part or not at all; some payments name an order that nobody made.
///
/// # Errors
/// What `out` fails with.
pub fn write_payments(out: &mut impl Write, orders: u64, seed: u64) -> io::Result<()> {
    let mut late: Option<(u64, u64)> = None;
    for id in 1..=orders {
        let mut random = random(seed, id);
        let cents = cents(&mut random);
        // What its order has drawn meanwhile does not matter: the numbers below are the payment's own.
        let mut random = self::random(!seed, id);
        if let Some((id, cents)) = late.take() {
            write_payment(out, id, cents, &mut random)?;
        }
        match random.below(10) {
            0 => {}
            1 => write_payment(out, id, cents / 3, &mut random)?,
            2 | 3 => {
                write_payment(out, id, cents / 2, &mut random)?;
                late = Some((id, cents - cents / 2));
            }
            _ => write_payment(out, id, cents, &mut random)?,
        }
        if random.below(30) == 0 {
            write_payment(out, orders + id, cents, &mut random)?;
        }
    }
    match late {
        Some((id, cents)) => write_payment(out, id, cents, &mut random(seed, id)),
        None => Ok(()),
    }
}

fn write_payment(out: &mut impl Write, order: u64, cents: u64, random: &mut Random) -> io::Result<()> {
    let euros = if random.below(LINES_PER_FLAW) == 0 { ".00 EUR" } else { "" };
    writeln!(out, "{order},{cents}{euros},R{:06}", random.below(1_000_000))
}

/// The numbers of one order, and of no other.
fn random(seed: u64, id: u64) -> Random {
    let start = Random::new(seed).next().wrapping_add(id);
    Random::new(Random::new(start).next())
}

fn cents(random: &mut Random) -> u64 {
    100 + random.skewed_below(50_000)
}
