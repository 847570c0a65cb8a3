flow_runtime::flow! {
    pub flow Sizes {
        source log: TextDelimited { user: &str, size: Option<i64>, cost: f64 };
        sink sizes key(size) { size: Option<i64>, user: &str add };
        log -> sizes;
    }
}

fn main() {}
