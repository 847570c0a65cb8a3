//! Who gives credentials, by the chain of the SDK: each gets as far as a call that is signed with what it gave, and nothing
//! that is secret is told.

use std::{fs, path::Path};

use super::{LISTED, Server, UNTIL, list_in};

/// Nobody may see it.
const SECRET: &str = "swordfish0swordfish1";

/// The digest of `corp`, under which the login of that session is kept.
const SESSION_FILE: &str = "ee0bfd2552fbd840c02cc48b6e823320543c450f.json";

/// Lists a bucket in this environment, beside a home folder that has nothing but `files`; the call must be signed by `key`.
fn is_signed_by(key: &str, token: &str, files: &[(&str, &str)], variables: &[(&str, &str)]) {
    let s3 = Server::new(&[(200, LISTED)]);
    let home = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = home.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let home = home.path().to_str().unwrap();
    let in_home: Vec<(&str, String)> =
        variables.iter().map(|(name, value)| (*name, value.replace('~', home))).collect();
    let mut all: Vec<(&str, &str)> = in_home.iter().map(|(name, value)| (*name, value.as_str())).collect();
    all.push(("HOME", home));
    let told = list_in(&format!("s3://bucket?endpoint={}", s3.url), &all);
    assert_eq!(told, "listed");
    let asked = s3.asked();
    let is_right = |asked: &String| {
        asked.contains(&format!("Credential={key}/")) && asked.contains(&format!("x-amz-security-token: {token}"))
    };
    assert!(asked.len() == 1 && is_right(&asked[0]), "{asked:?}");
    assert!(!asked[0].contains(SECRET), "a secret signs, and is not sent: {asked:?}");
}

/// What a machine or a container says of its role.
fn given(key: &str) -> String {
    format!(
        r#"{{"Code":"Success","Type":"AWS-HMAC","LastUpdated":"2026-01-01T00:00:00Z","AccessKeyId":"{key}",
            "SecretAccessKey":"{SECRET}","Token":"t","Expiration":"2126-01-01T00:00:00Z"}}"#
    )
}

#[test]
fn the_role_of_the_machine_signs() {
    let machine = Server::answering(|_, request| match request.split(' ').nth(1).unwrap_or_default() {
        "/latest/api/token" => (200, "token".to_owned()),
        "/latest/meta-data/iam/security-credentials/" => (200, "reader".to_owned()),
        "/latest/meta-data/iam/security-credentials/reader" => (200, given("MACHINES")),
        _ => (404, String::new()),
    });
    is_signed_by("MACHINES", "t", &[], &[("AWS_EC2_METADATA_SERVICE_ENDPOINT", &machine.url)]);
    let asked = machine.asked();
    assert!(asked.iter().any(|asked| asked.contains("x-aws-ec2-metadata-token: token")), "{asked:?}");
}

#[test]
fn the_role_of_a_container_signs() {
    let agent = Server::new(&[(200, &given("CONTAINERS"))]);
    let uri = format!("{}/role", agent.url);
    let variables =
        [("AWS_CONTAINER_CREDENTIALS_FULL_URI", uri.as_str()), ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "let me")];
    is_signed_by("CONTAINERS", "t", &[], &variables);
    assert!(agent.asked()[0].contains("authorization: let me"), "{:?}", agent.asked());
}

#[test]
fn a_web_identity_signs() {
    let credentials = format!("<AccessKeyId>WEBS</AccessKeyId><SecretAccessKey>{SECRET}</SecretAccessKey>{UNTIL}");
    let answer = format!(
        "<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
         <AssumeRoleWithWebIdentityResult><Credentials>{credentials}<SessionToken>t</SessionToken></Credentials>\
         </AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"
    );
    let sts = Server::new(&[(200, &answer)]);
    let variables = [
        ("AWS_WEB_IDENTITY_TOKEN_FILE", "~/token"),
        ("AWS_ROLE_ARN", "arn:aws:iam::1:role/reader"),
        ("AWS_ENDPOINT_URL_STS", &sts.url),
    ];
    is_signed_by("WEBS", "t", &[("token", "of the cluster")], &variables);
    assert!(
        sts.asked()[0].contains("WebIdentityToken=of+the+cluster") || sts.asked()[0].contains("of%20the%20cluster")
    );
}

const SSO_PROFILE: &str = "[profile corp]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = reader\n\
                           [sso-session corp]\nsso_region = eu-central-1\nsso_start_url = https://corp.awsapps.com/start\n";

#[test]
fn a_login_by_sso_signs() {
    let portal = Server::new(&[(
        200,
        &format!(
            r#"{{"roleCredentials":{{"accessKeyId":"LOGINS","secretAccessKey":"{SECRET}","sessionToken":"t","expiration":4900000000000}}}}"#
        ),
    )]);
    let login = format!(
        r#"{{"accessToken":"{SECRET}","expiresAt":"2126-01-01T00:00:00Z","region":"eu-central-1","startUrl":"https://corp.awsapps.com/start"}}"#
    );
    let cached = Path::new(".aws/sso/cache").join(SESSION_FILE);
    let files = [(".aws/config", SSO_PROFILE), (cached.to_str().unwrap(), login.as_str())];
    is_signed_by("LOGINS", "t", &files, &[("AWS_PROFILE", "corp"), ("AWS_ENDPOINT_URL_SSO", &portal.url)]);
    assert!(portal.asked()[0].starts_with("GET /federation/credentials?"), "{:?}", portal.asked());
}

#[test]
fn who_has_not_logged_in_is_told_so() {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir(home.path().join(".aws")).unwrap();
    fs::write(home.path().join(".aws/config"), SSO_PROFILE).unwrap();
    let variables = [("AWS_PROFILE", "corp"), ("HOME", home.path().to_str().unwrap())];
    let told = list_in("s3://bucket?endpoint=http://127.0.0.1:9", &variables);
    assert!(told.starts_with("Credentials ") && told.contains("SSO"), "{told}");
}

#[test]
fn a_program_that_gives_credentials_signs() {
    let said = format!(r#"{{"Version":1,"AccessKeyId":"PROGRAMS","SecretAccessKey":"{SECRET}","SessionToken":"t"}}"#);
    let config = "[profile tool]\ncredential_process = cat HOME/said.json\n";
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("said.json"), said).unwrap();
    let config = config.replace("HOME", home.path().to_str().unwrap());
    let path = std::env::var("PATH").unwrap_or_default();
    is_signed_by("PROGRAMS", "t", &[(".aws/config", &config)], &[("AWS_PROFILE", "tool"), ("PATH", &path)]);
}
