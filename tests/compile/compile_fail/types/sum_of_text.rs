flow_runtime::flow! {
    pub flow Sizes {
        source log: TextDelimited { user: &str, size: Option<i64>, cost: f64 };
        sink sizes { size: Option<i64> };
        log -> GroupBy(size) -> Every(user => Sum => users) -> sizes;
    }
}

fn main() {}
