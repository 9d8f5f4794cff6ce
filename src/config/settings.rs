//! Settings as typed values; each error names the setting, the origin and what would be right.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use etcetera::BaseStrategy as _;
use jiff::tz::TimeZone;
use podtap_agent::Target;
use podtap_tui::Theme;
use podtap_wire::{Respond, TunnelName};
use secrecy::SecretString;
use url::Url;

use super::env::Environment;
use super::key::Key;
use super::merge::{Layers, Origin};
use super::parse;
use crate::failure::{Failure, chain};

/// All settings of this run. A value is parsed when a command asks for it, so that a setting of
/// another command cannot stop this one.
pub(crate) struct Settings {
    layers: Layers,
    environment: Environment,
    verbose: u8,
}

/// A secret with its origin, which errors may name.
#[derive(Debug)]
pub(crate) struct Secret {
    pub(crate) value: SecretString,
    pub(crate) origin: Origin,
}

impl Settings {
    pub(super) fn new(layers: Layers, environment: Environment, verbose: u8) -> Self {
        Self {
            layers,
            environment,
            verbose,
        }
    }

    /// How often `-v` was given.
    pub(crate) fn verbose(&self) -> u8 {
        self.verbose
    }

    /// The environment of this run.
    pub(crate) fn environment(&self) -> &Environment {
        &self.environment
    }

    /// A setting as text.
    pub(crate) fn text(&self, key: Key) -> Option<&str> {
        self.layers.get(key).map(|(text, _)| text.as_str())
    }

    /// A setting of any type whose error says what is wrong.
    pub(crate) fn parsed<T>(&self, key: Key) -> Result<Option<T>, Failure>
    where
        T: FromStr,
        T::Err: std::error::Error + 'static,
    {
        let Some((text, origin)) = self.layers.get(key) else {
            return Ok(None);
        };
        let parsed = text
            .parse()
            .map_err(|error: T::Err| wrong(key, text, origin, &chain(&error)));
        parsed.map(Some)
    }

    fn with<T>(
        &self,
        key: Key,
        parse: impl Fn(&str) -> Result<T, &'static str>,
    ) -> Result<Option<T>, Failure> {
        let Some((text, origin)) = self.layers.get(key) else {
            return Ok(None);
        };
        let parsed = parse(text)
            .map_err(|expected| wrong(key, text, origin, &format!("it should be {expected}")));
        parsed.map(Some)
    }

    /// A time.
    pub(crate) fn duration(&self, key: Key) -> Result<Option<Duration>, Failure> {
        self.with(key, parse::duration)
    }

    /// A size in bytes.
    pub(crate) fn size(&self, key: Key) -> Result<Option<u64>, Failure> {
        self.with(key, parse::size)
    }

    /// A switch, or what it is where nobody set it.
    pub(crate) fn switch(&self, key: Key, unset: bool) -> Result<bool, Failure> {
        Ok(self.with(key, parse::switch)?.unwrap_or(unset))
    }

    /// A positive whole number.
    pub(crate) fn number<T>(&self, key: Key) -> Result<Option<T>, Failure>
    where
        T: FromStr + PartialEq + Default,
    {
        self.with(key, |text| match text.parse::<T>() {
            Ok(number) if number != T::default() => Ok(number),
            _ => Err("a whole number above 0"),
        })
    }

    /// Where history and queue live.
    pub(crate) fn data_dir(&self) -> Result<PathBuf, Failure> {
        if let Some(dir) = self.text(Key::DATA_DIR) {
            return Ok(PathBuf::from(dir));
        }
        let base = etcetera::base_strategy::choose_base_strategy()
            .map_err(|error| Failure::because("there is no home folder for the data", &error))
            .map_err(|failure| failure.hint("name a folder with --data-dir"))?;
        Ok(base.data_dir().join("podtap"))
    }

    /// The tunnel's name: as set, else the working folder's.
    pub(crate) fn tunnel(&self) -> Result<TunnelName, Failure> {
        if let Some(name) = self.parsed(Key::NAME)? {
            return Ok(name);
        }
        let folder = std::env::current_dir().ok();
        let name = folder
            .as_deref()
            .and_then(|path| path.file_name())
            .and_then(|f| f.to_str());
        name.and_then(TunnelName::nearest).ok_or_else(|| {
            Failure::usage("the working folder's name makes no tunnel name")
                .hint("give the tunnel a name with --name")
        })
    }

