flow_runtime::flow! {
    pub flow Sizes {
        source log { line: &[u16] };
        sink lines { line: &str };
        log -> lines;
    }
}

fn main() {}
