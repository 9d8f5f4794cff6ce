//! Compares every frame with the bytes of the first release: a frame never changes its meaning.

use bytes::Bytes;
use podtap_wire::{
    Ack, AgentFrame, DecodedFrame, EncodedFrame, EventFrame, HeldFrame, Hello, Notice, RelayFrame,
    RelayLimits, Respond, ResponseFrame, ResponseTo, Seq, TunnelHolder, WebhookRequest,
    WebhookResponse, Welcome,
};

fn agent_text(frame: AgentFrame, golden: &str) {
    assert_eq!(
        frame.encode().unwrap(),
        EncodedFrame::Text(golden.to_owned())
    );
    assert_eq!(
        AgentFrame::decode_text(golden).unwrap(),
        DecodedFrame::Frame(frame)
    );
}

fn relay_text(frame: RelayFrame, golden: &str) {
    assert_eq!(
        frame.encode().unwrap(),
        EncodedFrame::Text(golden.to_owned())
    );
    assert_eq!(
        RelayFrame::decode_text(golden).unwrap(),
        DecodedFrame::Frame(frame)
    );
}

fn with_length(json: &str, body: &[u8]) -> Bytes {
    let length = u32::try_from(json.len()).unwrap().to_be_bytes();
    [&length[..], json.as_bytes(), body].concat().into()
}

#[test]
fn control_frames_are_tagged_json() {
    agent_text(
        AgentFrame::Hello(Hello {
            client: "podtap/0.1.0".to_owned(),
            tunnel: "crm".parse().unwrap(),
            window: 1024,
            respond: Respond::Stored,
            epoch: None,
            host: None,
            take_over: false,
            pass_through: false,
        }),
        r#"{"type":"hello","client":"podtap/0.1.0","tunnel":"crm","window":1024,"respond":"stored"}"#,
    );
    agent_text(
        AgentFrame::Ack(Ack { through: Seq(7) }),
        r#"{"type":"ack","through":7}"#,
    );
    relay_text(
        RelayFrame::Welcome(Welcome {
            url: "https://hooks.example.com/k/".to_owned(),
            tunnel: "crm".parse().unwrap(),
            backlog: 3,
            limits: RelayLimits {
                window: 1024,
                max_body_bytes: 1,
                max_queue_events: 2,
                max_queue_bytes: 3,
                max_age_s: 4,
                max_response_bytes: 0,
            },
            server: "podtap/0.1.0".to_owned(),
            epoch: 0,
        }),
        r#"{"type":"welcome","url":"https://hooks.example.com/k/","tunnel":"crm","backlog":3,"limits":{"window":1024,"max_body_bytes":1,"max_queue_events":2,"max_queue_bytes":3,"max_age_s":4},"server":"podtap/0.1.0"}"#,
    );
    relay_text(
        RelayFrame::Notice(Notice::TakenOver(TunnelHolder::default())),
        r#"{"type":"notice","kind":"taken-over"}"#,
    );
    relay_text(
        RelayFrame::Notice(Notice::Revoked),
        r#"{"type":"notice","kind":"revoked"}"#,
    );
    relay_text(
        RelayFrame::Notice(Notice::Draining {
            come_back_after_ms: 500,
        }),
        r#"{"type":"notice","kind":"draining","come_back_after_ms":500}"#,
    );
    relay_text(
        RelayFrame::Notice(Notice::Gap {
            from: Seq(1),
            to: Seq(2),
            reason: "age".to_owned(),
        }),
        r#"{"type":"notice","kind":"gap","from":1,"to":2,"reason":"age"}"#,
    );
    relay_text(
        RelayFrame::Notice(Notice::Refused {
            count: 12,
            reason: "body over 8388608 bytes".to_owned(),
            last_at: "2026-11-23T12:04:31.204Z".parse().unwrap(),
        }),
        r#"{"type":"notice","kind":"refused","count":12,"reason":"body over 8388608 bytes","last_at":"2026-11-23T12:04:31.204Z"}"#,
    );
}

