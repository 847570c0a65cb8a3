//! DDL as Redshift takes it, what it notes of it, and what it does not enforce.

use flow_services::redshift;

use crate::client::Client;

#[test]
fn it_says_that_it_is_redshift_and_how_it_ends_statements() {
    let Some(redshift) = redshift() else { return };
    let mut client = Client::connect(redshift);
    assert_eq!(client.version, "8.0.2");
    assert!(client.rows("SELECT version()")[0].contains("Redshift"));
    assert_eq!(client.ask("SELECT 1").tags, ["SELECT"]);
    assert_eq!(client.ask("CREATE TABLE said AS SELECT 1 AS n").tags, ["SELECT"]);
    assert_eq!(client.ask("INSERT INTO said VALUES (2), (3)").tags, ["INSERT 0 2"]);
    assert_eq!(client.rows("SELECT getdate() <= sysdate + interval '1 day' AND SYSDATE > '2026-01-01'"), ["t"]);
}

#[test]
fn distribution_sort_keys_and_encodings_are_taken_and_can_be_looked_up() {
    let Some(redshift) = redshift() else { return };
    let mut client = Client::connect(redshift);
    client.rows(
        "CREATE TABLE IF NOT EXISTS laid_out (\"IP\" varchar(100) ENCODE zstd NOT NULL, count bigint DEFAULT 0, day date, \
         amount decimal(38,2) ENCODE az64) BACKUP NO DISTSTYLE KEY DISTKEY(ip) COMPOUND SORTKEY (day, \"ip\")",
    );
    let columns =
        "SELECT \"column\", type, encoding, distkey, sortkey, \"notnull\" FROM pg_table_def WHERE tablename = ";
    let wanted = [
        "ip|character varying(100)|zstd|t|2|t",
        "count|bigint|none|f|0|f",
        "day|date|none|f|1|f",
        "amount|numeric(38,2)|az64|f|0|f",
    ];
    assert_eq!(client.rows(&format!("{columns} 'laid_out'")), wanted);
    client.rows("CREATE TABLE laid_beside (n int DISTKEY SORTKEY, m int)");
    assert_eq!(client.rows(&format!("{columns} 'laid_beside'")), ["n|integer|none|t|1|f", "m|integer|none|f|0|f"]);
    client.rows("CREATE TABLE laid_all DISTSTYLE ALL SORTKEY AUTO AS SELECT 1 AS n");
    client.rows("CREATE TABLE laid_auto (n int)");
    let tables = "SELECT \"table\", diststyle, sortkey1, sortkey_num FROM svv_table_info WHERE \"table\" LIKE 'laid%' ORDER BY 1";
    let wanted = ["laid_all|ALL|∅|0", "laid_auto|AUTO(ALL)|∅|0", "laid_beside|KEY(n)|n|1", "laid_out|KEY(ip)|day|2"];
    assert_eq!(client.rows(tables), wanted);
}

#[test]
fn keys_are_taken_and_not_enforced() {
    let Some(redshift) = redshift() else { return };
    let mut client = Client::connect(redshift);
    client.rows("CREATE TABLE keyed (id int PRIMARY KEY, name varchar(9) UNIQUE, UNIQUE (id, name))");
    client.rows("CREATE TABLE keyed_to (id int REFERENCES keyed (id), n int, FOREIGN KEY (n) REFERENCES keyed)");
    client.rows("ALTER TABLE keyed_to ADD PRIMARY KEY (n)");
    for table in ["keyed", "keyed_to"] {
        client.rows(&format!("INSERT INTO {table} VALUES (1, 2), (1, 2)"));
        assert_eq!(client.rows(&format!("SELECT count(*) FROM {table}")), ["2"]);
    }
    assert!(client.error("INSERT INTO keyed VALUES (NULL, 'a')").contains("null value in column \"id\""));
}

