flow_runtime::flow! {
    pub flow Sizes {
        source log: TextDelimited(header = "yes") { user: &str };
        sink sizes { user: &str };
        log -> sizes;
    }
}

fn main() {}
