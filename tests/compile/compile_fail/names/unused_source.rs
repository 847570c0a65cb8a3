flow_runtime::flow! {
    pub flow Sizes {
        source log { line: &str };
        source trace { line: &str };
        sink lines { line: &str };
        log -> lines;
    }
}

fn main() {}
