flow_runtime::flow! {
    pub flow Sizes {
        source log { line: &str };
        sink sizes { user: &str };
        log -> Each(line => RegexParser(r"^(\S+)(?= GET)") => user) -> sizes;
    }
}

fn main() {}
