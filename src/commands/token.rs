//! `podtap relay token create|list|revoke`: works on
//! the relay's data folder, also while the relay runs.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use podtap_relay::tunnel::{RevokedCounts, TokenInfo, TokenStore, TokenStoreError};
use podtap_relay::{DatabaseUrl, tokens_of};
use serde::Serialize;

use crate::cli::TokenCommand;
use crate::config::{Key, Settings};
use crate::failure::{Code, Failure};
use crate::output::table::table;
use crate::output::{json, note, print, printable};

/// Runs a subcommand of `token`.
pub(crate) async fn run(command: TokenCommand, settings: &Settings) -> Result<ExitCode, Failure> {
    let place = TokensPlace::of(settings)?;
    let failed = |error: TokenStoreError| {
        let failure = Failure::because("the relay's tokens cannot be changed", &error);
        place.name(failure)
    };
    if let TokenCommand::Create { name } = &command {
        let store = place.open().await?;
        let token = store.create(name).await.map_err(failed)?;
        let is_new = !store.was_used_by_a_relay();
        if let TokensPlace::Folder(dir) = &place
            && (is_new || settings.text(Key::DATA_DIR).is_none())
        {
            note_folder(dir, is_new);
        }
        print(token.reveal())?;
        return Ok(ExitCode::SUCCESS);
    }
    let store = place.existing().await?;
    match command {
        TokenCommand::Create { .. } => {}
        TokenCommand::List { json: as_json } => {
            let tokens = store.list().await.map_err(failed)?;
            let lines = if as_json {
                tokens.iter().map(object).collect()
            } else {
                let rows: Vec<_> = tokens.iter().map(cells).collect();
                table(["OWNER", "TOKEN", "MADE", "LAST USED"], &rows)
            };
            lines.iter().try_for_each(print)?;
        }
        TokenCommand::Revoke { name, with_tunnels } => {
            let revoked = store.revoke(&name, with_tunnels).await;
            let revoked = revoked.map_err(failed)?;
            if revoked == RevokedCounts::default() {
                return Err(Failure::new(
                    Code::NothingMatched,
                    "no active token has this name or id",
                )
                .fact("name", printable(&name))
                .hint("`podtap relay token list` shows them"));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The place where a relay stores its tokens and tunnels.
pub(super) enum TokensPlace {
    Folder(PathBuf),
    Database(Box<DatabaseUrl>),
}

impl TokensPlace {
    /// Returns the place that the settings name.
    pub(super) fn of(settings: &Settings) -> Result<Self, Failure> {
        match settings.database()? {
            Some(url) => Ok(Self::Database(Box::new(url))),
            None => settings.relay_dir().map(Self::Folder),
        }
    }

    /// Opens the place; creates what is missing.
    async fn open(&self) -> Result<TokenStore, Failure> {
        match self {
            Self::Folder(dir) => TokenStore::open(dir).map_err(|error| cannot_open(dir, &error)),
            Self::Database(url) => tokens_of(url)
                .await
                .map_err(|error| Failure::because("the relay's tokens cannot be opened", &error)),
        }
    }

    /// Opens a place that a relay or an earlier command has created.
    pub(super) async fn existing(&self) -> Result<TokenStore, Failure> {
        let Self::Folder(dir) = self else {
            return self.open().await;
        };
        let store = TokenStore::existing(dir).map_err(|error| cannot_open(dir, &error))?;
        store.ok_or_else(|| {
            let failure = Failure::new(Code::NothingMatched, "this folder has no data of a relay");
            self.name(failure)
                .hint("set --data-dir to the relay's folder")
        })
    }

    /// Adds the place to a failure.
    pub(super) fn name(&self, failure: Failure) -> Failure {
        match self {
            Self::Folder(dir) => failure.fact("folder", dir.display().to_string()),
            Self::Database(url) => failure.fact("database", url.to_string()),
        }
    }
}

fn cannot_open(dir: &Path, error: &TokenStoreError) -> Failure {
    Failure::because("the relay's tokens cannot be opened", error)
        .fact("folder", dir.display().to_string())
        .hint("set --data-dir to the relay's folder, and run this as its user")
}

/// Prints on stderr where a token was stored if the relay may not look there.
fn note_folder(dir: &Path, is_new: bool) {
    let why = if is_new {
        "no relay has used this folder yet; start one with the same --data-dir"
    } else {
        "use --data-dir if the relay keeps its data elsewhere"
    };
    note(&format!(
        "The token is for the relay of {}: {why}.",
        dir.display()
    ));
}

/// Formats a token as the cells of a table.
fn cells(info: &TokenInfo) -> [String; 4] {
    let last = match (info.revoked_at, info.last_used_at) {
        (Some(at), _) => format!("revoked {at:.0}"),
        (None, Some(at)) => format!("{at:.0}"),
        (None, None) => "never".to_owned(),
    };
    [
        info.owner.clone(),
        format!("pt_{}…", info.id),
        format!("{:.0}", info.created_at),
        last,
    ]
}

fn object(info: &TokenInfo) -> String {
    #[derive(Serialize)]
    struct TokenObject<'a> {
        owner: &'a str,
        id: &'a str,
        created_at: String,
        last_used_at: Option<String>,
        revoked_at: Option<String>,
    }
    let text = |time: jiff::Timestamp| format!("{time:.3}");
    let object = TokenObject {
        owner: &info.owner,
        id: &info.id,
        created_at: text(info.created_at),
        last_used_at: info.last_used_at.map(text),
        revoked_at: info.revoked_at.map(text),
    };
    json::line("token", &object)
}
