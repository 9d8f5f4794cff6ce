//! Implements an agent that does exactly what the test says, frame by frame.

use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use podtap_wire::{
    Ack, AgentFrame, ConnectRefusal, DecodedFrame, EncodedFrame, EventFrame, EventId, HeldFrame,
    Hello, Notice, RelayFrame, Respond, ResponseFrame, ResponseTo, Seq, WebhookResponse, Welcome,
};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};
use url::Url;

use super::within;

#[derive(Debug)]
pub(crate) struct Agent {
    socket: WebSocketStream<TcpStream>,
    pub(crate) welcome: Welcome,
}

/// The end of a session, as the agent sees it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Farewell {
    pub(crate) notice: Option<Notice>,
    pub(crate) code: Option<u16>,
}

impl Agent {
    pub(crate) async fn connect(address: SocketAddr, token: &str, tunnel: &str) -> Self {
        Self::connect_with(address, token, tunnel, |_| {}).await
    }

    pub(crate) async fn connect_with(
        address: SocketAddr,
        token: &str,
        tunnel: &str,
        change: impl FnOnce(&mut Hello),
    ) -> Self {
        let connected = try_connect(address, token, tunnel, change).await;
        connected.unwrap_or_else(|farewell| panic!("expected a welcome, got {farewell:?}"))
    }

    /// Connects from another address of this machine, such as 127.0.0.2, which counts as
    /// another peer.
    pub(crate) async fn connect_from(
        source: &str,
        address: SocketAddr,
        token: &str,
        tunnel: &str,
    ) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(format!("{source}:0").parse().unwrap()).unwrap();
        let stream = socket.connect(address).await.unwrap();
        let mut socket = open_on(stream, address, token, "podtap.v1").await.unwrap();
        send(&mut socket, &AgentFrame::Hello(hello(tunnel))).await;
        match next(&mut socket).await {
            Some(RelayFrame::Welcome(welcome)) => Self { socket, welcome },
            other => panic!("expected a welcome, got {other:?}"),
        }
    }

    /// Reads until the connection ends, which also answers pings.
    pub(crate) async fn read_on(&mut self) {
        while let Some(Ok(message)) = self.socket.next().await {
            if message.is_close() {
                return;
            }
        }
    }

    /// Returns the tunnel's path prefix, without a slash at the end.
    pub(crate) fn path(&self) -> String {
        let url: Url = self.welcome.url.parse().unwrap();
        url.path().trim_end_matches('/').to_owned()
    }

    pub(crate) async fn frame(&mut self) -> Option<RelayFrame> {
        next(&mut self.socket).await
    }

    pub(crate) async fn event(&mut self) -> EventFrame {
        loop {
            match self.frame().await {
                Some(RelayFrame::Event(event)) => return event,
                // This notice may arrive at any time.
                Some(RelayFrame::Notice(Notice::Refused { .. })) => {}
                other => panic!("expected an event, got {other:?}"),
            }
        }
    }

    pub(crate) async fn events(&mut self, count: usize) -> Vec<EventFrame> {
        let mut events = Vec::new();
        while events.len() < count {
            events.push(self.event().await);
        }
        events
    }

    /// Returns the next webhook that is not stored.
    pub(crate) async fn receive_held(&mut self) -> HeldFrame {
        loop {
            match self.frame().await {
                Some(RelayFrame::Held(held)) => return held,
                // This notice may arrive at any time.
                Some(RelayFrame::Notice(Notice::Refused { .. })) => {}
                other => panic!("expected a held webhook, got {other:?}"),
            }
        }
    }

    pub(crate) async fn respond_held(&mut self, id: EventId, response: WebhookResponse) {
        let to = ResponseTo::Held(id);
        let frame = AgentFrame::Response(ResponseFrame { to, response });
        send(&mut self.socket, &frame).await;
    }

    pub(crate) async fn ack(&mut self, through: Seq) {
        send(&mut self.socket, &AgentFrame::Ack(Ack { through })).await;
    }

    pub(crate) async fn respond(&mut self, seq: Seq, response: WebhookResponse) {
        let frame = AgentFrame::Response(ResponseFrame {
            to: ResponseTo::Stored(seq),
            response,
        });
        send(&mut self.socket, &frame).await;
    }

    pub(crate) async fn raw(&mut self, message: Message) {
        self.socket.send(message).await.unwrap();
    }

    /// Returns whether nothing arrives before the answer to a ping.
    pub(crate) async fn is_quiet(&mut self) -> bool {
        self.raw(Message::Ping("?".into())).await;
        within("a pong", async {
            loop {
                match self.socket.next().await {
                    Some(Ok(Message::Pong(_))) => return true,
                    Some(Ok(Message::Ping(_))) => {}
                    _ => return false,
                }
            }
        })
        .await
    }

    /// Reads to the end of the session.
    pub(crate) async fn farewell(&mut self) -> Farewell {
        within("the end of a session", async {
            let mut farewell = Farewell {
                notice: None,
                code: None,
            };
            while let Some(Ok(message)) = self.socket.next().await {
                match message {
                    Message::Close(close) => farewell.code = close.map(|close| close.code.into()),
                    Message::Text(text) => {
                        if let Ok(DecodedFrame::Frame(RelayFrame::Notice(notice))) =
                            RelayFrame::decode_text(&text)
                        {
                            farewell.notice = Some(notice);
                        }
                    }
                    _ => {}
                }
            }
            farewell
        })
        .await
    }

    /// Closes the connection properly and waits until the relay has closed it too.
    pub(crate) async fn leave(mut self) {
        let _ = self.socket.close(None).await;
        within("a close", async {
            while let Some(Ok(_)) = self.socket.next().await {}
        })
        .await;
    }
}

