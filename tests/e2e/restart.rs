//! A relay that systemd starts: the socket stays open while the relay restarts, so
//! no webhook is refused. The relay reports when it is ready, alive and ending.

use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rustix::process::Signal;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::support::{
    Process, Service, Stage, eventually, form_post, own_address, podtap, script, split_url,
};

/// Starts `podtap relay` as systemd does for a socket unit: descriptor 3 is
/// a listening socket, and environment variables for this process say so.
fn start_activated(stage: &Stage, listener: &TcpListener) -> Process {
    let relay = podtap(stage.home());
    let mut shell = Command::new("sh");
    shell
        .args([
            "-c",
            "exec 3<&0 </dev/null; LISTEN_PID=$$ LISTEN_FDS=1 exec \"$0\" \"$@\"",
        ])
        .arg(relay.get_program())
        .args(["relay", "--json", "--data-dir", &stage.relay_dir()])
        .stdin(Stdio::from(OwnedFd::from(listener.try_clone().unwrap())));
    for (name, value) in relay.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    Process::spawn(shell)
}

/// The number of sent webhooks, and the item of the next one.
#[derive(Default)]
struct Load {
    sent: AtomicU64,
    ends: AtomicBool,
}

impl Load {
    fn next(&self) -> Option<String> {
        let item = self.sent.fetch_add(1, Ordering::Relaxed);
        let goes_on = !self.ends.load(Ordering::Relaxed);
        if !goes_on {
            self.sent.fetch_sub(1, Ordering::Relaxed);
        }
        goes_on.then(|| format!("type=item.create&item_id={item}"))
    }

    /// Sends each webhook over its own connection.
    async fn with_connections(&self, url: &str) {
        while let Some(body) = self.next() {
            let answer = form_post(url, body.as_bytes()).await;
            assert_eq!(answer.status, 200, "{answer:?}");
        }
    }

    /// Sends as many webhooks over one connection as the relay allows.
    async fn kept_alive(&self, url: &str) {
        let (authority, path) = split_url(url);
        let mut connection = None;
        while let Some(body) = self.next() {
            let stream = match connection.take() {
                Some(stream) => stream,
                None => BufReader::new(TcpStream::connect(authority).await.unwrap()),
            };
            let (stream, head) = exchange(stream, authority, path, &body).await;
            assert!(head.starts_with("http/1.1 200 "), "{head:?}");
            if !head.contains("\r\nconnection: close\r\n") {
                connection = Some(stream);
            }
        }
    }
}

