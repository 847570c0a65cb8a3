//! Fields, ports and the user's own items may have any name that the expansion uses itself.

mod core {}
mod std {}
mod flow {}
mod __private {}

struct Worker(i64);
struct Shared;
struct Option;
struct Result;
struct String;
struct Some;
struct Flow;
const SCHEME: i64 = 3;

fn call(text: &str) -> i64 {
    Worker(text.len() as i64 + SCHEME).0
}

fn read_0(text: &str) -> &str {
    text
}

flow_runtime::flow! {
    pub flow Names {
        source record: TextDelimited(delimiter = " ") {
            out: &str, worker: i64, key: &str, row: &str, value: &str, reason: &str, cell_0: &str, cell_1: &str, cell: &str
        };
        table shared: TextDelimited { block: &str, groups: i64, held: &str, out_: &str };
        sink port key(key) { key: &str, group: i64, other: i64 };
        trap drain;

        matched = record
            -> Each(out => read_0 => ALL, columns: &str)
            -> Each(row => |row| call(row) => ALL, entry: i64)
            -> Filter(worker > SCHEME && !matches!(value, "" | "-"))
            -> Insert(keep: i64 = Worker(worker).0, matched: &str = format!("{reason}{cell}{cell_0}{cell_1}"));
        HashJoin(matched on key, shared on block, InnerJoin)
            -> GroupBy(key)
            -> Every(Count => group)
            -> Every(keep => Sum => other)
            -> port;
    }
}

fn main() {
    let _ = (Shared, Flow, Option, Result, String, Some);
    let names = Names::default();
    assert!(format!("{names:?}").starts_with("Names"));
}