#[test]
fn a_varchar_counts_bytes_however_the_table_was_made() {
    let Some(redshift) = redshift() else { return };
    let mut client = Client::connect(redshift);
    client.rows("CREATE TABLE bytes (a varchar(4), b varchar(max), c varchar, d text, e character varying(2))");
    client.rows("CREATE TABLE bytes_like (LIKE bytes)");
    client.rows("CREATE TEMP TABLE bytes_as AS SELECT a FROM bytes");
    client.rows("CREATE TABLE bytes_added (n int)");
    client.rows("ALTER TABLE bytes_added ADD COLUMN a varchar(4)");
    for table in ["bytes", "bytes_like", "bytes_as", "bytes_added"] {
        client.rows(&format!("INSERT INTO {table} (a) VALUES ('abcd'), ('äö')"));
        for text in ["abcde", "aäö"] {
            let error = client.error(&format!("INSERT INTO {table} (a) VALUES ('{text}')"));
            assert_eq!(error, "22001 value too long for type character varying(4)", "{table} {text}");
        }
    }
    let types = client.rows("SELECT type FROM pg_table_def WHERE tablename = 'bytes'");
    let lengths = ["4", "65535", "256", "256", "2"].map(|length| format!("character varying({length})"));
    assert_eq!(types, lengths);
    client.rows("ALTER TABLE bytes_added ALTER COLUMN a TYPE varchar(5)");
    client.rows("INSERT INTO bytes_added (a) VALUES ('aäö')");
    let error = client.error("CREATE TABLE wide (a varchar(65536))");
    assert_eq!(error, "22023 length for type character varying cannot exceed 65535");
}

#[test]
fn blanks_at_the_end_of_a_varchar_do_not_count_where_it_is_compared() {
    let Some(redshift) = redshift() else { return };
    let mut client = Client::connect(redshift);
    client.rows("CREATE TABLE blanks (k varchar(9)); CREATE TABLE beside_blanks (k varchar(9))");
    client.rows("INSERT INTO blanks VALUES ('a'), ('a '), ('b'); INSERT INTO beside_blanks VALUES ('a  ')");
    for (sql, wanted) in [
        ("SELECT count(DISTINCT k) FROM blanks", "2"),
        ("SELECT count(*) FROM blanks WHERE k = 'a   '", "2"),
        ("SELECT count(*) FROM blanks JOIN beside_blanks USING (k)", "2"),
        (
            "SELECT count(*) FROM (SELECT row_number() OVER (PARTITION BY k ORDER BY 1) n FROM blanks) t WHERE n = 1",
            "2",
        ),
        ("SELECT count(DISTINCT md5(k)), max(octet_length(k)) FROM blanks", "3|2"),
    ] {
        assert_eq!(client.rows(sql), [wanted], "{sql}");
    }
}

#[test]
fn rows_of_another_table_are_found_by_what_is_equal() {
    let Some(redshift) = redshift() else { return };
    let mut client = Client::connect(redshift);
    client.rows("CREATE TABLE joined (k int, n int); CREATE TABLE joined_to (k int, n int)");
    let error = client.error("UPDATE joined t SET n = i.n FROM joined_to i WHERE t.k IS NULL AND i.k IS NULL");
    assert_eq!(error, "XX000 Target table must be part of an equijoin predicate");
    client.rows("UPDATE joined t SET n = i.n FROM joined_to i WHERE t.k = i.k");
    client.rows("UPDATE joined SET n = 1 WHERE k IS NULL");
}

#[test]
fn truncate_commits_what_came_before_it() {
    let Some(redshift) = redshift() else { return };
    let mut client = Client::connect(redshift);
    client.rows("CREATE TABLE cut (n int)");
    client.rows("INSERT INTO cut VALUES (1)");
    client.rows("CREATE TABLE beside (n int)");
    client.rows("BEGIN");
    client.rows("INSERT INTO beside VALUES (1)");
    assert_eq!(client.ask("TRUNCATE cut").status, 'I');
    assert_eq!(client.ask("ROLLBACK").tags, ["ROLLBACK"]);
    assert_eq!(client.rows("SELECT count(*) FROM cut"), ["0"]);
    assert_eq!(client.rows("SELECT count(*) FROM beside"), ["1"]);
}

