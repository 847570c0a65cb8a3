flow_runtime::flow! {
    pub flow Sizes {
        source log: TextDelimited { user: &str, size: Option<i64>, cost: f64 };
        sink sizes key(cost) { user: &str, cost: f64 };
        log -> sizes;
    }
}

fn main() {}
