//! Whatever a file is cut at, each of its lines is read once.

use proptest::prelude::*;

use super::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn any_lines_come_back_whole_and_once(lengths in prop::collection::vec(0..300_000_usize, 0..12), tail in 0..9_usize) {
        let mut folder = Folder::new("a.log");
        let mut text: String = lengths.iter().map(|length| "x".repeat(*length) + "\n").collect();
        let terminated = text.len();
        text.push_str(&"y".repeat(tail));
        folder.write("a.log", &text);
        let read = |folder: &mut Folder| folder.read().into_iter().map(|(_, text)| text).collect::<String>();
        prop_assert_eq!(read(&mut folder), &text[..terminated]);
        folder.known.clear();
        folder.reading.take_tail = true;
        prop_assert_eq!(read(&mut folder), text);
    }
}
