//! Runs every `podtap` command of the README, as a reader would, with the test's own names
//! and ports. A line in a block of another language must at least be a valid command.

use std::collections::HashMap;

use crate::support::{Process, Service, Stage, command, form_post};

const README: &str = include_str!("../../README.md");

/// The address of the README's relays.
const LISTEN: &str = "127.0.0.1:8080";

/// Returns the `podtap` command lines in the README's blocks, and whether the block is of a shell.
fn commands() -> Vec<(Vec<String>, bool)> {
    let mut fence = None;
    let mut commands = Vec::new();
    for line in README.lines() {
        match (line.strip_prefix("```"), fence) {
            (Some(language), None) => fence = Some(language),
            (Some(_), Some(_)) => fence = None,
            (None, Some(language)) if line.starts_with("podtap ") => {
                commands.push((words(line), language == "sh"));
            }
            _ => {}
        }
    }
    commands
}

/// Splits a shell line into words, without `podtap` and
/// what only a shell needs; single quotes group words.
fn words(line: &str) -> Vec<String> {
    let line = line.split(" # ").next().unwrap().trim_end();
    let line = line.trim_end_matches(" &");
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

/// A reader who follows the README.
struct Reader {
    stage: Stage,
    service: Service,
    /// The real address of each relay that the README names.
    relays: HashMap<String, String>,
    /// The public URL of the relay that was started last.
    public_url: String,
    token: String,
    /// The exported environment variables.
    exports: Vec<(String, String)>,
    /// The id of an event.
    id: String,
    running: Vec<Process>,
}

impl Reader {
    /// Returns a word of the README with the test's own names and addresses.
    fn word(&self, word: &str) -> String {
        if let Some(relay) = self.relays.get(word) {
            return relay.clone();
        }
        match word {
            "3000" => self.service.address().to_string(),
            LISTEN => "127.0.0.1:0".to_owned(),
            "/var/lib/podtap" => self.stage.relay_dir(),
            "7QF2" => self.id.chars().skip(self.id.len() - 4).collect(),
            "item:4711" => "item:1".to_owned(),
            word => word.to_owned(),
        }
    }

    fn start(&self, args: &[String], more: &[&str]) -> Process {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let mut command = command(&self.stage, &[&args[..], more].concat());
        command
            .env("PODTAP_TOKEN", self.token.trim())
            .envs(self.exports.iter().cloned());
        Process::spawn(command)
    }

    fn succeed(&self, args: &[String]) -> String {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        self.stage.succeed(&args)
    }

    async fn relay(&mut self, command: &[String], args: &[String]) {
        let process = self.start(args, &["--json"]);
        let ready = process.object("ready", |_| true).await;
        let named = command.iter().skip_while(|word| *word != "--public-url");
        self.public_url
            .clone_from(named.into_iter().nth(1).unwrap());
        assert_eq!(ready["public_url"], format!("{}/", self.public_url));
        let real = format!("http://{}", ready["listen"].as_str().unwrap());
        self.relays = [self.public_url.clone(), format!("http://{LISTEN}")]
            .into_iter()
            .map(|name| (name, real.clone()))
            .collect();
        self.running.push(process);
    }

    /// Starts the sandbox and sets the five variables that a reader pastes.
    async fn sandbox(&mut self, args: &[String]) {
        let process = self.start(args, &["--listen", "127.0.0.1:0"]);
        let exports = || {
            let lines = process.stdout();
            let lines = lines.iter().filter_map(|line| line.strip_prefix("export "));
            let pairs = lines.filter_map(|line| line.split_once('='));
            let own = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
            Some(own.collect::<Vec<_>>()).filter(|exports| exports.len() == 5)
        };
        let state = || process.stderr();
        self.exports = crate::support::eventually("the exports", exports, state).await;
        self.running.push(process);
    }

    async fn listen(&mut self, command: &[String], args: &[String]) {
        let by_itself = !command.contains(&"--relay".to_owned());
        let inside = ["--listen", "127.0.0.1:0", "--json"];
        let is_told = !by_itself || command.contains(&"--listen".to_owned());
        let mut process = self.start(args, if is_told { &["--json"] } else { &inside });
        let ready = process.object("ready", |_| true).await;
        let url = ready["url"].as_str().unwrap();
        let named = command.iter().skip_while(|word| *word != "--public-url");
        if let Some(named) = named.into_iter().nth(1) {
            assert!(url.starts_with(named), "{url}");
            assert_eq!(ready["podio_can_call"], true);
        } else if !by_itself {
            assert!(url.starts_with(&self.public_url), "{url}");
        } else if command.contains(&"--app".to_owned()) {
            // The hook is created, verified and fired by the sandbox.
            process
                .object("verify", |verify| verify["ok"] == true)
                .await;
            process
                .object("event", |event| {
                    event["event"]
                        .as_str()
                        .is_some_and(|event| event.starts_with("item."))
                })
                .await;
            self.exports.clear();
        } else {
            form_post(url, b"type=item.update&item_id=1&item_revision_id=1").await;
            let event = process.object("event", |_| true).await;
            event["id"].as_str().unwrap().clone_into(&mut self.id);
            process.object("attempt", |_| true).await;
        }
        process.terminate();
        process.wait_for_end().await;
    }

    async fn follow(&mut self, command: &[String]) {
        let args: Vec<String> = command.iter().map(|word| self.word(word)).collect();
        match (command[0].as_str(), command.get(1).map(String::as_str)) {
            ("relay", Some("token")) => self.token = self.succeed(&args),
            ("relay", _) => {
                // The name of an earlier relay would otherwise be replaced by its address.
                let plain = command.iter().map(|word| match word.as_str() {
                    LISTEN => "127.0.0.1:0".to_owned(),
                    "/var/lib/podtap" => self.stage.relay_dir(),
                    word => word.to_owned(),
                });
                let plain: Vec<String> = plain.collect();
                self.relay(command, &plain).await;
            }
            ("sandbox", _) => self.sandbox(&args).await,
            ("listen", _) => self.listen(command, &args).await,
            // The UI needs a terminal; its own test has one.
            ("ui", _) => {}
            // A repair needs an app with hooks, and lost events; `repair.rs` tests it.
            ("repair", _) => drop(self.succeed(&[&args[..], &["--help".to_owned()]].concat())),
            // The test writes the file that the shell would write.
            _ if command.contains(&">".to_owned()) => {
                let (args, file) = args.split_at(args.len() - 2);
                let stdout = self.succeed(args);
                std::fs::write(self.stage.home().join(&file[1]), stdout).unwrap();
            }
            _ => drop(self.succeed(&args)),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_of_the_readme_works() {
    let mut reader = Reader {
        stage: Stage::new(),
        service: Service::start().await,
        relays: HashMap::new(),
        public_url: String::new(),
        token: String::new(),
        exports: Vec::new(),
        id: String::new(),
        running: Vec::new(),
    };
    let commands = commands();
    assert!(commands.len() >= 20, "{commands:?}");
    for (command, is_shell) in commands {
        if is_shell {
            reader.follow(&command).await;
        } else {
            reader.succeed(&[&command[..], &["--help".to_owned()]].concat());
        }
    }
}

/// Returns the block below a heading, unchanged.
fn block(heading: &str) -> &'static str {
    let (_, below) = README.split_once(&format!("\n### {heading}\n")).unwrap();
    let (_, block) = below.split_once("```bash\n").unwrap();
    block.split_once("```").unwrap().0
}

#[tokio::test(flavor = "multi_thread")]
async fn the_script_of_a_test_works_as_it_stands_in_the_readme() {
    let (stage, service) = (Stage::new(), Service::start().await);
    let sandbox = stage.start(&["sandbox", "--listen", "127.0.0.1:0"]);
    let exports = || {
        let lines = sandbox.stdout();
        let lines: Vec<String> = lines
            .into_iter()
            .filter(|line| line.starts_with("export "))
            .collect();
        (lines.len() == 5).then(|| lines.join("\n"))
    };
    let exports = crate::support::eventually("the exports", exports, || sandbox.stderr()).await;
    let recipe =
        block("In a test script").replace("listen 3000", &format!("listen {}", service.address()));
    let binary = std::path::Path::new(env!("CARGO_BIN_EXE_podtap"))
        .parent()
        .unwrap();
    let script = format!(
        "export PATH='{}':$PATH PODTAP_LISTEN=127.0.0.1:0\n{exports}\n{recipe}",
        binary.display()
    );

    let mut shell = std::process::Command::new("bash");
    let like = command(&stage, &[]);
    shell.current_dir(stage.home());
    for (name, value) in like.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell.args(["-ec", &script]);
    let output = shell.output().unwrap();

    let told = format!("{output:?}");
    assert!(output.status.success(), "{told}");
    let event = std::fs::read_to_string(stage.home().join("event.json")).unwrap();
    let event: serde_json::Value = serde_json::from_str(event.trim()).unwrap();
    assert_eq!(event["event"], "item.update", "{told}");
    assert_eq!(event["attempts"][0]["status"], 200, "{told}");
}

#[test]
fn the_readme_names_every_exit_code_and_links_to_what_exists() {
    let help = Stage::new().succeed(&["--help"]);
    for code in [
        "3 token refused",
        "5 local service failed",
        "6 nothing matched",
    ] {
        let words: Vec<&str> = README.split_whitespace().collect();
        assert!(words.join(" ").contains(code), "{code}");
        let words: Vec<&str> = help.split_whitespace().collect();
        assert!(words.join(" ").contains(code), "{code}");
    }
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut links = 0;
    for link in README
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
    {
        let file = link.split('#').next().unwrap_or_default();
        if !link.contains("://") && !file.is_empty() {
            assert!(root.join(file).exists(), "{link}");
            links += 1;
        }
    }
    assert!(links > 5, "{links}");
}
