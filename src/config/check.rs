//! Checks that each setting can be parsed, whichever command uses it.

use jiff::Timestamp;
use url::Url;

use super::key::Key;
use super::settings::Settings;
use crate::failure::Failure;

impl Settings {
    /// Parses every setting that is set, and returns the errors.
    pub(crate) fn check(&self) -> Vec<Failure> {
        let values = Key::ALL.iter().map(|key| self.check_one(*key));
        let tables = [
            super::keys::keymap(&self.tables.keys).map(drop),
            self.filters(Timestamp::now()).map(drop),
        ];
        let mut wrong: Vec<_> = values.chain(tables).filter_map(Result::err).collect();
        if wrong.is_empty() {
            wrong.extend(self.target().err());
        }
        wrong.extend(self.check_tunnels());
        wrong
    }

    pub(super) fn check_one(&self, key: Key) -> Result<(), Failure> {
        match key {
            Key::TIMEOUT
            | Key::KEEP_AGE
            | Key::MAX_AGE
            | Key::RESPOND_TIMEOUT
            | Key::BODY_TIMEOUT
            | Key::HEAD_TIMEOUT
            | Key::IDLE_TIMEOUT => self.duration(key).map(drop),
            Key::MAX_BODY
            | Key::MAX_QUEUE_BYTES
            | Key::MAX_OWNER_QUEUE_BYTES
            | Key::MAX_RESPONSE
            | Key::MAX_SESSION_MEMORY
            | Key::MAX_BODY_MEMORY
            | Key::MAX_HEAD
            | Key::MAX_HEAD_MEMORY => self.size(key).map(drop),
            Key::MAX_TOTAL_QUEUE_BYTES | Key::MIN_BODY_RATE => {
                self.size_or_off(key, None).map(drop)
            }
            Key::CONCURRENCY
            | Key::WINDOW
            | Key::KEEP_EVENTS
            | Key::MAX_QUEUE_EVENTS
            | Key::MAX_CONNECTIONS
            | Key::MAX_CONNECTIONS_PER_ADDRESS
            | Key::MAX_SESSIONS
            | Key::MAX_OWNER_TUNNELS
            | Key::MAX_OWNER_SESSIONS
            | Key::MAX_OWNER_QUEUE_EVENTS
            | Key::PODIO_APP_ID => self.number::<u64>(key).map(drop),
            Key::LOG_FORMAT => self.log_format().map(drop),
            Key::METHODS => self.parse::<podtap_relay::Methods>(key).map(drop),
            Key::MAX_RATE | Key::MAX_RATE_PER_ADDRESS => self.rate(key, None).map(drop),
            Key::PRESERVE_HOST
            | Key::PROXY_PROTOCOL
            | Key::VERIFY
            | Key::MOUSE
            | Key::FORWARD_VERIFY
            | Key::BREAK_LOOPS
            | Key::INSECURE_LOCAL
            | Key::ALLOW_PLAINTEXT_RELAY => self.switch(key, false).map(drop),
            Key::ROUTE => self.routes().map(drop),
            Key::FORWARD_TO => self.service().map(drop),
            Key::EXEC => self.command().map(drop),
            Key::HOST_HEADER => self.fixed_host().map(drop),
            Key::RELAY => self.relay().map(drop),
            Key::RESPOND => self.respond().map(drop),
            Key::LISTEN => self.listen().map(drop),
            Key::HTTP_LISTEN => self.http_listen().map(drop),
            Key::TLS => self.check_tls(),
            Key::ACME_DOMAIN => self.acme_domains().map(drop),
            Key::ACME_CONTACT => self.acme_contacts().map(drop),
            Key::ACME_DIRECTORY => self.acme_directory().map(drop),
            Key::PUBLIC_URL => self.public_url().map(drop),
            Key::WEB => self.web().map(drop),
            Key::WEB_PASSWORD_FILE => self.secret(Key::WEB_PASSWORD, key).map(drop),
            Key::PODIO_URL => self.parse::<Url>(key).map(drop),
            Key::TRUSTED_PROXY => self.trusted_proxies().map(drop),
            Key::NAME => self.parse::<podtap_wire::TunnelName>(key).map(drop),
            Key::THEME | Key::COLOR => self.theme().map(drop),
            Key::NOTIFY => self.notify().map(drop),
            Key::DATABASE | Key::DATABASE_FILE => self.database().map(drop),
            Key::TOKEN_FILE => self.token().map(drop),
            Key::PODIO_CLIENT_SECRET_FILE => self.secret(Key::PODIO_CLIENT_SECRET, key).map(drop),
            Key::PODIO_APP_TOKEN_FILE => self.secret(Key::PODIO_APP_TOKEN, key).map(drop),
            Key::PODIO_PASSWORD_FILE => self.secret(Key::PODIO_PASSWORD, key).map(drop),
            // Any text is valid.
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::reference;
    use super::super::settings::settings;

    #[test]
    fn a_setting_that_is_a_number_a_time_a_size_or_a_switch_takes_no_word() {
        for entry in reference::entries() {
            let Some(default) = entry.default else {
                continue;
            };
            let default = default.trim_matches('"').replace('_', "");
            let is_typed = default.starts_with(|c: char| c.is_ascii_digit())
                || matches!(default.as_str(), "true" | "false");
            if is_typed {
                let set = settings(&[(entry.key, "soon")], &[]);
                let wrong = set.check();
                assert_eq!(wrong.len(), 1, "{:?} takes any word", entry.key);
            }
        }
    }
}
