flow_runtime::flow! {
    pub flow Sizes {
        source log { user: &str };
        table users: TextDelimited { name: &str, age: i64, weight: f64 };
        sink sizes { user: &str };
        HashJoin(log on user, users on age, InnerJoin) -> sizes;
    }
}

fn main() {}
