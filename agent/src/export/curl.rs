//! A request as a command line for curl, or for `httpie`, that sends the same bytes.

use podtap_wire::WebhookRequest;

use super::end_to_end;
use super::shell::{plain, printf, word};

/// Between two arguments, so that a long line stays readable.
const BREAK: &str = " \\\n  ";

/// A command line for curl that sends the request to `base`, the local service's or the tunnel's
/// URL without a trailing slash.
pub fn curl(request: &WebhookRequest, base: &str) -> String {
    let mut arguments = vec!["curl".to_owned()];
    match request.method.as_str() {
        "GET" if request.body.is_empty() => {}
        "HEAD" => arguments.push("--head".to_owned()),
        method => arguments.push(format!("-X {}", word(method.as_bytes()))),
    }
    let url = format!("{base}{}", request.path);
    if url.contains(['[', ']', '{', '}']) {
        arguments.push("--globoff".to_owned());
    }
    if request.path.contains("/.") {
        arguments.push("--path-as-is".to_owned());
    }
    arguments.push(word(url.as_bytes()));
    for (name, value) in end_to_end(&request.headers) {
        // curl's sign for a header without a value.
        let separator = if value.is_empty() { ";" } else { ": " };
        let header = [name.as_bytes(), separator.as_bytes(), value].concat();
        arguments.push(format!("-H {}", word(&header)));
    }
    let body = request.body.as_ref();
    if body.is_empty() {
        return arguments.join(BREAK);
    }
    if request.headers.get("content-type").is_none() {
        // Else curl makes one up.
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

/// A command line for `httpie` that sends the request to `base`.
pub fn httpie(request: &WebhookRequest, base: &str) -> String {
    let url = format!("{base}{}", request.path);
    let mut arguments = vec!["http".to_owned()];
    let body = request.body.as_ref();
    let is_plain = plain(body).is_some();
    if body.is_empty() {
        arguments.push("--ignore-stdin".to_owned());
    } else if is_plain {
        arguments.push(format!("--ignore-stdin --raw {}", word(body)));
    }
    arguments.push(format!(
        "{} {}",
        word(request.method.as_bytes()),
        word(url.as_bytes())
    ));
    for (name, value) in end_to_end(&request.headers) {
        let separator = if value.is_empty() { ";" } else { ":" };
        arguments.push(word(
            &[name.as_bytes(), separator.as_bytes(), value].concat(),
        ));
    }
    let line = arguments.join(BREAK);
    if is_plain {
        line
    } else {
        format!("{} |{BREAK}{line}", printf(body))
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;
    use std::process::Command;

    use bytes::Bytes;
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;

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

    /// What `sh` passes to a program in the place of `program`: its arguments and its input, each
    /// byte in hexadecimal.
    fn run(line: &str, program: &str) -> (Vec<String>, String) {
        let stand_in = format!(
            "{program}() {{ for a; do printf %s \"$a\" | od -An -v -tx1 | tr -d ' \\n'; echo; done; \
             echo --; od -An -v -tx1 | tr -d ' \\n'; }}\n"
        );
        let script = format!("{stand_in}{line}");
        let output = Command::new("sh")
            .args(["-c", &script])
            .stdin(std::process::Stdio::null())
            .output();
        let output = String::from_utf8(output.unwrap().stdout).unwrap();
        let (arguments, input) = output.split_once("--\n").unwrap();
        (
            arguments.lines().map(str::to_owned).collect(),
            input.to_owned(),
        )
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().fold(String::new(), |mut hex, byte| {
            write!(hex, "{byte:02x}").unwrap();
            hex
        })
    }

    #[test]
    fn a_plain_request_is_a_readable_line() {
        let form: &[u8] = b"application/x-www-form-urlencoded";
        let headers = [("host", &b"x"[..]), ("Content-Type", form)];
        let line = curl(
            &request("/podio/hook", &headers, b"type=item.update&item_id=1"),
            "http://localhost:3000",
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
        let request = request("/\x1b]0;x\x07?[1-9]", &[("x-evil", b"\t\xff'")], evil);
        for line in [curl(&request, "http://h"), httpie(&request, "http://h")] {
            assert!(
                line.chars().all(|c| c == '\n' || !c.is_control()),
                "{line:?}"
            );
            assert!(!line.contains('\u{202e}'));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn a_shell_passes_on_every_byte(
            body in proptest::collection::vec(any::<u8>(), 1..80),
            value in proptest::collection::vec(prop_oneof![32..127_u8, 128..=255_u8], 1..30),
            text in "[ -~\n]{1,40}",
        ) {
            for body in [&body[..], text.as_bytes()] {
                let request = request("/hook", &[("content-type", &value)], body);
                let (arguments, input) = run(&curl(&request, "http://h"), "curl");
                let header = [b"content-type: ", &value[..]].concat();
                prop_assert!(arguments.contains(&hex(&header)), "{:?}", arguments);
                let sent = arguments.contains(&hex(body)) || input == hex(body);
                prop_assert!(sent, "{:?} {:?}", arguments, input);

                let (arguments, input) = run(&httpie(&request, "http://h"), "http");
                prop_assert!(arguments.contains(&hex(body)) || input == hex(body));
            }
        }
    }
}
