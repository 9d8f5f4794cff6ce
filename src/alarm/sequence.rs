//! Makes the escape sequences that ring a terminal's bell or show a notice. No library is
//! used: a notice through D-Bus would reach a desktop only on this machine, not through SSH.

use podtap_agent::history::Outcome;
use podtap_podio::EventKind;

/// How a failure is signalled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AlarmKind {
    /// Rings the terminal's bell.
    Bell,
    /// The terminal shows a notice.
    Desktop(TerminalKind),
}

/// The sequence that makes a terminal show a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TerminalKind {
    /// Whether a notice has a separate title (OSC 777:
    /// VTE, foot, rxvt) or one text (OSC 9: the others).
    has_title: bool,
    /// Whether the terminal runs tmux, which passes on only wrapped sequences.
    is_tmux: bool,
}

impl TerminalKind {
    /// Detects the terminal from the environment variables.
    pub(crate) fn of<'a>(variable: impl Fn(&str) -> Option<&'a str>) -> Self {
        let name = variable("TERM").unwrap_or_default();
        let has_title = variable("VTE_VERSION").is_some()
            || name.starts_with("foot")
            || name.starts_with("rxvt");
        Self {
            has_title,
            is_tmux: variable("TMUX").is_some(),
        }
    }
}

impl AlarmKind {
    /// Returns the sequence for a failure. It contains no text from
    /// outside: an event type that is not Podio's is not named.
    pub(super) fn sequence(self, kind: Option<&EventKind>, outcome: &Outcome) -> String {
        let Self::Desktop(terminal) = self else {
            return "\x07".to_owned();
        };
        let name = match kind {
            Some(EventKind::Known(event)) => event.as_str(),
            Some(EventKind::Other(_)) | None => "a webhook",
        };
        let came = match outcome {
            Outcome::Answered { status, .. } => format!("answered {status}"),
            Outcome::Failed { .. } => "no answer".to_owned(),
        };
        let sequence = if terminal.has_title {
            format!("\x1b]777;notify;podtap;{name}: {came}\x1b\\")
        } else {
            format!("\x1b]9;podtap: {name}: {came}\x1b\\")
        };
        if terminal.is_tmux {
            let inner = sequence.replace('\x1b', "\x1b\x1b");
            format!("\x1bPtmux;{inner}\x1b\\")
        } else {
            sequence
        }
    }
}

#[cfg(test)]
mod tests {
    use podtap_podio::EventType;

    use super::*;

    fn desktop(variables: &[(&str, &'static str)]) -> AlarmKind {
        let find = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| *value)
        };
        AlarmKind::Desktop(TerminalKind::of(find))
    }

    fn failed_outcome() -> Outcome {
        Outcome::Failed {
            error: "\x1b]0;owned\x07".to_owned(),
        }
    }

    #[test]
    fn each_terminal_gets_its_sequence() {
        let update = EventKind::Known(EventType::ItemUpdate);
        for (kind, written) in [
            (AlarmKind::Bell, "\x07"),
            (
                desktop(&[("TERM", "xterm-256color")]),
                "\x1b]9;podtap: item.update: no answer\x1b\\",
            ),
            (
                desktop(&[("TERM", "foot")]),
                "\x1b]777;notify;podtap;item.update: no answer\x1b\\",
            ),
            (
                desktop(&[("TERM", "xterm-256color"), ("VTE_VERSION", "7600")]),
                "\x1b]777;notify;podtap;item.update: no answer\x1b\\",
            ),
            (
                desktop(&[("TERM", "tmux-256color"), ("TMUX", "/tmp/x")]),
                "\x1bPtmux;\x1b\x1b]9;podtap: item.update: no answer\x1b\x1b\\\x1b\\",
            ),
        ] {
            assert_eq!(kind.sequence(Some(&update), &failed_outcome()), written);
        }
    }

    #[test]
    fn nothing_of_a_stranger_is_written() {
        let other = EventKind::Other("\x1b]0;owned\x07".to_owned());
        for kind in [Some(&other), None] {
            let written = desktop(&[]).sequence(kind, &failed_outcome());
            assert_eq!(written, "\x1b]9;podtap: a webhook: no answer\x1b\\");
        }
    }
}
