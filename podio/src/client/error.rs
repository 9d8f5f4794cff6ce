//! Every way in which a call of Podio's API can end badly.
//!
//! Podio's own description is kept, since it often names the cure. What may pass by itself and
//! what will not is told by type ([`Error::may_pass`]). Texts of Podio's are text of the outside
//! world: escape them before showing them.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use http::StatusCode;
use serde::Deserialize;

/// A call that failed. `operation` is always the method and path, such as `GET /item/4`.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Podio does not take the credentials, even after new tokens were fetched; or there are none.
    #[error("{operation}: not authorized: {refusal}")]
    Unauthorized {
        /// What was called.
        operation: String,
        /// Podio's answer.
        refusal: Box<ApiRefusal>,
    },
    /// No tokens can be had before a person logs in again.
    #[error("no valid login is stored: run `podtap login`")]
    LoginNeeded,
    /// The account has two-factor authentication on, which the password alone does not satisfy
    /// (podio.md 3.2).
    #[error("the account requires a second factor: run `podtap login` instead of using a password")]
    SecondFactor,
    /// The object does not exist or no longer does (404, 410). Under app authentication Podio
    /// answers 403 for it instead (podio.md 4.2): that is [`Error::Refused`].
    #[error("{operation}: {refusal}")]
    Gone {
        /// What was called.
        operation: String,
        /// Podio's answer.
        refusal: Box<ApiRefusal>,
    },
    /// Too many calls (420, 429), and the wait is unknown or longer than allowed.
    #[error("{operation}: rate limit reached{}", wait_hint(.retry_after.as_ref()))]
    RateLimited {
        /// What was called.
        operation: String,
        /// How long Podio says to wait.
        retry_after: Option<Duration>,
    },
    /// Any other answer that is no success.
    #[error("{operation}: {refusal}")]
    Refused {
        /// What was called.
        operation: String,
        /// Podio's answer.
        refusal: Box<ApiRefusal>,
    },
    /// No answer within the time limit.
    #[error("{operation}: no answer within {} s", .after.as_secs_f32())]
    Timeout {
        /// What was called.
        operation: String,
        /// The limit.
        after: Duration,
    },
    /// The connection could not be made, or broke before the answer was whole.
    #[error("{operation}: connection failed")]
    Transport {
        /// What was called.
        operation: String,
        /// What happened.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The answer is larger than the configured limit.
    #[error("{operation}: the answer is larger than {limit} bytes")]
    TooLarge {
        /// What was called.
        operation: String,
        /// The limit in bytes.
        limit: usize,
    },
    /// The answer is cut short or not what Podio documents.
    #[error("{operation}: Podio's answer cannot be read")]
    Json {
        /// What was called.
        operation: String,
        /// Where the parser stopped.
        source: serde_json::Error,
    },
    /// The file that keeps the tokens cannot be read or written.
    #[error("cannot use the token file {}", .path.display())]
    TokenFile {
        /// The file that a login is kept in.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
}

impl Error {
    /// Whether the same call may succeed later without a change.
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

    /// What Podio answered, where it answered.
    pub fn refusal(&self) -> Option<&ApiRefusal> {
        match self {
            Self::Unauthorized { refusal, .. }
            | Self::Gone { refusal, .. }
            | Self::Refused { refusal, .. } => Some(refusal),
            _ => None,
        }
    }

    /// What an answer other than 2xx means (podio.md 4.2).
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

/// An error answer of Podio's (podio.md 4.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiRefusal {
    /// The HTTP status.
    pub status: u16,
    /// Podio's word for it, such as `not_found`; empty where the answer is not Podio's JSON.
    pub error: String,
    /// Podio's sentence, such as "Object not found".
    pub description: Option<String>,
    /// A finer word, mostly absent.
    pub detail: Option<String>,
    /// Whether Podio means the sentence for the end user.
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

    /// A 400 that means "log in again": the refresh token is dead, or the client unknown.
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
