flow_runtime::flow! {
    pub flow Sizes {
        source log: TextDelimited { user: &str, price: Decimal };
        sink sizes { user: &str };
        log -> sizes;
    }
}

fn main() {}
