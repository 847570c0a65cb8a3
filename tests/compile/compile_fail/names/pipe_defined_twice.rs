flow_runtime::flow! {
    pub flow Sizes {
        source log: TextDelimited { user: &str, size: Option<i64>, cost: f64 };
        sink sizes { user: &str };
        big = log -> Filter(size > Some(9));
        big = log -> Filter(size > Some(99));
        big -> sizes;
    }
}

fn main() {}
