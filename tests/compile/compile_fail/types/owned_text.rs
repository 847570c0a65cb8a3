flow_runtime::flow! {
    pub flow Sizes {
        source log { line: String };
        sink lines { line: &str };
        log -> lines;
    }
}

fn main() {}
