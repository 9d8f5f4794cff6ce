//! Formats a request as it was received, as HTTP/1.1.

use podtap_wire::WebhookRequest;

/// Returns the bytes of the request: its headers unchanged and in order, and its body.
pub fn raw(request: &WebhookRequest) -> Vec<u8> {
    let mut raw = format!("{} {} HTTP/1.1\r\n", request.method, request.path).into_bytes();
    for (name, value) in request.headers.iter() {
        raw.extend_from_slice(name.as_bytes());
        raw.extend_from_slice(b": ");
        raw.extend_from_slice(value);
        raw.extend_from_slice(b"\r\n");
    }
    raw.extend_from_slice(b"\r\n");
    raw.extend_from_slice(&request.body);
    raw
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_keep_their_order_and_the_body_its_bytes() {
        let request = WebhookRequest {
            received_at: jiff::Timestamp::UNIX_EPOCH,
            method: "PUT".to_owned(),
            path: "/a%20b?c".to_owned(),
            headers: [("B", "1"), ("a", "2"), ("b", "3")].into_iter().collect(),
            peer: None,
            body: bytes::Bytes::from_static(b"\x00\xff"),
        };
        assert_eq!(
            raw(&request),
            b"PUT /a%20b?c HTTP/1.1\r\nB: 1\r\na: 2\r\nb: 3\r\n\r\n\x00\xff"
        );
    }
}
