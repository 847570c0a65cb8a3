flow_runtime::flow! {
    pub flow Sizes {
        source log: TextDelimited { user: &str, size: Option<i64>, cost: f64 };
        sink sizes { user: &str };
        Merge(log, log) -> sizes;
    }
}

fn main() {}