/// Sends one webhook and reads the response. Returns the connection, and the head in lower case.
async fn exchange(
    mut stream: BufReader<TcpStream>,
    authority: &str,
    path: &str,
    body: &str,
) -> (BufReader<TcpStream>, String) {
    let length = body.len();
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: {authority}\r\ncontent-length: {length}\r\n\
         content-type: application/x-www-form-urlencoded\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        let read = stream.read_line(&mut head).await.unwrap();
        assert!(read > 0, "the connection ended without an answer: {head:?}");
    }
    let head = head.to_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    stream.read_exact(&mut body).await.unwrap();
    (stream, head)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_refuses_no_webhook_where_the_socket_stays_open() {
    let (stage, service) = (Stage::new(), Service::start().await);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let mut relay = start_activated(&stage, &listener);
    let ready = relay.object("ready", |_| true).await;
    assert_eq!(ready["listen"], address);
    let token = stage.token("ann");
    let relay_url = format!("http://{address}");
    let (_agent, url) = stage
        .agent(&relay_url, &token, service.address(), &[])
        .await;

    let load = Arc::new(Load::default());
    let mut senders = JoinSet::new();
    for number in 0..4 {
        let (load, url) = (Arc::clone(&load), url.clone());
        senders.spawn(async move {
            if number % 2 == 0 {
                load.with_connections(&url).await;
            } else {
                load.kept_alive(&url).await;
            }
        });
    }
    for _ in 0..3 {
        let before = load.sent.load(Ordering::Relaxed);
        let goes_on = || (load.sent.load(Ordering::Relaxed) > before + 40).then_some(());
        eventually("webhooks between two restarts", goes_on, || relay.stderr()).await;
        relay.terminate();
        let status = relay.wait_for_end().await;
        assert_eq!(status.code(), Some(143), "{}", relay.stderr());
        relay = start_activated(&stage, &listener);
    }
    load.ends.store(true, Ordering::Relaxed);
    while let Some(sender) = senders.join_next().await {
        sender.expect("each webhook is answered 200");
    }

    let sent = load.sent.load(Ordering::Relaxed);
    service.wait_for(usize::try_from(sent).unwrap()).await;
    let stored = || {
        let events = stage.events(&[]);
        (events.len() as u64 >= sent).then_some(events)
    };
    let events = eventually("all events in the history", stored, String::new).await;
    let mut items: Vec<&str> = { &events }
        .iter()
        .map(|event| event["params"]["item_id"].as_str().unwrap())
        .collect();
    items.sort_unstable();
    items.dedup();
    assert_eq!(items.len() as u64, sent, "each once");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_manager_hears_that_the_relay_is_ready_alive_and_ending() {
    let stage = Stage::new();
    let path = stage.home().join("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    manager.set_nonblocking(true).unwrap();
    let mut command = podtap(stage.home());
    command
        .args(["relay", "--listen", "127.0.0.1:0", "--json"])
        .env("NOTIFY_SOCKET", &path)
        .env("WATCHDOG_USEC", "100000");
    let mut relay = Process::spawn(command);
    let mut heard: Vec<String> = Vec::new();
    let mut hears = async |what: &str, relay: &Process| {
        let next = || {
            let mut datagram = [0; 256];
            while let Ok(length) = manager.recv(&mut datagram) {
                heard.push(
                    String::from_utf8_lossy(&datagram[..length])
                        .trim()
                        .to_owned(),
                );
            }
            let at = heard.iter().position(|heard| heard == what)?;
            heard.drain(..=at);
            Some(())
        };
        eventually(what, next, || relay.stderr()).await;
    };

    hears("READY=1", &relay).await;
    relay.object("ready", |_| true).await;
    hears("WATCHDOG=1", &relay).await;
    hears("WATCHDOG=1", &relay).await;
    relay.signal(Signal::TERM);
    hears("STOPPING=1", &relay).await;
    assert_eq!(relay.wait_for_end().await.code(), Some(143));
}

#[tokio::test(flavor = "multi_thread")]
async fn systemd_starts_it_at_the_first_webhook() {
    let activate = "systemd-socket-activate";
    if !script::available(activate, None, "systemd-socket-activate is needed") {
        return;
    }
    let stage = Stage::new();
    let token = stage.token("ann");
    let address = own_address();
    let relay = podtap(stage.home());
    let mut command = Command::new(activate);
    command.args(["--listen", &address]).env_clear();
    for (name, value) in relay.get_envs() {
        if let (Some(name), Some(value)) = (name.to_str(), value.and_then(|value| value.to_str())) {
            command.arg(format!("--setenv={name}={value}"));
        }
    }
    command
        .arg(relay.get_program())
        .args(["relay", "--json", "--data-dir", &stage.relay_dir()])
        .stdin(Stdio::null());
    let relay = Process::spawn(command);
    let waits = || relay.stderr().contains("Listening on").then_some(());
    eventually("the socket", waits, || relay.stderr()).await;
    assert!(
        relay.stdout().is_empty(),
        "it was started before anyone asked"
    );

    let service = Service::start().await;
    let relay_url = format!("http://{address}");
    let (_agent, url) = stage
        .agent(&relay_url, &token, service.address(), &[])
        .await;

    assert_eq!(
        form_post(&url, b"type=item.create&item_id=1").await.status,
        200
    );
    service.wait_for(1).await;
    assert_eq!(relay.object("ready", |_| true).await["listen"], address);
}

#[test]
fn sockets_that_it_cannot_use_are_named() {
    let stage = Stage::new();
    let relay = podtap(stage.home());
    for (script, words) in [
        (
            "exec 3</dev/null; LISTEN_FDS=1",
            "a passed socket cannot be used",
        ),
        (
            "exec 3<&0 4<&0 5<&0 6<&0; LISTEN_FDS=4",
            "4 sockets were passed",
        ),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut shell = Command::new("sh");
        shell
            .args(["-c", &format!("{script} LISTEN_PID=$$ exec \"$0\" relay")])
            .arg(relay.get_program())
            .env("HOME", stage.home())
            .stdin(Stdio::from(OwnedFd::from(listener)));
        let output = shell.output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(words), "{stderr}");
    }
}
