flow_runtime::flow! {
    pub flow Lines {
        source log { line: &str };
        sink lines { line: &str };
        log -> lines;
    }
}

fn main() {
    let _ = Lines { log: flow_runtime::Source::default() };
}
