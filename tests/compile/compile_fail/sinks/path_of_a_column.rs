flow_runtime::flow! {
    pub flow Sizes {
        source log: JsonLine { user: &str };
        sink sizes { "account.user" as user: &str };
        log -> sizes;
    }
}

fn main() {}
