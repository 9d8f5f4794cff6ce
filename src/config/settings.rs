//! Parses settings into typed values. Each error names
//! the setting, its origin and what is expected.

use std::collections::BTreeSet;
use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use etcetera::BaseStrategy as _;
use podtap_connect::reason::chain;
use podtap_wire::TunnelName;

use super::env::Environment;
use super::file::Table;
use podtap_agent::target::without_user_info;

use super::key::Key;
use super::layout;
use super::merge::{Layer, Layers, ValueOrigin};
use crate::failure::{Failure, Warning};
use crate::parse;

/// All settings of this run. A value is parsed when a command asks for
/// it, so a wrong setting of another command cannot stop this one.
pub(crate) struct Settings {
    layers: Layers,
    pub(super) tables: Tables,
    environment: Environment,
    verbose: u8,
    /// The warnings already printed: each appears once per run, however often its setting is used.
    said: Mutex<BTreeSet<String>>,
}

/// The tables of the configuration file, each parsed by the commands that use it.
#[derive(Debug, Clone, Default)]
pub(super) struct Tables {
    pub(super) keys: Table,
    pub(super) filters: Table,
    pub(super) tunnels: Table,
}

impl Settings {
    pub(super) fn new(
        layers: Layers,
        tables: Tables,
        environment: Environment,
        verbose: u8,
    ) -> Self {
        Self {
            layers,
            tables,
            environment,
            verbose,
            said: Mutex::default(),
        }
    }

    /// Returns these settings with the table of a tunnel.
    pub(super) fn of_tunnel(&self, tunnel: Layer) -> Self {
        let layers = Layers {
            tunnel,
            ..self.layers.clone()
        };
        let (tables, environment) = (self.tables.clone(), self.environment.clone());
        Self::new(layers, tables, environment, self.verbose)
    }

    /// Returns the number of `-v` flags.
    pub(crate) fn verbose(&self) -> u8 {
        self.verbose
    }

    /// Returns the environment of this run.
    pub(crate) fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Prints warnings about the environment and the configuration file; does not stop the run.
    pub(crate) fn warn(&self) -> Result<(), Failure> {
        let mut warnings = self.environment.warnings();
        warnings.try_for_each(|warning| self.report(warning))?;
        self.warn_of_config_readers()
    }

    /// Prints a warning on stderr, once per run.
    pub(crate) fn report(&self, warning: Warning) -> Result<(), Failure> {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if said.insert(warning.to_string()) {
            warning.report(self.colour(std::io::stderr().is_terminal())?);
        }
        Ok(())
    }

    /// Returns the tunnels with a history.
    pub(crate) fn tunnels(&self) -> Result<Vec<String>, Failure> {
        Ok(layout::tunnels(&self.data_dir()?))
    }

    /// Returns the text of a setting.
    pub(crate) fn text(&self, key: Key) -> Option<&str> {
        self.layers.get(key).map(|(text, _)| text.as_str())
    }

    /// Returns the text of a setting and its origin.
    pub(crate) fn set(&self, key: Key) -> Option<(&str, String)> {
        let (text, origin) = self.layers.get(key)?;
        Some((text, origin.to_string()))
    }

    /// Parses a setting whose type reports what is wrong.
    pub(crate) fn parse<T>(&self, key: Key) -> Result<Option<T>, Failure>
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

    /// Returns whether a setting was given as a flag.
    pub(crate) fn is_typed(&self, key: Key) -> bool {
        let origin = self.layers.get(key).map(|(_, origin)| origin);
        matches!(origin, Some(ValueOrigin::Flag(_)))
    }

    /// Returns whether `key` is set by a stronger source than `other`, or
    /// `other` is not set. Returns `None` if both come from the same source.
    pub(super) fn is_stronger(&self, key: Key, other: Key) -> Option<bool> {
        self.layers.is_stronger(key, other)
    }

    /// Returns the text of a setting with its origin.
    pub(super) fn entry(&self, key: Key) -> Option<&(String, ValueOrigin)> {
        self.layers.get(key)
    }

