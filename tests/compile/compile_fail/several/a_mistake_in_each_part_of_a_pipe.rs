flow_runtime::flow! {
    pub flow Sizes {
        source log: TextDelimited { user: &str, size: Option<i64>, cost: f64 };
        sink sizes { user: &str };
        log -> Retain(user, siez)
            -> Rename(user => who, siez => bytes)
            -> GroupBy(who)
            -> Every(bytes => Summ => bytes)
            -> sizs;
    }
}

fn main() {}
