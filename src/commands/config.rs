//! `podtap config`: lists each setting with its value and origin, and checks the settings.

use std::process::ExitCode;

use podtap_agent::target::without_user_info;
use serde::Serialize;

use crate::cli::ConfigCommand;
use crate::config::{Settings, reference};
use crate::failure::{Code, Failure};
use crate::output::{json, note, print};

/// Shown instead of a secret.
const SECRET: &str = "(set, not shown)";

/// Runs a subcommand of `config`.
pub(crate) fn run(command: &ConfigCommand, settings: &Settings) -> Result<ExitCode, Failure> {
    match command {
        ConfigCommand::Show { name, json } => {
            show(settings, *json)?;
            if name.is_none() {
                name_tables(settings);
            }
            Ok(ExitCode::SUCCESS)
        }
        ConfigCommand::Check => check(settings),
    }
}

/// One setting with its current value.
#[derive(Debug, Serialize)]
pub(super) struct SettingLine {
    pub(super) key: &'static str,
    pub(super) value: Option<String>,
    pub(super) origin: String,
}

fn show(settings: &Settings, as_json: bool) -> Result<(), Failure> {
    let lines = lines(settings);
    let width = |of: fn(&SettingLine) -> usize| lines.iter().map(of).max().unwrap_or(0);
    let key = width(|line| line.key.len());
    let value = width(|line| line.value.as_ref().map_or(0, |value| value.chars().count())).min(48);
    for line in &lines {
        if as_json {
            print(&json::line("setting", line))?;
        } else {
            let shown = line.value.as_deref().unwrap_or("–");
            let text = format!("{:key$}  {shown:value$}  {}", line.key, line.origin);
            print(text.trim_end())?;
        }
    }
    Ok(())
}

/// Says on stderr which tunnels have settings that are not among those shown. Errors in their
/// tables are reported by `config check`.
fn name_tables(settings: &Settings) {
    let tunnels = settings.tunnels_of_file().unwrap_or_default();
    let names = tunnels.iter().filter_map(|tunnel| tunnel.tunnel().ok());
    let commands = names.map(|name| format!("podtap config show --name {name}"));
    for command in commands {
        note(&format!(
            "a [[tunnel]] table has its own settings: {command}"
        ));
    }
}

/// Returns all settings with their current values.
pub(super) fn lines(settings: &Settings) -> Vec<SettingLine> {
    let entries = reference::entries();
    entries.map(|entry| line(settings, entry)).collect()
}

fn line(settings: &Settings, entry: reference::SettingEntry) -> SettingLine {
    let (value, origin) = match settings.set(entry.key) {
        Some((value, origin)) => (Some(value.to_owned()), origin),
        None => (entry.default, "default".to_owned()),
    };
    SettingLine {
        key: entry.key.name(),
        value: value.map(|value| {
            let value = without_user_info(value.trim_matches('"')).replace('\n', ", ");
            if entry.key.is_secret() {
                SECRET.to_owned()
            } else {
                value
            }
        }),
        origin,
    }
}

fn check(settings: &Settings) -> Result<ExitCode, Failure> {
    let mut wrong = settings.check();
    let Some(last) = wrong.pop() else {
        print("All settings are valid")?;
        return Ok(ExitCode::SUCCESS);
    };
    for failure in wrong {
        settings.report(failure.into())?;
    }
    Err(last.code(Code::Usage))
}
