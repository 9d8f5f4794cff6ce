//! The ways in which a call of Podio's API can fail.
//!
//! Podio's own description is kept, since it often says how to fix
//! the problem. [`Error::may_pass`] returns whether a retry may help.
//! Podio's texts come from outside: escape them before showing them.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use http::StatusCode;
use serde::Deserialize;

/// A call that failed. `operation` is always the method and path, such as `GET /item/4`.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Podio refuses the credentials, even after new tokens were fetched; or there are none.
    #[error("{operation}: not authorized: {refusal}")]
    Unauthorized {
        /// The method and path of the call.
        operation: String,
        /// Podio's response.
        refusal: Box<ApiRefusal>,
    },
    /// No tokens are available until a person logs in again.
    #[error("no valid login is stored: run `podtap login`")]
    LoginNeeded,
    /// The account requires two-factor authentication, so
    /// the password alone is not enough (podio.md 3.2).
    #[error("the account requires a second factor: run `podtap login` instead of using a password")]
    SecondFactor,
    /// The object does not exist or no longer exists (404, 410). With app authentication,
    /// Podio returns 403 instead (podio.md 4.2): that is [`Error::Refused`].
    #[error("{operation}: {refusal}")]
    Gone {
        /// The method and path of the call.
        operation: String,
        /// Podio's response.
        refusal: Box<ApiRefusal>,
    },
    /// Too many calls (420, 429), and the wait is unknown or longer than the maximum.
    #[error("{operation}: rate limit reached{}", wait_hint(.retry_after.as_ref()))]
    RateLimited {
        /// The method and path of the call.
        operation: String,
        /// The time to wait, if Podio reports it.
        retry_after: Option<Duration>,
    },
    /// Any other response that is not a success.
    #[error("{operation}: {refusal}")]
    Refused {
        /// The method and path of the call.
        operation: String,
        /// Podio's response.
        refusal: Box<ApiRefusal>,
    },
    /// No response within the time limit.
    #[error("{operation}: no answer within {} s", .after.as_secs_f32())]
    Timeout {
        /// The method and path of the call.
        operation: String,
        /// The limit.
        after: Duration,
    },
    /// The connection failed, or broke before the response was complete.
    #[error("{operation}: connection failed")]
    Transport {
        /// The method and path of the call.
        operation: String,
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The response is larger than the configured limit.
    #[error("{operation}: the answer is larger than {limit} bytes")]
    TooLarge {
        /// The method and path of the call.
        operation: String,
        /// The limit in bytes.
        limit: usize,
    },
    /// The response is incomplete or not as Podio documents it.
    #[error("{operation}: Podio's answer cannot be read")]
    Json {
        /// The method and path of the call.
        operation: String,
        /// The parser's error, with its position.
        source: serde_json::Error,
    },
    /// The file with the tokens cannot be read or written.
    #[error("cannot use the token file {}", .path.display())]
    TokenFile {
        /// The path of the file.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
}

impl Error {
    /// Returns whether the same call may succeed later without a change.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::RateLimited { .. }
            | Self::Timeout { .. }
            | Self::Transport { .. }
            | Self::Json { .. } => true,
            Self::Refused { refusal, .. } => refusal.status >= 500,
            Self::Unauthorized { .. }
            | Self::LoginNeeded
            | Self::SecondFactor
            | Self::Gone { .. }
            | Self::TooLarge { .. }
            | Self::TokenFile { .. } => false,
        }
    }

    /// Returns Podio's response, if there was one.
    pub fn refusal(&self) -> Option<&ApiRefusal> {
        match self {
            Self::Unauthorized { refusal, .. }
            | Self::Gone { refusal, .. }
            | Self::Refused { refusal, .. } => Some(refusal),
            _ => None,
        }
    }

    /// Returns the error for a response other than 2xx (podio.md 4.2).
    pub(super) fn from_answer(
        operation: String,
        status: StatusCode,
        body: &[u8],
        retry_after: Option<Duration>,
    ) -> Self {
        let refusal = Box::new(ApiRefusal::parse(status.as_u16(), body));
        match status.as_u16() {
            420 | 429 => Self::RateLimited {
                operation,
                retry_after,
            },
            401 => Self::Unauthorized { operation, refusal },
            400 if refusal.is_about_credentials() => Self::Unauthorized { operation, refusal },
            404 | 410 => Self::Gone { operation, refusal },
            _ => Self::Refused { operation, refusal },
        }
    }
}

