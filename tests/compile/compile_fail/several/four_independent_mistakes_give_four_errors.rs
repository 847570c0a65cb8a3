flow_runtime::flow! {
    pub flow Sizes {
        source log: TextDelimited { user: &str, size: Option<i64>, cost: f64 };
        sink sizes key(usr) { user: &str };
        trap bad for bigg;
        users = log -> Retian(user);
        big = log -> Filter(sise > Some(9)) -> Retain(user);
        Merge(users, big) -> sizes;
    }
}

fn main() {}
