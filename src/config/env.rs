//! Reads the environment. No other module does.

use podtap_agent::command_variables;
use podtap_connect::ProxyVariables;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use super::key::{Key, VARIABLE_PREFIX};
use super::link;
use super::merge::{Layer, ValueOrigin};
use crate::failure::{Failure, Warning};

/// The environment variables that Podtap uses, as they were at the start.
#[derive(Clone, Default)]
pub(crate) struct Environment {
    known: BTreeMap<String, String>,
    /// Names that begin with `PODTAP_` but are not settings.
    unknown: Vec<String>,
}

/// Variables read besides `PODTAP_*`; their meaning is a convention of other programs.
const FOREIGN: &[&str] = &[
    "ALL_PROXY",
    "CLICOLOR",
    "CLICOLOR_FORCE",
    "COLORTERM",
    "EDITOR",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "LANG",
    "LC_ALL",
    "LC_MONETARY",
    "NO_COLOR",
    "NO_PROXY",
    "PORT",
    "RUST_LOG",
    "SSH_TTY",
    "TERM",
    "TMUX",
    "VISUAL",
    "all_proxy",
    "http_proxy",
    "https_proxy",
    "no_proxy",
];

/// The `PODTAP_*` variable that is not a setting: it names the configuration file.
const CONFIG_FILE: &str = "PODTAP_CONFIG";

impl Environment {
    /// Reads the environment once.
    ///
    /// # Errors
    /// If a variable that Podtap uses is not UTF-8.
    pub(crate) fn read() -> Result<Self, Failure> {
        Self::of(std::env::vars_os())
    }

    fn of(variables: impl Iterator<Item = (OsString, OsString)>) -> Result<Self, Failure> {
        let mut environment = Self::default();
        for (name, value) in variables {
            let Some(name) = name.to_str() else { continue };
            if command_variables().any(|variable| variable == name) {
                // Another podtap has started the command that contains this one for an event.
                continue;
            }
            let is_setting = name == CONFIG_FILE || Key::of_variable(name).is_some();
            if is_setting || FOREIGN.contains(&name) {
                let value = value.into_string().map_err(|_| {
                    Failure::usage(format!("the variable {name} is not valid UTF-8"))
                })?;
                if !link::is_link(name, &value) {
                    environment.known.insert(name.to_owned(), value);
                }
            } else if name.starts_with(VARIABLE_PREFIX)
                && !link::is_link(name, &value.to_string_lossy())
            {
                environment.unknown.push(name.to_owned());
            }
        }
        Ok(environment)
    }

    /// Returns a warning for each `PODTAP_*` variable that is not a
    /// setting: it may be mistyped, or belong to another program.
    pub(crate) fn warnings(&self) -> impl Iterator<Item = Warning> {
        self.unknown.iter().map(|name| {
            let rest = name.strip_prefix(VARIABLE_PREFIX).unwrap_or(name);
            let warning = Warning::new(format!("the variable {name} is not a setting of podtap"));
            match Key::nearest(rest) {
                Some(key) => warning.hint(format!("did you mean {}?", key.variable())),
                None => warning.hint("`podtap config show` lists the settings"),
            }
        })
    }

    /// Returns the value of a variable; an empty one counts as not set.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.known
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// Returns whether to colour a stream, given whether it is a terminal,
    /// by the conventions of no-color.org and bixense.com/clicolors.
    pub(crate) fn colour(&self, terminal: bool) -> bool {
        let forced = self.get("CLICOLOR_FORCE").is_some_and(|on| on != "0");
        let plain = self.get("CLICOLOR") == Some("0") || self.get("TERM") == Some("dumb");
        self.get("NO_COLOR").is_none() && (forced || (terminal && !plain))
    }

    /// Returns the path of the configuration file, if the environment sets it.
    pub(crate) fn config_file(&self) -> Option<PathBuf> {
        self.get(CONFIG_FILE).map(PathBuf::from)
    }

    /// Returns the settings in the environment.
    pub(super) fn settings(&self) -> Layer {
        Key::ALL
            .iter()
            .filter_map(|key| {
                let variable = key.variable();
                let value = self.get(&variable)?.to_owned();
                Some((*key, (value, ValueOrigin::Variable(variable))))
            })
            .collect()
    }

    /// Returns the locale in which amounts of money are written, by the conventions of POSIX.
    pub(crate) fn locale(&self) -> &str {
        let set = ["LC_ALL", "LC_MONETARY", "LANG"];
        set.into_iter()
            .find_map(|name| self.get(name))
            .unwrap_or_default()
    }

