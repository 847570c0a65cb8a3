flow_runtime::flow! {
    pub flow Lines {
        source log { line: &str };
        sink lines key(lin) { line: &str };
        log -> lines;
    }
}

fn name<F: flow_runtime::Flow>(_: &F) -> &'static str { F::PLAN.flow }

fn main() {
    let flow = Lines { log: Default::default(), lines: Default::default() };
    println!("{} {flow:?} {:?}", name(&flow), lines::OwnedLinesRow { line: String::new() });
}
