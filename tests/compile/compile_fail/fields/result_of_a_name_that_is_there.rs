flow_runtime::flow! {
    pub flow Sizes {
        source log: TextDelimited { user: &str, line: &str };
        sink sizes { user: &str };
        log -> Each(line => RegexParser(r"^(\S+)") => ALL, user) -> sizes;
    }
}

fn main() {}
