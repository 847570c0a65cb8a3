/// Hits of every listed host.
///
/// ```text
/// log: source log
/// hits: Assert(NotNull)
///     -> Each(data => RegexParser(r#"^([^ ]*) \S+ \S+ \[([\w:/]+\s[+\-]\d{4})\] "(.+?)" (\d{3}) ([^ ]*).*$"#) => ip, time, request, response, size)
///     -> Retain(ip)
/// hosts: table hosts
/// listed: Rename(ip => userip)
/// HashJoin(hits on ip, listed on userip, RightJoin)
///     -> Discard(userip)
///     -> GroupBy(ip)
///     -> Every(Count => count)
/// counts: sink counts
/// ```
#[derive(::core::clone::Clone, ::core::fmt::Debug, ::core::default::Default)]
#[allow(
    clippy::exhaustive_structs,
    reason = "whoever binds the ports must name them all"
)]
pub struct AccessLogCounts {
    /// The source `log` `{ data: &str }`.
    pub log: ::flow_runtime::__private::Source,
    /// The table `hosts` `{ ip: Option<&str> }`.
    pub hosts: ::flow_runtime::__private::Table,
    /// The sink `counts` `{ ip: Option<&str>, count: i64 }`.
    pub counts: ::flow_runtime::__private::Sink,
    /// The trap `bad_lines`.
    pub bad_lines: ::flow_runtime::__private::Trap,
}
/// Rows of [`AccessLogCounts`](super::AccessLogCounts), for tests.
#[allow(
    clippy::derive_partial_eq_without_eq,
    clippy::exhaustive_structs,
    reason = "a row has its port's fields"
)]
pub mod access_log_counts {
    use ::flow_runtime::__private as __flow;
    /// A row of the source `log`, borrowed.
    #[derive(
        ::core::clone::Clone,
        ::core::marker::Copy,
        ::core::fmt::Debug,
        ::core::cmp::PartialEq
    )]
    pub struct LogRow<'a> {
        /// The field `data`.
        pub data: &'a str,
    }
    /// A row of the source `log`.
    #[derive(::core::clone::Clone, ::core::fmt::Debug, ::core::cmp::PartialEq)]
    pub struct OwnedLogRow {
        /// The field `data`.
        pub data: __flow::OwnedText,
    }
    impl __flow::FromRow for OwnedLogRow {
        fn from_row<'a>(row: &mut __flow::RowReader<'a>) -> Self {
            Self {
                data: ::core::convert::Into::into(
                    <&'a str as __flow::Decode<'a>>::decode(row),
                ),
            }
        }
    }
    /// A row of the table `hosts`, borrowed.
    #[derive(
        ::core::clone::Clone,
        ::core::marker::Copy,
        ::core::fmt::Debug,
        ::core::cmp::PartialEq
    )]
    pub struct HostsRow<'a> {
        /// The field `ip`.
        pub ip: ::core::option::Option<&'a str>,
    }
    /// A row of the table `hosts`.
    #[derive(::core::clone::Clone, ::core::fmt::Debug, ::core::cmp::PartialEq)]
    pub struct OwnedHostsRow {
        /// The field `ip`.
        pub ip: ::core::option::Option<__flow::OwnedText>,
    }
    impl __flow::FromRow for OwnedHostsRow {
        fn from_row<'a>(row: &mut __flow::RowReader<'a>) -> Self {
            Self {
                ip: <::core::option::Option<&'a str> as __flow::Decode<'a>>::decode(row)
                    .map(::core::convert::Into::into),
            }
        }
    }
    /// A row of the sink `counts`, borrowed.
    #[derive(
        ::core::clone::Clone,
        ::core::marker::Copy,
        ::core::fmt::Debug,
        ::core::cmp::PartialEq
    )]
    pub struct CountsRow<'a> {
        /// The field `ip`.
        pub ip: ::core::option::Option<&'a str>,
        /// The field `count`.
        pub count: i64,
    }
    /// A row of the sink `counts`.
    #[derive(::core::clone::Clone, ::core::fmt::Debug, ::core::cmp::PartialEq)]
    pub struct OwnedCountsRow {
        /// The field `ip`.
        pub ip: ::core::option::Option<__flow::OwnedText>,
        /// The field `count`.
        pub count: i64,
    }
    impl __flow::FromRow for OwnedCountsRow {
        fn from_row<'a>(row: &mut __flow::RowReader<'a>) -> Self {
            Self {
                ip: <::core::option::Option<&'a str> as __flow::Decode<'a>>::decode(row)
                    .map(::core::convert::Into::into),
                count: <i64 as __flow::Decode<'a>>::decode(row),
            }
        }
    }
}
const _: () = {
    use ::flow_runtime::__private as __flow;
    struct __Join6 {}
    impl __flow::HeapBytes for __Join6 {
        fn heap_bytes(&self) -> usize {
            0
        }
    }
    #[derive(::core::default::Default)]
    struct __Group8 {
        count: __flow::Count,
    }
    impl __flow::Accumulators for __Group8 {
        fn merge(&mut self, other: Self) {
            self.count.merge(other.count);
        }
        fn encode(&self, bytes: &mut __flow::OwnedBytes) {
            __flow::Encode::encode(&self.count, bytes);
        }
        fn decode(row: &mut __flow::RowReader<'_>) -> Self {
            Self {
                count: __flow::Decode::decode(row),
            }
        }
    }
    #[derive(::core::default::Default)]
    pub struct __Shared {
        join_6: __flow::JoinTable<__Join6>,
    }
    pub struct __Worker {
        key: __flow::KeyBuffer,
        sequence: u64,
        state_2: __flow::Pattern,
        unquoted_4_0: __flow::OwnedText,
        build_6: __flow::JoinBuild<__Join6>,
        matched_6: __flow::Matched,
        group_8: __flow::GroupTable<__Group8>,
    }
    impl ::core::default::Default for __Worker {
        fn default() -> Self {
            Self {
                key: ::core::default::Default::default(),
                sequence: ::core::default::Default::default(),
                state_2: __flow::Pattern::new(
                    r#"^(?:[^ ]*) [[:^space:]]+ [[:^space:]]+ \[(?:[[:word:]:/]+[[:space:]][+\-][[:digit:]]{4})\] "(?:.+?)" (?:[[:digit:]]{3}) (?:[^ ]*).*$"#,
                ),
                unquoted_4_0: ::core::default::Default::default(),
                build_6: ::core::default::Default::default(),
                matched_6: ::core::default::Default::default(),
                group_8: __flow::GroupTable::new(&[__flow::Type::Text]),
            }
        }
    }
    fn __read_0(
        shared: &__Shared,
        worker: &mut __Worker,
        block: &__flow::Block<'_>,
        out: &mut __flow::Output,
    ) -> ::core::result::Result<(), __flow::Stop> {
        worker.sequence = block.sequence();
        for record in block.records() {
            out.at_record(&record);
            out.count(0usize).rows_in += 1;
            'row_0: {
                let data: &str = match record.text() {
                    ::core::result::Result::Ok(value) => value,
                    ::core::result::Result::Err(reason) => {
                        out.trap(3usize, 0usize, reason, |_| {});
                        break 'row_0;
                    }
                };
                out.count(0usize).rows_out += 1;
                out.count(2usize).rows_in += 1;
                let text: &str = data;
                if !worker.state_2.is_match(text) {
                    out.trap(
                        3usize,
                        2usize,
                        __flow::Reason::new("the pattern does not match"),
                        |_| {},
                    );
                    break 'row_0;
                }
                let end_0 = __flow::up_to(text, 0, b' ');
                let ip: &str = text.get(0..end_0).unwrap_or_default();
                out.count(2usize).rows_out += 1;
                out.count(6usize).rows_in += 1;
                worker.key.clear();
                __flow::Encode::encode(&ip, &mut worker.key);
                if let ::core::option::Option::Some(entry) = shared
                    .join_6
                    .find(&worker.key)
                {
                    worker.matched_6.mark(entry);
                    for held in shared.join_6.rows(entry) {
                        out.count(6usize).rows_out += 1;
                        __behind_6(
                            shared,
                            worker,
                            out,
                            ::core::option::Option::Some(ip),
                        )?;
                    }
                } else {
                    out.count(6usize).filtered += 1;
                }
            }
        }
        ::core::result::Result::Ok(())
    }
    fn __read_4(
        shared: &__Shared,
        worker: &mut __Worker,
        block: &__flow::Block<'_>,
        out: &mut __flow::Output,
    ) -> ::core::result::Result<(), __flow::Stop> {
        worker.sequence = block.sequence();
        const __SCHEME: __flow::Delimited = __flow::Delimited {
            delimiter: "|",
            quote: ::core::option::Option::None,
            columns: 1usize,
            strict: true,
        };
        let mut unquoted_0 = ::core::mem::take(&mut worker.unquoted_4_0);
        for record in block.records() {
            out.at_record(&record);
            out.count(4usize).rows_in += 1;
            {
                let mut columns = __SCHEME.columns(&record);
                let cell_0 = match columns.text(&mut unquoted_0) {
                    ::core::result::Result::Ok(value) => value,
                    ::core::result::Result::Err(reason) => {
                        return ::core::result::Result::Err(
                            out.stop(4usize, reason, |_| {}),
                        );
                    }
                };
                if let ::core::result::Result::Err(reason) = columns.end() {
                    return ::core::result::Result::Err(out.stop(4usize, reason, |_| {}));
                }
                let ip: ::core::option::Option<&str> = cell_0
                    .filter(|cell| !cell.is_empty());
                out.count(4usize).rows_out += 1;
                let userip = ip;
                worker.key.clear();
                __flow::Encode::encode(&userip, &mut worker.key);
                worker.build_6.push(worker.sequence, &worker.key, __Join6 {});
            }
        }
        worker.unquoted_4_0 = unquoted_0;
        ::core::result::Result::Ok(())
    }
    fn __behind_6(
        shared: &__Shared,
        worker: &mut __Worker,
        out: &mut __flow::Output,
        ip: ::core::option::Option<&str>,
    ) -> ::core::result::Result<(), __flow::Stop> {
        {
            out.count(8usize).rows_in += 1;
            worker.key.clear();
            __flow::Encode::encode(&ip, &mut worker.key);
            let (group, heap) = worker.group_8.group(&worker.key);
            group.count.update();
        }
        ::core::result::Result::Ok(())
    }
    fn __unmatched_6(
        shared: &__Shared,
        worker: &mut __Worker,
        out: &mut __flow::Output,
    ) -> ::core::result::Result<__flow::Drained, __flow::Stop> {
        for held in shared.join_6.unmatched(&mut worker.matched_6) {
            out.count(6usize).rows_out += 1;
            __behind_6(shared, worker, out, ::core::option::Option::None)?;
        }
        ::core::result::Result::Ok(worker.matched_6.drained())
    }
    fn __groups_8(
        shared: &__Shared,
        worker: &mut __Worker,
        out: &mut __flow::Output,
    ) -> ::core::result::Result<__flow::Drained, __flow::Stop> {
        let groups = worker.group_8.take_loaded();
        for (mut key, group) in groups.iter() {
            let ip: ::core::option::Option<&str> = __flow::Decode::decode(&mut key);
            out.count(8usize).rows_out += 1;
            {
                let count: i64 = group.count.finish();
                out.count(10usize).rows_in += 1;
                let row = out.rows[2usize].row();
                __flow::Encode::encode(&ip, row);
                __flow::Encode::encode(&count, row);
                if let ::core::result::Result::Err(reason) = out.accept(2usize) {
                    return ::core::result::Result::Err(
                        out
                            .stop(
                                10usize,
                                reason,
                                |row| {
                                    row.field("ip", &ip);
                                    row.field("count", &count);
                                },
                            ),
                    );
                }
                out.count(10usize).rows_out += 1;
            }
        }
        ::core::result::Result::Ok(worker.group_8.drained())
    }
    impl __flow::Flow for AccessLogCounts {
        const PLAN: &'static __flow::Plan = &__flow::Plan {
            flow: "AccessLogCounts",
            about: "Hits of every listed host.",
            ports: &[
                __flow::PortPlan {
                    name: "log",
                    kind: __flow::PortKind::Source,
                    about: "",
                    scheme: "TextLine",
                    fields: &[
                        __flow::FieldPlan {
                            name: "data",
                            ty: __flow::Type::Text,
                            nullable: false,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                    ],
                    key: &[],
                    grouped: false,
                    covers: &[],
                    line: 6u32,
                },
                __flow::PortPlan {
                    name: "hosts",
                    kind: __flow::PortKind::Table,
                    about: "",
                    scheme: "TextDelimited(delimiter = \"|\")",
                    fields: &[
                        __flow::FieldPlan {
                            name: "ip",
                            ty: __flow::Type::Text,
                            nullable: true,
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
                    name: "counts",
                    kind: __flow::PortKind::Sink,
                    about: "",
                    scheme: "",
                    fields: &[
                        __flow::FieldPlan {
                            name: "ip",
                            ty: __flow::Type::Text,
                            nullable: true,
                            column: ::core::option::Option::Some("varchar(100)"),
                            add: false,
                        },
                        __flow::FieldPlan {
                            name: "count",
                            ty: __flow::Type::I64,
                            nullable: false,
                            column: ::core::option::Option::None,
                            add: true,
                        },
                    ],
                    key: &[0usize],
                    grouped: true,
                    covers: &[],
                    line: 8u32,
                },
                __flow::PortPlan {
                    name: "bad_lines",
                    kind: __flow::PortKind::Trap,
                    about: "",
                    scheme: "",
                    fields: &[],
                    key: &[],
                    grouped: false,
                    covers: &["hits"],
                    line: 9u32,
                },
            ],
            operators: &[
                __flow::OperatorPlan {
                    kind: "Read",
                    text: "source log",
                    pipe: "log",
                    inputs: &[],
                    port: ::core::option::Option::Some(0usize),
                    fields: &[
                        __flow::FieldPlan {
                            name: "data",
                            ty: __flow::Type::Text,
                            nullable: false,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                    ],
                    read: &[true],
                    balance: __flow::Balance::RowByRow,
                    trap: ::core::option::Option::Some(3usize),
                    line: 6u32,
                    note: "",
                },
                __flow::OperatorPlan {
                    kind: "Assert",
                    text: "Assert(NotNull)",
                    pipe: "hits",
                    inputs: &[0usize],
                    port: ::core::option::Option::None,
                    fields: &[
                        __flow::FieldPlan {
                            name: "data",
                            ty: __flow::Type::Text,
                            nullable: false,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                    ],
                    read: &[true],
                    balance: __flow::Balance::Through,
                    trap: ::core::option::Option::Some(3usize),
                    line: 12u32,
                    note: "",
                },
                __flow::OperatorPlan {
                    kind: "Each",
                    text: "Each(data => RegexParser(r#\"^([^ ]*) \\S+ \\S+ \\[([\\w:/]+\\s[+\\-]\\d{4})\\] \"(.+?)\" (\\d{3}) ([^ ]*).*$\"#) => ip, time, request, response, size)",
                    pipe: "hits",
                    inputs: &[1usize],
                    port: ::core::option::Option::None,
                    fields: &[
                        __flow::FieldPlan {
                            name: "ip",
                            ty: __flow::Type::Text,
                            nullable: false,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                        __flow::FieldPlan {
                            name: "time",
                            ty: __flow::Type::Text,
                            nullable: false,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                        __flow::FieldPlan {
                            name: "request",
                            ty: __flow::Type::Text,
                            nullable: false,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                        __flow::FieldPlan {
                            name: "response",
                            ty: __flow::Type::Text,
                            nullable: false,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                        __flow::FieldPlan {
                            name: "size",
                            ty: __flow::Type::Text,
                            nullable: false,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                    ],
                    read: &[true, false, false, false, false],
                    balance: __flow::Balance::RowByRow,
                    trap: ::core::option::Option::Some(3usize),
                    line: 13u32,
                    note: "",
                },
                __flow::OperatorPlan {
                    kind: "Retain",
                    text: "Retain(ip)",
                    pipe: "hits",
                    inputs: &[2usize],
                    port: ::core::option::Option::None,
                    fields: &[
                        __flow::FieldPlan {
                            name: "ip",
                            ty: __flow::Type::Text,
                            nullable: false,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                    ],
                    read: &[true],
                    balance: __flow::Balance::Through,
                    trap: ::core::option::Option::Some(3usize),
                    line: 15u32,
                    note: "",
                },
                __flow::OperatorPlan {
                    kind: "Read",
                    text: "table hosts",
                    pipe: "hosts",
                    inputs: &[],
                    port: ::core::option::Option::Some(1usize),
                    fields: &[
                        __flow::FieldPlan {
                            name: "ip",
                            ty: __flow::Type::Text,
                            nullable: true,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                    ],
                    read: &[true],
                    balance: __flow::Balance::RowByRow,
                    trap: ::core::option::Option::None,
                    line: 7u32,
                    note: "",
                },
                __flow::OperatorPlan {
                    kind: "Rename",
                    text: "Rename(ip => userip)",
                    pipe: "listed",
                    inputs: &[4usize],
                    port: ::core::option::Option::None,
                    fields: &[
                        __flow::FieldPlan {
                            name: "userip",
                            ty: __flow::Type::Text,
                            nullable: true,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                    ],
                    read: &[true],
                    balance: __flow::Balance::Through,
                    trap: ::core::option::Option::None,
                    line: 17u32,
                    note: "",
                },
                __flow::OperatorPlan {
                    kind: "HashJoin",
                    text: "HashJoin(hits on ip, listed on userip, RightJoin)",
                    pipe: "",
                    inputs: &[3usize, 5usize],
                    port: ::core::option::Option::None,
                    fields: &[
                        __flow::FieldPlan {
                            name: "ip",
                            ty: __flow::Type::Text,
                            nullable: true,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                        __flow::FieldPlan {
                            name: "userip",
                            ty: __flow::Type::Text,
                            nullable: true,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                    ],
                    read: &[true, false],
                    balance: __flow::Balance::FanOut,
                    trap: ::core::option::Option::None,
                    line: 19u32,
                    note: "",
                },
                __flow::OperatorPlan {
                    kind: "Discard",
                    text: "Discard(userip)",
                    pipe: "",
                    inputs: &[6usize],
                    port: ::core::option::Option::None,
                    fields: &[
                        __flow::FieldPlan {
                            name: "ip",
                            ty: __flow::Type::Text,
                            nullable: true,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                    ],
                    read: &[true],
                    balance: __flow::Balance::Through,
                    trap: ::core::option::Option::None,
                    line: 20u32,
                    note: "",
                },
                __flow::OperatorPlan {
                    kind: "GroupBy",
                    text: "GroupBy(ip)",
                    pipe: "",
                    inputs: &[7usize],
                    port: ::core::option::Option::None,
                    fields: &[
                        __flow::FieldPlan {
                            name: "ip",
                            ty: __flow::Type::Text,
                            nullable: true,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                    ],
                    read: &[true],
                    balance: __flow::Balance::Group,
                    trap: ::core::option::Option::None,
                    line: 21u32,
                    note: "`ip` is null for rows that met no partner in the join: they form one group",
                },
                __flow::OperatorPlan {
                    kind: "Every",
                    text: "Every(Count => count)",
                    pipe: "",
                    inputs: &[8usize],
                    port: ::core::option::Option::None,
                    fields: &[
                        __flow::FieldPlan {
                            name: "ip",
                            ty: __flow::Type::Text,
                            nullable: true,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                        __flow::FieldPlan {
                            name: "count",
                            ty: __flow::Type::I64,
                            nullable: false,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                    ],
                    read: &[true, true],
                    balance: __flow::Balance::Through,
                    trap: ::core::option::Option::None,
                    line: 22u32,
                    note: "",
                },
                __flow::OperatorPlan {
                    kind: "Write",
                    text: "sink counts",
                    pipe: "counts",
                    inputs: &[9usize],
                    port: ::core::option::Option::Some(2usize),
                    fields: &[
                        __flow::FieldPlan {
                            name: "ip",
                            ty: __flow::Type::Text,
                            nullable: true,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                        __flow::FieldPlan {
                            name: "count",
                            ty: __flow::Type::I64,
                            nullable: false,
                            column: ::core::option::Option::None,
                            add: false,
                        },
                    ],
                    read: &[false, false],
                    balance: __flow::Balance::RowByRow,
                    trap: ::core::option::Option::None,
                    line: 23u32,
                    note: "",
                },
            ],
            steps: &[
                __flow::Step::Read(&[1usize]),
                __flow::Step::Drain(0usize),
                __flow::Step::Read(&[0usize]),
                __flow::Step::Drain(1usize),
                __flow::Step::Drain(2usize),
            ],
            drains: &[
                __flow::Drain::Freeze(6usize),
                __flow::Drain::Unmatched(6usize),
                __flow::Drain::Group(8usize),
            ],
            hash: 14831070998265501396u64,
        };
        type Shared = __Shared;
        type Worker = __Worker;
        fn ports(&self) -> __flow::List<__flow::PortRef<'_>> {
            ::core::convert::Into::into([
                __flow::PortRef::Source(&self.log),
                __flow::PortRef::Table(&self.hosts),
                __flow::PortRef::Sink(&self.counts),
                __flow::PortRef::Trap(&self.bad_lines),
            ])
        }
        fn ports_mut(&mut self) -> __flow::List<__flow::PortMut<'_>> {
            ::core::convert::Into::into([
                __flow::PortMut::Source(&mut self.log),
                __flow::PortMut::Table(&mut self.hosts),
                __flow::PortMut::Sink(&mut self.counts),
                __flow::PortMut::Trap(&mut self.bad_lines),
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
                1usize => __read_4(shared, worker, block, out),
                _ => ::core::result::Result::Ok(()),
            }
        }
        fn merge(worker: &mut __Worker, other: __Worker) {
            worker.build_6.append(other.build_6);
            worker.matched_6.merge(other.matched_6);
            worker.group_8.merge(other.group_8);
        }
        fn drain(
            drain: usize,
            shared: &mut __Shared,
            worker: &mut __Worker,
            out: &mut __flow::Output,
        ) -> ::core::result::Result<__flow::Drained, __flow::Stop> {
            out.at_rows();
            worker.sequence = u64::MAX;
            match drain {
                0usize => {
                    shared.join_6 = __flow::JoinTable::freeze(
                        ::core::mem::take(&mut worker.build_6),
                        &[__flow::Type::Text],
                    );
                    ::core::result::Result::Ok(__flow::Drained::Wholly)
                }
                1usize => __unmatched_6(shared, worker, out),
                2usize => __groups_8(shared, worker, out),
                _ => ::core::result::Result::Ok(__flow::Drained::Wholly),
            }
        }
        fn tables<'a>(
            shared: &'a __Shared,
            worker: &'a mut __Worker,
        ) -> __flow::List<__flow::TableMut<'a>> {
            ::core::convert::Into::into([
                __flow::TableMut::Frozen {
                    operator: 6usize,
                    bytes: shared.join_6.held_bytes(),
                },
                __flow::TableMut::Join {
                    operator: 6usize,
                    bytes: worker.build_6.held_bytes() + worker.matched_6.held_bytes(),
                },
                __flow::TableMut::Groups {
                    operator: 8usize,
                    groups: &mut worker.group_8,
                },
            ])
        }
    }
};
