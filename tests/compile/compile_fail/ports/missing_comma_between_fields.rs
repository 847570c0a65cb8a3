flow_runtime::flow! {
    pub flow Sizes {
        source log: TextDelimited { user: &str size: i64 };
        sink sizes { user: &str };
        log -> sizes;
    }
}

fn main() {}
