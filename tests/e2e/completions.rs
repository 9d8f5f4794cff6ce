//! Completions in real shells: tunnels, event types and ids, also after `=` and `:`.

use std::path::Path;

use podtap_bench::pty::CommandBuilder;

use crate::support::script::available;
use crate::support::{Stage, Terminal, form_post};

/// What is typed before the tab, and what the line is then. `ID` is the id of the only event.
const LINES: [(&str, &str); 9] = [
    ("podtap trigger item.u", "podtap trigger item.update "),
    ("podtap events --name c", "podtap events --name crm "),
    ("podtap events --name=c", "podtap events --name=crm "),
    ("podtap url c", "podtap url crm "),
    ("podtap tunnels rotate c", "podtap tunnels rotate crm "),
    ("podtap show --name=crm 01", "podtap show --name=crm ID "),
    ("podtap explain -ncrm 01", "podtap explain -ncrm ID "),
    (
        "podtap events type:comment.c",
        "podtap events type:comment.create ",
    ),
    // A value follows.
    ("podtap events statu", "podtap events status:"),
];

/// A history of one event, in the tunnel `crm`, and that event's id.
async fn history(stage: &Stage) -> String {
    let agent = stage.start(&[
        "listen",
        "--name",
        "crm",
        "--listen",
        "127.0.0.1:0",
        "--json",
    ]);
    let ready = agent.object("ready", |_| true).await;
    form_post(
        ready["url"].as_str().unwrap(),
        b"type=item.create&item_id=1",
    )
    .await;
    let event = agent.object("event", |_| true).await;
    event["id"].as_str().unwrap().to_owned()
}

/// `$PATH` with the tested binary first.
fn path() -> String {
    let binary = Path::new(env!("CARGO_BIN_EXE_podtap")).parent().unwrap();
    let path = std::env::var_os("PATH").unwrap().into_string().unwrap();
    format!("{}:{path}", binary.display())
}

/// Types each line and a tab into a shell that has read `podtap completions`.
async fn completes(shell: &[&str], begin: &str) {
    let stage = Stage::new();
    let id = history(&stage).await;
    let mut command = CommandBuilder::new(shell[0]);
    command.args(&shell[1..]);
    let path = path();
    let env = [("PATH", path.as_str()), ("PS1", "> ")];
    let mut terminal = Terminal::run(&stage, command, &env, (120, 40));
    terminal.shows("> ").await;
    // Half of the word is in the output alone.
    terminal.keys(&format!("{begin}; echo re''ady\r"));
    terminal.shows("ready").await;

    for (typed, completed) in LINES {
        let completed = completed.replace("ID", &id);
        terminal.keys(&format!("{typed}\t."));
        terminal.shows(&format!("{completed}.")).await;
        // Empties the line.
        terminal.keys("\x15");
        terminal.no_longer_shows(&completed).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bash_completes_what_there_is() {
    if available("bash", None, "bash is not installed") {
        let shell = ["bash", "--norc", "--noprofile", "-i"];
        completes(&shell, "source <(podtap completions bash)").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn zsh_completes_what_there_is() {
    if available("zsh", None, "zsh is not installed") {
        let begin = "autoload -U compinit; compinit -u -D; source <(podtap completions zsh)";
        completes(&["zsh", "-f", "-i"], begin).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn zsh_completes_from_a_folder_of_functions() {
    if available("zsh", None, "zsh is not installed") {
        let begin = "mkdir f; podtap completions zsh > f/_podtap; fpath=($PWD/f $fpath); \
                     autoload -U compinit; compinit -u -D";
        completes(&["zsh", "-f", "-i"], begin).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fish_completes_what_there_is() {
    if !available("fish", None, "fish is not installed") {
        return;
    }
    let stage = Stage::new();
    let id = history(&stage).await;
    for (typed, completed) in LINES {
        let script = format!("podtap completions fish | source; complete -C '{typed}'");
        let like = crate::support::command(&stage, &[]);
        let mut fish = std::process::Command::new("fish");
        for (name, value) in like.get_envs() {
            match value {
                Some(value) => fish.env(name, value),
                None => fish.env_remove(name),
            };
        }
        let output = fish
            .args(["--no-config", "-c", &script])
            .env("PATH", path())
            .current_dir(stage.home())
            .output()
            .unwrap();
        // A line each: the word, a tab, and what it means.
        let found = String::from_utf8(output.stdout).unwrap();
        let words: Vec<_> = found
            .lines()
            .filter_map(|line| line.split('\t').next())
            .collect();
        let last = completed.replace("ID", &id);
        let last = last.split_whitespace().last().unwrap();
        assert_eq!(
            words,
            [last],
            "{typed}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}