/// Returns a connected agent, or the end of the session if it was not welcomed.
pub(crate) async fn try_connect(
    address: SocketAddr,
    token: &str,
    tunnel: &str,
    change: impl FnOnce(&mut Hello),
) -> Result<Agent, Farewell> {
    let mut socket = open(address, token, "podtap.v1").await.unwrap();
    let mut hello = hello(tunnel);
    change(&mut hello);
    send(&mut socket, &AgentFrame::Hello(hello)).await;
    match next(&mut socket).await {
        Some(RelayFrame::Welcome(welcome)) => Ok(Agent { socket, welcome }),
        Some(RelayFrame::Notice(notice)) => Err(Farewell {
            notice: Some(notice),
            code: None,
        }),
        other => panic!("expected a welcome, got {other:?}"),
    }
}

fn hello(tunnel: &str) -> Hello {
    Hello {
        client: "test".to_owned(),
        tunnel: tunnel.parse().unwrap(),
        window: 1024,
        respond: Respond::Stored,
        epoch: None,
        host: None,
        take_over: false,
        pass_through: false,
    }
}

/// Opens the websocket without a hello.
pub(crate) async fn open(
    address: SocketAddr,
    token: &str,
    protocol: &str,
) -> Result<WebSocketStream<TcpStream>, Error> {
    let stream = TcpStream::connect(address).await.unwrap();
    open_on(stream, address, token, protocol).await
}

async fn open_on(
    stream: TcpStream,
    address: SocketAddr,
    token: &str,
    protocol: &str,
) -> Result<WebSocketStream<TcpStream>, Error> {
    let mut request = format!("ws://{address}/-/connect")
        .into_client_request()
        .unwrap();
    let headers = request.headers_mut();
    headers.insert("authorization", format!("Bearer {token}").parse().unwrap());
    headers.insert("sec-websocket-protocol", protocol.parse().unwrap());
    within("an upgrade", client_async(request, stream))
        .await
        .map(|(socket, _)| socket)
}

/// Returns the reason why the relay refuses an agent.
pub(crate) async fn refusal(
    address: SocketAddr,
    token: &str,
    protocol: &str,
) -> (u16, ConnectRefusal) {
    match open(address, token, protocol).await {
        Err(Error::Http(answer)) => {
            let body = answer.body().as_deref().unwrap_or_default();
            (
                answer.status().as_u16(),
                serde_json::from_slice(body).unwrap(),
            )
        }
        other => panic!("expected a refusal, got {other:?}"),
    }
}

async fn send(socket: &mut WebSocketStream<TcpStream>, frame: &AgentFrame) {
    let message = match frame.encode().unwrap() {
        EncodedFrame::Text(text) => Message::text(text),
        EncodedFrame::Binary(bytes) => Message::binary(bytes),
    };
    socket.send(message).await.unwrap();
}

async fn next(socket: &mut WebSocketStream<TcpStream>) -> Option<RelayFrame> {
    within("a frame", async {
        loop {
            let decoded = match socket.next().await?.ok()? {
                Message::Text(text) => RelayFrame::decode_text(&text).unwrap(),
                Message::Binary(bytes) => RelayFrame::decode_binary(&bytes).unwrap(),
                Message::Close(_) => return None,
                _ => continue,
            };
            match decoded {
                DecodedFrame::Frame(frame) => return Some(frame),
                DecodedFrame::Unknown(kind) => panic!("unknown frame {kind}"),
            }
        }
    })
    .await
}
