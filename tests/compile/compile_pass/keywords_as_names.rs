//! Keywords are names when they are written raw; a sink's columns and the command line have them without `r#`.

use flow_runtime::Flow as _;

flow_runtime::flow! {
    pub flow Match {
        source r#in: TextDelimited { r#type: &str, r#loop: i64, r#fn: Option<i64> };
        sink r#final key(r#type) { r#type: &str, r#loop: i64 add };

        r#move = r#in -> Filter(r#loop > 1) -> Rename(r#fn => r#async);
        r#move -> Insert(r#where: i64 = r#loop * 2) -> GroupBy(r#type) -> Every(r#where => Sum => r#loop) -> r#final;
    }
}

fn main() {
    let plan = Match::PLAN;
    assert_eq!(plan.ports.iter().map(|port| port.name).collect::<Vec<_>>(), ["in", "final"]);
    assert_eq!(plan.ports[0].fields.iter().map(|field| field.name).collect::<Vec<_>>(), ["type", "loop", "fn"]);
    let _ = match_::OwnedFinalRow { r#type: String::new(), r#loop: 1 };
}
