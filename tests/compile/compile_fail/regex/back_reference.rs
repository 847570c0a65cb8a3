flow_runtime::flow! {
    pub flow Sizes {
        source log { line: &str };
        sink sizes { user: &str };
        log -> Each(line => RegexParser(r"^(\S+) \1") => user) -> sizes;
    }
}

fn main() {}
