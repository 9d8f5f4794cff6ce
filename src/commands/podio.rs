//! Builds the client of Podio's API from the settings:
//! its credentials and where it stores its tokens.

use std::io::IsTerminal as _;
use std::time::Duration;

use podtap_agent::{PlaceRef, PodioConfig};
use podtap_podio::client::{BaseUrl, Client, Credentials, Grant, PodioClientConfig};
use podtap_podio::wording::Locale;
use secrecy::SecretString;
use url::Url;

use crate::config::{Key, Settings};
use crate::failure::{Code, Failure, OTHER_FOLDER};

/// Returns the configuration of what the agent does for Podio's hooks.
pub(super) fn agent_config(settings: &Settings) -> Result<PodioConfig, Failure> {
    Ok(PodioConfig {
        client: config(settings, credentials(settings)?)?,
        verify: settings.switch(Key::VERIFY, true)?,
        forward_verify: settings.switch(Key::FORWARD_VERIFY, true)?,
        break_loops: settings.switch(Key::BREAK_LOOPS, false)?,
        places: settings
            .number(Key::PODIO_APP_ID)?
            .map(PlaceRef::app)
            .into_iter()
            .collect(),
        locale: Locale::from_posix_name(settings.environment().locale()),
        ..PodioConfig::default()
    })
}

/// Returns a client for calls that need credentials.
pub(super) fn known_client(settings: &Settings) -> Result<Client, Failure> {
    if let Some(credentials) = credentials(settings)? {
        return build(settings, credentials);
    }
    Err(Failure::usage("Podio credentials are required")
        .fact("api", base_url(settings)?.as_str())
        .hint(
            "set PODTAP_PODIO_CLIENT_ID and PODTAP_PODIO_CLIENT_SECRET, and either\n\
             PODTAP_PODIO_APP_ID and PODTAP_PODIO_APP_TOKEN (an app's Developer page),\n\
             PODTAP_PODIO_USERNAME and PODTAP_PODIO_PASSWORD, or run `podtap login`",
        ))
}

/// Returns a client for a quick check: it asks for no password and
/// does not wait for the rate limit. Returns `None` if there are no
/// credentials, or if a question would be needed to complete them.
pub(super) fn impatient_client(settings: &Settings) -> Result<Option<Client>, Failure> {
    let has_app = settings.text(Key::PODIO_APP_ID).is_some();
    let has_password = || settings.secret(Key::PODIO_PASSWORD, Key::PODIO_PASSWORD_FILE);
    if settings.text(Key::PODIO_USERNAME).is_some() && !has_app && has_password()?.is_none() {
        return Ok(None);
    }
    let Some(credentials) = credentials(settings)? else {
        return Ok(None);
    };
    let config = PodioClientConfig {
        max_rate_wait: Duration::ZERO,
        ..config(settings, Some(credentials))?
    };
    let client = Client::new(config);
    client
        .map(Some)
        .map_err(|error| Failure::because("Podio's API cannot be called", &error))
}

/// Builds a client with these credentials.
pub(super) fn build(settings: &Settings, credentials: Credentials) -> Result<Client, Failure> {
    Client::new(config(settings, Some(credentials))?)
        .map_err(|error| Failure::because("Podio's API cannot be called", &error))
}

/// Returns a client's configuration; the file with the tokens is beside the histories.
fn config(
    settings: &Settings,
    credentials: Option<Credentials>,
) -> Result<PodioClientConfig, Failure> {
    let folder = settings.data_dir()?;
    podtap_disk::private::folder(&folder).map_err(|error| {
        Failure::because("the data folder cannot be created", &error)
            .fact("folder", folder.display().to_string())
            .hint(OTHER_FOLDER)
    })?;
    let base_url = base_url(settings)?;
    let url: Url = base_url
        .as_str()
        .parse()
        .map_err(|error| Failure::because("the API's address is not a valid URL", &error))?;
    Ok(PodioClientConfig {
        proxy: settings.proxy(&url)?,
        base_url,
        credentials,
        token_file: Some(folder.join("podio-tokens.json")),
        rate_file: Some(folder.join("podio-rate.json")),
        ..PodioClientConfig::default()
    })
}

