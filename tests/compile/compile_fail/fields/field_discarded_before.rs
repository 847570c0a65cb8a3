flow_runtime::flow! {
    pub flow Sizes {
        source log: TextDelimited { user: &str, size: Option<i64>, cost: f64 };
        sink sizes { user: &str };
        log -> Discard(size)
            -> Filter(cost > 1.0)
            -> Retain(user, size)
            -> sizes;
    }
}

fn main() {}