#[test]
fn merge_is_redshifts() {
    let Some(redshift) = redshift() else { return };
    let mut client = Client::connect(redshift);
    client.rows("CREATE TABLE merged (ip varchar(9), n bigint); CREATE TABLE merging (ip varchar(9), n bigint)");
    client.rows("INSERT INTO merged VALUES ('a', 1), ('b', 2)");
    client.rows("INSERT INTO merging VALUES ('b', 3), ('c', 4)");
    let merge = |rest: &str| {
        format!(
            "MERGE INTO merged USING merging s ON merged.ip = s.ip WHEN MATCHED THEN UPDATE SET n = merged.n + s.n \
             WHEN NOT MATCHED THEN INSERT {rest}"
        )
    };
    client.rows(&merge("VALUES (s.ip, s.n)"));
    assert_eq!(client.rows("SELECT * FROM merged ORDER BY 1"), ["a|1", "b|5", "c|4"]);
    client.rows("INSERT INTO merging VALUES ('b', 1)");
    let error = client.error(&merge("VALUES (s.ip, s.n)"));
    assert_eq!(error, "XX000 Found multiple matches to update the same tuple.");
    for sql in [
        "MERGE INTO merged USING merging s ON true WHEN MATCHED THEN DELETE".to_owned(),
        "MERGE INTO merged m USING merging s ON true WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES ('a', 1)".to_owned(),
        merge("VALUES (s.ip, s.n)").replace("WHEN MATCHED", "WHEN MATCHED AND s.n > 1"),
    ] {
        assert!(client.error(&sql).starts_with("42601 "), "{sql}");
    }
}

#[test]
fn a_backslash_in_a_literal_escapes_and_quoted_names_are_folded() {
    let Some(redshift) = redshift() else { return };
    let mut client = Client::connect(redshift);
    assert_eq!(client.rows(r"SELECT 'it\'s', 'a\\b', 'x' AS Y"), [r"it's|a\b|x"]);
    client.rows("CREATE TABLE \"Folded\" (\"Ip\" int)");
    client.rows("INSERT INTO folded (ip) VALUES (1)");
    assert_eq!(client.rows("SELECT \"IP\" FROM \"FOLDED\""), ["1"]);
}

#[test]
fn what_postgresql_has_and_redshift_has_not_is_refused() {
    let Some(redshift) = redshift() else { return };
    let mut client = Client::connect(redshift);
    client.rows("CREATE TABLE refused (n int, t varchar(9))");
    for (sql, wanted) in [
        ("INSERT INTO refused VALUES (1) ON CONFLICT DO NOTHING", "42601 syntax error at or near \"ON\""),
        ("INSERT INTO refused VALUES (1) RETURNING n", "42601 syntax error at or near \"RETURNING\""),
        ("DELETE FROM refused RETURNING *", "42601 syntax error at or near \"RETURNING\""),
        ("CREATE INDEX i ON refused (n)", "42601 syntax error at or near \"INDEX\""),
        ("CREATE UNIQUE INDEX i ON refused (n)", "42601 syntax error at or near \"UNIQUE\""),
        ("CREATE TRIGGER t AFTER INSERT ON refused EXECUTE FUNCTION f()", "42601 syntax error at or near \"TRIGGER\""),
        ("CREATE OR REPLACE TABLE refused (n int)", "42601 syntax error at or near \"TABLE\""),
        ("CREATE TABLE serials (n bigserial)", "0A000 column has unsupported type \"bigserial\""),
        ("CREATE TABLE supers (n super)", "0A000 the stand-in for Redshift does not know the type super"),
        ("CREATE TABLE arrays (n int[])", "42601 syntax error at or near \"[\""),
        ("CREATE TABLE checked (n int, CHECK (n > 0))", "42601 syntax error at or near \"CHECK\""),
        ("ALTER TABLE refused ADD COLUMN IF NOT EXISTS m int", "42601 syntax error at or near \"IF\""),
        ("ALTER TABLE refused ADD COLUMN m int, ADD COLUMN o int", "42601 syntax error at or near \",\""),
        ("SELECT * FROM refused FOR UPDATE", "42601 syntax error at or near \"FOR\""),
        ("SELECT 1 IS NOT DISTINCT FROM 2", "42601 syntax error at or near \"IS\""),
        ("SELECT pg_advisory_xact_lock(1)", "42601 syntax error at or near \"pg_advisory_xact_lock\""),
        ("BEGIN; LOCK refused IN SHARE MODE", "42601 syntax error at or near \"IN\""),
        ("SAVEPOINT s", "42601 syntax error at or near \"SAVEPOINT\""),
        ("DO $$ BEGIN END $$", "42601 syntax error at or near \"DO\""),
        (
            "BEGIN; ALTER TABLE refused ALTER COLUMN t TYPE varchar(10)",
            "25001 ALTER TABLE ALTER COLUMN cannot run inside",
        ),
        ("BEGIN; VACUUM refused", "25001 VACUUM cannot run inside a transaction block"),
    ] {
        let error = client.error(sql);
        assert!(error.to_lowercase().starts_with(&wanted.to_lowercase()), "{sql}: {error}");
        client.rows("ROLLBACK");
    }
}

