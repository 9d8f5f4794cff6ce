//! The objects of hooks, as flags of `podtap hooks` and `podtap listen`.

use clap::Args;

/// Objects that can have hooks.
#[derive(Debug, Args)]
pub(crate) struct HookTargets {
    /// Id of an app; repeatable
    #[arg(long, value_name = "ID")]
    pub(crate) app: Vec<u64>,
    /// Id of a field of an app; repeatable
    #[arg(long, value_name = "ID")]
    pub(crate) field: Vec<u64>,
    /// Id of a space; repeatable
    #[arg(long, value_name = "ID")]
    pub(crate) space: Vec<u64>,
}
