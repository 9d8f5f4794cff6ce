//! Runs many agents in one process, to measure what a connected agent costs the relay.
//!
//! Each agent opens a tunnel of its own (`PREFIX-0`, `PREFIX-1`, …) with the same token, sends
//! its hello, waits for the welcome, and from then on answers pings and acknowledges every
//! event. The program prints one line of JSON once all agents are welcome, and runs until it is
//! ended or the relay closes a connection.

use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Parser;
use futures_util::{SinkExt as _, StreamExt as _};
use http::{HeaderValue, header};
use podtap_wire::version::SUBPROTOCOL;
use podtap_wire::{
    Ack, AgentFrame, DecodedFrame, EncodedFrame, Hello, RelayFrame, Respond, TunnelName,
};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

#[derive(Debug, Parser)]
#[command(about = "Connects many agents to one relay and keeps them idle")]
struct AgentsOptions {
    /// The relay's address
    relay: String,
    /// The file that holds the token
    #[arg(long)]
    token_file: std::path::PathBuf,
    /// Number of agents
    #[arg(long, default_value_t = 1000)]
    count: usize,
    /// Prefix of the tunnels' names
    #[arg(long, default_value = "bench")]
    prefix: String,
}

type Socket = WebSocketStream<TcpStream>;

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::print_stdout, reason = "the result, for the benchmark script")]
async fn main() -> anyhow::Result<()> {
    let options = AgentsOptions::parse();
    let token = std::fs::read_to_string(&options.token_file)?;
    let mut agents = JoinSet::new();
    for index in 0..options.count {
        let name = format!("{}-{index}", options.prefix);
        let socket = connect(&options.relay, token.trim(), &name)
            .await
            .with_context(|| format!("agent {index}"))?;
        agents.spawn(stay(socket));
    }
    println!("{}", serde_json::json!({ "connected": options.count }));
    match agents.join_next().await {
        Some(ended) => ended?,
        None => bail!("no agents were asked for"),
    }
}

/// Opens a connection and waits for the relay's welcome.
async fn connect(relay: &str, token: &str, name: &str) -> anyhow::Result<Socket> {
    let mut request = format!("ws://{relay}/-/connect").into_client_request()?;
    let headers = request.headers_mut();
    headers.insert(
        header::SEC_WEBSOCKET_PROTOCOL,
        HeaderValue::from_static(SUBPROTOCOL),
    );
    headers.insert(
        header::AUTHORIZATION,
        HeaderValue::try_from(format!("Bearer {token}"))?,
    );
    let stream = TcpStream::connect(relay).await?;
    stream.set_nodelay(true)?;
    let config = WebSocketConfig::default()
        .read_buffer_size(4096)
        .write_buffer_size(4096);
    let (mut socket, _) = client_async_with_config(request, stream, Some(config)).await?;
    let hello = AgentFrame::Hello(Hello {
        client: "podtap-bench".to_owned(),
        tunnel: name.parse::<TunnelName>()?,
        window: 16,
        respond: Respond::Stored,
        epoch: None,
        host: None,
        take_over: false,
        pass_through: false,
    });
    socket.send(message(&hello)?).await?;
    let answer = tokio::time::timeout(Duration::from_secs(10), socket.next()).await?;
    match answer.context("closed before the welcome")?? {
        Message::Text(text) if text.contains("\"welcome\"") => Ok(socket),
        other => bail!("instead of a welcome came {other:?}"),
    }
}

/// Reads frames and acknowledges events. Reading also answers the relay's pings.
async fn stay(mut socket: Socket) -> anyhow::Result<()> {
    while let Some(received) = socket.next().await {
        if let Message::Binary(frame) = received?
            && let DecodedFrame::Frame(RelayFrame::Event(event)) =
                RelayFrame::decode_binary(&frame)?
        {
            let ack = AgentFrame::Ack(Ack { through: event.seq });
            socket.send(message(&ack)?).await?;
        }
    }
    bail!("the relay closed a connection")
}

fn message(frame: &AgentFrame) -> anyhow::Result<Message> {
    Ok(match frame.encode()? {
        EncodedFrame::Text(text) => Message::text(text),
        EncodedFrame::Binary(bytes) => Message::binary(bytes),
    })
}
