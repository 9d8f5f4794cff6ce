//! Errors in words, for a person to read.

/// An error and what caused it, as the agent words it.
pub(crate) fn error_text(error: impl std::error::Error + 'static) -> String {
    podtap_agent::reason::chain(&error)
}
