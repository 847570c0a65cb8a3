//! No secret is in what a flow says, writes or keeps.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use flow_tests::{
    aws::Cloud,
    program::{Ended, Place, Running, until},
    services::{ask, free_port},
};
use rusqlite::Connection;

/// Of who starts the program.
const SECRET: &str = "wJalrXUtnFEMIbPxRfiCYsecret";
const TOKEN: &str = "IQoJb3JpZ2luX2VjEXAMPLEtoken";

/// Of the role that he takes on.
const SECRET_OF_ROLE: &str = "kYzB4qhTtRoleEXAMPLEsecret";
const TOKEN_OF_ROLE: &str = "FwoGZXIvYXdzRoleEXAMPLEtoken";

/// How often it was given.
static GIVEN: AtomicUsize = AtomicUsize::new(0);

const ROLE: &str = "role=arn:aws:iam::000000000000:role/reader";

/// All that a flow is asked, and all that it says.
struct Asked {
    cloud: Cloud,
    place: Place,
    /// Where a role is given.
    roles: String,
    /// What its stream and its table are called.
    name: &'static str,
    /// What follows the name of either.
    options: String,
    said: Vec<(String, Ended)>,
}

impl Asked {
    fn new(name: &'static str, is_in_role: bool) -> Option<Self> {
        let cloud = Cloud::exact()?;
        cloud.streams.create_stream(name, 1);
        let place = Place::new(env!("CARGO_BIN_EXE_fault_flows"));
        let options = if is_in_role { format!("&{ROLE}") } else { String::new() };
        Some(Self { cloud: cloud.with_secret(SECRET), place, roles: roles(), name, options, said: Vec::new() })
    }

    fn start(&self, arguments: &str) -> Running {
        let mut command = self.cloud.on(self.place.command(arguments));
        command.env("AWS_SESSION_TOKEN", TOKEN).env("AWS_ENDPOINT_URL_STS", &self.roles);
        command.env("FLOW_UNDER_TEST", "split").env("FLOW_EFFECTS", self.place.path("effects"));
        command.env("FLOW_PATIENCE_MS", "1000");
        Running::start(command)
    }

    fn keep(&mut self, arguments: &str, ended: Ended) -> Ended {
        self.said.push((arguments.to_owned(), ended.clone()));
        ended
    }

    fn ask(&mut self, arguments: &str) -> Ended {
        let ended = self.start(arguments).end();
        self.keep(arguments, ended)
    }

    fn succeed(&mut self, arguments: &str) {
        let ended = self.ask(arguments);
        assert_eq!(ended.code, Some(0), "{arguments}: {ended:?}");
    }

    /// A command with its ports.
    fn with(&self, command: &str) -> String {
        self.on(command, self.name)
    }

    fn on(&self, command: &str, table: &str) -> String {
        let (name, options) = (self.name, &self.options);
        format!(
            "{command} --lines kinesis://{name}?start=oldest{options} --rows file:rows.csv \
             --counts sqlite:counts.db?table=counts&mode=merge --bad file:bad.csv {}",
            self.checkpoint(table)
        )
    }

    fn checkpoint(&self, table: &str) -> String {
        format!("--checkpoint dynamodb://{table}?lease=1s{}", self.options)
    }

    /// Serves until it has said how it is, on every way that there is.
    fn serve(&mut self, table: &str) {
        let port = free_port();
        let service = "run --follow --poll-interval 50ms --log-level trace --health-file health.json";
        let arguments = self.on(&format!("{service} --health-listen 127.0.0.1:{port}"), table);
        let service = self.start(&arguments);
        let answer = until("the service says how it is", || {
            // One that has ended answers no more.
            let answer = ask::http(port, "GET", "/healthz", "", b"").map(|answer| answer.text()).unwrap_or_default();
            (answer.contains("\"idle\"") || service.has_ended()).then_some(answer)
        });
        self.ask("health --health-file health.json");
        if !service.has_ended() {
            service.signal("TERM");
        }
        let mut ended = service.end();
        ended.stdout += &answer;
        self.keep(&arguments, ended);
    }

    /// Loses what was staged for the second iteration, which a locked target does not take, and stages it anew.
    fn restage(&mut self) {
        self.succeed(&format!("publish kinesis://{}?{} --from lines", self.name, self.options.trim_start_matches('&')));
        let target = Connection::open(self.place.path("counts.db")).unwrap();
        target.execute_batch("BEGIN IMMEDIATE").unwrap();
        let stuck = self.ask(&self.with("run --log-level trace"));
        assert_ne!(stuck.code, Some(0), "{stuck:?}");
        drop(target);
        let staged = self.place.names().into_iter().find(|name| name.ends_with(".staging"));
        fs::remove_dir_all(self.place.path(&staged.unwrap())).unwrap();
        assert_eq!(self.ask(&self.with("run --log-level trace")).code, Some(3));
        self.succeed(&self.with("restage 1"));
        self.succeed(&self.with("run --log-level trace"));
    }