    /// The history's file.
    pub(crate) fn history(&self) -> Result<PathBuf, Failure> {
        Ok(self.data_dir()?.join(format!("{}.db", self.tunnel()?)))
    }

    /// The local service, where one is set.
    pub(crate) fn target(&self) -> Result<Option<Target>, Failure> {
        self.parsed(Key::FORWARD_TO)
    }

    /// The relay's URL, where one is set.
    pub(crate) fn relay(&self) -> Result<Option<Url>, Failure> {
        self.with(Key::RELAY, |text| {
            let text = if text.contains("://") {
                text.into()
            } else {
                format!("https://{text}")
            };
            let url: Url = text
                .parse()
                .map_err(|_| "a URL such as https://hooks.example.com")?;
            let good = matches!(url.scheme(), "http" | "https") && url.host().is_some();
            if good {
                Ok(url)
            } else {
                Err("an http:// or https:// URL")
            }
        })
    }

    /// The relay's token.
    pub(crate) fn token(&self) -> Result<Option<Secret>, Failure> {
        self.secret(Key::TOKEN, Key::TOKEN_FILE)
    }

    /// A secret, set by itself or, where it is not, as the content of a file.
    pub(crate) fn secret(&self, key: Key, file: Key) -> Result<Option<Secret>, Failure> {
        if let Some((text, origin)) = self.layers.get(key) {
            return Ok(Some(Secret {
                value: text.trim().into(),
                origin: origin.clone(),
            }));
        }
        let Some((path, origin)) = self.layers.get(file) else {
            return Ok(None);
        };
        let text = std::fs::read_to_string(path).map_err(|error| {
            Failure::usage(format!("{} cannot be read", file.name()))
                .fact("file", path.clone())
                .fact("why", error.to_string())
                .fact("from", origin.to_string())
        })?;
        Ok(Some(Secret {
            value: text.trim().into(),
            origin: Origin::File(path.into()),
        }))
    }

    /// Who answers the sender.
    pub(crate) fn respond(&self) -> Result<Respond, Failure> {
        let respond = self.with(Key::RESPOND, |text| match text {
            "stored" => Ok(Respond::Stored),
            "local" => Ok(Respond::Local),
            _ => Err("`stored` or `local`"),
        })?;
        Ok(respond.unwrap_or_default())
    }

    /// Whether to colour what goes to a stream, which may be a terminal or not.
    pub(crate) fn colour(&self, terminal: bool) -> Result<bool, Failure> {
        let wish = self.with(Key::COLOR, |text| match text {
            "auto" => Ok(None),
            "always" => Ok(Some(true)),
            "never" => Ok(Some(false)),
            _ => Err("auto, always or never"),
        })?;
        let plain = self.environment.get("NO_COLOR").is_some()
            || self
                .environment
                .get("TERM")
                .is_some_and(|term| term == "dumb");
        Ok(wish.flatten().unwrap_or(terminal && !plain))
    }

    /// The proxy on the way to a URL, where the environment names one.
    pub(crate) fn proxy<T>(&self, to: &Url) -> Result<Option<T>, Failure>
    where
        T: FromStr,
    {
        let host = to.host_str().unwrap_or_default();
        let Some(proxy) = self.environment.proxy_for(to.scheme(), host) else {
            return Ok(None);
        };
        let with_scheme = if proxy.contains("://") {
            proxy.to_owned()
        } else {
            format!("http://{proxy}")
        };
        // The text may hold a password: it is not repeated.
        let parsed = with_scheme.parse().map(Some);
        parsed.map_err(|_| Failure::usage("the proxy's URL cannot be read"))
    }

    /// The person's editor: a shell command.
    pub(crate) fn editor(&self) -> String {
        let named = self
            .environment
            .get("VISUAL")
            .or_else(|| self.environment.get("EDITOR"));
        named.unwrap_or("vi").to_owned()
    }

