//! `podtap doctor`: breaks each link of the way from Podio to the local service. The
//! doctor must find that link, skip those that depend on it, and check the others.

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

/// All links, in order.
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

/// The result of a doctor.
#[derive(Debug)]
struct DoctorOutput {
    code: Option<i32>,
    checks: Vec<Value>,
}

impl DoctorOutput {
    /// Runs the doctor for the tunnel `crm`.
    fn of(stage: &Stage, args: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut command = command(
            stage,
            &[&["doctor", "--json", "--name", "crm"], args].concat(),
        );
        command.envs(environment.iter().copied());
        Self::of_command(command)
    }

    /// Runs this command.
    fn of_command(mut command: Command) -> Self {
        let output = command.output().unwrap();
        let stdout = String::from_utf8(output.stdout).unwrap();
        schema::check(true, stdout.lines());
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

    /// Checks that a link has this status and contains these words.
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

    /// Checks that this link is the first broken one, and that those that depend on it are skipped.
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

    /// Returns the proposed fix of a link.
    fn fix(&self, link: &str) -> &str {
        self.link(link)["fix"].as_str().unwrap()
    }
}