    fn shows_no_secret(&self) {
        let secrets = [SECRET, TOKEN, SECRET_OF_ROLE, TOKEN_OF_ROLE];
        let shown = |text: &str| secrets.into_iter().find(|secret| text.contains(secret));
        for (arguments, ended) in &self.said {
            assert_eq!(shown(&format!("{ended:?}")), None, "{arguments}: {ended:?}");
        }
        for name in self.place.names() {
            let bytes = fs::read(self.place.path(&name)).unwrap_or_default();
            assert_eq!(shown(&String::from_utf8_lossy(&bytes)), None, "{name}");
        }
        let items = format!("{:?}", self.cloud.tables.items(self.name));
        assert!(items.len() > 100 && shown(&items).is_none(), "{items}");
    }
}

/// Gives the role to whoever asks; where.
fn roles() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || listener.incoming().flatten().for_each(|asking| drop(give_role(asking))));
    address
}

fn give_role(mut asking: TcpStream) -> std::io::Result<()> {
    let mut request = BufReader::new(asking.try_clone()?);
    let (mut line, mut length) = (String::new(), 0);
    while request.read_line(&mut line)? > 2 {
        if let Some(bytes) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = bytes.trim().parse().unwrap_or(0);
        }
        line.clear();
    }
    request.read_exact(&mut vec![0; length])?;
    let body = format!(
        "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><Credentials>\
         <AccessKeyId>ASIAEXAMPLE</AccessKeyId><SecretAccessKey>{SECRET_OF_ROLE}</SecretAccessKey>\
         <SessionToken>{TOKEN_OF_ROLE}</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration>\
         </Credentials></AssumeRoleResult></AssumeRoleResponse>"
    );
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nConnection: close\r\nContent-Length";
    GIVEN.fetch_add(1, Ordering::Relaxed);
    write!(asking, "{head}: {}\r\n\r\n{body}", body.len())
}

/// A whole life of a flow; then what went wrong in it, which is told with all that is known.
fn nothing_tells_a_secret(name: &'static str, is_in_role: bool) {
    let Some(mut asked) = Asked::new(name, is_in_role) else { return };
    asked.place.write("lines", "1,a,60\n2,b,70\nbad\n");
    let stream = format!("kinesis://{name}?{}", asked.options.trim_start_matches('&'));
    asked.succeed(&asked.with("setup --yes"));
    asked.succeed(&format!("publish {stream} --from lines"));
    let trace = "run --log-level trace --log-format json";
    for command in ["check", "plan --iam", trace, "run --json --log-level trace", "doctor"] {
        asked.succeed(&asked.with(command));
    }
    assert_eq!(asked.place.text("bad.csv").matches("bad").count(), 1);
    asked.ask("plan");
    for command in ["iterations", "iterations 0", "iterations 0 --json"] {
        asked.succeed(&format!("{command} {}", asked.checkpoint(name)));
    }
    asked.succeed(
        &asked
            .with("replay 0")
            .replace("file:rows.csv", "file:again.csv")
            .replace("sqlite:counts.db", "sqlite:again.db")
            .replace("file:bad.csv", "file:bad-again.csv"),
    );
    asked.restage();
    asked.ask(&asked.with("retry-trap bad"));
    asked.serve(name);
    asked.ask(&format!("clean {}", asked.checkpoint(name)));
    asked.succeed(&asked.with("reset --yes"));
    // Its targets know the iterations of before.
    assert_eq!(asked.ask(&asked.with("run --log-level trace")).code, Some(3));
    asked.ask(&asked.with("doctor"));
    asked.succeed(&asked.with("forget --all --empty --yes"));
    asked.succeed(&asked.with("run"));

    for command in ["run --log-level trace", "check", "doctor", "replay 0", "restage 0", "reset --yes"] {
        let refused = asked.ask(&asked.on(command, "not-there"));
        assert_ne!(refused.code, Some(0), "{command}: {refused:?}");
    }
    asked.serve("not-there");
    asked.ask("publish kinesis://not-there --from lines");
    asked.shows_no_secret();
    asked.succeed(&asked.with("teardown --yes"));
    let (arguments, ended) = asked.said.last().unwrap();
    assert!(!format!("{ended:?}").contains(SECRET), "{arguments}: {ended:?}");
}

#[test]
fn no_command_tells_the_secret_and_nothing_that_is_kept_has_it() {
    nothing_tells_a_secret("secrets", false);
}

#[test]
fn no_command_tells_the_secret_of_a_role_and_nothing_that_is_kept_has_it() {
    nothing_tells_a_secret("secrets-of-role", true);
    assert!(GIVEN.load(Ordering::Relaxed) > 0 || Cloud::exact().is_none());
}
