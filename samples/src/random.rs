//! Numbers that look random and never change: SplitMix64, written out, so that no dependency's update can alter a byte.

/// A stream of numbers.
#[derive(Clone, Debug)]
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Any number.
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, each as likely as any other.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        scale(self.next(), bound)
    }

    /// A number below `bound`, small ones much likelier: the cube of a fraction, times `bound`.
    pub(super) fn skewed_below(&mut self, bound: u64) -> u64 {
        let fraction = self.next();
        scale(fraction, scale(fraction, scale(fraction, bound << 20))) >> 20
    }

    /// One of `choices`, which are not empty.
    pub(super) fn choose<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }
}

/// `bound` times the fraction `fraction` / 2⁶⁴.
fn scale(fraction: u64, bound: u64) -> u64 {
    ((u128::from(fraction) * u128::from(bound)) >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_the_published_algorithm() {
        let mut random = Random::new(1_234_567);
        let first: [u64; 3] = std::array::from_fn(|_| random.next());
        assert_eq!(first, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn skewed_numbers_are_mostly_small_and_always_below_the_bound() {
        let mut random = Random::new(1);
        let numbers: Vec<u64> = (0..1_000).map(|_| random.skewed_below(10_000)).collect();
        assert!(numbers.iter().all(|&number| number < 10_000));
        assert!(numbers.iter().filter(|&&number| number < 1_250).count() > 400);
        assert!(numbers.iter().any(|&number| number > 5_000));
    }
}
