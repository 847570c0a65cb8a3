flow_runtime::flow! {
    pub flow Sizes {
        source log: TextDelimited { user: &str, price: Decimal(40, 2) };
        sink sizes { user: &str };
        log -> sizes;
    }
}

fn main() {}
