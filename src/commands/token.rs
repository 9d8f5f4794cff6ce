//! `podtap relay token create|list|revoke`: on the relay's data folder, beside a running relay.

use std::process::ExitCode;

use podtap_agent::export::json::text::to_line;
use podtap_relay::tunnel::{TokenInfo, TokenStore};
use serde::Serialize;

use crate::cli::TokenCommand;
use crate::config::Settings;
use crate::failure::{Code, Failure};
use crate::output::print;

/// Runs one of them.
pub(crate) fn run(command: TokenCommand, settings: &Settings) -> Result<ExitCode, Failure> {
    let dir = settings.relay_dir()?;
    let store = TokenStore::open(&dir).map_err(|error| {
        Failure::because("the relay's tokens cannot be opened", &error)
            .fact("folder", dir.display().to_string())
            .hint("name the relay's own folder with --data-dir, and run this as its user")
    })?;
    let failed = |error| Failure::because("the relay's tokens cannot be changed", &error);
    match command {
        TokenCommand::Create { name } => {
            let token = store.create(&name).map_err(failed)?;
            print(token.reveal())?;
        }
        TokenCommand::List { json } => {
            for info in store.list().map_err(failed)? {
                print(&if json { object(&info) } else { line(&info) })?;
            }
        }
        TokenCommand::Revoke { name } => {
            if store.revoke(&name).map_err(failed)? == 0 {
                return Err(Failure::new(
                    Code::NothingMatched,
                    "no token in use has this name or id",
                )
                .fact("name", name)
                .hint("`podtap relay token list` shows them"));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn line(info: &TokenInfo) -> String {
    let state = match (info.revoked_at, info.last_used_at) {
        (Some(at), _) => format!("revoked {at:.0}"),
        (None, Some(at)) => format!("last used {at:.0}"),
        (None, None) => "never used".to_owned(),
    };
    format!(
        "{:20}  pt_{}…  made {:.0}  {state}",
        info.owner, info.id, info.created_at
    )
}

fn object(info: &TokenInfo) -> String {
    #[derive(Serialize)]
    struct Object<'a> {
        v: u8,
        r#type: &'static str,
        owner: &'a str,
        id: &'a str,
        created_at: String,
        last_used_at: Option<String>,
        revoked_at: Option<String>,
    }
    let text = |time: jiff::Timestamp| format!("{time:.3}");
    let object = Object {
        v: 1,
        r#type: "token",
        owner: &info.owner,
        id: &info.id,
        created_at: text(info.created_at),
        last_used_at: info.last_used_at.map(text),
        revoked_at: info.revoked_at.map(text),
    };
    to_line(&object)
}
