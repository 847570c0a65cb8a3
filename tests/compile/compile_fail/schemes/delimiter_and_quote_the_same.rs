flow_runtime::flow! {
    pub flow Sizes {
        source log: TextDelimited(delimiter = "|", quote = "|") { user: &str };
        sink sizes { user: &str };
        log -> sizes;
    }
}

fn main() {}
