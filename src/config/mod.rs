//! Settings: from flags, `PODTAP_*` variables, the configuration file and defaults, in this order.
//!
//! A setting is text with an origin until [`Settings`] parses it, once, so that every error names
//! where the value came from. The parts of Podtap see only their own typed configuration.

mod env;
mod file;
mod key;
mod merge;
mod parse;
mod settings;

pub(crate) use env::Environment;
pub(crate) use key::Key;
pub(crate) use settings::{Secret, Settings};

use crate::cli::Cli;
use crate::failure::Failure;

/// All settings of this run, each with its origin.
pub(crate) fn resolve(cli: &Cli) -> Result<Settings, Failure> {
    let environment = Environment::read()?;
    let file = file::load(cli.global.config.as_deref(), &environment)?;
    let layers = merge::Layers {
        flags: merge::flags(cli),
        env: environment.settings(),
        file,
    };
    Ok(Settings::new(layers, environment, cli.global.verbose))
}
