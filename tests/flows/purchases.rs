//! A flow that reads JSON, nested and with fields that nobody uses; what the macro prints for it is
//! `../expansion/purchases.rs`.

flow_runtime::flow! {
    /// What every user spent.
    pub flow Purchases {
        source orders: JsonLine {
            "user.id" as user: i64, "user.name" as name: Option<&str>, site: &str, price: Option<f64>, at: Timestamp("%Y-%m-%dT%H:%M:%S%z")
        };
        sink spent key(user, name) { user: i64, name: Option<&str>, orders: i64 add, total: f64 add };
        trap bad_orders;

        orders
            -> Insert(paid: f64 = price.unwrap_or(0.0))
            -> GroupBy(user, name)
            -> Every(Count => orders)
            -> Every(paid => Sum => total)
            -> spent;
    }
}
