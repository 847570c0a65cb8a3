flow_runtime::flow! {
    pub flow Sizes {
        source log { user: &str add };
        sink sizes { user: &str };
        log -> sizes;
    }
}

fn main() {}
