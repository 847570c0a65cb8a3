//! Which operation a request is for, under the name by which flow knows it: `kinesis.get_records`.

use super::http::Head;

/// Says for which operation this is; `unknown` for what is none.
pub(crate) fn name(head: &Head, body: &[u8]) -> String {
    let target = head.get("x-amz-target");
    if let Some((service, operation)) = target.and_then(|target| target.split_once('.')) {
        let service = service.split('_').next().unwrap_or_default().to_ascii_lowercase();
        return format!("{service}.{}", snake(operation));
    }
    if let Some(action) = action(body) {
        return format!("sts.{}", snake(action));
    }
    s3(head).to_owned()
}

/// The operation of a form, as STS takes it.
fn action(body: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(body).ok()?;
    text.split('&').find_map(|field| field.strip_prefix("Action="))
}

/// S3 has no names in its requests: method, depth of the path and query tell.
fn s3(head: &Head) -> &'static str {
    let (path, query) = head.word(1).split_once('?').unwrap_or((head.word(1), ""));
    let path = path.trim_start_matches('/');
    let has_key = path.split_once('/').is_some_and(|(_, key)| !key.is_empty());
    let asks = |name: &str| query.split('&').any(|field| field.split('=').next() == Some(name));
    match (head.word(0), has_key) {
        ("GET", _) if path.is_empty() => "s3.list_buckets",
        ("GET", false) if asks("versioning") => "s3.get_bucket_versioning",
        ("GET", false) if asks("versions") => "s3.list_object_versions",
        ("GET", false) if asks("uploads") => "s3.list_multipart_uploads",
        ("GET", false) if asks("location") => "s3.get_bucket_location",
        ("GET", false) => "s3.list_objects_v2",
        ("HEAD", false) => "s3.head_bucket",
        ("PUT", false) if asks("versioning") => "s3.put_bucket_versioning",
        ("PUT", false) => "s3.create_bucket",
        ("DELETE", false) => "s3.delete_bucket",
        ("POST", false) if asks("delete") => "s3.delete_objects",
        ("GET", true) => "s3.get_object",
        ("HEAD", true) => "s3.head_object",
        ("PUT", true) if asks("partNumber") => "s3.upload_part",
        ("PUT", true) if head.get("x-amz-copy-source").is_some() => "s3.copy_object",
        ("PUT", true) => "s3.put_object",
        ("DELETE", true) if asks("uploadId") => "s3.abort_multipart_upload",
        ("DELETE", true) => "s3.delete_object",
        ("POST", true) if asks("uploads") => "s3.create_multipart_upload",
        ("POST", true) if asks("uploadId") => "s3.complete_multipart_upload",
        _ => "unknown",
    }
}

/// `ListObjectsV2` as `list_objects_v2`.
fn snake(name: &str) -> String {
    let mut snake = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(method: &str, path: &str, target: &str, body: &str) -> String {
        let target = if target.is_empty() { String::new() } else { format!("X-Amz-Target: {target}\r\n") };
        let head = format!("{method} {path} HTTP/1.1\r\nHost: here\r\n{target}\r\n");
        name(&Head::read(&mut head.as_bytes()).unwrap().unwrap(), body.as_bytes())
    }

    #[test]
    fn operations_have_the_names_that_flow_gives_them() {
        assert_eq!(named("POST", "/", "Kinesis_20131202.GetRecords", "{}"), "kinesis.get_records");
        assert_eq!(named("POST", "/", "DynamoDB_20120810.TransactWriteItems", "{}"), "dynamodb.transact_write_items");
        assert_eq!(named("POST", "/", "", "Action=AssumeRole&Version=2011-06-15"), "sts.assume_role");
        assert_eq!(named("GET", "/bucket?list-type=2&prefix=a", "", ""), "s3.list_objects_v2");
        assert_eq!(named("GET", "/bucket/?versions", "", ""), "s3.list_object_versions");
        assert_eq!(named("GET", "/bucket/a/b?x-id=GetObject", "", ""), "s3.get_object");
        assert_eq!(named("HEAD", "/bucket", "", ""), "s3.head_bucket");
        assert_eq!(named("POST", "/bucket/a?uploads", "", ""), "s3.create_multipart_upload");
    }
}
