//! A stranger who holds many connections open does not delay
//! others, however few file descriptors the relay has.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

use crate::support::{DEADLINE, Process, Stage, command};

async fn connect_from(source: &str, authority: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(format!("{source}:0").parse().unwrap()).unwrap();
    socket.connect(authority.parse().unwrap()).await.unwrap()
}

/// Sends a webhook for an unknown tunnel from another
/// address than 127.0.0.1; returns the response's status.
async fn status(authority: &str) -> String {
    let exchange = async {
        let mut stream = connect_from("127.0.0.2", authority).await;
        let request =
            "POST /key HTTP/1.1\r\nhost: h\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer.split(' ').nth(1).unwrap_or_default().to_owned()
    };
    let answer = tokio::time::timeout(DEADLINE, exchange).await;
    answer.expect("the relay hangs")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_with_few_descriptors_still_answers_beside_more_silent_connections() {
    let stage = Stage::new();
    let dir = stage.relay_dir();
    let plain = command(
        &stage,
        &[
            "relay",
            "--listen",
            "127.0.0.1:0",
            "--json",
            "--data-dir",
            &dir,
        ],
    );
    let mut command = std::process::Command::new("sh");
    command
        .args(["-c", "ulimit -n 512; exec \"$0\" \"$@\""])
        .arg(plain.get_program())
        .args(plain.get_args())
        .current_dir(stage.home());
    for (name, value) in plain.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let relay = Process::spawn(command);
    let ready = relay.object("ready", |_| true).await;
    let authority = ready["listen"].as_str().unwrap();

    let mut held = Vec::new();
    for _ in 0..600 {
        held.push(connect_from("127.0.0.1", authority).await);
    }
    for _ in 0..3 {
        assert_eq!(status(authority).await, "404");
    }

    let log = relay.stderr();
    assert!(log.contains("max-connections is"), "{log}");
    assert!(log.lines().count() < 10, "{log}");
}
