flow_runtime::flow! {
    pub flow Sizes {
        source log: TextDelimited { user: &str, size: Option<i64>, cost: f64 };
        sink sizes { label: &str };
        log -> Insert(label: &str = format!("{usr}")) -> sizes;
    }
}

fn main() {}
