//! Access control of the web page: every kind of request
//! that a browser, or another program, can send.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::PagedAgent;
use crate::support::{Answer, Service, Stage, form_post, send};

/// Sends a request with these headers besides `Host`.
pub(super) async fn ask(
    authority: &str,
    line: &str,
    host: &str,
    headers: &[(&str, &str)],
) -> Answer {
    let mut request =
        format!("{line} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: 0\r\n");
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str("\r\n");
    send(authority, request.as_bytes()).await
}

/// Opens the page with its token and returns the cookie.
async fn session(paged: &PagedAgent) -> String {
    let (authority, path) = crate::support::split_url(&paged.page);
    let opened = ask(authority, &format!("GET {path}"), authority, &[]).await;
    assert_eq!((opened.status, opened.header("location")), (303, Some("/")));
    let cookie = opened.header("set-cookie").unwrap();
    for attribute in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    cookie.split(';').next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_page_itself_gets_what_it_asks_for() {
    let service = Service::start().await;
    let paged = PagedAgent::start(&service).await;
    form_post(
        &paged.url,
        b"type=item.update&item_id=4711&item_revision_id=2",
    )
    .await;
    let event = paged.agent.object("attempt", |_| true).await;
    let (authority, id) = (paged.authority(), event["id"].as_str().unwrap());
    let cookie = session(&paged).await;
    let (own, origin) = (("cookie", cookie.as_str()), format!("http://{authority}"));

    let page = ask(authority, "GET /", authority, &[own]).await;
    assert_eq!(page.status, 200, "{}", page.head);
    let policy = page.header("content-security-policy").unwrap();
    for part in [
        "default-src 'none'",
        "script-src 'self'",
        "frame-ancestors 'none'",
    ] {
        assert!(policy.contains(part), "{policy}");
    }
    assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(page.header("cache-control"), Some("no-store"));
    let list = ask(
        authority,
        "GET /api/events?filter=item:4711",
        authority,
        &[own],
    )
    .await;
    assert_eq!(list.header("content-type"), Some("application/json"));
    let list: serde_json::Value = serde_json::from_str(&list.body).unwrap();
    assert_eq!(list["rows"][0]["id"], id);

    // Another host name, as in an attack by DNS rebinding.
    for host in ["evil.test", "127.0.0.1", "127.0.0.1:1"] {
        let rebound = ask(authority, "GET /api/events", host, &[own]).await;
        assert_eq!(rebound.status, 421, "{host}");
    }
    // Requests that other sites caused, as the browser reports them.
    for site in ["cross-site", "same-site"] {
        let foreign = [own, ("sec-fetch-site", site)];
        assert_eq!(
            ask(authority, "GET /api/events", authority, &foreign)
                .await
                .status,
            403
        );
    }
    let replay = format!("POST /api/events/{id}/replay");
    for foreign in [
        vec![own],
        vec![own, ("origin", "http://evil.test")],
        vec![own, ("origin", "null")],
    ] {
        assert_eq!(
            ask(authority, &replay, authority, &foreign).await.status,
            403,
            "{foreign:?}"
        );
    }
    let stranger = [("origin", origin.as_str())];
    assert_eq!(
        ask(authority, &replay, authority, &stranger).await.status,
        401
    );
    // Other requests that cost or change something are refused for other sites, too.
    for path in ["explain", "review"] {
        let line = format!("POST /api/events/{id}/{path}");
        let foreign = [own, ("origin", "http://evil.test")];
        assert_eq!(ask(authority, &line, authority, &foreign).await.status, 403);
    }
    let foreign = [own, ("sec-fetch-site", "cross-site")];
    let why = ask(authority, "POST /api/why", authority, &foreign).await;
    assert_eq!(why.status, 403);
    assert_eq!(service.count(), 1, "nothing was replayed");

    let sent = ask(authority, &replay, authority, &[own, ("origin", &origin)]).await;
    assert_eq!(sent.status, 200, "{}", sent.body);
    service.wait_for(2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_session_of_this_run_nothing_is_shown() {
    let service = Service::start().await;
    let paged = PagedAgent::start(&service).await;
    let authority = paged.authority();
    // Neither the page nor its files.
    for path in [
        "/",
        "/app.js",
        "/api/events",
        "/api/changes",
        "/?token=wrong",
    ] {
        let line = format!("GET {path}");
        let stranger = ask(authority, &line, authority, &[]).await;
        assert_eq!(stranger.status, 401, "{path}");
        let wrong = [("cookie", "podtap-1=x; podtap=y")];
        assert_eq!(
            ask(authority, &line, authority, &wrong).await.status,
            401,
            "{path}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_other_spelling_of_the_host_is_answered_and_the_streams_of_changes_are_few() {
    /// Streams of one page that are open at once.
    const STREAMS: usize = 16;
    let service = Service::start().await;
    let paged = PagedAgent::start(&service).await;
    let authority = paged.authority();
    let (_, port) = authority.rsplit_once(':').unwrap();
    let cookie = session(&paged).await;
    let own = ("cookie", cookie.as_str());
    for (host, status) in [
        ("127.0.0.1", 200),
        ("LOCALHOST", 200),
        ("[::1]", 200),
        ("localhost.", 421),
        ("127.0.0.1.", 421),
        ("[::ffff:127.0.0.1]", 421),
        ("0.0.0.0", 421),
        ("[::]", 421),
        ("127.1", 421),
        ("2130706433", 421),
        ("0x7f.0.0.1", 421),
        ("localhost.evil.example", 421),
        ("evil.example", 421),
    ] {
        let host = format!("{host}:{port}");
        let answer = ask(authority, "GET /api/events", &host, &[own]).await;
        assert_eq!(answer.status, status, "{host}");
    }
    // A page of another site can open a websocket without asking; this one has none.
    let foreign = [
        own,
        ("origin", "http://evil.example"),
        ("upgrade", "websocket"),
    ];
    let answer = ask(authority, "GET /api/changes", authority, &foreign).await;
    assert_eq!(answer.status, 403);

    let open = async || {
        let mut stream = tokio::net::TcpStream::connect(authority).await.unwrap();
        let request =
            format!("GET /api/changes HTTP/1.1\r\nhost: {authority}\r\ncookie: {cookie}\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut head = [0; 12];
        stream.read_exact(&mut head).await.unwrap();
        (stream, String::from_utf8(head.to_vec()).unwrap())
    };
    let mut streams = Vec::new();
    for _ in 0..STREAMS {
        let (stream, head) = open().await;
        assert_eq!(head, "HTTP/1.1 200");
        streams.push(stream);
    }
    assert_eq!(open().await.1, "HTTP/1.1 503");
    let list = ask(authority, "GET /api/events", authority, &[own]).await;
    assert_eq!(list.status, 200, "the page itself goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_wrongly_gets_a_word() {
    let service = Service::start().await;
    let paged = PagedAgent::start(&service).await;
    let authority = paged.authority();
    let (cookie, origin) = (session(&paged).await, format!("http://{authority}"));
    let headers = [("cookie", cookie.as_str()), ("origin", origin.as_str())];
    let unknown = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
    for (line, status, words) in [
        ("GET /api/events?filter=status:x", 400, "try 200"),
        ("GET /api/events?before=x", 400, "before is not a number: x"),
        ("GET /api/events/x", 404, "not an event's id"),
        (
            &format!("GET /api/events/{unknown}"),
            404,
            "does not have this event",
        ),
        (
            &format!("POST /api/events/{unknown}/replay"),
            404,
            "no event",
        ),
        (
            &format!("DELETE /api/events/{unknown}"),
            405,
            "invalid method",
        ),
        ("GET /api/object?about=x:1", 400, "not an object"),
        ("GET /api/object", 400, "not an object"),
        ("POST /api/why", 400, "is not an object"),
        ("GET /api/why", 405, "invalid method"),
        ("GET /api/events?tunnel=other", 404, "no such tunnel"),
        (
            &format!("GET /api/events/{unknown}/file"),
            404,
            "does not have this event",
        ),
        (
            &format!("POST /api/events/{unknown}/file"),
            405,
            "invalid method",
        ),
        ("GET /api/events?limit=100000", 200, "rows"),
        ("GET /etc/passwd", 404, "nothing here"),
        ("GET /../app.js", 404, "nothing here"),
    ] {
        let answer = ask(authority, line, authority, &headers).await;
        assert_eq!(answer.status, status, "{line}: {}", answer.body);
        assert!(answer.body.contains(words), "{line}: {}", answer.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_others_can_reach_needs_a_password() {
    let (stage, service) = (Stage::new(), Service::start().await);
    let open = [
        "listen",
        "3000",
        "--listen",
        "127.0.0.1:0",
        "--web",
        "0.0.0.0:0",
    ];
    let (code, _, stderr) = stage.run(&open);
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("needs a password"), "{stderr}");
    let (code, _, stderr) = stage.run(&["listen", "--web", "3000"]);
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("podtap listen 3000 --web"), "{stderr}");

    let file = stage.home().join("password");
    std::fs::write(&file, "correct horse\n").unwrap();
    let options = [
        "--web",
        "0.0.0.0:0",
        "--web-password-file",
        file.to_str().unwrap(),
    ];
    let target = service.address().to_string();
    let fixed = ["listen", &target, "--json", "--listen", "127.0.0.1:0"];
    let agent = stage.start(&[&fixed[..], &options].concat());
    let ready = agent.object("ready", |_| true).await;
    let authority = crate::support::split_url(ready["web"].as_str().unwrap())
        .0
        .to_owned();
    let closed = ask(&authority, "GET /", &authority, &[]).await;
    assert_eq!(closed.status, 401);
    assert!(closed.body.contains("type=\"password\""), "{}", closed.body);
    let login = async |password: &str| {
        let body = format!("password={password}");
        let head = format!(
            "POST /login HTTP/1.1\r\nhost: {authority}\r\norigin: http://{authority}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        send(&authority, format!("{head}{body}").as_bytes()).await
    };
    let wrong = login("battery+staple").await;
    assert_eq!((wrong.status, wrong.header("set-cookie")), (401, None));
    let right = login("correct+horse").await;
    let cookie = right
        .header("set-cookie")
        .unwrap()
        .split(';')
        .next()
        .unwrap();
    assert_eq!(
        ask(&authority, "GET /app.js", &authority, &[("cookie", cookie)])
            .await
            .status,
        200
    );
    for secret in ["correct horse", "battery"] {
        assert!(!agent.stderr().contains(secret), "{}", agent.stderr());
    }
}
