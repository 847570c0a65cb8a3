flow_runtime::flow! {
    pub flow Sizes {
        source log;
        sink sizes { user: &str };
        log -> sizes;
    }
}

fn main() {}
