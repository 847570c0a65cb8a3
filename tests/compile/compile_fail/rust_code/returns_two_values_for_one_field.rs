flow_runtime::flow! {
    pub flow Sizes {
        source log: TextDelimited { user: &str, size: Option<i64>, cost: f64 };
        sink sizes { user: &str };
        log -> Each(user => |user| user.split_at(1) => user: &str) -> sizes;
    }
}

fn main() {}
