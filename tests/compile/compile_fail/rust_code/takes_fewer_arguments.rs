flow_runtime::flow! {
    pub flow Sizes {
        source log: TextDelimited { user: &str, size: Option<i64>, cost: f64 };
        sink sizes { user: &str };
        log -> Each(user, cost => short => user: &str) -> sizes;
    }
}

fn short(text: &str) -> &str {
    text.trim()
}

fn main() {}
