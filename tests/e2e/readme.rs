//! Every `podtap` command of the README is run, as a reader would: the examples' names and ports
//! replaced by the test's own.

use crate::support::{Process, Service, Stage, form_post};

/// The `podtap` command lines in the README's shell blocks.
fn commands() -> Vec<Vec<String>> {
    let readme = include_str!("../../README.md");
    let mut in_shell = false;
    let mut commands = Vec::new();
    for line in readme.lines() {
        match line {
            "```sh" => in_shell = true,
            "```" => in_shell = false,
            _ if in_shell && line.starts_with("podtap ") => commands.push(words(line)),
            _ => {}
        }
    }
    commands
}

/// The words of a shell line without its `podtap`; single quotes group.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (n, part) in line.split('\'').enumerate() {
        if n % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words.split_off(1)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_of_the_readme_works() {
    let (stage, service) = (Stage::new(), Service::start().await);
    let history = stage.home().join("data/podtap/tunnels");
    let mut relay: Option<String> = None;
    let mut token = String::new();
    let mut running: Vec<Process> = Vec::new();
    let mut id = String::new();
    let commands = commands();
    assert!(commands.len() >= 8, "{commands:?}");

    for command in &commands {
        let relay_url = relay.as_deref().unwrap_or("https://hooks.example.com");
        let mut args: Vec<String> = command
            .iter()
            .map(|word| match word.as_str() {
                "3000" => service.address().to_string(),
                "127.0.0.1:8080" => "127.0.0.1:0".to_owned(),
                "/var/lib/podtap" => stage.relay_dir(),
                "7QF2" => id.chars().skip(id.len().saturating_sub(4)).collect(),
                "item:4711" => "item:1".to_owned(),
                "https://hooks.example.com" if command[0] == "listen" => relay_url.to_owned(),
                word => word.to_owned(),
            })
            .collect();
        let borrowed = |args: &[String]| {
            args.iter()
                .map(String::as_str)
                .collect::<Vec<_>>()
                .join(" ")
        };
        match (command[0].as_str(), command.get(1).map(String::as_str)) {
            ("relay", Some("token")) => {
                token = stage.succeed(&args.iter().map(String::as_str).collect::<Vec<_>>());
            }
            ("relay", _) => {
                args.push("--json".to_owned());
                let process = stage.start(&args.iter().map(String::as_str).collect::<Vec<_>>());
                let ready = process.object("ready", |_| true).await;
                assert_eq!(ready["public_url"], "https://hooks.example.com/");
                relay = Some(format!("http://{}", ready["listen"].as_str().unwrap()));
                running.push(process);
            }
            ("listen", _) => {
                args.push("--json".to_owned());
                if !command.contains(&"--relay".to_owned()) {
                    args.extend(["--listen", "127.0.0.1:0"].map(str::to_owned));
                }
                let mut process = crate::support::command(
                    &stage,
                    &args.iter().map(String::as_str).collect::<Vec<_>>(),
                );
                process.env("PODTAP_TOKEN", token.trim());
                let mut process = Process::spawn(process);
                let ready = process.object("ready", |_| true).await;
                let url = ready["url"].as_str().unwrap();
                if url.starts_with("http://") {
                    form_post(url, b"type=item.update&item_id=1&item_revision_id=1").await;
                    let event = process.object("event", |_| true).await;
                    event["id"].as_str().unwrap().clone_into(&mut id);
                    process.object("attempt", |_| true).await;
                    process.terminate();
                    process.ended().await;
                }
                running.push(process);
            }
            // The UI needs a terminal; its own test drives it in one.
            ("ui", _) => {}
            // What a shell writes into a file is written by the test.
            _ if args.contains(&">".to_owned()) => {
                into_file(&stage, args);
            }
            _ => {
                let (code, _, stderr) =
                    stage.run(&args.iter().map(String::as_str).collect::<Vec<_>>());
                assert_eq!(
                    code,
                    0,
                    "podtap {}: {stderr} ({})",
                    borrowed(&args),
                    history.display()
                );
            }
        }
    }
}

/// A command whose output goes into a file, its last word.
fn into_file(stage: &Stage, mut args: Vec<String>) {
    let file = args.split_off(args.len() - 2).remove(1);
    let stdout = stage.succeed(&args.iter().map(String::as_str).collect::<Vec<_>>());
    std::fs::write(stage.home().join(file), stdout).unwrap();
}
