/// What every user spent.
///
/// ```text
/// orders: source orders
/// Insert(paid: f64 = price.unwrap_or(0.0))
///     -> GroupBy(user, name)
///     -> Every(Count => orders)
///     -> Every(paid => Sum => total)
/// spent: sink spent
/// ```
#[derive(::core::clone::Clone, ::core::fmt::Debug, ::core::default::Default)]
#[allow(
    clippy::exhaustive_structs,
    reason = "whoever binds the ports must name them all"
)]
pub struct Purchases {
    /// The source `orders` `{ "user.id" as user: i64, "user.name" as name: Option<&str>, site: &str, price: Option<f64>, at: Timestamp("%Y-%m-%dT%H:%M:%S%z") }`.
    pub orders: ::flow_runtime::__private::Source,
    /// The sink `spent` `{ user: i64, name: Option<&str>, orders: i64, total: f64 }`.
    pub spent: ::flow_runtime::__private::Sink,
    /// The trap `bad_orders`.
    pub bad_orders: ::flow_runtime::__private::Trap,
}
/// Rows of [`Purchases`](super::Purchases), for tests.
#[allow(
    clippy::derive_partial_eq_without_eq,
    clippy::exhaustive_structs,
    reason = "a row has its port's fields"
)]
pub mod purchases {
    use ::flow_runtime::__private as __flow;
    /// A row of the source `orders`, borrowed.
    #[derive(
        ::core::clone::Clone,
        ::core::marker::Copy,
        ::core::fmt::Debug,
        ::core::cmp::PartialEq
    )]
    pub struct OrdersRow<'a> {
        /// The field `user`.
        pub user: i64,
        /// The field `name`.
        pub name: ::core::option::Option<&'a str>,
        /// The field `site`.
        pub site: &'a str,
        /// The field `price`.
        pub price: ::core::option::Option<f64>,
        /// The field `at`.
        pub at: __flow::Timestamp,
    }
    /// A row of the source `orders`.
    #[derive(::core::clone::Clone, ::core::fmt::Debug, ::core::cmp::PartialEq)]
    pub struct OwnedOrdersRow {
        /// The field `user`.
        pub user: i64,
        /// The field `name`.
        pub name: ::core::option::Option<__flow::OwnedText>,
        /// The field `site`.
        pub site: __flow::OwnedText,
        /// The field `price`.
        pub price: ::core::option::Option<f64>,
        /// The field `at`.
        pub at: __flow::Timestamp,
    }
    impl __flow::FromRow for OwnedOrdersRow {
        fn from_row<'a>(row: &mut __flow::RowReader<'a>) -> Self {
            Self {
                user: <i64 as __flow::Decode<'a>>::decode(row),
                name: <::core::option::Option<
                    &'a str,
                > as __flow::Decode<'a>>::decode(row)
                    .map(::core::convert::Into::into),
                site: ::core::convert::Into::into(
                    <&'a str as __flow::Decode<'a>>::decode(row),
                ),
                price: <::core::option::Option<f64> as __flow::Decode<'a>>::decode(row),
                at: <__flow::Timestamp as __flow::Decode<'a>>::decode(row),
            }
        }
    }
    /// A row of the sink `spent`, borrowed.
    #[derive(
        ::core::clone::Clone,
        ::core::marker::Copy,
        ::core::fmt::Debug,
        ::core::cmp::PartialEq
    )]
    pub struct SpentRow<'a> {
        /// The field `user`.
        pub user: i64,
        /// The field `name`.
        pub name: ::core::option::Option<&'a str>,
        /// The field `orders`.
        pub orders: i64,
        /// The field `total`.
        pub total: f64,
    }
    /// A row of the sink `spent`.
    #[derive(::core::clone::Clone, ::core::fmt::Debug, ::core::cmp::PartialEq)]
    pub struct OwnedSpentRow {
        /// The field `user`.
        pub user: i64,
        /// The field `name`.
        pub name: ::core::option::Option<__flow::OwnedText>,
        /// The field `orders`.
        pub orders: i64,
        /// The field `total`.
        pub total: f64,
    }
    impl __flow::FromRow for OwnedSpentRow {
        fn from_row<'a>(row: &mut __flow::RowReader<'a>) -> Self {
            Self {
                user: <i64 as __flow::Decode<'a>>::decode(row),
                name: <::core::option::Option<
                    &'a str,
                > as __flow::Decode<'a>>::decode(row)
                    .map(::core::convert::Into::into),
                orders: <i64 as __flow::Decode<'a>>::decode(row),
                total: <f64 as __flow::Decode<'a>>::decode(row),
            }
        }
    }
}
const _: () = {
    use ::flow_runtime::__private as __flow;
    #[derive(::core::default::Default)]
    struct __Group2 {
        orders: __flow::Count,
        total: __flow::SumFloat,
    }
    impl __flow::Accumulators for __Group2 {
        fn merge(&mut self, other: Self) {
            self.orders.merge(other.orders);
            self.total.merge(other.total);
        }
        fn encode(&self, bytes: &mut __flow::OwnedBytes) {
            __flow::Encode::encode(&self.orders, bytes);
            __flow::Encode::encode(&self.total, bytes);
        }
        fn decode(row: &mut __flow::RowReader<'_>) -> Self {
            Self {
                orders: __flow::Decode::decode(row),
                total: __flow::Decode::decode(row),
            }
        }
    }
    #[derive(::core::default::Default)]
    pub struct __Shared {}
    pub struct __Worker {
        key: __flow::KeyBuffer,
        unquoted_0_1: __flow::OwnedText,
        unquoted_0_4: __flow::OwnedText,
        group_2: __flow::GroupTable<__Group2>,
    }
    impl ::core::default::Default for __Worker {
        fn default() -> Self {
            Self {
                key: ::core::default::Default::default(),
                unquoted_0_1: ::core::default::Default::default(),
                unquoted_0_4: ::core::default::Default::default(),
                group_2: __flow::GroupTable::new(
                    &[__flow::Type::I64, __flow::Type::Text],
                ),
            }
        }
    }
    fn __read_0(
        shared: &__Shared,
        worker: &mut __Worker,
        block: &__flow::Block<'_>,
        out: &mut __flow::Output,
    ) -> ::core::result::Result<(), __flow::Stop> {
        const __NAMES: &[__flow::JsonName] = &[
            __flow::JsonName {
                name: "user",
                field: ::core::option::Option::None,
                inner: &[
                    __flow::JsonName {
                        name: "id",
                        field: ::core::option::Option::Some(0usize),
                        inner: &[],
                    },
                    __flow::JsonName {
                        name: "name",
                        field: ::core::option::Option::Some(1usize),
                        inner: &[],
                    },
                ],
            },
            __flow::JsonName {
                name: "site",
                field: ::core::option::Option::Some(2usize),
                inner: &[],
            },
            __flow::JsonName {
                name: "price",
                field: ::core::option::Option::Some(3usize),
                inner: &[],
            },
            __flow::JsonName {
                name: "at",
                field: ::core::option::Option::Some(4usize),
                inner: &[],
            },
        ];
        let mut unquoted_1 = ::core::mem::take(&mut worker.unquoted_0_1);
        let mut unquoted_4 = ::core::mem::take(&mut worker.unquoted_0_4);
        for record in block.records() {
            out.at_record(&record);
            out.count(0usize).rows_in += 1;
            'row_0: {
                let [value_0, value_1, value_2, value_3, value_4] = match __flow::read_json(
                    &record,
                    __NAMES,
                ) {
                    ::core::result::Result::Ok(values) => values,
                    ::core::result::Result::Err(reason) => {
                        out.trap(2usize, 0usize, reason, |_| {});
                        break 'row_0;
                    }
                };
                let user: i64 = match value_0
                    .required()
                    .and_then(|value| value.number::<i64>(()))
                {
                    ::core::result::Result::Ok(value) => value,
                    ::core::result::Result::Err(reason) => {
                        out.trap(2usize, 0usize, reason.of_field("user"), |_| {});
                        break 'row_0;
                    }
                };
                let name: ::core::option::Option<&str> = match value_1
                    .optional()
                    .map(|value| value.text(&mut unquoted_1))
                    .transpose()
                {
                    ::core::result::Result::Ok(value) => value,
                    ::core::result::Result::Err(reason) => {
                        out.trap(2usize, 0usize, reason.of_field("name"), |_| {});
                        break 'row_0;
                    }
                };
                if let ::core::result::Result::Err(reason) = value_2
                    .required()
                    .and_then(|value| value.check_text())
                {
                    out.trap(2usize, 0usize, reason.of_field("site"), |_| {});
                    break 'row_0;
                }
                let price: ::core::option::Option<f64> = match value_3
                    .optional()
                    .map(|value| value.number::<f64>(()))
                    .transpose()
                {
                    ::core::result::Result::Ok(value) => value,
                    ::core::result::Result::Err(reason) => {
                        out.trap(2usize, 0usize, reason.of_field("price"), |_| {});
                        break 'row_0;
                    }
                };
                let at: __flow::Timestamp = match value_4
                    .required()
                    .and_then(|value| {
                        value
                            .time::<
                                __flow::Timestamp,
                            >("%Y-%m-%dT%H:%M:%S%z", &mut unquoted_4)
                    })
                {
                    ::core::result::Result::Ok(value) => value,
                    ::core::result::Result::Err(reason) => {
                        out.trap(2usize, 0usize, reason.of_field("at"), |_| {});
                        break 'row_0;
                    }
                };
                out.count(0usize).rows_out += 1;
                out.count(1usize).rows_in += 1;
                let paid: f64 = {
                    let price = price;
                    match __flow::Required::<f64, _>::required(price.unwrap_or(0.0)) {
                        ::core::result::Result::Ok(value) => value,
                        ::core::result::Result::Err(reason) => {
                            out.trap(2usize, 1usize, reason.of_field("paid"), |_| {});
                            break 'row_0;
                        }
                    }
                };
                out.count(1usize).rows_out += 1;
                out.count(2usize).rows_in += 1;
                worker.key.clear();
                __flow::Encode::encode(&user, &mut worker.key);
                __flow::Encode::encode(&name, &mut worker.key);
                let (group, heap) = worker.group_2.group(&worker.key);
                group.orders.update();
                group.total.update(::core::option::Option::Some(paid));
            }
        }
        worker.unquoted_0_1 = unquoted_1;
        worker.unquoted_0_4 = unquoted_4;
        ::core::result::Result::Ok(())
    }
    fn __groups_2(
        shared: &__Shared,
        worker: &mut __Worker,
        out: &mut __flow::Output,
    ) -> ::core::result::Result<__flow::Drained, __flow::Stop> {
        let groups = worker.group_2.take_loaded();
        for (mut key, group) in groups.iter() {
            let user: i64 = __flow::Decode::decode(&mut key);
            let name: ::core::option::Option<&str> = __flow::Decode::decode(&mut key);
            out.count(2usize).rows_out += 1;
            'row_2: {
                let orders: i64 = group.orders.finish();
                let total: f64 = match group.total.finish() {
                    ::core::result::Result::Ok(value) => value,
                    ::core::result::Result::Err(reason) => {
                        return ::core::result::Result::Err(
                            out
                                .stop(
                                    4usize,
                                    reason.of_field("total"),
                                    |row| {
                                        row.field("user", &user);
                                        row.field("name", &name);
                                        row.field("orders", &orders);
                                    },
                                ),
                        );
                    }
                }
                    .unwrap_or_default();
                out.count(5usize).rows_in += 1;
                let row = out.rows[1usize].row();
                __flow::Encode::encode(&user, row);
                __flow::Encode::encode(&name, row);
                __flow::Encode::encode(&orders, row);
                __flow::Encode::encode(&total, row);
                if let ::core::result::Result::Err(reason) = out.accept(1usize) {
                    out.trap(
                        2usize,
                        5usize,
                        reason,
                        |row| {
                            row.field("user", &user);
                            row.field("name", &name);
                            row.field("orders", &orders);
                            row.field("total", &total);
                        },
                    );
                    break 'row_2;
                }
                out.count(5usize).rows_out += 1;
            }
        }
        ::core::result::Result::Ok(worker.group_2.drained())
    }
    impl __flow::Flow for Purchases {
        const PLAN: &'static __flow::Plan = &__flow::Plan {
            flow: "Purchases",
            about: "What every user spent.",
            ports: &[
                __flow::PortPlan {
                    name: "orders",
                    kind: __flow::PortKind::Source,
                    about: "",
                    scheme: "JsonLine",
                    fields: &[
                        __flow::FieldPlan {
                            name: "user",
                            ty: __flow::Type::I64,
                            nullable: false,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                        __flow::FieldPlan {
                            name: "name",
                            ty: __flow::Type::Text,
                            nullable: true,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                        __flow::FieldPlan {
                            name: "site",
                            ty: __flow::Type::Text,
                            nullable: false,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                        __flow::FieldPlan {
                            name: "price",
                            ty: __flow::Type::F64,
                            nullable: true,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                        __flow::FieldPlan {
                            name: "at",
                            ty: __flow::Type::Timestamp("%Y-%m-%dT%H:%M:%S%z"),
                            nullable: false,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                    ],
                    key: &[],
                    grouped: false,
                    covers: &[],
                    line: 7u32,
                },
                __flow::PortPlan {
                    name: "spent",
                    kind: __flow::PortKind::Sink,
                    about: "",
                    scheme: "",
                    fields: &[
                        __flow::FieldPlan {
                            name: "user",
                            ty: __flow::Type::I64,
                            nullable: false,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                        __flow::FieldPlan {
                            name: "name",
                            ty: __flow::Type::Text,
                            nullable: true,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                        __flow::FieldPlan {
                            name: "orders",
                            ty: __flow::Type::I64,
                            nullable: false,
                            column: ::core::option::Option::None,
                            add: true,
                        },
                        __flow::FieldPlan {
                            name: "total",
                            ty: __flow::Type::F64,
                            nullable: false,
                            column: ::core::option::Option::None,
                            add: true,
                        },
                    ],
                    key: &[0usize, 1usize],
                    grouped: true,
                    covers: &[],
                    line: 10u32,
                },
                __flow::PortPlan {
                    name: "bad_orders",
                    kind: __flow::PortKind::Trap,
                    about: "",
                    scheme: "",
                    fields: &[],
                    key: &[],
                    grouped: false,
                    covers: &[],
                    line: 11u32,
                },
            ],
            operators: &[
                __flow::OperatorPlan {
                    kind: "Read",
                    text: "source orders",
                    pipe: "orders",
                    inputs: &[],
                    port: ::core::option::Option::Some(0usize),
                    fields: &[
                        __flow::FieldPlan {
                            name: "user",
                            ty: __flow::Type::I64,
                            nullable: false,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                        __flow::FieldPlan {
                            name: "name",
                            ty: __flow::Type::Text,
                            nullable: true,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                        __flow::FieldPlan {
                            name: "site",
                            ty: __flow::Type::Text,
                            nullable: false,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                        __flow::FieldPlan {
                            name: "price",
                            ty: __flow::Type::F64,
                            nullable: true,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                        __flow::FieldPlan {
                            name: "at",
                            ty: __flow::Type::Timestamp("%Y-%m-%dT%H:%M:%S%z"),
                            nullable: false,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                    ],
                    read: &[true, true, false, true, false],
                    balance: __flow::Balance::RowByRow,
                    trap: ::core::option::Option::Some(2usize),
                    line: 7u32,
                    note: "",
                },
                __flow::OperatorPlan {
                    kind: "Insert",
                    text: "Insert(paid: f64 = price.unwrap_or(0.0))",
                    pipe: "",
                    inputs: &[0usize],
                    port: ::core::option::Option::None,
                    fields: &[
                        __flow::FieldPlan {
                            name: "user",
                            ty: __flow::Type::I64,
                            nullable: false,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                        __flow::FieldPlan {
                            name: "name",
                            ty: __flow::Type::Text,
                            nullable: true,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                        __flow::FieldPlan {
                            name: "site",
                            ty: __flow::Type::Text,
                            nullable: false,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                        __flow::FieldPlan {
                            name: "price",
                            ty: __flow::Type::F64,
                            nullable: true,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                        __flow::FieldPlan {
                            name: "at",
                            ty: __flow::Type::Timestamp("%Y-%m-%dT%H:%M:%S%z"),
                            nullable: false,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                        __flow::FieldPlan {
                            name: "paid",
                            ty: __flow::Type::F64,
                            nullable: false,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                    ],
                    read: &[true, true, false, false, false, true],
                    balance: __flow::Balance::RowByRow,
                    trap: ::core::option::Option::Some(2usize),
                    line: 14u32,
                    note: "",
                },
                __flow::OperatorPlan {
                    kind: "GroupBy",
                    text: "GroupBy(user, name)",
                    pipe: "",
                    inputs: &[1usize],
                    port: ::core::option::Option::None,
                    fields: &[
                        __flow::FieldPlan {
                            name: "user",
                            ty: __flow::Type::I64,
                            nullable: false,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                        __flow::FieldPlan {
                            name: "name",
                            ty: __flow::Type::Text,
                            nullable: true,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                    ],
                    read: &[true, true],
                    balance: __flow::Balance::Group,
                    trap: ::core::option::Option::Some(2usize),
                    line: 15u32,
                    note: "",
                },
                __flow::OperatorPlan {
                    kind: "Every",
                    text: "Every(Count => orders)",
                    pipe: "",
                    inputs: &[2usize],
                    port: ::core::option::Option::None,
                    fields: &[
                        __flow::FieldPlan {
                            name: "user",
                            ty: __flow::Type::I64,
                            nullable: false,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                        __flow::FieldPlan {
                            name: "name",
                            ty: __flow::Type::Text,
                            nullable: true,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                        __flow::FieldPlan {
                            name: "orders",
                            ty: __flow::Type::I64,
                            nullable: false,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                    ],
                    read: &[true, true, true],
                    balance: __flow::Balance::Through,
                    trap: ::core::option::Option::Some(2usize),
                    line: 16u32,
                    note: "",
                },
                __flow::OperatorPlan {
                    kind: "Every",
                    text: "Every(paid => Sum => total)",
                    pipe: "",
                    inputs: &[3usize],
                    port: ::core::option::Option::None,
                    fields: &[
                        __flow::FieldPlan {
                            name: "user",
                            ty: __flow::Type::I64,
                            nullable: false,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                        __flow::FieldPlan {
                            name: "name",
                            ty: __flow::Type::Text,
                            nullable: true,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                        __flow::FieldPlan {
                            name: "orders",
                            ty: __flow::Type::I64,
                            nullable: false,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                        __flow::FieldPlan {
                            name: "total",
                            ty: __flow::Type::F64,
                            nullable: false,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                    ],
                    read: &[true, true, true, true],
                    balance: __flow::Balance::Through,
                    trap: ::core::option::Option::Some(2usize),
                    line: 17u32,
                    note: "",
                },
                __flow::OperatorPlan {
                    kind: "Write",
                    text: "sink spent",
                    pipe: "spent",
                    inputs: &[4usize],
                    port: ::core::option::Option::Some(1usize),
                    fields: &[
                        __flow::FieldPlan {
                            name: "user",
                            ty: __flow::Type::I64,
                            nullable: false,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                        __flow::FieldPlan {
                            name: "name",
                            ty: __flow::Type::Text,
                            nullable: true,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                        __flow::FieldPlan {
                            name: "orders",
                            ty: __flow::Type::I64,
                            nullable: false,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                        __flow::FieldPlan {
                            name: "total",
                            ty: __flow::Type::F64,
                            nullable: false,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                    ],
                    read: &[false, false, false, false],
                    balance: __flow::Balance::RowByRow,
                    trap: ::core::option::Option::Some(2usize),
                    line: 18u32,
                    note: "",
                },
            ],
            steps: &[__flow::Step::Read(&[0usize]), __flow::Step::Drain(0usize)],
            drains: &[__flow::Drain::Group(2usize)],
            hash: 3035631089594847525u64,
        };
        type Shared = __Shared;
        type Worker = __Worker;
        fn ports(&self) -> __flow::List<__flow::PortRef<'_>> {
            ::core::convert::Into::into([
                __flow::PortRef::Source(&self.orders),
                __flow::PortRef::Sink(&self.spent),
                __flow::PortRef::Trap(&self.bad_orders),
            ])
        }
        fn ports_mut(&mut self) -> __flow::List<__flow::PortMut<'_>> {
            ::core::convert::Into::into([
                __flow::PortMut::Source(&mut self.orders),
                __flow::PortMut::Sink(&mut self.spent),
                __flow::PortMut::Trap(&mut self.bad_orders),
            ])
        }
        fn read(
            port: usize,
            shared: &__Shared,
            worker: &mut __Worker,
            block: &__flow::Block<'_>,
            out: &mut __flow::Output,
        ) -> ::core::result::Result<(), __flow::Stop> {
            match port {
                0usize => __read_0(shared, worker, block, out),
                _ => ::core::result::Result::Ok(()),
            }
        }
        fn merge(worker: &mut __Worker, other: __Worker) {
            worker.group_2.merge(other.group_2);
        }
        fn drain(
            drain: usize,
            shared: &mut __Shared,
            worker: &mut __Worker,
            out: &mut __flow::Output,
        ) -> ::core::result::Result<__flow::Drained, __flow::Stop> {
            out.at_rows();
            match drain {
                0usize => __groups_2(shared, worker, out),
                _ => ::core::result::Result::Ok(__flow::Drained::Wholly),
            }
        }
        fn tables<'a>(
            shared: &'a __Shared,
            worker: &'a mut __Worker,
        ) -> __flow::List<__flow::TableMut<'a>> {
            ::core::convert::Into::into([
                __flow::TableMut::Groups {
                    operator: 2usize,
                    groups: &mut worker.group_2,
                },
            ])
        }
    }
};
