flow_runtime::flow! {
    pub flow Lines {
        source log: TextLines { line: &str };
        sink lines { line: &str };
        log -> lines;
    }
}

fn main() {
    let _ = Lines { log: Default::default(), lines: Default::default() };
}
