//! The names of all settings. A name is the flag and the key in the
//! file; in upper case after `PODTAP_`, it is the environment variable.

/// The name of a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key(&'static str);

macro_rules! keys {
    ($($constant:ident = $name:literal),* $(,)?) => {
        impl Key {
            $(pub(crate) const $constant: Self = Self($name);)*
            pub(crate) const ALL: &[Self] = &[$(Self::$constant),*];
        }
    };
}

keys! {
    ACME_CA = "acme-ca",
    ACME_CONTACT = "acme-contact",
    ACME_DIRECTORY = "acme-directory",
    ACME_DOMAIN = "acme-domain",
    ADMIN_LISTEN = "admin-listen",
    ALLOW_PLAINTEXT_RELAY = "allow-plaintext-relay",
    BODY_TIMEOUT = "body-timeout",
    BREAK_LOOPS = "break-loops",
    CA_FILE = "ca-file",
    COLOR = "color",
    CONCURRENCY = "concurrency",
    DATABASE = "database",
    DATABASE_FILE = "database-file",
    DATA_DIR = "data-dir",
    EXEC = "exec",
    FORWARD_TO = "forward-to",
    FORWARD_VERIFY = "forward-verify",
    HEAD_TIMEOUT = "head-timeout",
    HOST_HEADER = "host-header",
    HTTP_LISTEN = "http-listen",
    IDLE_TIMEOUT = "idle-timeout",
    INSECURE_LOCAL = "insecure-local",
    KEEP_AGE = "keep-age",
    KEEP_EVENTS = "keep-events",
    LISTEN = "listen",
    LOG = "log",
    LOG_FORMAT = "log-format",
    MAX_AGE = "max-age",
    MAX_BODY = "max-body",
    MAX_BODY_MEMORY = "max-body-memory",
    MAX_CONNECTIONS = "max-connections",
    MAX_CONNECTIONS_PER_ADDRESS = "max-connections-per-address",
    MAX_HEAD = "max-head",
    MAX_HEAD_MEMORY = "max-head-memory",
    MAX_OWNER_QUEUE_BYTES = "max-owner-queue-bytes",
    MAX_OWNER_QUEUE_EVENTS = "max-owner-queue-events",
    MAX_OWNER_SESSIONS = "max-owner-sessions",
    MAX_OWNER_TUNNELS = "max-owner-tunnels",
    MAX_QUEUE_BYTES = "max-queue-bytes",
    MAX_QUEUE_EVENTS = "max-queue-events",
    MAX_RATE = "max-rate",
    MAX_RATE_PER_ADDRESS = "max-rate-per-address",
    MAX_RESPONSE = "max-response",
    MAX_SESSION_MEMORY = "max-session-memory",
    MAX_SESSIONS = "max-sessions",
    MAX_TOTAL_QUEUE_BYTES = "max-total-queue-bytes",
    METHODS = "methods",
    MIN_BODY_RATE = "min-body-rate",
    MOUSE = "mouse",
    NAME = "name",
    NOTIFY = "notify",
    PODIO_APP_ID = "podio-app-id",
    PODIO_APP_TOKEN = "podio-app-token",
    PODIO_APP_TOKEN_FILE = "podio-app-token-file",
    PODIO_CLIENT_ID = "podio-client-id",
    PODIO_CLIENT_SECRET = "podio-client-secret",
    PODIO_CLIENT_SECRET_FILE = "podio-client-secret-file",
    PODIO_PASSWORD = "podio-password",
    PODIO_PASSWORD_FILE = "podio-password-file",
    PODIO_URL = "podio-url",
    PODIO_USERNAME = "podio-username",
    PRESERVE_HOST = "preserve-host",
    PROXY_PROTOCOL = "proxy-protocol",
    PUBLIC_URL = "public-url",
    RELAY = "relay",
    RESPOND = "respond",
    RESPOND_TIMEOUT = "respond-timeout",
    ROUTE = "route",
    THEME = "theme",
    TIMEOUT = "timeout",
    TLS = "tls",
    TLS_CERT = "tls-cert",
    TLS_KEY = "tls-key",
    TOKEN = "token",
    TOKEN_FILE = "token-file",
    TRUSTED_PROXY = "trusted-proxy",
    VERIFY = "verify",
    WEB = "web",
    WEB_PASSWORD = "web-password",
    WEB_PASSWORD_FILE = "web-password-file",
    WINDOW = "window",
}

