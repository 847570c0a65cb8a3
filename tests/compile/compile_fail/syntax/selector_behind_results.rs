flow_runtime::flow! {
    pub flow Sizes {
        source log: TextDelimited { user: &str, size: Option<i64>, cost: f64 };
        sink sizes { name: &str };
        log -> Each(user => str::trim => name: &str, ALL) -> sizes;
    }
}

fn main() {}