/// Returns the API's URL: Podio's own unless another is set.
pub(super) fn base_url(settings: &Settings) -> Result<BaseUrl, Failure> {
    Ok(settings.parse(Key::PODIO_URL)?.unwrap_or_default())
}

/// Returns the id and secret of the registered API client, if they are set.
pub(super) fn registered_client(
    settings: &Settings,
) -> Result<Option<(String, SecretString)>, Failure> {
    let id = settings.text(Key::PODIO_CLIENT_ID);
    let secret = settings.secret(Key::PODIO_CLIENT_SECRET, Key::PODIO_CLIENT_SECRET_FILE)?;
    match (id, secret) {
        (None, None) => Ok(None),
        (Some(id), Some(secret)) => Ok(Some((id.to_owned(), secret.value))),
        (Some(_), None) => Err(half(Key::PODIO_CLIENT_ID, Key::PODIO_CLIENT_SECRET)),
        (None, Some(_)) => Err(half(Key::PODIO_CLIENT_SECRET, Key::PODIO_CLIENT_ID)),
    }
}

fn credentials(settings: &Settings) -> Result<Option<Credentials>, Failure> {
    let Some((client_id, client_secret)) = registered_client(settings)? else {
        return Ok(None);
    };
    let app_token = settings.secret(Key::PODIO_APP_TOKEN, Key::PODIO_APP_TOKEN_FILE)?;
    let app_id = settings.number::<u64>(Key::PODIO_APP_ID)?;
    let grant = match (app_id, app_token, settings.text(Key::PODIO_USERNAME)) {
        (Some(app_id), Some(token), _) => Grant::App {
            app_id,
            app_token: token.value,
        },
        (Some(_), None, _) => return Err(half(Key::PODIO_APP_ID, Key::PODIO_APP_TOKEN)),
        (None, Some(_), _) => return Err(half(Key::PODIO_APP_TOKEN, Key::PODIO_APP_ID)),
        (None, None, Some(username)) => Grant::Password {
            username: username.to_owned(),
            password: password(settings)?,
        },
        (None, None, None) => Grant::Stored,
    };
    Ok(Some(Credentials {
        client_id,
        client_secret,
        grant,
    }))
}

fn password(settings: &Settings) -> Result<SecretString, Failure> {
    if let Some(secret) = settings.secret(Key::PODIO_PASSWORD, Key::PODIO_PASSWORD_FILE)? {
        return Ok(secret.value);
    }
    if !std::io::stdin().is_terminal() {
        return Err(half(Key::PODIO_USERNAME, Key::PODIO_PASSWORD));
    }
    Ok(rpassword::prompt_password("Podio password: ")?.into())
}

fn half(there: Key, missing: Key) -> Failure {
    Failure::usage(format!(
        "{} is set, but {} is not",
        there.name(),
        missing.name()
    ))
    .hint(format!("set {} too", missing.variable()))
}

impl From<podtap_podio::client::Error> for Failure {
    fn from(error: podtap_podio::client::Error) -> Self {
        use podtap_podio::client::Error;
        let failure = Self::because("Podio's API", &error);
        match error {
            Error::Unauthorized { .. } | Error::LoginNeeded | Error::SecondFactor => {
                failure.code(Code::Refused)
            }
            Error::Gone { .. } => failure.code(Code::NothingMatched),
            Error::Refused { refusal, .. } if refusal.status == 403 => {
                failure.code(Code::Refused).hint(
                    "an app's credentials work only for that app: use those of the right app, or \
                     log in with `podtap login` as a person with access",
                )
            }
            _ => failure,
        }
    }
}
