//! Tests the trigger form through the real loop, with an agent without a
//! link and a real local service.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::support::{Bench, Person};

/// Accepts one request, answers 201, and returns the request.
async fn take_one(service: TcpListener) -> String {
    let (mut stream, _) = service.accept().await.unwrap();
    let mut request = Vec::new();
    while !is_whole(&request) {
        assert!(stream.read_buf(&mut request).await.unwrap() > 0);
    }
    let answer = b"HTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\n";
    stream.write_all(answer).await.unwrap();
    String::from_utf8(request).unwrap()
}

/// Returns whether a request has arrived with its complete body.
fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let mut headers = head.lines().filter_map(|line| line.split_once(": "));
    let length = headers.find(|(name, _)| *name == "content-length").unwrap();
    length.1 == body.len().to_string()
}

#[tokio::test]
async fn an_event_is_filled_in_sent_and_listed() {
    let service = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = service.local_addr().unwrap().to_string();
    let bench = Bench::new(Some(&target));
    let request = bench
        .session()
        .play(async |person: &mut Person| {
            person.sees("t  sends an event to the local service").await;
            person.press("t c o m m").await;
            person.sees("comment.create ▸").await;
            person.press("tab tab tab ctrl-u").await;
            person.paste("4711").await;
            person.press("tab tab ctrl-u 9 enter").await;
            let request = take_one(service).await;
            person.sees("✓ 201").await;
            person.sees("item 4711").await;
            person.sees("triggered or imported here").await;

            // The values that were sent last are offered again, even for another type.
            person.press("t i t e m . d").await;
            let form = person.sees("item.delete ▸").await;
            assert!(form.contains("item_id           4711"), "{form}");
            person.press("esc q").await;
            request
        })
        .await;

    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /podio/hook HTTP/1.1"), "{head}");
    assert!(head.contains("podtap-replay: false"), "{head}");
    // The order of the parameters is random.
    let mut said: Vec<&str> = body.split('&').collect();
    said.sort_unstable();
    let expected = [
        "comment_id=1489203375",
        "hook_id=9",
        "item_id=4711",
        "type=comment.create",
    ];
    assert_eq!(said, expected);
}

#[tokio::test]
async fn without_a_local_service_the_form_says_so_and_nothing_is_listed() {
    let bench = Bench::new(None);
    bench
        .session()
        .on(80, 24)
        .play(async |person: &mut Person| {
            person.sees("The history is empty.").await;
            person.press("t enter").await;
            person.sees("there is no local service to send it to").await;
            person.press("esc q").await;
        })
        .await;

    assert_eq!(bench.handle.history().newest().await.unwrap(), None);
}
