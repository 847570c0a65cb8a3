flow_runtime::flow! {
    pub flow Sizes {
        source log: TextDelimited { "account.user" as user: &str, size: i64 };
        sink sizes { user: &str };
        log -> Retain(user) -> sizes;
    }
}

fn main() {}
