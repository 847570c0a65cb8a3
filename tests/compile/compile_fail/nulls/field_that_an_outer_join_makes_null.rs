flow_runtime::flow! {
    pub flow Sizes {
        source log { user: &str };
        table users { name: &str };
        sink sizes { user: &str, name: &str };
        HashJoin(log on user, users on name, LeftJoin) -> sizes;
    }
}

fn main() {}
