flow_runtime::flow! {
    pub flow Sizes {
        source log: TextDelimited { user: &str, w: f64 };
        table users: TextDelimited { name: &str, age: i64, weight: f64 };
        sink sizes { user: &str };
        HashJoin(log on w, users on weight, InnerJoin) -> sizes;
    }
}

fn main() {}
