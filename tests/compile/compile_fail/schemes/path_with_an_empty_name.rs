flow_runtime::flow! {
    pub flow Sizes {
        source log: JsonLine { "account..user" as user: &str, size: i64 };
        sink sizes { user: &str };
        log -> Retain(user) -> sizes;
    }
}

fn main() {}
