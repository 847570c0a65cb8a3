flow_runtime::flow! {
    pub flow Sizes {
        source log: TextDelimited { user: &str, size: Option<i64>, cost: f64 };
        sink sizes { cents: i64 };
        log -> Insert(cents: i64 = cost * 100.0) -> sizes;
    }
}

fn main() {}
