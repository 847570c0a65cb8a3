flow_runtime::flow! {
    pub flow Sizes {
        source log: TextDelimited { user: &str, size: Option<i64>, cost: f64 };
        sink sizes { user: &str };
        other = log -> Discard(size) -> Insert(size: f64 = 0.0);
        Merge(log, other) -> sizes;
    }
}

fn main() {}
