flow_runtime::flow! {
    pub flow Sizes {
        source log { user: &str not null };
        sink sizes { user: &str };
        log -> sizes;
    }
}

fn main() {}
