//! Runs this program as the guard of another podtap: if that
//! ends, even if it is killed, the guard ends its commands.

use std::ffi::OsStr;
use std::path::PathBuf;

use podtap_agent::GUARD_COMMANDS;

/// Returns whether another podtap started this process as its guard.
pub(crate) fn is_asked_for() -> bool {
    let mut arguments = std::env::args_os().skip(1);
    arguments.next().as_deref() == Some(OsStr::new(GUARD_COMMANDS)) && arguments.next().is_none()
}

/// Sets this program as the guard of this process's commands.
pub(crate) fn set_program() {
    if let Some(program) = own_program() {
        podtap_agent::set_command_guard(program);
    }
}

/// Returns the running program. On Linux, this is the
/// file that runs even if another build has replaced it.
fn own_program() -> Option<PathBuf> {
    if cfg!(target_os = "linux") {
        return Some(PathBuf::from("/proc/self/exe"));
    }
    std::env::current_exe().ok()
}
