//! The only reader of the environment.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::key::{Key, VARIABLE_PREFIX};
use super::merge::{Layer, Origin};
use crate::failure::Failure;

/// The variables that mean something to Podtap, as they were at the start.
#[derive(Clone, Default)]
pub(crate) struct Environment(BTreeMap<String, String>);

/// Read besides `PODTAP_*`; what they mean is other programs' convention, not ours.
const FOREIGN: &[&str] = &[
    "ALL_PROXY",
    "COLORTERM",
    "EDITOR",
    "HTTPS_PROXY",
    "HTTP_PROXY",
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

/// `PODTAP_*` variables that are no settings.
const CONFIG_FILE: &str = "PODTAP_CONFIG";

impl Environment {
    /// Reads it once.
    ///
    /// # Errors
    /// When a variable that means something to us is not UTF-8, or when a `PODTAP_*` variable is
    /// none of ours: a mistyped one would silently do nothing.
    pub(crate) fn read() -> Result<Self, Failure> {
        let mut known = BTreeMap::new();
        for (name, value) in std::env::vars_os() {
            let Some(name) = name.to_str() else { continue };
            let ours = name.strip_prefix(VARIABLE_PREFIX);
            if ours.is_none() && !FOREIGN.contains(&name) {
                continue;
            }
            if let Some(rest) = ours
                && name != CONFIG_FILE
                && Key::find(&rest.replace('_', "-").to_lowercase()).is_none()
            {
                return Err(unknown(name, rest));
            }
            let value = value.into_string().map_err(|_| {
                Failure::usage(format!("the variable {name} holds text that is not UTF-8"))
            })?;
            known.insert(name.to_owned(), value);
        }
        Ok(Self(known))
    }

    /// A variable's value; an empty one counts as not set.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// Where the configuration file is, if the environment says so.
    pub(crate) fn config_file(&self) -> Option<PathBuf> {
        self.get(CONFIG_FILE).map(PathBuf::from)
    }

    /// The settings in it.
    pub(super) fn settings(&self) -> Layer {
        Key::ALL
            .iter()
            .filter_map(|key| {
                let variable = key.variable();
                let value = self.get(&variable)?.to_owned();
                Some((*key, (value, Origin::Variable(variable))))
            })
            .collect()
    }

    /// The proxy for requests to `scheme://host`, by the conventions of curl.
    pub(crate) fn proxy_for(&self, scheme: &str, host: &str) -> Option<&str> {
        let either = |upper: &str| self.get(&upper.to_lowercase()).or_else(|| self.get(upper));
        let exempt = either("NO_PROXY").is_some_and(|list| {
            list.split(',')
                .map(str::trim)
                .any(|entry| exempts(entry.trim_start_matches('.'), host))
        });
        if exempt {
            return None;
        }
        let own = if scheme == "https" {
            either("HTTPS_PROXY")
        } else {
            self.get("http_proxy")
        };
        own.or_else(|| either("ALL_PROXY"))
    }
}

fn exempts(entry: &str, host: &str) -> bool {
    let below = |domain: &str| {
        host.strip_suffix(domain)
            .is_some_and(|rest| rest.ends_with('.'))
    };
    entry == "*" || (!entry.is_empty() && (host.eq_ignore_ascii_case(entry) || below(entry)))
}

fn unknown(name: &str, rest: &str) -> Failure {
    let failure = Failure::usage(format!("the variable {name} means nothing to podtap"));
    match Key::nearest(rest) {
        Some(key) => failure.hint(format!("did you mean {}?", key.variable())),
        None => failure.hint(format!("unset {name}")),
    }
}

impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Tokens and proxy passwords are in here: names only.
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(pairs: &[(&str, &str)]) -> Environment {
        Environment(
            pairs
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                .collect(),
        )
    }

    #[test]
    fn a_proxy_is_chosen_by_scheme_and_exempted_by_domain() {
        let env = with(&[
            ("HTTPS_PROXY", "http://p:1"),
            ("NO_PROXY", "localhost, .example.com"),
        ]);
        assert_eq!(env.proxy_for("https", "hooks.test"), Some("http://p:1"));
        assert_eq!(env.proxy_for("http", "hooks.test"), None);
        assert_eq!(env.proxy_for("https", "localhost"), None);
        assert_eq!(env.proxy_for("https", "a.example.com"), None);
        assert_eq!(env.proxy_for("https", "notexample.com"), Some("http://p:1"));
        assert_eq!(
            with(&[("all_proxy", "http://q:1")]).proxy_for("http", "x"),
            Some("http://q:1")
        );
    }

    #[test]
    fn values_do_not_show_in_debug() {
        assert!(!format!("{:?}", with(&[("PODTAP_TOKEN", "pt_secret")])).contains("pt_secret"));
    }
}
