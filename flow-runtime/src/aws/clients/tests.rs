//! Where calls go and as whom, by what a server is asked. The environment is another process's: this program, run anew.
//! `tests/credentials.rs` has who may give credentials.

mod credentials;

use std::{
    env,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    process::Command,
    sync::{Arc, Mutex},
    thread,
};

use super::{Account, s3::S3};
use crate::{Address, aws::wait};

/// The address whose account the other process uses.
const ADDRESS: &str = "FLOW_TEST_ADDRESS";

/// How often it makes a client and lists; once if it is not said.
const TIMES: &str = "FLOW_TEST_TIMES";

const LISTED: &str = "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>";

/// A server, and what it was asked.
struct Server {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Gives these answers in turn, the last of them for ever.
    fn new(answers: &[(u16, &str)]) -> Self {
        let answers: Vec<(u16, String)> = answers.iter().map(|(status, body)| (*status, (*body).to_owned())).collect();
        Self::answering(move |nth, _| answers[nth.min(answers.len() - 1)].clone())
    }

    /// Gives the answer to the `nth` request, from 0 on, by its text.
    fn answering(answer: impl Fn(usize, &str) -> (u16, String) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let server = Self { url, asked: Arc::clone(&asked) };
        thread::spawn(move || {
            for connection in listener.incoming().map_while(Result::ok) {
                let request = request(&connection);
                let mut asked = asked.lock().unwrap();
                let (status, body) = answer(asked.len(), &request);
                asked.push(request);
                // Who gives tokens of a machine says how long they hold.
                let head = format!(
                    "HTTP/1.1 {status} .\r\ncontent-length: {}\r\nconnection: close\r\n\
                     x-aws-ec2-metadata-token-ttl-seconds: 600\r\n\r\n",
                    body.len()
                );
                (&connection).write_all(format!("{head}{body}").as_bytes()).unwrap();
            }
        });
        server
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn request(connection: &TcpStream) -> String {
    let mut reader = BufReader::new(connection);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head).unwrap() > 0 {}
    let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).unwrap();
    head + &String::from_utf8(body).unwrap()
}

fn assumed(key: &str, rest: &str) -> String {
    let credentials = format!("<AccessKeyId>{key}</AccessKeyId><SecretAccessKey>hush</SecretAccessKey>{rest}");
    format!(
        "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><Credentials>\
         {credentials}<SessionToken>t</SessionToken></Credentials></AssumeRoleResult></AssumeRoleResponse>"
    )
}

const UNTIL: &str = "<Expiration>2126-01-01T00:00:00Z</Expiration>";

/// What comes of listing a bucket in this environment, which has keys.
fn list(address: &str, variables: &[(&str, &str)]) -> String {
    let keys = [("AWS_ACCESS_KEY_ID", "HERS"), ("AWS_SECRET_ACCESS_KEY", "s")];
    list_in(address, &[&keys, variables].concat())
}

/// The same in an environment of nothing but this.
fn list_in(address: &str, variables: &[(&str, &str)]) -> String {
    let program = env::current_exe().unwrap();
    let output = Command::new(program)
        .args(["--exact", "aws::clients::tests::lists_as_the_environment_says", "--ignored", "--nocapture"])
        .env_clear()
        .env("AWS_REGION", "eu-central-1")
        .env(ADDRESS, address)
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    told.lines().find_map(|line| line.strip_prefix("told: ")).unwrap_or_else(|| panic!("{told}")).to_owned()
}

#[test]
#[ignore = "the others run it in an environment of theirs"]
fn lists_as_the_environment_says() {
    let Ok(address) = env::var(ADDRESS) else { return };
    let account = Account::of(&address.parse::<Address>().unwrap());
    let list = || wait(async { S3::new(&account).await?.list("bucket", "", None, None).await });
    let times = env::var(TIMES).ok().and_then(|times| times.parse().ok()).unwrap_or(1);
    let listed = (1..times).try_for_each(|_| list().map(drop)).and_then(|()| list());
    println!(
        "\ntold: {}",
        listed.map_or_else(|trouble| format!("{:?} {trouble}", trouble.kind), |_| "listed".to_owned())
    );
}