impl Key {
    /// Returns the name for flags and for the file, such as `token-file`.
    pub(crate) const fn name(self) -> &'static str {
        self.0
    }

    /// Returns the environment variable, such as `PODTAP_TOKEN_FILE`.
    pub(crate) fn variable(self) -> String {
        format!(
            "{VARIABLE_PREFIX}{}",
            self.0.replace('-', "_").to_uppercase()
        )
    }

    /// Finds the setting that an environment variable sets.
    pub(crate) fn of_variable(variable: &str) -> Option<Self> {
        let name = variable.strip_prefix(VARIABLE_PREFIX)?;
        // Only upper case counts: `PODTAP_name` sets nothing.
        let is_capital = !name.bytes().any(|byte| byte.is_ascii_lowercase());
        is_capital.then(|| Self::find(&name.replace('_', "-").to_lowercase()))?
    }

    /// Returns whether the value is a secret: it is never
    /// printed, and programs that Podtap starts do not get it.
    pub(crate) fn is_secret(self) -> bool {
        let ends = ["token", "secret", "password", "database"];
        ends.iter().any(|end| self.0.ends_with(end))
    }

    /// Returns the text between the values of a setting that can have several.
    pub(super) fn separator(self) -> &'static str {
        // A filter may contain any other character.
        if self == Self::ROUTE { "\n" } else { "," }
    }

    /// Returns the environment variables of the secrets.
    pub(crate) fn secret_variables() -> Vec<String> {
        let secrets = Self::ALL.iter().filter(|key| key.is_secret());
        secrets.map(|key| key.variable()).collect()
    }

    /// Finds the setting with this name.
    pub(crate) fn find(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|key| key.0 == name)
    }

    /// Finds the setting whose name is most similar to a mistyped one, if any is similar enough.
    pub(crate) fn nearest(name: &str) -> Option<Self> {
        nearest(name, Self::ALL.iter().map(|key| key.0)).and_then(Self::find)
    }
}

/// Returns the name that is most similar to a mistyped one, if any is similar enough.
pub(super) fn nearest(
    name: &str,
    names: impl Iterator<Item = &'static str>,
) -> Option<&'static str> {
    /// A less similar suggestion (Jaro-Winkler, 0 to 1) confuses more than it helps.
    const NEAR: f64 = 0.75;
    let name = name.replace('_', "-").to_lowercase();
    let (score, nearest) = names
        .map(|near| (strsim::jaro_winkler(near, &name), near))
        .max_by(|(a, _), (b, _)| a.total_cmp(b))?;
    (score >= NEAR).then_some(nearest)
}

/// Prefix of all of Podtap's environment variables.
pub(crate) const VARIABLE_PREFIX: &str = "PODTAP_";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_name_finds_its_neighbour() {
        assert_eq!(Key::nearest("relai"), Some(Key::RELAY));
        assert_eq!(Key::nearest("token_flie"), Some(Key::TOKEN_FILE));
        assert_eq!(Key::nearest("zzz"), None);
    }

    #[test]
    fn secrets_are_known_by_their_names_and_files_of_secrets_are_none() {
        assert!(Key::TOKEN.is_secret() && Key::PODIO_CLIENT_SECRET.is_secret());
        assert!(Key::PODIO_APP_TOKEN.is_secret() && Key::PODIO_PASSWORD.is_secret());
        assert!(Key::DATABASE.is_secret() && !Key::DATABASE_FILE.is_secret());
        assert!(!Key::TOKEN_FILE.is_secret() && !Key::RELAY.is_secret());
    }

    #[test]
    fn a_variable_is_the_name_in_capitals() {
        assert_eq!(Key::TOKEN_FILE.variable(), "PODTAP_TOKEN_FILE");
    }
}
