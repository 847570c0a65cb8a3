flow_runtime::flow! {
    pub flow Sizes {
        source log { line: &str };
        sink owned_log { line: &str };
        log -> owned_log;
    }
}

fn main() {}
