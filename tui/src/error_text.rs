//! Turns errors into words for a person.

/// Returns an error and its causes in the words that the agent uses.
pub(crate) fn error_text(error: impl std::error::Error + 'static) -> String {
    podtap_agent::reason::chain(&error)
}
