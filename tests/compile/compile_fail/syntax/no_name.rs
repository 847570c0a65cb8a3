flow_runtime::flow! {
    pub flow {
        source log { line: &str };
    }
}

fn main() {}
