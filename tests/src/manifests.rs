//! What stands below a prefix of S3 for who follows the manifests, and shares no code with flow.

use std::io::Read as _;

use flate2::read::MultiGzDecoder;
use flow_services::Service;
use serde_json::Value;

/// The lines of all objects that are published, the oldest first. Sizes and numbers of rows must be as the manifests say.
///
/// # Panics
/// When something that is named is not there, or is not as it is described.
#[must_use]
#[expect(clippy::unwrap_used, reason = "a test that finds something else has failed")]
pub fn followed(service: &Service, bucket: &str, prefix: &str) -> Vec<String> {
    let json = |key: &str| object(service, bucket, key).map(|body| serde_json::from_slice::<Value>(&body).unwrap());
    let Some(current) = json(&format!("{prefix}/_flow/current.json")) else { return Vec::new() };
    let mut manifests = Vec::new();
    let mut next = current["manifest"].as_str().map(str::to_owned);
    while let Some(key) = next {
        let manifest = json(&key).unwrap_or_else(|| panic!("{key} is missing"));
        next = manifest["previous"].as_str().map(str::to_owned);
        manifests.insert(0, manifest);
    }
    let entries = manifests.iter().flat_map(|manifest| manifest["entries"].as_array().unwrap());
    let mut lines = Vec::new();
    for entry in entries {
        let url = entry["url"].as_str().unwrap();
        let key = url.strip_prefix(&format!("s3://{bucket}/")).unwrap();
        let body = object(service, bucket, key).unwrap_or_else(|| panic!("{url} is missing"));
        assert_eq!(entry["meta"]["content_length"], body.len(), "{url}");
        let text = text(key, &body);
        assert_eq!(entry["meta"]["record_count"], text.lines().count(), "{url}");
        lines.extend(text.lines().map(str::to_owned));
    }
    lines
}

#[expect(clippy::unwrap_used, reason = "a test that finds something else has failed")]
fn text(key: &str, body: &[u8]) -> String {
    let mut text = String::new();
    match key.ends_with(".gz") {
        true => MultiGzDecoder::new(body).read_to_string(&mut text).unwrap(),
        false => std::io::Read::read_to_string(&mut &*body, &mut text).unwrap(),
    };
    text
}

/// An object, if there is one of this key.
fn object(service: &Service, bucket: &str, key: &str) -> Option<Vec<u8>> {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/-_.".contains(byte);
    let escaped = |byte: u8| if is_plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    let path: String = key.bytes().map(escaped).collect();
    let answer = service.http("GET", &format!("/{bucket}/{path}"), "", b"");
    match answer.status {
        200 => Some(answer.body),
        404 => None,
        other => panic!("{other}: {}", answer.text()),
    }
}
