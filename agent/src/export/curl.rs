//! Formats a request as a command line for curl that sends the same bytes.

use podtap_wire::WebhookRequest;

use super::end_to_end;
use super::shell::{BREAK, plain, printf, word};

/// Returns a command line for curl that sends the request to the complete URL `url`.
pub fn curl(request: &WebhookRequest, url: &str) -> String {
    let mut arguments = vec!["curl".to_owned()];
    match request.method.as_str() {
        "GET" if request.body.is_empty() => {}
        "HEAD" => arguments.push("--head".to_owned()),
        method => arguments.push(format!("-X {}", word(method.as_bytes()))),
    }
    if url.contains(['[', ']', '{', '}']) {
        arguments.push("--globoff".to_owned());
    }
    if url.contains("/.") {
        arguments.push("--path-as-is".to_owned());
    }
    arguments.push(word(url.as_bytes()));
    for (name, value) in end_to_end(&request.headers) {
        let value = value.trim_ascii();
        // In curl, `;` marks a header without a value.
        let separator = if value.is_empty() { ";" } else { ": " };
        let header = [name.as_bytes(), separator.as_bytes(), value].concat();
        arguments.push(format!("-H {}", word(&header)));
    }
    let body = request.body.as_ref();
    if body.is_empty() {
        return arguments.join(BREAK);
    }
    if request.headers.get("content-type").is_none() {
        // Otherwise curl adds a content type.
        arguments.push("-H content-type:".to_owned());
    }
    if plain(body).is_some() {
        arguments.push(format!("--data-raw {}", word(body)));
        arguments.join(BREAK)
    } else {
        arguments.push("--data-binary @-".to_owned());
        format!("{} |{BREAK}{}", printf(body), arguments.join(BREAK))
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use jiff::Timestamp;

    use super::*;
    use crate::export::httpie::httpie;

    fn request(path: &str, headers: &[(&str, &[u8])], body: &[u8]) -> WebhookRequest {
        let header = |(name, value): &(&str, &[u8])| ((*name).to_owned(), value.to_vec());
        WebhookRequest {
            received_at: Timestamp::UNIX_EPOCH,
            method: "POST".to_owned(),
            path: path.to_owned(),
            headers: headers.iter().map(header).collect(),
            peer: None,
            body: Bytes::copy_from_slice(body),
        }
    }

    #[test]
    fn a_plain_request_is_a_readable_line() {
        let form: &[u8] = b"application/x-www-form-urlencoded";
        let headers = [("host", &b"x"[..]), ("Content-Type", form)];
        let line = curl(
            &request("/podio/hook", &headers, b"type=item.update&item_id=1"),
            "http://localhost:3000/podio/hook",
        );
        assert_eq!(
            line,
            "curl \\\n  -X POST \\\n  http://localhost:3000/podio/hook \\\n  \
             -H 'Content-Type: application/x-www-form-urlencoded' \\\n  \
             --data-raw 'type=item.update&item_id=1'"
        );
    }

    #[test]
    fn no_line_holds_what_a_terminal_would_obey() {
        let evil = b"a\x1b[201~\nrm -rf /\n\x00'\"$(id)`id`\xff\xe2\x80\xae";
        let request = request("/", &[("x-evil", b"\t\xff'")], evil);
        let url = "http://h/\x1b]0;x\x07?[1-9]";
        for line in [Ok(curl(&request, url)), httpie(&request, "http://h/")] {
            // httpie cannot send every header.
            let Ok(line) = line else { continue };
            assert!(
                line.chars().all(|c| c == '\n' || !c.is_control()),
                "{line:?}"
            );
            assert!(!line.contains('\u{202e}'));
        }
    }
}
