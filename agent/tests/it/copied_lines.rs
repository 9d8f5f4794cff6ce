//! Tests copied command lines, pasted into real shells and run by real clients: the service
//! receives the event's bytes, and nothing else runs.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};

use bytes::Bytes;
use jiff::Timestamp;
use podtap_agent::WebhookRequest;
use podtap_agent::export::curl::curl;
use podtap_agent::export::httpie::httpie;
use podtap_testing::own_port;
use proptest::prelude::*;
use tempfile::TempDir;

/// The shells, and how each reads its commands from stdin without a person's own files. bash
/// expands its history, as it does for a person.
const SHELLS: [(&str, &[&str], &str); 5] = [
    ("sh", &["-s"], ""),
    ("dash", &["-s"], ""),
    ("bash", &["--norc", "-s"], "set -o history -o histexpand\n"),
    ("zsh", &["-f", "-s"], ""),
    ("fish", &["--no-config"], ""),
];

/// Text that a shell, a terminal or a client might obey.
const HOSTILE: &[&str] = &[
    "'",
    "\"",
    "\\",
    "\\'",
    "\\\\",
    "$(touch pwned)",
    "`touch pwned`",
    "; touch pwned #",
    "\n",
    "!!",
    "!x",
    "%s",
    "%n",
    "%self",
    "@/etc/hostname",
    "=[1]",
    ":=",
    "=@",
    "{a,b}",
    "~",
    "*",
    "#",
    "&",
    "|",
    ">pwned",
    "=ls",
    "^x^y",
    "-n",
    "--help",
    "\\134",
    "\\x41",
    "$HOME",
    "a",
    " ",
    "ü",
    "\u{202e}",
    "<(touch pwned)",
    "(touch pwned)",
    "\r\n",
    "\t",
    "\x1b[201~",
    ":",
    ";",
    "?",
    "[1-9]",
];

/// The request that arrived.
#[derive(Debug)]
struct Received {
    request_line: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

impl Received {
    fn has(&self, name: &str, value: &[u8]) -> bool {
        let mut headers = self.headers.iter();
        headers.any(|(known, has)| known.eq_ignore_ascii_case(name) && has == value)
    }
}

fn read(stream: TcpStream) -> Received {
    let mut reader = BufReader::new(stream);
    let mut line = || {
        let mut line = Vec::new();
        reader.read_until(b'\n', &mut line).unwrap();
        line.truncate(line.trim_ascii_end().len());
        line
    };
    let request_line = String::from_utf8(line()).unwrap();
    let mut headers = Vec::new();
    loop {
        let line = line();
        let Some(at) = line.iter().position(|byte| *byte == b':') else {
            break;
        };
        let name = String::from_utf8(line[..at].to_vec()).unwrap();
        headers.push((name, line[at + 1..].trim_ascii().to_vec()));
    }
    let length = headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let length = length.map_or(0, |(_, value)| {
        std::str::from_utf8(value).unwrap().parse().unwrap()
    });
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    reader.get_mut().write_all(answer).unwrap();
    Received {
        request_line,
        headers,
        body,
    }
}

/// A service and a folder for pasted lines.
struct Bench {
    listener: TcpListener,
    folder: TempDir,
}

impl Bench {
    fn new() -> Self {
        Self {
            // A port that was another test's would still be called by what that test left.
            listener: TcpListener::bind((Ipv4Addr::LOCALHOST, own_port())).unwrap(),
            folder: TempDir::new().unwrap(),
        }
    }

    fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap()
    }

    /// Pastes a line into a shell and returns the request that arrived.
    fn paste(&self, shell: (&str, &[&str], &str), line: &str) -> Received {
        let (program, arguments, before) = shell;
        let mut running = Command::new(program)
            .args(arguments)
            .current_dir(self.folder.path())
            .env("HOME", self.folder.path())
            .env_remove("ENV")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = running.stdin.take().unwrap();
        input
            .write_all(format!("{before}{line}\n").as_bytes())
            .unwrap();
        drop(input);
        self.listener.set_nonblocking(true).unwrap();
        let stream = loop {
            if let Ok((stream, _)) = self.listener.accept() {
                break stream;
            }
            if running.try_wait().unwrap().is_some() {
                let mut said = String::new();
                running.stderr.unwrap().read_to_string(&mut said).unwrap();
                panic!("{program} sent nothing: {said}\n{line}");
            }
            std::thread::sleep(std::time::Duration::from_millis(2));
        };
        stream.set_nonblocking(false).unwrap();
        let received = read(stream);
        running.wait().unwrap();
        assert!(
            !self.folder.path().join("pwned").exists(),
            "{program} ran it:\n{line}"
        );
        received
    }
}

