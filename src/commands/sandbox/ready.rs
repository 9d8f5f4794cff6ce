//! Prints a sandbox's URL, its invented credentials, and how to make something happen.

use podtap_sandbox::Seed;
use serde::Serialize;

use crate::failure::Failure;
use crate::output::json::line;
use crate::output::print;

/// The JSON for programs.
#[derive(Serialize)]
struct SandboxReady<'a> {
    podio_url: &'a str,
    #[serde(flatten)]
    credentials: SeedCredentials<'a>,
}

/// The first credentials of each kind in the seed.
#[derive(Serialize)]
struct SeedCredentials<'a> {
    client_id: Option<&'a str>,
    client_secret: Option<&'a str>,
    app_id: Option<u64>,
    app_token: Option<&'a str>,
    username: Option<&'a str>,
    password: Option<&'a str>,
}

impl<'a> SeedCredentials<'a> {
    fn of(seed: &'a Seed) -> Self {
        let client = seed.clients.first();
        let app = seed.spaces.iter().flat_map(|space| &space.apps).next();
        let user = seed.users.first();
        Self {
            client_id: client.map(|client| client.client_id.as_str()),
            client_secret: client.map(|client| client.client_secret.as_str()),
            app_id: app.map(|app| app.app_id),
            app_token: app.map(|app| app.token.as_str()),
            username: user.map(|user| user.mail.as_str()),
            password: user.map(|user| user.password.as_str()),
        }
    }
}

pub(super) fn announce(url: &str, seed: &Seed, is_alive: bool, json: bool) -> Result<(), Failure> {
    let credentials = SeedCredentials::of(seed);
    if json {
        let ready = SandboxReady {
            podio_url: url,
            credentials,
        };
        return print(&line("ready", &ready));
    }
    print(&format!("Sandbox of Podio's API  {url}\n"))?;
    print("# its made-up credentials, for this machine only")?;
    print(&format!("export PODTAP_PODIO_URL={url}"))?;
    let app_id = credentials.app_id.map(|id| id.to_string());
    for (name, value) in [
        ("CLIENT_ID", credentials.client_id),
        ("CLIENT_SECRET", credentials.client_secret),
        ("APP_ID", app_id.as_deref()),
        ("APP_TOKEN", credentials.app_token),
    ] {
        if let Some(value) = value {
            print(&format!("export PODTAP_PODIO_{name}={value}"))?;
        }
    }
    if let (Some(username), Some(password)) = (credentials.username, credentials.password) {
        print(&format!(
            "# or as a person: {username}, password {password}"
        ))?;
    }
    if !is_alive {
        print("\n# Nothing changes by itself. In a terminal with these variables:")?;
        print("#   podtap sandbox do item.update status=Paid")?;
        print("# or start it with --life.")?;
    }
    print("")
}
