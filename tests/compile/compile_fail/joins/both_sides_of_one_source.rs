flow_runtime::flow! {
    pub flow Sizes {
        source log: TextDelimited { user: &str, size: Option<i64>, cost: f64 };
        sink sizes { user: &str };
        people = log -> Retain(user) -> Rename(user => name);
        HashJoin(log on user, people on name, InnerJoin) -> sizes;
    }
}

fn main() {}
