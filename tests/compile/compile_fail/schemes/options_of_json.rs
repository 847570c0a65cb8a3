flow_runtime::flow! {
    pub flow Sizes {
        source log: JsonLine(strict) { user: &str };
        sink sizes { user: &str };
        log -> Retain(user) -> sizes;
    }
}

fn main() {}
