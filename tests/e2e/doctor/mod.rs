//! `podtap doctor`: each link of the way from Podio to the local service, broken on purpose, is the one
//! that is found; what depends on it is skipped, and what does not is looked at.

mod bundle;
mod disk;
mod network;
mod podio;
mod relay;
mod service;
mod whole;

use std::process::Command;

use serde_json::Value;

use crate::support::{Stage, command, schema};

/// The links, in order.
const LINKS: [&str; 15] = [
    "settings",
    "data-folder",
    "dns",
    "proxy",
    "tcp",
    "tls",
    "relay",
    "clock",
    "token",
    "websocket",
    "tunnel",
    "service",
    "podio",
    "hooks",
    "last-event",
];

/// What a doctor said.
#[derive(Debug)]
struct Said {
    code: Option<i32>,
    checks: Vec<Value>,
}

impl Said {
    /// Runs it for the tunnel `crm`.
    fn of(stage: &Stage, args: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut command = command(
            stage,
            &[&["doctor", "--json", "--name", "crm"], args].concat(),
        );
        command.envs(environment.iter().copied());
        Self::of_command(command)
    }

    /// Runs this one.
    fn of_command(mut command: Command) -> Self {
        let output = command.output().unwrap();
        let stdout = String::from_utf8(output.stdout).unwrap();
        schema::check(stdout.lines());
        let checks = stdout
            .lines()
            .map(|line| serde_json::from_str(line).unwrap());
        let said = Self {
            code: output.status.code(),
            checks: checks.collect(),
        };
        let links: Vec<_> = said
            .checks
            .iter()
            .map(|check| check["link"].as_str().unwrap())
            .collect();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(links, LINKS, "{stderr}");
        let is_broken = said.checks.iter().any(|check| check["status"] == "failed");
        assert_eq!(said.code, Some(i32::from(is_broken)), "{said:?} {stderr}");
        said
    }

    fn link(&self, link: &str) -> &Value {
        let mut checks = self.checks.iter();
        checks.find(|check| check["link"] == link).unwrap()
    }

    /// A link that has this status, and says this.
    fn has(&self, link: &str, status: &str, words: &str) -> &Self {
        let check = self.link(link);
        let detail = check["detail"].as_str().unwrap();
        assert!(
            check["status"] == status && detail.contains(words),
            "{link} is not {status} with {words:?}: {check}"
        );
        let is_told = check["fix"].as_str().is_some_and(|fix| !fix.is_empty());
        assert_eq!(is_told, matches!(status, "failed" | "warning"), "{check}");
        self
    }

    /// This link is the first that is broken, and those that depend on it are skipped for it.
    fn breaks_at(&self, link: &str, words: &str, dependent: &[&str]) -> &Self {
        self.has(link, "failed", words);
        let first = self.checks.iter().find(|check| check["status"] == "failed");
        assert_eq!(first.unwrap()["link"], link, "{self:?}");
        for other in dependent {
            assert_eq!(self.link(other)["status"], "skipped", "{self:?}");
            assert_eq!(self.link(other)["needs"], link, "{self:?}");
        }
        self
    }

    /// What to do about a link.
    fn fix(&self, link: &str) -> &str {
        self.link(link)["fix"].as_str().unwrap()
    }
}
