//! Settings as typed values; each error names the setting, the origin and what would be right.

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

/// All settings of this run. A value is parsed when a command asks for it, so that a setting of
/// another command cannot stop this one.
pub(crate) struct Settings {
    layers: Layers,
    pub(super) tables: Tables,
    environment: Environment,
    verbose: u8,
    /// Warnings of this run: each is said once, however often its setting is asked for.
    said: Mutex<BTreeSet<String>>,
}

/// The tables of the configuration file, each read by who uses it.
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

    /// The same, with what the table of a tunnel says.
    pub(super) fn of_tunnel(&self, tunnel: Layer) -> Self {
        let layers = Layers {
            tunnel,
            ..self.layers.clone()
        };
        let (tables, environment) = (self.tables.clone(), self.environment.clone());
        Self::new(layers, tables, environment, self.verbose)
    }

    /// How often `-v` was given.
    pub(crate) fn verbose(&self) -> u8 {
        self.verbose
    }

    /// The environment of this run.
    pub(crate) fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Says what is not as it should be and stops nothing.
    pub(crate) fn warn(&self) -> Result<(), Failure> {
        let mut warnings = self.environment.warnings();
        warnings.try_for_each(|warning| self.report(warning))?;
        self.warn_of_config_readers()
    }

    /// Prints a warning as this run's stderr has it.
    pub(crate) fn report(&self, warning: Warning) -> Result<(), Failure> {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if said.insert(warning.to_string()) {
            warning.report(self.colour(std::io::stderr().is_terminal())?);
        }
        Ok(())
    }

    /// The tunnels that have a history.
    pub(crate) fn tunnels(&self) -> Result<Vec<String>, Failure> {
        Ok(layout::tunnels(&self.data_dir()?))
    }

    /// A setting as text.
    pub(crate) fn text(&self, key: Key) -> Option<&str> {
        self.layers.get(key).map(|(text, _)| text.as_str())
    }

    /// A setting that is set, with where that was done.
    pub(crate) fn set(&self, key: Key) -> Option<(&str, String)> {
        let (text, origin) = self.layers.get(key)?;
        Some((text, origin.to_string()))
    }

    /// A setting of any type whose error says what is wrong.
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

    /// Whether a setting was given as a flag.
    pub(crate) fn is_typed(&self, key: Key) -> bool {
        let origin = self.layers.get(key).map(|(_, origin)| origin);
        matches!(origin, Some(ValueOrigin::Flag(_)))
    }

    /// Whether one setting is set by a stronger source than the other, or the other is not set;
    /// `None` where both are from the same.
    pub(super) fn is_stronger(&self, key: Key, other: Key) -> Option<bool> {
        self.layers.is_stronger(key, other)
    }

    /// A setting's text with its origin.
    pub(super) fn entry(&self, key: Key) -> Option<&(String, ValueOrigin)> {
        self.layers.get(key)
    }

    /// A setting of any type; `parse` says what would be right.
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
            .map_err(|error| Failure::because("cannot find the home folder", &error))
            .map_err(|failure| failure.hint("set a folder with --data-dir"))?;
        Ok(base.data_dir().join("podtap"))
    }

    /// The data folder of a relay: with nothing of another kind where its database goes.
    pub(crate) fn relay_dir(&self) -> Result<PathBuf, Failure> {
        let data_dir = self.data_dir()?;
        layout::make_way_for_relay(&data_dir);
        Ok(data_dir)
    }

    /// The tunnel's name: as set, else the working folder's.
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

    /// The history's file.
    pub(crate) fn history(&self) -> Result<PathBuf, Failure> {
        Ok(layout::history(&self.data_dir()?, &self.tunnel()?))
    }
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // A token may be among the values.
        f.debug_struct("Settings").finish_non_exhaustive()
    }
}

pub(super) fn wrong(key: Key, text: &str, origin: &ValueOrigin, why: &str) -> Failure {
    let text = without_user_info(text);
    Failure::usage(format!("{} cannot be `{text}`", key.name()))
        .fact("why", why)
        .fact("from", origin.to_string())
}

/// Settings as flags and variables would make them.
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
