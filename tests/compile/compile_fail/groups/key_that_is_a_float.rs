flow_runtime::flow! {
    pub flow Sizes {
        source log: TextDelimited { user: &str, size: Option<i64>, cost: f64 };
        sink sizes { hits: i64 };
        log -> GroupBy(cost) -> Every(Count => hits) -> sizes;
    }
}

fn main() {}
