/// Failed and slow requests, by page.
///
/// ```text
/// requests: source requests
/// pages: Each(path => page_of => ALL, page: &str)
///     -> Discard(path, agent)
/// failed: Filter(status >= 400)
///     -> Insert(why: &str = "failed")
/// slow: Filter(millis.is_some_and(|millis| millis > 1_000))
///     -> Insert(why: &str = "slow")
/// Merge(failed, slow)
///     -> GroupBy(page, why)
///     -> Every(Count => hits)
///     -> Every(millis => Max => slowest)
/// troubles: sink troubles
/// ```
#[derive(::core::clone::Clone, ::core::fmt::Debug, ::core::default::Default)]
#[allow(
    clippy::exhaustive_structs,
    reason = "whoever binds the ports must name them all"
)]
pub struct PageTroubles {
    /// The source `requests` `{ path: &str, status: i16, millis: Option<i64>, agent: &str }`.
    pub requests: ::flow_runtime::__private::Source,
    /// The sink `troubles` `{ page: &str, why: &str, hits: i64, slowest: Option<i64> }`.
    pub troubles: ::flow_runtime::__private::Sink,
    /// The trap `bad_requests`.
    pub bad_requests: ::flow_runtime::__private::Trap,
}
/// Rows of [`PageTroubles`](super::PageTroubles), for tests.
#[allow(
    clippy::derive_partial_eq_without_eq,
    clippy::exhaustive_structs,
    reason = "a row has its port's fields"
)]
pub mod page_troubles {
    use ::flow_runtime::__private as __flow;
    /// A row of the source `requests`, borrowed.
    #[derive(
        ::core::clone::Clone,
        ::core::marker::Copy,
        ::core::fmt::Debug,
        ::core::cmp::PartialEq
    )]
    pub struct RequestsRow<'a> {
        /// The field `path`.
        pub path: &'a str,
        /// The field `status`.
        pub status: i16,
        /// The field `millis`.
        pub millis: ::core::option::Option<i64>,
        /// The field `agent`.
        pub agent: &'a str,
    }
    /// A row of the source `requests`.
    #[derive(::core::clone::Clone, ::core::fmt::Debug, ::core::cmp::PartialEq)]
    pub struct OwnedRequestsRow {
        /// The field `path`.
        pub path: __flow::OwnedText,
        /// The field `status`.
        pub status: i16,
        /// The field `millis`.
        pub millis: ::core::option::Option<i64>,
        /// The field `agent`.
        pub agent: __flow::OwnedText,
    }
    impl __flow::FromRow for OwnedRequestsRow {
        fn from_row<'a>(row: &mut __flow::RowReader<'a>) -> Self {
            Self {
                path: ::core::convert::Into::into(
                    <&'a str as __flow::Decode<'a>>::decode(row),
                ),
                status: <i16 as __flow::Decode<'a>>::decode(row),
                millis: <::core::option::Option<i64> as __flow::Decode<'a>>::decode(row),
                agent: ::core::convert::Into::into(
                    <&'a str as __flow::Decode<'a>>::decode(row),
                ),
            }
        }
    }
    /// A row of the sink `troubles`, borrowed.
    #[derive(
        ::core::clone::Clone,
        ::core::marker::Copy,
        ::core::fmt::Debug,
        ::core::cmp::PartialEq
    )]
    pub struct TroublesRow<'a> {
        /// The field `page`.
        pub page: &'a str,
        /// The field `why`.
        pub why: &'a str,
        /// The field `hits`.
        pub hits: i64,
        /// The field `slowest`.
        pub slowest: ::core::option::Option<i64>,
    }
    /// A row of the sink `troubles`.
    #[derive(::core::clone::Clone, ::core::fmt::Debug, ::core::cmp::PartialEq)]
    pub struct OwnedTroublesRow {
        /// The field `page`.
        pub page: __flow::OwnedText,
        /// The field `why`.
        pub why: __flow::OwnedText,
        /// The field `hits`.
        pub hits: i64,
        /// The field `slowest`.
        pub slowest: ::core::option::Option<i64>,
    }
    impl __flow::FromRow for OwnedTroublesRow {
        fn from_row<'a>(row: &mut __flow::RowReader<'a>) -> Self {
            Self {
                page: ::core::convert::Into::into(
                    <&'a str as __flow::Decode<'a>>::decode(row),
                ),
                why: ::core::convert::Into::into(
                    <&'a str as __flow::Decode<'a>>::decode(row),
                ),
                hits: <i64 as __flow::Decode<'a>>::decode(row),
                slowest: <::core::option::Option<i64> as __flow::Decode<'a>>::decode(row),
            }
        }
    }
}
const _: () = {
    use ::flow_runtime::__private as __flow;
    #[derive(::core::default::Default)]
    struct __Group8 {
        hits: __flow::Count,
        slowest: __flow::Max<i64>,
    }
    impl __flow::Accumulators for __Group8 {
        fn merge(&mut self, other: Self) {
            self.hits.merge(other.hits);
            self.slowest.merge(other.slowest);
        }
        fn encode(&self, bytes: &mut __flow::OwnedBytes) {
            __flow::Encode::encode(&self.hits, bytes);
            __flow::Encode::encode(&self.slowest, bytes);
        }
        fn decode(row: &mut __flow::RowReader<'_>) -> Self {
            Self {
                hits: __flow::Decode::decode(row),
                slowest: __flow::Decode::decode(row),
            }
        }
    }
    #[derive(::core::default::Default)]
    pub struct __Shared {}
    pub struct __Worker {
        key: __flow::KeyBuffer,
        unquoted_0_0: __flow::OwnedText,
        unquoted_0_1: __flow::OwnedText,
        unquoted_0_2: __flow::OwnedText,
        group_8: __flow::GroupTable<__Group8>,
    }
    impl ::core::default::Default for __Worker {
        fn default() -> Self {
            Self {
                key: ::core::default::Default::default(),
                unquoted_0_0: ::core::default::Default::default(),
                unquoted_0_1: ::core::default::Default::default(),
                unquoted_0_2: ::core::default::Default::default(),
                group_8: __flow::GroupTable::new(
                    &[__flow::Type::Text, __flow::Type::Text],
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
        const __SCHEME: __flow::Delimited = __flow::Delimited {
            delimiter: ",",
            quote: ::core::option::Option::Some(b'"'),
            columns: 4usize,
            strict: true,
        };
        let mut unquoted_0 = ::core::mem::take(&mut worker.unquoted_0_0);
        let mut unquoted_1 = ::core::mem::take(&mut worker.unquoted_0_1);
        let mut unquoted_2 = ::core::mem::take(&mut worker.unquoted_0_2);
        for record in block.records() {
            out.at_record(&record);
            out.count(0usize).rows_in += 1;
            if block.starts_shard() && record.index() == 0 {
                out.count(0usize).filtered += 1;
                continue;
            }
            'row_0: {
                let mut columns = __SCHEME.columns(&record);
                let cell_0 = match columns.text(&mut unquoted_0) {
                    ::core::result::Result::Ok(value) => value,
                    ::core::result::Result::Err(reason) => {
                        out.trap(2usize, 0usize, reason, |_| {});
                        break 'row_0;
                    }
                };
                let cell_1 = match columns.text(&mut unquoted_1) {
                    ::core::result::Result::Ok(value) => value,
                    ::core::result::Result::Err(reason) => {
                        out.trap(2usize, 0usize, reason, |_| {});
                        break 'row_0;
                    }
                };
                let cell_2 = match columns.text(&mut unquoted_2) {
                    ::core::result::Result::Ok(value) => value,
                    ::core::result::Result::Err(reason) => {
                        out.trap(2usize, 0usize, reason, |_| {});
                        break 'row_0;
                    }
                };
                if let ::core::result::Result::Err(reason) = columns.skip_text() {
                    out.trap(2usize, 0usize, reason, |_| {});
                    break 'row_0;
                }
                if let ::core::result::Result::Err(reason) = columns.end() {
                    out.trap(2usize, 0usize, reason, |_| {});
                    break 'row_0;
                }
                let path: &str = cell_0.unwrap_or_default();
                let status: i16 = match __flow::required::<i16>(cell_1, ()) {
                    ::core::result::Result::Ok(value) => value,
                    ::core::result::Result::Err(reason) => {
                        out.trap(2usize, 0usize, reason.of_field("status"), |_| {});
                        break 'row_0;
                    }
                };
                let millis: ::core::option::Option<i64> = match __flow::optional::<
                    i64,
                >(cell_2, ()) {
                    ::core::result::Result::Ok(value) => value,
                    ::core::result::Result::Err(reason) => {
                        out.trap(2usize, 0usize, reason.of_field("millis"), |_| {});
                        break 'row_0;
                    }
                };
                out.count(0usize).rows_out += 1;
                out.count(1usize).rows_in += 1;
                let page: __flow::Text<'_> = match __flow::Required::<
                    &str,
                    _,
                >::required(page_of(path)) {
                    ::core::result::Result::Ok(value) => value,
                    ::core::result::Result::Err(reason) => {
                        out.trap(2usize, 1usize, reason.of_field("page"), |_| {});
                        break 'row_0;
                    }
                };
                let page: &str = &page;
                out.count(1usize).rows_out += 1;
                'row_3: {
                    out.count(3usize).rows_in += 1;
                    let keep: bool = {
                        let status = status;
                        status >= 400
                    };
                    if !keep {
                        out.count(3usize).filtered += 1;
                        break 'row_3;
                    }
                    out.count(3usize).rows_out += 1;
                    out.count(4usize).rows_in += 1;
                    let why: __flow::Text<'_> = match __flow::Required::<
                        &str,
                        _,
                    >::required("failed") {
                        ::core::result::Result::Ok(value) => value,
                        ::core::result::Result::Err(reason) => {
                            out.trap(2usize, 4usize, reason.of_field("why"), |_| {});
                            break 'row_3;
                        }
                    };
                    let why: &str = &why;
                    out.count(4usize).rows_out += 1;
                    __behind_7(shared, worker, out, millis, page, why)?;
                }
                'row_5: {
                    out.count(5usize).rows_in += 1;
                    let keep: bool = {
                        let millis = millis;
                        millis.is_some_and(|millis| millis > 1_000)
                    };
                    if !keep {
                        out.count(5usize).filtered += 1;
                        break 'row_5;
                    }
                    out.count(5usize).rows_out += 1;
                    out.count(6usize).rows_in += 1;
                    let why: __flow::Text<'_> = match __flow::Required::<
                        &str,
                        _,
                    >::required("slow") {
                        ::core::result::Result::Ok(value) => value,
                        ::core::result::Result::Err(reason) => {
                            out.trap(2usize, 6usize, reason.of_field("why"), |_| {});
                            break 'row_5;
                        }
                    };
                    let why: &str = &why;
                    out.count(6usize).rows_out += 1;
                    __behind_7(shared, worker, out, millis, page, why)?;
                }
            }
        }
        worker.unquoted_0_0 = unquoted_0;
        worker.unquoted_0_1 = unquoted_1;
        worker.unquoted_0_2 = unquoted_2;
        ::core::result::Result::Ok(())
    }
    fn __behind_7(
        shared: &__Shared,
        worker: &mut __Worker,
        out: &mut __flow::Output,
        millis: ::core::option::Option<i64>,
        page: &str,
        why: &str,
    ) -> ::core::result::Result<(), __flow::Stop> {
        {
            out.count(8usize).rows_in += 1;
            worker.key.clear();
            __flow::Encode::encode(&page, &mut worker.key);
            __flow::Encode::encode(&why, &mut worker.key);
            let (group, heap) = worker.group_8.group(&worker.key);
            group.hits.update();
            group.slowest.update(millis);
        }
        ::core::result::Result::Ok(())
    }
    fn __groups_8(
        shared: &__Shared,
        worker: &mut __Worker,
        out: &mut __flow::Output,
    ) -> ::core::result::Result<__flow::Drained, __flow::Stop> {
        let groups = worker.group_8.take_loaded();
        for (mut key, group) in groups.iter() {
            let page: &str = __flow::Decode::decode(&mut key);
            let why: &str = __flow::Decode::decode(&mut key);
            out.count(8usize).rows_out += 1;
            'row_8: {
                let hits: i64 = group.hits.finish();
                let slowest: ::core::option::Option<i64> = group.slowest.finish();
                out.count(11usize).rows_in += 1;
                let row = out.rows[1usize].row();
                __flow::Encode::encode(&page, row);
                __flow::Encode::encode(&why, row);
                __flow::Encode::encode(&hits, row);
                __flow::Encode::encode(&slowest, row);
                if let ::core::result::Result::Err(reason) = out.accept(1usize) {
                    out.trap(
                        2usize,
                        11usize,
                        reason,
                        |row| {
                            row.field("page", &page);
                            row.field("why", &why);
                            row.field("hits", &hits);
                            row.field("slowest", &slowest);
                        },
                    );
                    break 'row_8;
                }
                out.count(11usize).rows_out += 1;
            }
        }
        ::core::result::Result::Ok(worker.group_8.drained())
    }
    impl __flow::Flow for PageTroubles {
        const PLAN: &'static __flow::Plan = &__flow::Plan {
            flow: "PageTroubles",
            about: "Failed and slow requests, by page.",
            ports: &[
                __flow::PortPlan {
                    name: "requests",
                    kind: __flow::PortKind::Source,
                    about: "",
                    scheme: "TextDelimited(delimiter = \",\", quote = '\"', header)",
                    fields: &[
                        __flow::FieldPlan {
                            name: "path",
                            ty: __flow::Type::Text,
                            nullable: false,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                        __flow::FieldPlan {
                            name: "status",
                            ty: __flow::Type::I16,
                            nullable: false,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                        __flow::FieldPlan {
                            name: "millis",
                            ty: __flow::Type::I64,
                            nullable: true,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                        __flow::FieldPlan {
                            name: "agent",
                            ty: __flow::Type::Text,
                            nullable: false,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                    ],
                    key: &[],
                    grouped: false,
                    covers: &[],
                    line: 9u32,
                },
                __flow::PortPlan {
                    name: "troubles",
                    kind: __flow::PortKind::Sink,
                    about: "",
                    scheme: "",
                    fields: &[
                        __flow::FieldPlan {
                            name: "page",
                            ty: __flow::Type::Text,
                            nullable: false,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                        __flow::FieldPlan {
                            name: "why",
                            ty: __flow::Type::Text,
                            nullable: false,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                        __flow::FieldPlan {
                            name: "hits",
                            ty: __flow::Type::I64,
                            nullable: false,
                            column: ::core::option::Option::None,
                            add: true,
                        },
                        __flow::FieldPlan {
                            name: "slowest",
                            ty: __flow::Type::I64,
                            nullable: true,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                    ],
                    key: &[0usize, 1usize],
                    grouped: true,
                    covers: &[],
                    line: 12u32,
                },
                __flow::PortPlan {
                    name: "bad_requests",
                    kind: __flow::PortKind::Trap,
                    about: "",
                    scheme: "",
                    fields: &[],
                    key: &[],
                    grouped: false,
                    covers: &[],
                    line: 13u32,
                },
            ],
            operators: &[
                __flow::OperatorPlan {
                    kind: "Read",
                    text: "source requests",
                    pipe: "requests",
                    inputs: &[],
                    port: ::core::option::Option::Some(0usize),
                    fields: &[
                        __flow::FieldPlan {
                            name: "path",
                            ty: __flow::Type::Text,
                            nullable: false,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                        __flow::FieldPlan {
                            name: "status",
                            ty: __flow::Type::I16,
                            nullable: false,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                        __flow::FieldPlan {
                            name: "millis",
                            ty: __flow::Type::I64,
                            nullable: true,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                        __flow::FieldPlan {
                            name: "agent",
                            ty: __flow::Type::Text,
                            nullable: false,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                    ],
                    read: &[true, true, true, false],
                    balance: __flow::Balance::RowByRow,
                    trap: ::core::option::Option::Some(2usize),
                    line: 9u32,
                    note: "",
                },
                __flow::OperatorPlan {
                    kind: "Each",
                    text: "Each(path => page_of => ALL, page: &str)",
                    pipe: "pages",
                    inputs: &[0usize],
                    port: ::core::option::Option::None,
                    fields: &[
                        __flow::FieldPlan {
                            name: "path",
                            ty: __flow::Type::Text,
                            nullable: false,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                        __flow::FieldPlan {
                            name: "status",
                            ty: __flow::Type::I16,
                            nullable: false,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                        __flow::FieldPlan {
                            name: "millis",
                            ty: __flow::Type::I64,
                            nullable: true,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                        __flow::FieldPlan {
                            name: "agent",
                            ty: __flow::Type::Text,
                            nullable: false,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                        __flow::FieldPlan {
                            name: "page",
                            ty: __flow::Type::Text,
                            nullable: false,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                    ],
                    read: &[false, true, true, false, true],
                    balance: __flow::Balance::RowByRow,
                    trap: ::core::option::Option::Some(2usize),
                    line: 15u32,
                    note: "",
                },
                __flow::OperatorPlan {
                    kind: "Discard",
                    text: "Discard(path, agent)",
                    pipe: "pages",
                    inputs: &[1usize],
                    port: ::core::option::Option::None,
                    fields: &[
                        __flow::FieldPlan {
                            name: "status",
                            ty: __flow::Type::I16,
                            nullable: false,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                        __flow::FieldPlan {
                            name: "millis",
                            ty: __flow::Type::I64,
                            nullable: true,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                        __flow::FieldPlan {
                            name: "page",
                            ty: __flow::Type::Text,
                            nullable: false,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                    ],
                    read: &[true, true, true],
                    balance: __flow::Balance::Through,
                    trap: ::core::option::Option::Some(2usize),
                    line: 15u32,
                    note: "",
                },
                __flow::OperatorPlan {
                    kind: "Filter",
                    text: "Filter(status >= 400)",
                    pipe: "failed",
                    inputs: &[2usize],
                    port: ::core::option::Option::None,
                    fields: &[
                        __flow::FieldPlan {
                            name: "status",
                            ty: __flow::Type::I16,
                            nullable: false,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                        __flow::FieldPlan {
                            name: "millis",
                            ty: __flow::Type::I64,
                            nullable: true,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                        __flow::FieldPlan {
                            name: "page",
                            ty: __flow::Type::Text,
                            nullable: false,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                    ],
                    read: &[false, true, true],
                    balance: __flow::Balance::RowByRow,
                    trap: ::core::option::Option::Some(2usize),
                    line: 17u32,
                    note: "",
                },
                __flow::OperatorPlan {
                    kind: "Insert",
                    text: "Insert(why: &str = \"failed\")",
                    pipe: "failed",
                    inputs: &[3usize],
                    port: ::core::option::Option::None,
                    fields: &[
                        __flow::FieldPlan {
                            name: "status",
                            ty: __flow::Type::I16,
                            nullable: false,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                        __flow::FieldPlan {
                            name: "millis",
                            ty: __flow::Type::I64,
                            nullable: true,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                        __flow::FieldPlan {
                            name: "page",
                            ty: __flow::Type::Text,
                            nullable: false,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                        __flow::FieldPlan {
                            name: "why",
                            ty: __flow::Type::Text,
                            nullable: false,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                    ],
                    read: &[false, true, true, true],
                    balance: __flow::Balance::RowByRow,
                    trap: ::core::option::Option::Some(2usize),
                    line: 17u32,
                    note: "",
                },
                __flow::OperatorPlan {
                    kind: "Filter",
                    text: "Filter(millis.is_some_and(|millis| millis > 1_000))",
                    pipe: "slow",
                    inputs: &[2usize],
                    port: ::core::option::Option::None,
                    fields: &[
                        __flow::FieldPlan {
                            name: "status",
                            ty: __flow::Type::I16,
                            nullable: false,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                        __flow::FieldPlan {
                            name: "millis",
                            ty: __flow::Type::I64,
                            nullable: true,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                        __flow::FieldPlan {
                            name: "page",
                            ty: __flow::Type::Text,
                            nullable: false,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                    ],
                    read: &[false, true, true],
                    balance: __flow::Balance::RowByRow,
                    trap: ::core::option::Option::Some(2usize),
                    line: 18u32,
                    note: "",
                },
                __flow::OperatorPlan {
                    kind: "Insert",
                    text: "Insert(why: &str = \"slow\")",
                    pipe: "slow",
                    inputs: &[5usize],
                    port: ::core::option::Option::None,
                    fields: &[
                        __flow::FieldPlan {
                            name: "status",
                            ty: __flow::Type::I16,
                            nullable: false,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                        __flow::FieldPlan {
                            name: "millis",
                            ty: __flow::Type::I64,
                            nullable: true,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                        __flow::FieldPlan {
                            name: "page",
                            ty: __flow::Type::Text,
                            nullable: false,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                        __flow::FieldPlan {
                            name: "why",
                            ty: __flow::Type::Text,
                            nullable: false,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                    ],
                    read: &[false, true, true, true],
                    balance: __flow::Balance::RowByRow,
                    trap: ::core::option::Option::Some(2usize),
                    line: 18u32,
                    note: "",
                },
                __flow::OperatorPlan {
                    kind: "Merge",
                    text: "Merge(failed, slow)",
                    pipe: "",
                    inputs: &[4usize, 6usize],
                    port: ::core::option::Option::None,
                    fields: &[
                        __flow::FieldPlan {
                            name: "status",
                            ty: __flow::Type::I16,
                            nullable: false,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                        __flow::FieldPlan {
                            name: "millis",
                            ty: __flow::Type::I64,
                            nullable: true,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                        __flow::FieldPlan {
                            name: "page",
                            ty: __flow::Type::Text,
                            nullable: false,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                        __flow::FieldPlan {
                            name: "why",
                            ty: __flow::Type::Text,
                            nullable: false,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                    ],
                    read: &[false, true, true, true],
                    balance: __flow::Balance::Through,
                    trap: ::core::option::Option::Some(2usize),
                    line: 20u32,
                    note: "",
                },
                __flow::OperatorPlan {
                    kind: "GroupBy",
                    text: "GroupBy(page, why)",
                    pipe: "",
                    inputs: &[7usize],
                    port: ::core::option::Option::None,
                    fields: &[
                        __flow::FieldPlan {
                            name: "page",
                            ty: __flow::Type::Text,
                            nullable: false,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                        __flow::FieldPlan {
                            name: "why",
                            ty: __flow::Type::Text,
                            nullable: false,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                    ],
                    read: &[true, true],
                    balance: __flow::Balance::Group,
                    trap: ::core::option::Option::Some(2usize),
                    line: 21u32,
                    note: "",
                },
                __flow::OperatorPlan {
                    kind: "Every",
                    text: "Every(Count => hits)",
                    pipe: "",
                    inputs: &[8usize],
                    port: ::core::option::Option::None,
                    fields: &[
                        __flow::FieldPlan {
                            name: "page",
                            ty: __flow::Type::Text,
                            nullable: false,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                        __flow::FieldPlan {
                            name: "why",
                            ty: __flow::Type::Text,
                            nullable: false,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                        __flow::FieldPlan {
                            name: "hits",
                            ty: __flow::Type::I64,
                            nullable: false,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                    ],
                    read: &[true, true, true],
                    balance: __flow::Balance::Through,
                    trap: ::core::option::Option::Some(2usize),
                    line: 22u32,
                    note: "",
                },
                __flow::OperatorPlan {
                    kind: "Every",
                    text: "Every(millis => Max => slowest)",
                    pipe: "",
                    inputs: &[9usize],
                    port: ::core::option::Option::None,
                    fields: &[
                        __flow::FieldPlan {
                            name: "page",
                            ty: __flow::Type::Text,
                            nullable: false,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                        __flow::FieldPlan {
                            name: "why",
                            ty: __flow::Type::Text,
                            nullable: false,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                        __flow::FieldPlan {
                            name: "hits",
                            ty: __flow::Type::I64,
                            nullable: false,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                        __flow::FieldPlan {
                            name: "slowest",
                            ty: __flow::Type::I64,
                            nullable: true,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                    ],
                    read: &[true, true, true, true],
                    balance: __flow::Balance::Through,
                    trap: ::core::option::Option::Some(2usize),
                    line: 23u32,
                    note: "",
                },
                __flow::OperatorPlan {
                    kind: "Write",
                    text: "sink troubles",
                    pipe: "troubles",
                    inputs: &[10usize],
                    port: ::core::option::Option::Some(1usize),
                    fields: &[
                        __flow::FieldPlan {
                            name: "page",
                            ty: __flow::Type::Text,
                            nullable: false,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                        __flow::FieldPlan {
                            name: "why",
                            ty: __flow::Type::Text,
                            nullable: false,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                        __flow::FieldPlan {
                            name: "hits",
                            ty: __flow::Type::I64,
                            nullable: false,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                        __flow::FieldPlan {
                            name: "slowest",
                            ty: __flow::Type::I64,
                            nullable: true,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                    ],
                    read: &[false, false, false, false],
                    balance: __flow::Balance::RowByRow,
                    trap: ::core::option::Option::Some(2usize),
                    line: 24u32,
                    note: "",
                },
            ],
            steps: &[__flow::Step::Read(&[0usize]), __flow::Step::Drain(0usize)],
            drains: &[__flow::Drain::Group(8usize)],
            hash: 8441627179793251741u64,
        };
        type Shared = __Shared;
        type Worker = __Worker;
        fn ports(&self) -> __flow::List<__flow::PortRef<'_>> {
            ::core::convert::Into::into([
                __flow::PortRef::Source(&self.requests),
                __flow::PortRef::Sink(&self.troubles),
                __flow::PortRef::Trap(&self.bad_requests),
            ])
        }
        fn ports_mut(&mut self) -> __flow::List<__flow::PortMut<'_>> {
            ::core::convert::Into::into([
                __flow::PortMut::Source(&mut self.requests),
                __flow::PortMut::Sink(&mut self.troubles),
                __flow::PortMut::Trap(&mut self.bad_requests),
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
            worker.group_8.merge(other.group_8);
        }
        fn drain(
            drain: usize,
            shared: &mut __Shared,
            worker: &mut __Worker,
            out: &mut __flow::Output,
        ) -> ::core::result::Result<__flow::Drained, __flow::Stop> {
            out.at_rows();
            match drain {
                0usize => __groups_8(shared, worker, out),
                _ => ::core::result::Result::Ok(__flow::Drained::Wholly),
            }
        }
        fn tables<'a>(
            shared: &'a __Shared,
            worker: &'a mut __Worker,
        ) -> __flow::List<__flow::TableMut<'a>> {
            ::core::convert::Into::into([
                __flow::TableMut::Groups {
                    operator: 8usize,
                    groups: &mut worker.group_8,
                },
            ])
        }
    }
};
