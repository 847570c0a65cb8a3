flow_runtime::flow! {
    pub flow Sizes {
        source log: TextDelimited { user: &str, size: Option<i64>, cost: f64 };
        sink sizes { user: &str };
        trap bad for users;
        trap worse for users;
        users = log -> Assert(NotNull);
        users -> sizes;
    }
}

fn main() {}
