flow_runtime::flow! {
    pub flow Sizes {
        source log: TextDelimited { user: &str, at: Timestmp("%s") };
        sink sizes { user: &str };
        log -> sizes;
    }
}

fn main() {}