fn shells() -> Vec<(&'static str, &'static [&'static str], &'static str)> {
    let present = |shell: &&(&str, _, _)| {
        let found = is_installed(shell.0);
        if !found {
            eprintln!("skipped: {} is not installed", shell.0);
        }
        found
    };
    SHELLS.iter().filter(present).copied().collect()
}

fn is_installed(program: &str) -> bool {
    let version = Command::new("sh")
        .args(["-c", &format!("command -v {program}")])
        .stdout(Stdio::null())
        .status();
    version.is_ok_and(|status| status.success())
}

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

fn check(received: &Received, sent: &WebhookRequest, line: &str) {
    assert_eq!(
        received.request_line,
        format!("POST {} HTTP/1.1", sent.path),
        "{line}"
    );
    assert_eq!(received.body, &sent.body[..], "{line}");
    for (name, value) in sent.headers.iter() {
        assert!(
            received.has(name, value.trim_ascii()),
            "{name} in {received:?}\n{line}"
        );
    }
}

fn hostile(most: usize) -> impl Strategy<Value = String> {
    proptest::collection::vec(proptest::sample::select(HOSTILE), 1..=most)
        .prop_map(|parts| parts.concat())
}

/// Returns a header's value without control characters, which no header has.
fn value(text: &str) -> Vec<u8> {
    text.replace(char::is_control, "_").into_bytes()
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        hostile(8).prop_map(String::into_bytes),
        proptest::collection::vec(any::<u8>(), 1..60),
    ]
}

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

#[test]
fn what_was_found_in_the_field_stays_found() {
    let bench = Bench::new();
    for shell in shells() {
        for body in [
            &b"\\'; touch pwned #"[..],
            b"@/etc/hostname",
            b"it's !x\n",
            b"\0\xff-",
        ] {
            let headers: [(&str, &[u8]); 4] = [
                ("x-blank", b"  "),
                ("x-note", b"@/etc/hostname"),
                ("x-json", b"=[1]"),
                ("content-type", b"text/plain; charset=\"x\""),
            ];
            let request = request("/podio/hook?a=[1]&b='c'", &headers, body);
            let url = format!("http://{}{}", bench.address(), request.path);
            let line = curl(&request, &url);
            check(&bench.paste(shell, &line), &request, &line);
        }
    }
}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn curl_sends_the_events_bytes_from_every_shell(
        body in body(), first in hostile(4), second in hostile(4), path in "/[!-~]{0,20}",
    ) {
        // A request line does not contain what follows a `#`.
        let path = path.replace('#', "");
        let bench = Bench::new();
        let (first, second) = (value(&first), value(&second));
        let headers: [(&str, &[u8]); 3] =
            [("x-first", &first), ("x-second", &second), ("content-type", b"text/plain")];
        let request = request(&path, &headers, &body);
        let url = format!("http://{}{}", bench.address(), request.path);
        let line = curl(&request, &url);
        for shell in shells() {
            check(&bench.paste(shell, &line), &request, &line);
        }
    }
}

proptest! {
    // Each case starts Python once.
    #![proptest_config(cases(12))]

    #[test]
    fn httpie_sends_the_events_bytes_or_is_not_offered(
        body in body(), first in hostile(3), shell in 0_usize..5, path in "/[a-z0-9/=&?@~!$'()*+,;:._-]{0,20}",
    ) {
        let shells = shells();
        if !is_installed("http") {
            eprintln!("skipped: httpie is not installed");
            return Ok(());
        }
        let bench = Bench::new();
        let first = value(&first);
        let headers: [(&str, &[u8]); 2] = [("x-first", &first), ("content-type", b"text/plain")];
        let request = request(&path, &headers, &body);
        let url = format!("http://{}{}", bench.address(), request.path);
        let Ok(line) = httpie(&request, &url) else { return Ok(()) };
        let received = bench.paste(shells[shell % shells.len()], &line);
        check(&received, &request, &line);
    }
}

#[test]
fn httpie_reads_no_file_for_a_header() {
    if !is_installed("http") {
        eprintln!("skipped: httpie is not installed");
        return;
    }
    let bench = Bench::new();
    let headers: [(&str, &[u8]); 3] = [
        ("x-note", b"@/etc/hostname"),
        ("x-json", b"=[1]"),
        ("x-odd", b":=@/etc/hostname"),
    ];
    let request = request("/podio/hook", &headers, b"@/etc/hostname");
    let url = format!("http://{}{}", bench.address(), request.path);
    let line = httpie(&request, &url).unwrap();
    for shell in shells() {
        check(&bench.paste(shell, &line), &request, &line);
    }
}
