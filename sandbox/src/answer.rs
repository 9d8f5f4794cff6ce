//! Defines the requests and answers of the API: a parsed request, an answer, and Podio's
//! form of errors.

use bytes::Bytes;
use http::{HeaderMap, Method};
use podtap_podio::client::RateLimit;
use serde_json::{Value, json};

/// A request whose body has been read.
#[derive(Debug)]
pub(super) struct ApiRequest {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) query: Vec<(String, String)>,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl ApiRequest {
    pub(super) fn new(method: Method, uri: &http::Uri, headers: HeaderMap, body: Bytes) -> Self {
        let query = uri.query().unwrap_or_default().as_bytes();
        Self {
            method,
            path: uri.path().to_owned(),
            query: form_urlencoded::parse(query).into_owned().collect(),
            headers,
            body,
        }
    }

    /// Returns the parts of the path. Podio distinguishes `/hook/55/` from `/hook/55`; the
    /// sandbox accepts both.
    pub(super) fn segments(&self) -> Vec<&str> {
        let parts = self.path.split('/');
        parts.filter(|part| !part.is_empty()).collect()
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(super) fn is_json(&self) -> bool {
        let content_type = self.header("content-type").unwrap_or_default();
        let essence = content_type.split(';').next().unwrap_or_default();
        essence.trim().eq_ignore_ascii_case("application/json")
    }

    pub(super) fn query(&self, name: &str) -> Option<&str> {
        let pair = self.query.iter().find(|(key, _)| key == name)?;
        Some(&pair.1)
    }

    /// Returns the body as JSON; an empty body is an empty object. A body whose content type is not
    /// JSON is not parsed, because pages of other sites can send text and forms here, but not JSON.
    pub(super) fn json(&self) -> Result<Value, ErrorAnswer> {
        if self.body.is_empty() {
            return Ok(json!({}));
        }
        match serde_json::from_slice(&self.body) {
            Ok(body @ (Value::Object(_) | Value::Array(_))) if self.is_json() => Ok(body),
            _ => Err(ErrorAnswer::invalid(
                "Invalid value null (null): must be object",
            )),
        }
    }
}

/// Body of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum AnswerBody {
    Empty,
    Json(Value),
    /// A file with its media type.
    Bytes(String, Bytes),
}

/// An answer to a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ApiAnswer {
    pub(super) status: u16,
    pub(super) body: AnswerBody,
    /// Headers in addition to the content type.
    pub(super) headers: Vec<(&'static str, String)>,
}

impl ApiAnswer {
    pub(super) const fn json(body: Value) -> Self {
        Self::of(200, AnswerBody::Json(body))
    }

    pub(super) const fn bytes(media_type: String, bytes: Bytes) -> Self {
        Self::of(200, AnswerBody::Bytes(media_type, bytes))
    }

    /// Returns the answer of a successful operation that returns nothing.
    pub(super) const fn empty() -> Self {
        Self::of(204, AnswerBody::Empty)
    }

    const fn of(status: u16, body: AnswerBody) -> Self {
        Self {
            status,
            body,
            headers: Vec::new(),
        }
    }

    pub(super) fn with_rate(mut self, limit: RateLimit) -> Self {
        self.headers
            .push(("x-rate-limit-limit", limit.limit.to_string()));
        self.headers
            .push(("x-rate-limit-remaining", limit.remaining.to_string()));
        self
    }
}

/// An error answer (podio.md 4.1 and 4.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ErrorAnswer {
    pub(super) status: u16,
    pub(super) error: &'static str,
    pub(super) description: String,
}

impl ErrorAnswer {
    pub(super) fn new(status: u16, error: &'static str, description: impl Into<String>) -> Self {
        Self {
            status,
            error,
            description: description.into(),
        }
    }

    pub(super) fn invalid(description: impl Into<String>) -> Self {
        Self::new(400, "invalid_value", description)
    }

    /// Returns "Invalid value 5 (integer): must be string", in Podio's words.
    pub(super) fn wrong_type(value: &Value, expected: &str) -> Self {
        let kind = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "integer",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        Self::invalid(format!(
            "Invalid value {value} ({kind}): must be {expected}"
        ))
    }

    pub(super) fn forbidden(description: impl Into<String>) -> Self {
        Self::new(403, "forbidden", description)
    }

    pub(super) fn not_found() -> Self {
        Self::new(404, "not_found", "Object not found")
    }

    pub(super) fn no_route() -> Self {
        let description = "No matching operation could be found. No body was given.";
        Self::new(404, "not_found", description)
    }

    /// Returns the error for something that Podio has and the sandbox does not. It names the
    /// sandbox, so that the answer is not mistaken for Podio's.
    pub(super) fn not_here(what: &str) -> Self {
        let description = format!("The sandbox does not have {what}; Podio may have it");
        Self::new(501, "not_implemented", description)
    }

    /// Returns the answer to `request` in Podio's form.
    pub(super) fn into_answer(self, request: &ApiRequest) -> ApiAnswer {
        let query: Vec<_> = request
            .query
            .iter()
            // `oauth_token` is the only secret that a query may contain.
            .filter(|(name, _)| name != "oauth_token")
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let mut headers = Vec::new();
        if self.status == 401 {
            headers.push(("www-authenticate", r#"Bearer realm="podio""#.to_owned()));
        }
        ApiAnswer {
            status: self.status,
            body: AnswerBody::Json(json!({
                "error": self.error,
                "error_detail": null,
                "error_description": self.description,
                "error_parameters": {},
                "error_propagate": false,
                "request": {
                    "url": format!("http://api.podio.com{}", request.path),
                    "method": request.method.as_str(),
                    "query_string": query.join("&"),
                },
            })),
            headers,
        }
    }
}
