flow_runtime::flow! {
    pub flow Sizes {
        source log: TextDelimited { user: &str, size: Option<i64>, cost: f64 };
        sink sizes { user: i64 };
        log -> Each(user => |user| user.len() => user: i64) -> sizes;
    }
}

fn main() {}
