//! What a service says when it refuses a call, each in its own words.

use super::rules::Fault;

/// Status, code and message of a refusal.
type Refusal = (u16, &'static str, &'static str);

/// The answer to a call of this operation by this method: to `HEAD`, no more than its status.
pub(crate) fn refusal(operation: &str, method: &str, fault: Fault) -> Vec<u8> {
    let mut answer = told(operation, fault);
    if method == "HEAD" {
        let head = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").map_or(0, |end| end + 4);
        answer.truncate(head);
    }
    answer
}

fn told(operation: &str, fault: Fault) -> Vec<u8> {
    let service = operation.split('.').next().unwrap_or_default();
    let refusal = match fault {
        Fault::Throttled => throttled(service, operation),
        Fault::ExpiredIterator => {
            (400, "ExpiredIteratorException", "Iterator expired. The iterator was created at time 0")
        }
        Fault::ExpiredCredentials if service == "s3" => (400, "ExpiredToken", "The provided token has expired."),
        Fault::ExpiredCredentials if service == "sts" => (403, "ExpiredToken", "The security token is expired"),
        Fault::ExpiredCredentials => (400, "ExpiredTokenException", "The security token included is expired"),
        Fault::Unavailable => {
            return made(503, "text/html", "<html><body>Service Unavailable</body></html>".to_owned());
        }
        _ if matches!(service, "s3" | "sts") => (500, "InternalError", "We encountered an internal error."),
        _ if service == "dynamodb" => (500, "InternalServerError", "Internal server error"),
        _ => (500, "InternalFailure", "Internal service failure"),
    };
    written(service, refusal)
}

fn throttled(service: &str, operation: &str) -> Refusal {
    match service {
        "s3" => (503, "SlowDown", "Please reduce your request rate."),
        "sts" => (400, "Throttling", "Rate exceeded"),
        "dynamodb" => (400, "ThrottlingException", "Throughput exceeds the current capacity of your table"),
        // Calls about streams have a rate of their own, and say so in another way than reads and writes.
        _ if matches!(operation, "kinesis.get_records" | "kinesis.get_shard_iterator" | "kinesis.put_records") => {
            (400, "ProvisionedThroughputExceededException", "Rate exceeded for shard shardId-000000000000")
        }
        _ => (400, "LimitExceededException", "Rate exceeded for stream"),
    }
}

fn written(service: &str, (status, code, message): Refusal) -> Vec<u8> {
    let error = format!("<Code>{code}</Code><Message>{message}</Message>");
    match service {
        "s3" => made(status, "application/xml", format!("<Error>{error}<RequestId>struck</RequestId></Error>")),
        "sts" => {
            let namespace = "https://sts.amazonaws.com/doc/2011-06-15/";
            let error = format!("<Error><Type>Sender</Type>{error}</Error><RequestId>struck</RequestId>");
            made(status, "text/xml", format!("<ErrorResponse xmlns=\"{namespace}\">{error}</ErrorResponse>"))
        }
        _ => made(status, "application/x-amz-json-1.1", format!(r#"{{"__type":"{code}","message":"{message}"}}"#)),
    }
}

fn made(status: u16, kind: &str, body: String) -> Vec<u8> {
    let bytes = body.len();
    format!("HTTP/1.1 {status} Struck\r\nContent-Type: {kind}\r\nContent-Length: {bytes}\r\n\r\n{body}").into_bytes()
}