    /// How the terminal UI looks.
    pub(crate) fn tui(&self) -> Result<podtap_tui::Config, Failure> {
        let chosen = self.with(Key::THEME, |text| {
            Theme::named(text).ok_or("ansi, dark, light, high-contrast or monochrome")
        })?;
        let theme = if self.colour(true)? {
            chosen.unwrap_or_default()
        } else {
            Theme::Monochrome
        };
        let zone = TimeZone::system();
        Ok(podtap_tui::Config {
            theme,
            zone,
            editor: self.editor(),
            tmux: self.environment.get("TMUX").is_some(),
            remote: self.environment.get("SSH_TTY").is_some(),
            ..podtap_tui::Config::default()
        })
    }

    /// Where the relay listens: as set, else `PORT` on all addresses (the convention of
    /// containers); `None` where neither is set.
    pub(crate) fn listen(&self) -> Result<Option<SocketAddr>, Failure> {
        if let Some(address) = self.with(Key::LISTEN, |text| {
            let text = if text.starts_with(':') {
                format!("0.0.0.0{text}")
            } else {
                text.into()
            };
            text.parse()
                .map_err(|_| "an address and port such as 127.0.0.1:8080 or :8080")
        })? {
            return Ok(Some(address));
        }
        let Some(port) = self.environment.get("PORT") else {
            return Ok(None);
        };
        let port: u16 = port
            .parse()
            .map_err(|_| Failure::usage("the variable PORT is no port"))?;
        Ok(Some(SocketAddr::from(([0, 0, 0, 0], port))))
    }
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // A token may be among the values.
        f.debug_struct("Settings").finish_non_exhaustive()
    }
}

fn wrong(key: Key, text: &str, origin: &Origin, why: &str) -> Failure {
    Failure::usage(format!("{} cannot be `{text}`", key.name()))
        .fact("why", why)
        .fact("from", origin.to_string())
}

#[cfg(test)]
mod tests {
    use super::super::merge::Layer;
    use super::*;

    fn settings(flags: &[(Key, &str)], env: &[(Key, &str)]) -> Settings {
        let layer = |pairs: &[(Key, &str)], origin: fn(Key) -> Origin| -> Layer {
            pairs
                .iter()
                .map(|(key, text)| (*key, ((*text).to_owned(), origin(*key))))
                .collect()
        };
        let layers = Layers {
            flags: layer(flags, |key| Origin::Flag(key.name())),
            env: layer(env, |key| Origin::Variable(key.variable())),
            file: Layer::new(),
        };
        Settings::new(layers, Environment::default(), 0)
    }

    #[test]
    fn a_flag_wins_over_a_variable_and_an_error_names_the_origin() {
        let set = settings(
            &[(Key::WINDOW, "7")],
            &[(Key::WINDOW, "9"), (Key::TIMEOUT, "soon")],
        );
        assert_eq!(set.number::<u32>(Key::WINDOW).unwrap(), Some(7));
        let error = set.duration(Key::TIMEOUT).unwrap_err().to_string();
        assert!(
            error.contains("soon") && error.contains("PODTAP_TIMEOUT"),
            "{error}"
        );
        assert!(
            settings(&[(Key::WINDOW, "0")], &[])
                .number::<u32>(Key::WINDOW)
                .is_err()
        );
    }

    #[test]
    fn a_relay_may_be_written_without_its_scheme() {
        let relay = |text| settings(&[(Key::RELAY, text)], &[]).relay();
        assert_eq!(
            relay("hooks.test").unwrap().unwrap().as_str(),
            "https://hooks.test/"
        );
        assert_eq!(
            relay("http://[::1]:8080").unwrap().unwrap().port(),
            Some(8080)
        );
        assert!(relay("ftp://x").is_err());
    }

    #[test]
    fn a_token_never_shows_in_debug() {
        let set = settings(&[(Key::TOKEN, "pt_very-secret")], &[]);
        let shown = format!("{set:?} {:?}", set.token().unwrap());
        assert!(!shown.contains("very-secret"), "{shown}");
    }

    #[test]
    fn the_relay_may_be_told_a_port_alone() {
        let set = settings(&[(Key::LISTEN, ":8080")], &[]);
        assert_eq!(set.listen().unwrap(), Some("0.0.0.0:8080".parse().unwrap()));
        assert_eq!(settings(&[], &[]).listen().unwrap(), None);
    }
}
