flow_runtime::flow! {
    source log { line: &str };
    sink lines { line: &str };
    log -> lines;
}

fn main() {}