#[test]
fn who_has_a_tunnel_and_what_a_relay_takes_are_told() {
    agent_text(
        AgentFrame::Hello(Hello {
            client: "podtap/0.1.0".to_owned(),
            tunnel: "crm".parse().unwrap(),
            window: 1024,
            respond: Respond::Local,
            epoch: Some(7),
            host: Some("ann-laptop".to_owned()),
            take_over: true,
            pass_through: true,
        }),
        r#"{"type":"hello","client":"podtap/0.1.0","tunnel":"crm","window":1024,"respond":"local","epoch":7,"host":"ann-laptop","take_over":true,"pass_through":true}"#,
    );
    relay_text(
        RelayFrame::Welcome(Welcome {
            url: "https://hooks.example.com/k/".to_owned(),
            tunnel: "crm".parse().unwrap(),
            backlog: 3,
            limits: RelayLimits {
                window: 1024,
                max_body_bytes: 1,
                max_queue_events: 2,
                max_queue_bytes: 3,
                max_age_s: 4,
                max_response_bytes: 5,
            },
            server: "podtap/0.1.0".to_owned(),
            epoch: 8,
        }),
        r#"{"type":"welcome","url":"https://hooks.example.com/k/","tunnel":"crm","backlog":3,"limits":{"window":1024,"max_body_bytes":1,"max_queue_events":2,"max_queue_bytes":3,"max_age_s":4,"max_response_bytes":5},"server":"podtap/0.1.0","epoch":8}"#,
    );
    relay_text(
        RelayFrame::Notice(Notice::TakenOver(TunnelHolder {
            host: Some("ann-laptop".to_owned()),
            since: Some("2026-11-23T12:04:31.204Z".parse().unwrap()),
        })),
        r#"{"type":"notice","kind":"taken-over","host":"ann-laptop","since":"2026-11-23T12:04:31.204Z"}"#,
    );
    relay_text(
        RelayFrame::Notice(Notice::Limit {
            message: "enough".to_owned(),
        }),
        r#"{"type":"notice","kind":"limit","message":"enough"}"#,
    );
    relay_text(
        RelayFrame::Notice(Notice::ClockSet { by_ms: -3_600_000 }),
        r#"{"type":"notice","kind":"clock-set","by_ms":-3600000}"#,
    );
}

#[test]
fn frames_with_a_body_are_length_json_body() {
    let event = RelayFrame::Event(EventFrame {
        seq: Seq(42),
        id: "01JD0000000000000000000000".parse().unwrap(),
        request: WebhookRequest {
            received_at: "2026-11-23T12:04:31.204Z".parse().unwrap(),
            method: "POST".to_owned(),
            path: "/podio/hook?a=%20".to_owned(),
            headers: [("content-type", "text/plain"), ("x", "1"), ("x", "2")]
                .into_iter()
                .collect(),
            peer: Some([192, 0, 2, 1].into()),
            body: Bytes::from_static(b"\xff\x00raw"),
        },
    });
    let golden = with_length(
        r#"{"type":"event","seq":42,"id":"01JD0000000000000000000000","received_at":"2026-11-23T12:04:31.204Z","method":"POST","path":"/podio/hook?a=%20","headers":[["content-type","text/plain"],["x","1"],["x","2"]],"peer":"192.0.2.1"}"#,
        b"\xff\x00raw",
    );
    assert_eq!(
        event.encode().unwrap(),
        EncodedFrame::Binary(golden.clone())
    );
    assert_eq!(
        RelayFrame::decode_binary(&golden).unwrap(),
        DecodedFrame::Frame(event)
    );

    let response = AgentFrame::Response(ResponseFrame {
        to: ResponseTo::Stored(Seq(42)),
        response: WebhookResponse {
            status: 201,
            headers: [("x-raw", Bytes::from_static(b"\xe9"))]
                .into_iter()
                .collect(),
            body: Bytes::from_static(b"ok"),
        },
    });
    let golden = with_length(
        r#"{"type":"response","seq":42,"status":201,"headers":[["x-raw","é"]]}"#,
        b"ok",
    );
    assert_eq!(
        response.encode().unwrap(),
        EncodedFrame::Binary(golden.clone())
    );
    assert_eq!(
        AgentFrame::decode_binary(&golden).unwrap(),
        DecodedFrame::Frame(response)
    );
}

