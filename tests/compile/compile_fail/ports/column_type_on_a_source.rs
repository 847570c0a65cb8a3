flow_runtime::flow! {
    pub flow Sizes {
        source log { user: &str as varchar(9) };
        sink sizes { user: &str };
        log -> sizes;
    }
}

fn main() {}
