flow_runtime::flow! {
    pub flow Sizes {
        source log: TextDelimited { user: &str, size: Option<i64>, cost: f64 };
        sink sizes key(name) { name: Option<&str>, hits: i64 };
        log -> Rename(usr => name)
            -> Filter(name.len() > 3)
            -> GroupBy(name)
            -> Every(Count => hits)
            -> sizes;
    }
}

fn main() {}
