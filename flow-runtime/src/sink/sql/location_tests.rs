use super::*;
use crate::sink::postgres::POSTGRES;

fn read(text: &str, user: Option<&str>) -> Result<Location, Error> {
    let variable = |name: &str| user.filter(|_| name == "PGUSER").map(str::to_owned);
    Location::parse(&POSTGRES, &text.parse().unwrap(), "counts", variable)
}

fn refused(text: &str) -> String {
    match read(text, Some("load")) {
        Err(Error::Config(failure)) => failure.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_address_may_say_everything() {
    let text = "postgres://l%40d:p%3Aw%2F%40@DB.example:6000/sa%20les?table=web.hits&connect_timeout=3s&\
                statement_timeout=1h&sslmode=disable&mode=merge";
    let found = read(text, None).unwrap();
    let site = &found.site;
    assert_eq!((site.host.as_str(), site.port, found.user.as_str()), ("db.example", 6000, "l@d"));
    assert_eq!(found.password, Some(Secret("p:w/@".to_owned())));
    assert_eq!((site.database.as_str(), site.schema.as_str(), site.table.as_str()), ("sa les", "web", "hits"));
    assert_eq!((found.connect_timeout.as_secs(), found.statement_timeout.as_secs()), (3, 3600));
    assert_eq!(found.site.to_string(), "db.example:6000/sa les, table web.hits");
    assert!(!format!("{found:?}").contains("p:w"), "{found:?}");
}

#[test]
fn an_address_need_not_say_much() {
    let found = read("postgres://db/sales", Some("load")).unwrap();
    assert_eq!((found.site.port, found.user.as_str(), &found.password), (5432, "load", &None));
    assert_eq!(found.site.to_string(), "db:5432/sales, table public.counts");
    let found = read("postgres://[::1]/sales", Some("load")).unwrap();
    assert_eq!(
        (found.site.host.as_str(), found.site.to_string().as_str()),
        ("::1", "[::1]:5432/sales, table public.counts")
    );
}

#[test]
fn addresses_that_cannot_work_are_refused() {
    assert!(refused("postgres:sales").contains("names no database"));
    assert!(refused("postgres://db").contains("names no database"));
    assert!(refused("postgres:///sales").contains("one host and one database"));
    assert!(refused("postgres://db/a/b").contains("one host and one database"));
    assert!(refused("postgres://db:x/sales").contains("the port is no number"));
    assert!(refused("postgres://db:70000/sales").contains("the port is no number"));
    assert!(refused("postgres://db/sales?table=a.b.c").contains("`a.b.c` cannot be the name of a table"));
    assert!(refused("postgres://db/sales?table=flow_ledger").contains("cannot be the name"));
    assert!(refused(&format!("postgres://db/sales?table={}", "x".repeat(64))).contains("cannot be the name"));
    assert!(refused("postgres://db/sales?tabel=x").contains("unknown option `tabel`"));
    assert!(refused("postgres://db/sales?connect_timeout=soon").contains("`soon` is no connect_timeout"));
    assert!(refused("postgres://db/sales?statement_timeout=0s").contains("`0s` is no statement_timeout"));
    assert!(refused("postgres://db/sales?sslmode=require").contains("no TLS"));
    assert!(read("postgres://db/sales", None).unwrap_err().to_string().contains("names no user"));
}

#[test]
fn an_unescaped_password_is_not_told() {
    for text in ["postgres://load:pike/eel@db/sales", "postgres://load:pike@eel@db:x/sales"] {
        let said = refused(text);
        assert!(!said.contains("pike") && !said.contains("eel"), "{said}");
    }
}
