//! Runs contenders in turn, round by round, so that a machine that slows down slows them all.

use std::time::{Duration, Instant};

/// Something that can be run again and again.
pub struct Contender<'a> {
    /// What the table calls it.
    pub name: String,
    /// Runs it once.
    pub run: Box<dyn FnMut() + 'a>,
}

impl std::fmt::Debug for Contender<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Contender").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Runs each contender once unmeasured, then once in each of `rounds` rounds; one list of times a contender.
pub fn rounds(contenders: &mut [Contender<'_>], rounds: usize) -> Vec<Vec<Duration>> {
    for contender in contenders.iter_mut() {
        (contender.run)();
    }
    let mut times = vec![Vec::with_capacity(rounds); contenders.len()];
    for _ in 0..rounds {
        for (contender, times) in contenders.iter_mut().zip(&mut times) {
            let start = Instant::now();
            (contender.run)();
            times.push(start.elapsed());
        }
    }
    times
}

/// The middle of the times, in seconds.
#[must_use]
pub fn median_seconds(times: &[Duration]) -> f64 {
    median(times.iter().map(Duration::as_secs_f64).collect())
}

/// The middle of the ratios that the rounds gave: `of` by `to`.
#[must_use]
pub fn median_ratio(of: &[Duration], to: &[Duration]) -> f64 {
    median(of.iter().zip(to).map(|(of, to)| of.as_secs_f64() / to.as_secs_f64()).collect())
}

/// The middle of some numbers.
#[must_use]
pub fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contenders_run_in_turn_after_a_run_to_warm_up() {
        let order = std::cell::RefCell::new(String::new());
        let contender = |name: &'static str| Contender {
            name: name.to_owned(),
            run: Box::new(|| order.borrow_mut().push_str(name)),
        };
        let times = rounds(&mut [contender("a"), contender("b")], 3);
        assert_eq!(times.iter().map(Vec::len).collect::<Vec<_>>(), [3, 3]);
        assert_eq!(*order.borrow(), "abababab");
    }

    #[test]
    fn one_slow_round_does_not_move_the_median() {
        let times = |seconds: [u64; 3]| seconds.map(Duration::from_secs);
        assert_eq!(median_seconds(&times([2, 90, 3])), 3.0);
        assert_eq!(median_ratio(&times([2, 90, 3]), &times([1, 1, 2])), 2.0);
    }
}
