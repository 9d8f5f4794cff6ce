//! Defines how the API can misbehave, for tests of its clients.

use std::str::FromStr;

/// What goes wrong with every call of the API while the fault is set. Webhooks are not affected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Every call is answered with this status and Podio's error shape.
    Status(u16),
    /// Every call is executed, but half of its JSON is missing.
    Truncated,
    /// No call is answered.
    Hang,
}

/// The text is not the name of a fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a fault: use a status from 400 to 599, `truncated` or `hang`")]
pub struct UnknownFault(String);

impl FromStr for Fault {
    type Err = UnknownFault;

    fn from_str(text: &str) -> Result<Self, UnknownFault> {
        match text {
            "truncated" => Ok(Self::Truncated),
            "hang" => Ok(Self::Hang),
            _ => text
                .parse()
                .ok()
                .filter(|status| (400..600).contains(status))
                .map(Self::Status)
                .ok_or_else(|| UnknownFault(text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_named_as_people_type_them() {
        assert_eq!("503".parse(), Ok(Fault::Status(503)));
        assert_eq!("hang".parse(), Ok(Fault::Hang));
        assert_eq!("truncated".parse(), Ok(Fault::Truncated));
        for text in ["200", "600", "", "slow"] {
            assert!(text.parse::<Fault>().is_err(), "{text}");
        }
    }
}
