//! The access-log flow; what the macro prints for it is `../expansion/access_log_counts.rs`.

flow_runtime::flow! {
    /// Hits of every listed host.
    pub flow AccessLogCounts {
        source log { data: &str };                                  // read on from iteration to iteration; one field: the record as text
        table  hosts: TextDelimited(delimiter = "|") { ip: Option<&str> };   // read whole in every iteration
        sink   counts key(ip) { ip: Option<&str> as varchar(100), count: i64 add };
        trap   bad_lines for hits;

        hits = log
            -> Assert(NotNull)
            -> Each(data => RegexParser(r#"^([^ ]*) \S+ \S+ \[([\w:/]+\s[+\-]\d{4})\] "(.+?)" (\d{3}) ([^ ]*).*$"#)
                    => ip, time, request, response, size)
            -> Retain(ip);

        listed = hosts -> Rename(ip => userip);

        HashJoin(hits on ip, listed on userip, RightJoin)
            -> Discard(userip)
            -> GroupBy(ip)
            -> Every(Count => count)
            -> counts;
    }
}
