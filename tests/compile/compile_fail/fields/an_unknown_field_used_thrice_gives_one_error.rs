flow_runtime::flow! {
    pub flow Sizes {
        source log: TextDelimited { user: &str, size: Option<i64>, cost: f64 };
        sink sizes { user: &str };
        log -> Assert(sice => NotNull)
            -> Filter(sice > 9)
            -> Insert(half: i64 = sice / 2)
            -> Retain(user, sice)
            -> sizes;
    }
}

fn main() {}
