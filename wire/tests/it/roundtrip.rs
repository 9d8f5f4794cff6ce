//! Tests that any frame survives the codec, and that no bytes make it panic.

use bytes::Bytes;
use jiff::Timestamp;
use podtap_wire::{
    Ack, AgentFrame, DecodedFrame, EncodedFrame, EventFrame, EventId, HeaderList, HeldFrame,
    Notice, RelayFrame, ResponseFrame, ResponseTo, Seq, TunnelHolder, WebhookRequest,
    WebhookResponse,
};
use proptest::collection::vec;
use proptest::prelude::*;

fn headers() -> impl Strategy<Value = HeaderList> {
    let value = prop_oneof![Just(b'\t'), 0x20..=0x7e_u8, 0x80..=0xff_u8];
    vec(("[a-zA-Z-]{1,12}", vec(value, 0..40)), 0..6).prop_map(|pairs| pairs.into_iter().collect())
}

fn body() -> impl Strategy<Value = Bytes> {
    vec(any::<u8>(), 0..400).prop_map(Bytes::from)
}

prop_compose! {
    fn event()(
        seq in any::<u64>(),
        random in any::<u128>(),
        millis in 0_i64..4_000_000_000_000,
        method in "[A-Z]{3,8}",
        path in "/[!$-;=@-_a-z|~]{0,20}(\\?[!$-;=?-_a-z|~]{0,20})?",
        headers in headers(),
        peer in any::<Option<std::net::IpAddr>>(),
        body in body(),
    ) -> EventFrame {
        let received_at = Timestamp::from_millisecond(millis).unwrap();
        let request = WebhookRequest { received_at, method, path, headers, peer, body };
        EventFrame { seq: Seq(seq), id: EventId::from_parts(received_at, random), request }
    }
}

fn through_relay(frame: &RelayFrame) -> RelayFrame {
    let decoded = match frame.encode().unwrap() {
        EncodedFrame::Text(text) => RelayFrame::decode_text(&text),
        EncodedFrame::Binary(bytes) => RelayFrame::decode_binary(&bytes),
    };
    match decoded.unwrap() {
        DecodedFrame::Frame(frame) => frame,
        DecodedFrame::Unknown(kind) => panic!("unknown frame type {kind}"),
    }
}

proptest! {
    #[test]
    fn an_event_survives(frame in event()) {
        let held = HeldFrame { id: frame.id, request: frame.request.clone() };
        for frame in [RelayFrame::Event(frame), RelayFrame::Held(held)] {
            prop_assert_eq!(through_relay(&frame), frame);
        }
    }

    #[test]
    fn a_response_survives(
        seq in any::<u64>(), status in 100_u16..1000, headers in headers(), body in body()
    ) {
        let response = WebhookResponse { status, headers, body };
        let id = EventId::from_bytes(u128::from(seq).to_be_bytes());
        for to in [ResponseTo::Stored(Seq(seq)), ResponseTo::Held(id)] {
            let response = response.clone();
            let frame = AgentFrame::Response(ResponseFrame { to, response });
            let EncodedFrame::Binary(bytes) = frame.encode().unwrap() else { panic!("not binary") };
            prop_assert_eq!(AgentFrame::decode_binary(&bytes).unwrap(), DecodedFrame::Frame(frame));
        }
    }

    #[test]
    fn notices_and_acks_survive(from in any::<u64>(), to in any::<u64>(), reason in ".{0,20}") {
        let ack = AgentFrame::Ack(Ack { through: Seq(to) });
        let EncodedFrame::Text(text) = ack.encode().unwrap() else { panic!("not text") };
        prop_assert_eq!(AgentFrame::decode_text(&text).unwrap(), DecodedFrame::Frame(ack));
        for notice in [
            Notice::TakenOver(TunnelHolder { host: Some(reason.clone()), since: None }),
            Notice::Limit { message: reason.clone() },
            Notice::Revoked,
            Notice::Draining { come_back_after_ms: from },
            Notice::Gap { from: Seq(from), to: Seq(to), reason: reason.clone() },
            Notice::Refused { count: from, reason, last_at: Timestamp::UNIX_EPOCH },
        ] {
            let frame = RelayFrame::Notice(notice);
            prop_assert_eq!(through_relay(&frame), frame);
        }
    }

    #[test]
    fn arbitrary_bytes_are_an_error_and_never_a_panic(bytes in vec(any::<u8>(), 0..300)) {
        let bytes = Bytes::from(bytes);
        let _ = RelayFrame::decode_binary(&bytes);
        let _ = AgentFrame::decode_binary(&bytes);
        let text = String::from_utf8_lossy(&bytes);
        let _ = RelayFrame::decode_text(&text);
        let _ = AgentFrame::decode_text(&text);
    }

    #[test]
    fn a_cut_event_is_never_taken_for_a_whole_one(frame in event(), keep in 0.0..1.0_f64) {
        let EncodedFrame::Binary(bytes) = RelayFrame::Event(frame.clone()).encode().unwrap() else {
            panic!("not binary")
        };
        let head = bytes.len() - frame.request.body.len();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss,
            clippy::cast_precision_loss, reason = "a share of a small length")]
        let cut = bytes.slice(..(head as f64 * keep) as usize);
        prop_assert!(RelayFrame::decode_binary(&cut).is_err());
    }
}
