flow_runtime::flow! {
    pub flow Sizes {
        source log: TextDelimited { user: &str, size: Option<i64>, cost: f64 };
        sink sizes { user: &str };
        a = Merge(log, b);
        b = a -> Filter(cost > 1.0);
        a -> sizes;
    }
}

fn main() {}
