flow_runtime::flow! {
    pub flow Lines {
        source log { line: &str };
        sink lines { line: &str };
        log -> lines;
    }
    pub flow Others {}
}

fn main() {}