#[test]
fn a_profile_of_an_address_goes_before_the_keys_of_the_environment() {
    let s3 = Server::new(&[(200, LISTED)]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("credentials");
    std::fs::write(&file, "[prod]\naws_access_key_id = PROFILES\naws_secret_access_key = s\n").unwrap();
    let file = file.to_str().unwrap();
    for (option, key) in [("", "HERS"), ("&profile=prod", "PROFILES")] {
        let address = format!("s3://bucket?endpoint={}{option}", s3.url);
        assert_eq!(list(&address, &[("AWS_SHARED_CREDENTIALS_FILE", file)]), "listed");
        let asked = s3.asked();
        assert!(asked.last().unwrap().contains(&format!("Credential={key}/")), "{asked:?}");
    }
}

#[test]
fn a_role_is_asked_for_where_credentials_are_and_not_at_the_endpoint_of_the_address() {
    let (s3, sts) = (Server::new(&[(200, LISTED)]), Server::new(&[(200, &assumed("ROLES", UNTIL))]));
    let address = format!("s3://bucket?role=arn:aws:iam::1:role/r&endpoint={}", s3.url);
    assert_eq!(list(&address, &[("AWS_ENDPOINT_URL_STS", &sts.url), ("AWS_ENDPOINT_URL_S3", &sts.url)]), "listed");
    let (asked, asked_for_role) = (s3.asked(), sts.asked());
    assert!(asked.len() == 1 && asked[0].contains("Credential=ROLES/"), "{asked:?}");
    assert!(asked_for_role.len() == 1 && asked_for_role[0].contains("Action=AssumeRole"), "{asked_for_role:?}");
}

#[test]
fn clients_that_are_made_again_ask_for_no_credentials_again() {
    let (s3, sts) = (Server::new(&[(200, LISTED)]), Server::new(&[(200, &assumed("ROLES", UNTIL))]));
    let address = format!("s3://bucket?role=arn:aws:iam::1:role/r&endpoint={}", s3.url);
    assert_eq!(list(&address, &[("AWS_ENDPOINT_URL_STS", &sts.url), (TIMES, "3")]), "listed");
    assert_eq!((s3.asked().len(), sts.asked().len()), (3, 1));
}

#[test]
fn who_gives_credentials_may_be_in_trouble_for_a_moment() {
    let s3 = Server::new(&[(200, LISTED)]);
    let address = format!("s3://bucket?role=arn:aws:iam::1:role/r&endpoint={}", s3.url);
    let recovering = Server::new(&[(500, ""), (200, &assumed("ROLES", UNTIL))]);
    assert_eq!(list(&address, &[("AWS_ENDPOINT_URL_STS", &recovering.url)]), "listed");
    let refusing = Server::new(&[(403, "<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>")]);
    let told = list(&address, &[("AWS_ENDPOINT_URL_STS", &refusing.url)]);
    assert!(told.starts_with("Credentials "), "{told}");
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let told = list(&address, &[("AWS_ENDPOINT_URL_STS", &format!("http://{gone}"))]);
    assert!(told.starts_with("Passing "), "{told}");
}

#[test]
fn what_an_answer_holds_is_not_told() {
    let s3 = Server::new(&[(503, "<html>hush</html>")]);
    let endpoint = format!("endpoint={}", s3.url);
    let garbled = Server::new(&[(200, &assumed("ROLES", ""))]);
    let role = format!("s3://bucket?role=arn:aws:iam::1:role/r&{endpoint}");
    for told in [list(&format!("s3://bucket?{endpoint}"), &[]), list(&role, &[("AWS_ENDPOINT_URL_STS", &garbled.url)])]
    {
        assert!(!told.contains("hush") && !told.contains("Response {") && told != "listed", "{told}");
    }
}

#[test]
fn a_listing_that_lacks_something_is_no_listing() {
    let object = "<Key>a</Key><Size>3</Size><ETag>\"e\"</ETag>";
    for (lacks, contents, is_truncated) in
        [("", object, false), ("the token", object, true), ("key, size", "<Key>a</Key>", false)]
    {
        let truncated = format!("<IsTruncated>{is_truncated}</IsTruncated><Contents>{contents}</Contents>");
        let s3 = Server::new(&[(200, &format!("<ListBucketResult>{truncated}</ListBucketResult>"))]);
        let told = list(&format!("s3://bucket?endpoint={}", s3.url), &[]);
        let expected = if lacks.is_empty() { "listed" } else { "Invalid s3.list_objects_v2: the answer lacks " };
        assert!(told.starts_with(expected) && told.contains(lacks), "{told}");
    }
}

#[test]
fn what_stands_in_for_s3_by_the_environment_is_asked_by_path() {
    let s3 = Server::new(&[(200, LISTED)]);
    let by_name = s3.url.replace("127.0.0.1", "localhost");
    assert_eq!(list("s3://bucket", &[("AWS_ENDPOINT_URL_S3", &by_name)]), "listed");
    let asked = s3.asked();
    assert!(asked[0].starts_with("GET /bucket"), "{asked:?}");
}
