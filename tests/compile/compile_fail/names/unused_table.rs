flow_runtime::flow! {
    pub flow Sizes {
        source log { line: &str };
        table hosts { host: &str };
        sink lines { line: &str };
        log -> lines;
    }
}

fn main() {}