/// An error response of Podio (podio.md 4.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiRefusal {
    /// The HTTP status.
    pub status: u16,
    /// Podio's error code, such as `not_found`; empty if the response is not Podio's JSON.
    pub error: String,
    /// Podio's description, such as "Object not found".
    pub description: Option<String>,
    /// A more specific code, usually absent.
    pub detail: Option<String>,
    /// Whether the description is meant for the end user.
    pub propagate: bool,
}

impl ApiRefusal {
    pub(super) fn parse(status: u16, body: &[u8]) -> Self {
        let body: RefusalBody = serde_json::from_slice(body).unwrap_or_default();
        Self {
            status,
            error: body.error.unwrap_or_default(),
            description: body.error_description,
            detail: body.error_detail,
            propagate: body.error_propagate.unwrap_or_default(),
        }
    }

    /// Returns whether a 400 means "log in again": the
    /// refresh token is invalid, or the client unknown.
    fn is_about_credentials(&self) -> bool {
        matches!(self.error.as_str(), "invalid_grant" | "invalid_client")
    }
}

impl fmt::Display for ApiRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Podio answered {}", self.status)?;
        if !self.error.is_empty() {
            write!(f, " {}", self.error)?;
        }
        match &self.description {
            Some(description) => write!(f, ": {description}"),
            None => Ok(()),
        }
    }
}

#[derive(Default, Deserialize)]
struct RefusalBody {
    error: Option<String>,
    error_description: Option<String>,
    error_detail: Option<String>,
    error_propagate: Option<bool>,
}

fn wait_hint(retry_after: Option<&Duration>) -> String {
    retry_after.map_or_else(String::new, |wait| {
        format!("; Podio asks to wait {} s", wait.as_secs())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(status: u16, body: &str) -> Error {
        let status = StatusCode::from_u16(status).unwrap();
        Error::from_answer("GET /item/4".to_owned(), status, body.as_bytes(), None)
    }

    /// Captured by a client's author (podio.md 4.1).
    const NOT_FOUND: &str = r#"{"error":"not_found","error_detail":null,
        "error_description":"Object not found","error_parameters":{},"error_propagate":false,
        "request":{"url":"http://api.podio.com/item/4","method":"GET","query_string":""}}"#;

    #[test]
    fn podios_own_description_is_kept() {
        let error = error(404, NOT_FOUND);
        assert!(matches!(error, Error::Gone { .. }));
        assert_eq!(
            error.to_string(),
            "GET /item/4: Podio answered 404 not_found: Object not found"
        );
    }

    #[test]
    fn what_may_pass_is_told_from_what_will_not() {
        for (status, body, may_pass) in [
            (500, "", true),
            (503, "<html>maintenance</html>", true),
            (420, "{}", true),
            (429, "{}", true),
            (400, r#"{"error":"invalid_value"}"#, false),
            (400, r#"{"error":"invalid_grant"}"#, false),
            (401, "{}", false),
            (403, "{}", false),
            (404, "{}", false),
            (302, "", false),
        ] {
            assert_eq!(error(status, body).may_pass(), may_pass, "{status}");
        }
    }

    #[test]
    fn a_dead_refresh_token_is_a_matter_of_credentials() {
        let dead = error(400, r#"{"error":"invalid_grant"}"#);
        assert!(matches!(dead, Error::Unauthorized { .. }));
    }
}