    /// Returns the user names and passwords of the proxies, all of which are secret.
    pub(crate) fn proxy_passwords(&self) -> Vec<String> {
        let proxies = self.proxies();
        [proxies.http, proxies.https, proxies.all]
            .into_iter()
            .filter_map(|url| {
                let (user, _) = url.rsplit_once('@')?;
                let user = user.rsplit_once("//").map_or(user, |(_, user)| user);
                let password = user.split_once(':').map_or(user, |(_, password)| password);
                Some(password.to_owned())
            })
            .collect()
    }

    /// Returns the proxies that the environment names, by the conventions
    /// of curl: a lower-case name comes first, and `HTTP_PROXY` is
    /// ignored, since a web server sets it from a request's header.
    pub(crate) fn proxies(&self) -> ProxyVariables<'_> {
        let either = |upper: &str| {
            let lower = self.get(&upper.to_lowercase());
            lower.or_else(|| self.get(upper)).unwrap_or_default()
        };
        ProxyVariables {
            http: self.get("http_proxy").unwrap_or_default(),
            https: either("HTTPS_PROXY"),
            all: either("ALL_PROXY"),
            no: either("NO_PROXY"),
        }
    }
}

impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The values contain tokens and proxy passwords, so only names are printed.
        f.debug_set().entries(self.known.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(pairs: &[(&str, &str)]) -> Environment {
        let pairs = pairs.iter().map(|(k, v)| (k.into(), v.into()));
        Environment::of(pairs).unwrap()
    }

    #[test]
    fn what_links_to_a_service_called_podtap_is_left_alone() {
        for pair in [
            ("PODTAP_PORT", "tcp://10.0.0.1:80"),
            ("PODTAP_SERVICE_HOST", "10.0.0.1"),
            ("PODTAP_SERVICE_PORT", "80"),
            ("PODTAP_SERVICE_PORT_HTTP", "80"),
            ("PODTAP_PORT_80_TCP", "tcp://10.0.0.1:80"),
            ("PODTAP_PORT_80_TCP_ADDR", "10.0.0.1"),
            ("PODTAP_PORT_53_UDP_PROTO", "udp"),
            ("PODTAP_RELAY_PORT", "tcp://10.0.0.1:80"),
            ("PODTAP_RELAY_SERVICE_HOST", "10.0.0.1"),
            ("PODTAP_RELAY_PORT_8080_TCP_PORT", "8080"),
            ("PODTAP_NAME", "/web/podtap"),
            ("PODTAP_RELAY_NAME", "/web/podtap-relay"),
            ("PODTAP_ENV_LANG", "C"),
        ] {
            let env = with(&[pair]);
            assert_eq!(env.warnings().count(), 0, "{pair:?}");
            assert!(env.settings().is_empty(), "{pair:?}");
        }
    }

    #[test]
    fn what_a_command_learns_of_its_event_is_no_setting() {
        for variable in command_variables() {
            assert_eq!(Key::of_variable(variable), None, "{variable}");
            assert_eq!(with(&[(variable, "5")]).warnings().count(), 0, "{variable}");
        }
    }

    #[test]
    fn no_setting_looks_like_a_link() {
        for key in Key::ALL {
            assert!(!link::is_link(&key.variable(), "crm"), "{key:?}");
        }
        assert_eq!(with(&[("PODTAP_NAME", "crm")]).settings().len(), 1);
    }

    #[test]
    fn an_unknown_variable_is_a_warning_that_names_the_nearest_setting() {
        let env = with(&[("PODTAP_RELAI", "https://x"), ("PODTAP_ZZZ", "1")]);
        let said: Vec<String> = env.warnings().map(|warning| warning.to_string()).collect();
        assert!(said[0].contains("PODTAP_RELAI") && said[0].contains("PODTAP_RELAY?"));
        assert!(said[1].contains("PODTAP_ZZZ") && said[1].contains("podtap config show"));
        assert!(env.settings().is_empty());
    }

    #[test]
    fn proxies_are_named_in_small_letters_first() {
        let env = with(&[
            ("HTTPS_PROXY", "http://large:1"),
            ("https_proxy", "http://small:1"),
            ("HTTP_PROXY", "http://header:1"),
            ("NO_PROXY", "localhost"),
        ]);
        let proxies = env.proxies();
        assert_eq!((proxies.https, proxies.http), ("http://small:1", ""));
        assert_eq!((proxies.all, proxies.no), ("", "localhost"));
    }

    #[test]
    fn values_do_not_show_in_debug() {
        assert!(!format!("{:?}", with(&[("PODTAP_TOKEN", "pt_secret")])).contains("pt_secret"));
    }
}
