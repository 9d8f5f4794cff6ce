//! Defines which methods of webhooks are accepted: any by default. Pure.

use std::str::FromStr;

use http::{HeaderValue, Method};

/// Maximum length of a method name. The longest registered one has 17 letters.
const MAX_LETTERS: usize = 24;

/// Methods that a webhook may have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Methods {
    /// Accepted methods, or empty for any.
    only: Vec<Method>,
}

/// Reason why a method is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Objection {
    /// The method is known, but not allowed here.
    NotAllowed,
    /// The method is not a known one.
    Unknown,
}

/// The list of methods is invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it should be `any`, or methods such as POST,PUT; CONNECT and TRACE are never accepted")]
pub struct InvalidMethods;

impl Methods {
    /// Checks whether a webhook may have this method.
    pub(crate) fn check(&self, method: &Method) -> Result<(), Objection> {
        check_any(method)?;
        if self.only.is_empty() || self.only.contains(method) {
            Ok(())
        } else {
            Err(Objection::NotAllowed)
        }
    }

    /// Returns the value of `Allow`.
    pub(crate) fn allow(&self) -> HeaderValue {
        const ANY: HeaderValue =
            HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
        if self.only.is_empty() {
            return ANY;
        }
        let names: Vec<&str> = self.only.iter().map(Method::as_str).collect();
        HeaderValue::from_str(&names.join(", ")).unwrap_or(ANY)
    }
}

/// Checks whether any part of the relay accepts this method. CONNECT would open another
/// kind of tunnel and TRACE would return the request; neither is of use to a local service.
pub(crate) fn check_any(method: &Method) -> Result<(), Objection> {
    if matches!(*method, Method::CONNECT | Method::TRACE) {
        return Err(Objection::NotAllowed);
    }
    let name = method.as_str();
    let is_letter = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'-';
    let begins_right = name.starts_with(|first: char| first.is_ascii_uppercase());
    if begins_right && name.len() <= MAX_LETTERS && name.bytes().all(is_letter) {
        Ok(())
    } else {
        Err(Objection::Unknown)
    }
}

impl FromStr for Methods {
    type Err = InvalidMethods;

    fn from_str(text: &str) -> Result<Self, InvalidMethods> {
        if text == "any" {
            return Ok(Self::default());
        }
        let method = |name: &str| {
            let method: Method = name.trim().to_ascii_uppercase().parse().ok()?;
            check_any(&method).ok().map(|()| method)
        };
        let only: Option<Vec<Method>> = text.split(',').map(method).collect();
        Ok(Self {
            only: only.ok_or(InvalidMethods)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(methods: &str, method: &str) -> Result<(), Objection> {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        methods.parse::<Methods>().unwrap().check(&method)
    }

    #[test]
    fn any_is_any_that_somebody_may_mean() {
        for method in ["POST", "GET", "M-SEARCH", "UPDATEREDIRECTREF", "QUERY2"] {
            assert_eq!(check("any", method), Ok(()), "{method}");
        }
        for method in ["CONNECT", "TRACE"] {
            assert_eq!(check("any", method), Err(Objection::NotAllowed));
        }
        let long = "A".repeat(25);
        for method in ["post", "-", "2POST", "PO|ST", "~", &long] {
            assert_eq!(check("any", method), Err(Objection::Unknown), "{method}");
        }
    }

    #[test]
    fn a_list_is_all_there_is() {
        assert_eq!(check("post, PUT", "POST"), Ok(()));
        assert_eq!(check("post, PUT", "GET"), Err(Objection::NotAllowed));
        assert_eq!("post, PUT".parse::<Methods>().unwrap().allow(), "POST, PUT");
        for bad in ["", "POST,", "TRACE", "POST CONNECT", "p\u{f6}st"] {
            assert_eq!(bad.parse::<Methods>(), Err(InvalidMethods), "{bad}");
        }
    }
}
