//! Files on the disk: who may read them, and where histories are.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::Signal;

use crate::support::{Service, Stage, Terminal, eventually, form_post, podtap, split_url};

/// Returns the files and folders below this one that other users can access.
fn open_to_others(folder: &Path) -> Vec<(PathBuf, u32)> {
    let mut found = Vec::new();
    let mut left = vec![folder.to_owned()];
    while let Some(path) = left.pop() {
        // SQLite may remove its temporary files meanwhile.
        let Ok(about) = path.symlink_metadata() else {
            continue;
        };
        let mode = about.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            found.push((path.clone(), mode));
        }
        if about.is_dir() {
            let entries = std::fs::read_dir(&path).unwrap();
            left.extend(entries.map(|entry| entry.unwrap().path()));
        }
    }
    found
}

fn files(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    entries
        .map(|entry| entry.unwrap().path())
        .map(|path| if path.is_dir() { files(&path) } else { 1 })
        .sum()
}

/// Returns a command that runs `podtap` under this umask.
fn under(umask: &str, stage: &Stage, args: &[&str]) -> Command {
    let plain = podtap(stage.home());
    let mut command = Command::new("sh");
    command
        .args(["-c", &format!("umask {umask}; exec \"$@\""), "sh"])
        .arg(plain.get_program())
        .args(args)
        .current_dir(stage.home());
    for (name, value) in plain.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_ours_is_readable_by_others_whatever_the_umask() {
    for umask in ["022", "000"] {
        let (stage, service) = (Stage::new(), Service::start().await);
        let token = under(
            umask,
            &stage,
            &["relay", "token", "create", "ann", "--data-dir", "served"],
        )
        .output()
        .unwrap();
        assert!(token.status.success());
        let target = service.address().to_string();
        let script = format!("umask {umask}; exec \"$@\"");
        let ui = Terminal::in_shell(&stage, &script, &["listen", &target, "--name", "crm"]);
        let url = eventually(
            "a public URL",
            || {
                let text = ui.text();
                let begins = text.find("http://127.0.0.1:")?;
                let rest = text.get(begins..)?;
                let url: String = rest.chars().take_while(|c| !c.is_whitespace()).collect();
                url.trim_end_matches(|c: char| !c.is_alphanumeric())
                    .rsplit_once('/')
                    .filter(|(_, key)| !key.is_empty())?;
                Some(url)
            },
            || ui.text(),
        )
        .await;
        let base = url.split("/podio").next().unwrap().to_owned();
        assert_eq!(split_url(&base).0.split(':').count(), 2, "{base}");
        assert_eq!(
            form_post(&base, b"type=item.update&item_id=1").await.status,
            200
        );
        let delivered = || (!service.requests().is_empty()).then_some(());
        eventually("a delivery", delivered, || ui.text()).await;
        let exported = under(umask, &stage, &["events", "--name", "crm", "--json"])
            .output()
            .unwrap();
        assert!(exported.status.success());

        let home = stage.home();
        for folder in [home.join("data"), home.join("served")] {
            assert!(files(&folder) >= 1, "{}", folder.display());
            assert_eq!(open_to_others(&folder), [], "umask {umask}");
        }
        assert!(home.join("data/podtap/podtap.log").exists());
        assert!(home.join("data/podtap/tunnels/crm.db").exists());
    }
}

#[test]
fn events_are_deleted_for_good_and_a_list_is_never_silently_less() {
    let stage = Stage::new();
    let lines: String = (1..=20)
        .map(|n| {
            let who = if n <= 8 { "annasophia" } else { "other" };
            format!(
                r#"{{"v":1,"type":"event","id":"01KAR8Z4M6W4Q0C8J2T7VXN5{n:02}","received_at":"2026-11-23T12:04:31.204Z","method":"POST","path":"/","headers":[],"body":"type=item.update&item_id={n}&title={who}"}}"#
            ) + "\n"
        })
        .collect();
    std::fs::write(stage.home().join("archive"), lines).unwrap();
    stage.succeed(&["import", "archive", "--name", "crm"]);
    let data = stage.home().join("data/podtap/tunnels");
    let found = || {
        let files = std::fs::read_dir(&data).unwrap();
        files
            .map(|entry| std::fs::read(entry.unwrap().path()).unwrap())
            .any(|bytes| bytes.windows(10).any(|window| window == b"annasophia"))
    };
    assert!(found());

    let (code, _, stderr) = stage.run(&["events", "delete", "annasophia", "-n", "crm"]);
    assert_eq!(code, 2, "{stderr}");
    assert!(
        stderr.contains("8 events") && stderr.contains("--yes"),
        "{stderr}"
    );
    let told = stage.succeed(&["events", "delete", "annasophia", "-n", "crm", "--yes"]);
    assert_eq!(told, "Deleted 8 events.\n");
    assert!(!found());
    let (code, _, _) = stage.run(&["events", "delete", "annasophia", "-n", "crm", "--yes"]);
    assert_eq!(code, 6);

    stage.succeed(&["events", "-n", "crm"]);
    let damage = Command::new("python3")
        .args(["-c", "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute(\"UPDATE requests SET headers = 'noise' WHERE position IN (10, 12)\"); c.commit()"])
        .arg(data.join("crm.db"))
        .output();
    let Ok(damage) = damage else {
        eprintln!("skipped in part: python3 is not here to damage a row");
        return;
    };
    assert!(damage.status.success());
    for format in [
        &["events", "-n", "crm"][..],
        &["events", "-n", "crm", "--json"],
    ] {
        let (code, _, stderr) = stage.run(format);
        assert_eq!(code, 1, "{stderr}");
        assert!(stderr.contains("2 events could not be read"), "{stderr}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_called_relay_has_a_history_beside_the_relays_own_files() {
    for relay_first in [true, false] {
        let (stage, service) = (Stage::new(), Service::start().await);
        let folder = stage.home().join("relay");
        std::fs::create_dir(&folder).unwrap();
        let create_token = || stage.succeed(&["relay", "token", "create", "ann"]);
        if relay_first {
            create_token();
        }
        let mut listen = podtap(stage.home());
        listen
            .args(["listen", &service.address().to_string(), "--json"])
            .current_dir(&folder);
        let mut listen = crate::support::Process::spawn(listen);
        let ready = listen.object("ready", |_| true).await;
        let url = ready["url"].as_str().unwrap().to_owned();
        assert_eq!(
            form_post(&url, b"type=item.update&item_id=1").await.status,
            200
        );
        listen.object("attempt", |_| true).await;
        listen.signal(Signal::TERM);
        listen.wait_for_end().await;
        if !relay_first {
            create_token();
        }

        let mut events = podtap(stage.home());
        let events = events
            .args(["events"])
            .current_dir(&folder)
            .output()
            .unwrap();
        let text = String::from_utf8(events.stdout).unwrap();
        assert!(text.contains("item.update"), "{text}");
    }
}
