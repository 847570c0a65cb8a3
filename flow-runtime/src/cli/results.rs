//! What a run has brought, for people: the first rows of the tables it wrote to, and the first records it trapped.

use super::{aligned::aligned, units};
use crate::{
    Error, Flow,
    driver::{Outcome, PortOutcome},
    flow::PortRef,
    plan::PortPlan,
    sink::{self, Head, ROWS_COUNTED_MAX},
    value::Type,
    visible::{NULL, visible},
};

/// Rows of a table that are shown.
const ROWS_SHOWN_MAX: usize = 20;

/// The tables and the trapped records; nothing if nothing was published.
///
/// # Errors
/// What cannot be read back.
pub(super) fn results<F: Flow>(flow: &F, outcome: &Outcome) -> Result<String, Error> {
    let mut text = String::new();
    if outcome.nothing_new {
        return Ok(text);
    }
    for ((port, handle), done) in F::PLAN.ports.iter().zip(flow.ports()).zip(&outcome.ports) {
        match handle {
            PortRef::Sink(handle) => {
                if let Some(head) = sink::open(&handle.target, handle.mode, port)?.head(ROWS_SHOWN_MAX)? {
                    text += &table(&title(port, &done.place, &head), port, &head);
                }
            }
            PortRef::Trap(_) if !done.trapped.is_empty() => {
                text += &trapped(port, done);
            }
            _ => {}
        }
    }
    Ok(text)
}

/// The first records that a trap took.
pub(super) fn trapped(port: &PortPlan, done: &PortOutcome) -> String {
    let rows =
        done.trapped.iter().map(|sample| vec![sample.place.clone(), sample.reason.clone(), sample.record.clone()]);
    let header = ["position", "reason", "record"].map(str::to_owned).to_vec();
    format!(
        "\n{}: {} trapped\n{}{}",
        port.name,
        units::counted(done.rows, "record"),
        aligned(std::iter::once(header).chain(rows).collect(), &[], "  "),
        more(done.rows, done.trapped.len()),
    )
}

fn title(port: &PortPlan, place: &str, head: &Head) -> String {
    let rows = match head.row_count {
        0..=ROWS_COUNTED_MAX => units::counted(head.row_count, "row"),
        _ => format!("more than {}", units::counted(ROWS_COUNTED_MAX, "row")),
    };
    format!("{}: {rows} in {place}", port.name)
}

/// The first rows of a sink, under a title.
pub(super) fn table(title: &str, port: &PortPlan, head: &Head) -> String {
    let header = port.fields.iter().map(|field| field.name.to_owned()).collect();
    let rows = head.rows.iter().map(|row| row.iter().map(|cell| shown(cell.as_deref())).collect());
    let numbers: Vec<usize> = (0..port.fields.len()).filter(|index| is_number(port.fields[*index].ty)).collect();
    format!(
        "\n{title}\n{}{}",
        aligned(std::iter::once(header).chain(rows).collect(), &numbers, "  "),
        match head.row_count {
            0..=ROWS_COUNTED_MAX => more(head.row_count, head.rows.len()),
            _ => "  … and more\n".to_owned(),
        },
    )
}

fn more(count: u64, shown: usize) -> String {
    match count.saturating_sub(shown as u64) {
        0 => String::new(),
        more => format!("  … and {} more\n", units::count(more)),
    }
}

/// A cell's text; what would move the cursor is escaped.
fn shown(cell: Option<&str>) -> String {
    cell.map_or_else(|| NULL.to_owned(), visible)
}

fn is_number(ty: Type) -> bool {
    matches!(ty, Type::I16 | Type::I32 | Type::I64 | Type::F32 | Type::F64 | Type::Decimal(..))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::example::PLAN;

    #[test]
    fn a_big_table_is_not_counted_to_its_end() {
        let row = vec![Some("a".to_owned()), Some("1".to_owned())];
        let head = Head { rows: vec![row], row_count: ROWS_COUNTED_MAX + 1 };
        let (_, port) = PLAN.port("counts").unwrap();
        let text = table(&title(port, "counts.db", &head), port, &head);
        assert!(text.starts_with("\ncounts: more than 100,000 rows in counts.db\n"), "{text}");
        assert!(text.ends_with("\n  … and more\n"), "{text}");
    }

    #[test]
    fn a_table_shows_its_first_rows_and_says_how_many_more() {
        let row = |ip: Option<&str>, count: &str| vec![ip.map(str::to_owned), Some(count.to_owned())];
        let head = Head { rows: vec![row(None, "12"), row(Some("a\n.example"), "3")], row_count: 1_002 };
        let (_, port) = PLAN.port("counts").unwrap();
        let expected = "
counts: 1,002 rows in counts.db
  ip           count
  ∅               12
  a\\n.example      3
  … and 1,000 more
";
        assert_eq!(table(&title(port, "counts.db", &head), port, &head), expected);
    }
}
