flow_runtime::flow! {
    pub flow Sizes {
        source log: TextDelimited { user: &str, size: Option<i64>, cost: f64 };
        sink sizes { user: &str };
        log -> Discard(cost) -> Insert(cents: f64 = cost * 100.0) -> sizes;
    }
}

fn main() {}
