flow_runtime::flow! {
    pub flow Sizes {
        source log: TextDelimited { user: &str, size: Option<i64>, cost: f64 };
        sink sizes { bytes: i64 };
        log -> Each(size => Sum => bytes) -> sizes;
    }
}

fn main() {}
