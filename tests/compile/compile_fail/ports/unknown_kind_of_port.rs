flow_runtime::flow! {
    pub flow Sizes {
        sorce log { user: &str };
        sink sizes { user: &str };
        log -> sizes;
    }
}

fn main() {}
