//! Merges settings from flags, `PODTAP_*` variables,
//! the configuration file and defaults, in this order.
//!
//! A setting is text with an origin until [`Settings`] parses it, so every error names
//! where the value came from. The parts of Podtap see only their own typed configuration.

mod check;
mod env;
#[cfg(test)]
mod example;
mod file;
mod filters;
mod key;
mod keys;
mod layout;
mod limits;
mod link;
mod log;
mod merge;
mod network;
pub(crate) mod reference;
mod secret;
mod settings;
mod tls;
mod tui;
mod tunnels;
mod web;

pub(crate) use env::Environment;
pub(crate) use key::Key;
pub(crate) use keys::to_toml as default_keys;
pub(crate) use log::LogFormat;
pub(crate) use secret::Secret;
pub(crate) use settings::Settings;
pub(crate) use web::WebPage;

use crate::cli::CommandLine;
use crate::failure::Failure;

/// Reads all settings of this run, each with its origin.
pub(crate) fn resolve(typed: &CommandLine) -> Result<Settings, Failure> {
    let global = &typed.cli.global;
    let environment = Environment::read()?;
    let file = file::load(global.config.as_deref(), &environment)?;
    let layers = merge::Layers {
        flags: merge::flags(&typed.command, &typed.matches),
        tunnel: merge::Layer::new(),
        env: environment.settings(),
        file: file.settings,
    };
    let tables = settings::Tables {
        keys: file.keys,
        filters: file.filters,
        tunnels: file.tunnels,
    };
    let verbose = global.verbose;
    Ok(Settings::new(layers, tables, environment, verbose).of_typed_tunnel())
}
