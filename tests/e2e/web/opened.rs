//! `O` in the terminal UI opens the page.

use super::guards::ask;
use crate::support::{Service, Stage, Terminal, eventually, split_url};

#[tokio::test(flavor = "multi_thread")]
async fn a_key_opens_the_page_with_a_token_that_works_once() {
    let (stage, service) = (Stage::new(), Service::start().await);
    let target = service.address().to_string();
    let browser = stage.home().join("xdg-open");
    let opened = stage.home().join("opened");
    // It is complete when it has its name.
    let script = format!(
        "#!/bin/sh\nprintf %s \"$1\" > {0}.new && mv {0}.new {0}\n",
        opened.display()
    );
    std::fs::write(&browser, script).unwrap();
    let executable = std::process::Command::new("chmod")
        .arg("+x")
        .arg(&browser)
        .status();
    assert!(executable.unwrap().success());
    let path = format!(
        "{}:{}",
        stage.home().display(),
        std::env::var_os("PATH").unwrap().display()
    );
    let args = [
        "listen",
        &target,
        "--name",
        "crm",
        "--listen",
        "127.0.0.1:0",
        "--web",
        "127.0.0.1:0",
    ];
    let mut terminal =
        Terminal::in_script(&stage, r#"exec "$@""#, &args, &[("PATH", path.as_str())]);
    terminal.shows("Waiting for the first webhook").await;

    terminal.keys("O");

    let read = || std::fs::read_to_string(&opened).ok();
    let link = eventually("the page in the browser", read, || terminal.text()).await;
    let (authority, path) = split_url(&link);
    let line = format!("GET {path}");
    let first = ask(authority, &line, authority, &[]).await;
    assert_eq!(first.status, 303, "{link}");
    let cookie = first.header("set-cookie").unwrap().to_owned();
    let own = [("cookie", cookie.split(';').next().unwrap())];
    assert_eq!(ask(authority, "GET /", authority, &own).await.status, 200);
    let second = ask(authority, &line, authority, &[]).await;
    assert_eq!(second.status, 401, "the link works once");
    terminal.keys("q");
    terminal.wait_for_end().await;
}
