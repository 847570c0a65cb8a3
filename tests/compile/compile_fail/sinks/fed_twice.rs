flow_runtime::flow! {
    pub flow Sizes {
        source log: TextDelimited { user: &str, size: Option<i64>, cost: f64 };
        sink sizes { user: &str };
        log -> Filter(cost > 1.0) -> sizes;
        log -> Filter(cost < 0.0) -> sizes;
    }
}

fn main() {}
