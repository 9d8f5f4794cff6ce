//! This program as the guard of its own commands: they end with it, also when it is killed.

use std::ffi::OsStr;
use std::path::PathBuf;

use podtap_agent::GUARD_COMMANDS;

/// Whether another podtap started this process as its guard.
pub(crate) fn is_asked_for() -> bool {
    let mut arguments = std::env::args_os().skip(1);
    arguments.next().as_deref() == Some(OsStr::new(GUARD_COMMANDS)) && arguments.next().is_none()
}

/// Has this program guard the commands of this process.
pub(crate) fn set_program() {
    if let Some(program) = own_program() {
        podtap_agent::set_command_guard(program);
    }
}

/// On Linux the file that runs, also when another build has taken its place since.
fn own_program() -> Option<PathBuf> {
    if cfg!(target_os = "linux") {
        return Some(PathBuf::from("/proc/self/exe"));
    }
    std::env::current_exe().ok()
}
