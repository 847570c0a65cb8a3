flow_runtime::flow! {
    pub flow Sizes {
        source log: JsonLine { user: &str, "user" as name: &str };
        sink sizes { user: &str };
        log -> Retain(user) -> sizes;
    }
}

fn main() {}