#[test]
fn a_webhook_that_is_not_stored_has_an_id_and_no_seq() {
    let id = "01JD0000000000000000000000".parse().unwrap();
    let held = RelayFrame::Held(HeldFrame {
        id,
        request: WebhookRequest {
            received_at: "2026-11-23T12:04:31.204Z".parse().unwrap(),
            method: "POST".to_owned(),
            path: "/podio/hook".to_owned(),
            headers: [("x", "1")].into_iter().collect(),
            peer: None,
            body: Bytes::from_static(b"raw"),
        },
    });
    let golden = with_length(
        r#"{"type":"held","id":"01JD0000000000000000000000","received_at":"2026-11-23T12:04:31.204Z","method":"POST","path":"/podio/hook","headers":[["x","1"]],"peer":null}"#,
        b"raw",
    );
    assert_eq!(held.encode().unwrap(), EncodedFrame::Binary(golden.clone()));
    assert_eq!(
        RelayFrame::decode_binary(&golden).unwrap(),
        DecodedFrame::Frame(held)
    );

    let response = AgentFrame::Response(ResponseFrame {
        to: ResponseTo::Held(id),
        response: WebhookResponse {
            status: 201,
            headers: [("x", "2")].into_iter().collect(),
            body: Bytes::from_static(b"ok"),
        },
    });
    let golden = with_length(
        r#"{"type":"response","id":"01JD0000000000000000000000","status":201,"headers":[["x","2"]]}"#,
        b"ok",
    );
    assert_eq!(
        response.encode().unwrap(),
        EncodedFrame::Binary(golden.clone())
    );
    assert_eq!(
        AgentFrame::decode_binary(&golden).unwrap(),
        DecodedFrame::Frame(response)
    );

    // A response with neither `seq` nor `id` is refused.
    let nothing = with_length(r#"{"type":"response","status":201,"headers":[]}"#, b"");
    assert!(AgentFrame::decode_binary(&nothing).is_err());
}

#[test]
fn a_newer_peer_is_understood_as_far_as_known() {
    let ack = r#"{"type":"ack","through":7,"colour":"blue"}"#;
    assert_eq!(
        AgentFrame::decode_text(ack).unwrap(),
        DecodedFrame::Frame(AgentFrame::Ack(Ack { through: Seq(7) }))
    );
    let frame = r#"{"type":"sunrise","at":7}"#;
    assert_eq!(
        RelayFrame::decode_text(frame).unwrap(),
        DecodedFrame::Unknown("sunrise".to_owned())
    );
    let long = format!(r#"{{"type":"{}"}}"#, "é".repeat(1_000_000));
    for decoded in [
        AgentFrame::decode_text(&long).map(|frame| format!("{frame:?}")),
        RelayFrame::decode_text(&long).map(|frame| format!("{frame:?}")),
        AgentFrame::decode_binary(&with_length(&long, b"")).map(|frame| format!("{frame:?}")),
        RelayFrame::decode_binary(&with_length(&long, b"")).map(|frame| format!("{frame:?}")),
    ] {
        let cut = DecodedFrame::<()>::Unknown("é".repeat(64));
        assert_eq!(decoded.unwrap(), format!("{cut:?}"));
    }
    let notice = r#"{"type":"notice","kind":"sunset","why":{}}"#;
    assert_eq!(
        RelayFrame::decode_text(notice).unwrap(),
        DecodedFrame::Frame(RelayFrame::Notice(Notice::Unknown))
    );
}

#[test]
fn an_event_that_no_request_of_http_can_have_been_is_refused() {
    let decode = |kind: &str, method: &str, path: &str, header: &str, value: &str| {
        let head = serde_json::json!({
            "type": kind, "seq": 1, "id": "01JD0000000000000000000000",
            "received_at": "2026-11-23T12:04:31.204Z",
            "method": method, "path": path, "headers": [[header, value]], "peer": null,
        });
        RelayFrame::decode_binary(&with_length(&head.to_string(), b"body"))
    };
    assert!(decode("event", "POST", "/x?y", "X-A", "tab\t\u{ff}").is_ok());
    for (method, path, header, value) in [
        ("POST /x HTTP/1.1\r\nX: y", "/", "x", "y"),
        ("POST", "@evil.example/x", "x", "y"),
        ("POST", "/x HTTP/1.1\r\nX-Forged: 1", "x", "y"),
        ("POST", "/", "x: y\r\nX-Forged", "1"),
        ("POST", "/", "x", "y\r\nX-Forged: 1"),
        ("POST", "/", "x", "\u{1b}[2J"),
    ] {
        for kind in ["event", "held"] {
            let refused = decode(kind, method, path, header, value);
            let refused = refused.unwrap_err().to_string();
            assert!(
                refused.contains("has an invalid request or answer"),
                "{refused}"
            );
        }
    }
}

#[test]
fn lengths_beyond_the_limits_are_refused_before_they_are_believed() {
    let announced = Bytes::from_static(&[0xff, 0xff, 0xff, 0xff, b'{']);
    let refused = RelayFrame::decode_binary(&announced)
        .unwrap_err()
        .to_string();
    assert!(refused.contains("over the limit"), "{refused}");
    let short = Bytes::from_static(&[0, 0, 0, 9, b'{']);
    assert!(
        RelayFrame::decode_binary(&short)
            .unwrap_err()
            .to_string()
            .contains("ends before")
    );
}
