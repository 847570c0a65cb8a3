//! What a mended flow takes is loaded once: by a retry of the trap, or by a replay of the iteration, not by both.

use flow_tests::program::{Place, hit};

use super::{STRICT, broken, mended};

const COUNTS: &str = "--counts sqlite:marked.db?table=counts&mode=append&iteration_column=flow_iteration";

fn loaded(place: &Place) -> (i64, i64) {
    let sql = "SELECT sum(count), max(flow_iteration) FROM counts";
    place.database("marked.db").unwrap().query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
}

#[test]
fn rows_are_not_replaced_where_records_come_out_of_the_trap_unless_that_is_accepted() {
    let place = Place::new(STRICT);
    place.write("hosts.txt", "a\n");
    place.write("access.log", hit("a") + &broken("a"));
    place.succeed(COUNTS);
    assert_eq!(loaded(&place), (1, 0));
    let refused = mended(&place, &format!("replay 0 {COUNTS} --yes"));
    assert_eq!(refused.code, Some(2), "{refused:?}");
    let expected = "(port `bad_lines`): 1 were trapped, now it is 0";
    assert!(refused.stderr.contains(expected) && refused.stderr.contains("--accept-changed"), "{refused:?}");
    assert_eq!(loaded(&place), (1, 0));
    let retried = mended(&place, &format!("retry-trap bad_lines {COUNTS}"));
    assert_eq!((retried.code, loaded(&place)), (Some(0), (2, 1)), "{retried:?}");
    // Several are looked at before the first of them is replaced.
    let refused = mended(&place, &format!("replay 0..1 {COUNTS} --yes --accept-changed"));
    assert!(refused.stderr.contains("iteration 1 has retried trapped records"), "{refused:?}");
    assert_eq!((refused.code, loaded(&place)), (Some(2), (2, 1)));
    // Who says that it is known has it twice.
    assert_eq!(mended(&place, &format!("replay 0 {COUNTS} --yes --accept-changed")).code, Some(0));
    assert_eq!(loaded(&place), (3, 1));
}