#[test]
fn what_is_refused_ends_the_transaction() {
    let Some(redshift) = redshift() else { return };
    let mut client = Client::connect(redshift);
    client.rows("BEGIN");
    assert_eq!(client.ask("CREATE INDEX i ON t (n)").status, 'E');
    assert!(client.error("SELECT 1").starts_with("25P02"));
    assert_eq!(client.ask("COMMIT").tags, ["ROLLBACK"]);
}

#[test]
fn the_extended_protocol_is_refused_and_the_session_goes_on() {
    let Some(redshift) = redshift() else { return };
    let mut client = Client::connect(redshift);
    client.send(b'P', b"\0SELECT 1\0\0\0").unwrap();
    client.send(b'D', b"S\0").unwrap();
    client.send(b'S', b"").unwrap();
    assert_eq!(client.answer().unwrap().error(), "0A000 the extended query protocol is not supported");
    assert_eq!(client.rows("SELECT 1"), ["1"]);
}

#[test]
fn a_session_may_not_ask_for_more_digits_than_redshift_gives() {
    let Some(redshift) = redshift() else { return };
    let error = Client::try_connect(redshift, &[("extra_float_digits", "3")]).unwrap_err().to_string();
    assert_eq!(error, "3 is outside the valid range for parameter \"extra_float_digits\" (-15 .. 2)");
    assert!(Client::try_connect(redshift, &[("extra_float_digits", "2"), ("client_encoding", "UTF8")]).is_ok());
}

#[test]
fn several_statements_in_one_request_are_one_transaction() {
    let Some(redshift) = redshift() else { return };
    let mut client = Client::connect(redshift);
    client.rows("CREATE TABLE batch (n int)");
    let answer =
        client.ask("INSERT INTO batch VALUES (1); INSERT INTO nowhere VALUES (2); INSERT INTO batch VALUES (3)");
    assert_eq!((answer.tags.len(), answer.status), (1, 'I'));
    assert_eq!(client.rows("SELECT count(*) FROM batch"), ["0"]);
    let answer = client
        .ask("INSERT INTO batch VALUES (1); BEGIN; INSERT INTO batch VALUES (3); COMMIT; SELECT count(*) FROM batch");
    assert_eq!(answer.tags, ["INSERT 0 1", "BEGIN", "INSERT 0 1", "COMMIT", "SELECT"]);
    assert_eq!((answer.rows, answer.status), (vec!["2".to_owned()], 'I'));
}
