flow_runtime::flow! {
    pub flow Sizes {
        source log { line: &str };
        sink sizes { user: &str };
        log -> Each(line => RegexParser(PATTERN) => user) -> sizes;
    }
}
const PATTERN: &str = r"^(\S+)";

fn main() {}