    /// Parses a setting; the error of `parse` is what is expected.
    pub(super) fn with<T>(
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

    /// Parses a duration.
    pub(crate) fn duration(&self, key: Key) -> Result<Option<Duration>, Failure> {
        self.with(key, parse::duration)
    }

    /// Parses a size in bytes.
    pub(crate) fn size(&self, key: Key) -> Result<Option<u64>, Failure> {
        self.with(key, parse::size)
    }

    /// Parses a switch; `unset` is the default.
    pub(crate) fn switch(&self, key: Key, unset: bool) -> Result<bool, Failure> {
        Ok(self.with(key, parse::switch)?.unwrap_or(unset))
    }

    /// Parses a positive whole number.
    pub(crate) fn number<T>(&self, key: Key) -> Result<Option<T>, Failure>
    where
        T: FromStr + PartialEq + Default,
    {
        self.with(key, |text| match text.parse::<T>() {
            Ok(number) if number != T::default() => Ok(number),
            _ => Err("a whole number above 0"),
        })
    }

    /// Returns the folder of histories and queues.
    pub(crate) fn data_dir(&self) -> Result<PathBuf, Failure> {
        if let Some(dir) = self.text(Key::DATA_DIR) {
            return Ok(PathBuf::from(dir));
        }
        let base = etcetera::base_strategy::choose_base_strategy()
            .map_err(|error| Failure::because("cannot find the home folder", &error))
            .map_err(|failure| failure.hint("set a folder with --data-dir"))?;
        Ok(base.data_dir().join("podtap"))
    }

    /// Returns the data folder of a relay. First moves a
    /// history away from the path of the relay's database.
    pub(crate) fn relay_dir(&self) -> Result<PathBuf, Failure> {
        let data_dir = self.data_dir()?;
        layout::make_way_for_relay(&data_dir);
        Ok(data_dir)
    }

    /// Returns the tunnel's name: the setting, or else the working folder's name.
    pub(crate) fn tunnel(&self) -> Result<TunnelName, Failure> {
        if let Some(name) = self.parse(Key::NAME)? {
            return Ok(name);
        }
        let folder = std::env::current_dir().ok();
        let name = folder
            .as_deref()
            .and_then(|path| path.file_name())
            .and_then(|f| f.to_str());
        let data_dir = self.data_dir().ok();
        let tunnel = name.and_then(|name| layout::tunnel_of(data_dir.as_deref(), name));
        tunnel.ok_or_else(|| {
            Failure::usage("the working folder's name cannot be a tunnel name")
                .hint("set a name with --name")
        })
    }

    /// Returns the path of the history.
    pub(crate) fn history(&self) -> Result<PathBuf, Failure> {
        Ok(layout::history(&self.data_dir()?, &self.tunnel()?))
    }
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The values may contain a token.
        f.debug_struct("Settings").finish_non_exhaustive()
    }
}

pub(super) fn wrong(key: Key, text: &str, origin: &ValueOrigin, why: &str) -> Failure {
    let text = without_user_info(text);
    Failure::usage(format!("{} cannot be `{text}`", key.name()))
        .fact("why", why)
        .fact("from", origin.to_string())
}

/// Settings from these flags and variables.
#[cfg(test)]
pub(super) fn settings(flags: &[(Key, &str)], env: &[(Key, &str)]) -> Settings {
    let layer = |pairs: &[(Key, &str)], origin: fn(Key) -> ValueOrigin| -> Layer {
        pairs
            .iter()
            .map(|(key, text)| (*key, ((*text).to_owned(), origin(*key))))
            .collect()
    };
    let layers = Layers {
        flags: layer(flags, |key| ValueOrigin::Flag(key.name())),
        env: layer(env, |key| ValueOrigin::Variable(key.variable())),
        tunnel: Layer::new(),
        file: Layer::new(),
    };
    Settings::new(layers, Tables::default(), Environment::default(), 0)
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
