//! A file that grows in steps of any bytes, read in iterations of any bounds.

use proptest::prelude::*;

use super::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Each record is read once and in its place, whatever bytes the file is cut at, the last one without its end included.
    #[test]
    fn a_file_that_is_cut_anywhere_is_read_to_the_byte(
        lines in prop::collection::vec("[a-zäß \r]{0,12}", 1..40),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        bounds in prop::collection::vec((1_u64..9, 1_u64..60), 1..5),
        end in prop_oneof![Just(""), Just("\n")],
    ) {
        let dir = TempDir::new().unwrap();
        let text = lines.join("\n") + end;
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
        cuts.sort_unstable();
        let mut bounds = bounds.into_iter().cycle();
        let mut read = Reads::default();
        for cut in cuts {
            fs::write(dir.path().join("a.log"), &text.as_bytes()[..cut]).unwrap();
            read.read_all(&dir, false, &mut bounds);
            let whole = text.as_bytes()[..cut].iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
            prop_assert_eq!(read.next(), whole as u64);
        }
        fs::write(dir.path().join("a.log"), &text).unwrap();
        read.read_all(&dir, true, &mut bounds);
        prop_assert_eq!(read.next(), text.len() as u64);
        let expected: String = text.lines().map(|line| format!("{line}\n")).collect();
        prop_assert_eq!(read.out, expected);
    }
}

/// What iterations have read, one after the other.
#[derive(Default)]
struct Reads {
    known: Vec<KnownShard>,
    out: String,
}

impl Reads {
    /// Reads until nothing is new, each iteration with the next bounds.
    fn read_all(&mut self, dir: &TempDir, take_tail: bool, bounds: &mut impl Iterator<Item = (u64, u64)>) {
        loop {
            let (max_records, max_bytes) = bounds.next().unwrap();
            let bounds = Bounds { max_records: Some(max_records), max_bytes: Some(max_bytes), ..Bounds::default() };
            let (log, hosts) = (files(dir, "a.log"), MemoryRecords::default());
            let reading = Reading { take_tail, ..Reading::default() };
            let inputs = vec![InputJob { reading, ..job(LINES, &*log, true, &self.known) }, table(&hosts)];
            let mut gathered = Gathered::default();
            let executed = Setting::with_bounds(bounds).run::<Grouped>(inputs, &mut gathered).unwrap();
            if !executed.new_records {
                return;
            }
            assert!(gathered.out.lines().count() as u64 <= max_records);
            self.out += &gathered.out;
            self.known = known_after(&executed, 0);
        }
    }

    /// The offset of the first byte that was not read.
    fn next(&self) -> u64 {
        self.known.first().and_then(|known| known.next.count()).unwrap_or(0)
    }
}
