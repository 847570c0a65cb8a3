flow_runtime::flow! {
    pub flow Sizes {
        source log { user: &str };
        table users { user: &str };
        sink sizes { user: &str };
        HashJoin(log on user, users on user, InnerJoin) -> sizes;
    }
}

fn main() {}
