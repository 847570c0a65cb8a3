flow_runtime::flow! {
    pub flow Sizes {
        source log { line: &str };
        sink dry_run { line: &str };
        log -> dry_run;
    }
}

fn main() {}
