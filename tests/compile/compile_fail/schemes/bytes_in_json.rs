flow_runtime::flow! {
    pub flow Sizes {
        source log: JsonLine { user: &str, picture: &[u8] };
        sink sizes { user: &str };
        log -> Retain(user) -> sizes;
    }
}

fn main() {}
