flow_runtime::flow! {
    pub flow Sizes {
        source log: TextDelimited { user: &str, size: i64, user: &str };
        sink sizes { user: &str };
        log -> sizes;
    }
}

fn main() {}
