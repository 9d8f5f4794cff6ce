//! Routes a request to the code that answers it, once the request has passed the checks.

use std::sync::Arc;

use http::request::Parts;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use podtap_agent::history::SavedFilters;
use podtap_agent::{AgentHandle, EventId};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::access::PageSecrets;
use crate::answer::{PageAnswer, error, text};
use crate::guard::{PageGuard, PageRefusal};
use crate::tunnels::{self, PageTunnels};
use crate::{changes, detail, edit, figures, files, list, login, object, status, why};

/// Maximum size of a form, in bytes. The only form has a password.
const MAX_FORM_BYTES: usize = 4 * 1024;

/// Maximum size of a text that the page sends, in bytes. The largest is an edited request.
const MAX_TEXT_BYTES: usize = 1024 * 1024;

/// Maximum number of requests that are answered at the same time. Further ones wait.
const MAX_AT_ONCE: usize = 8;

#[derive(Debug)]
pub(crate) struct Site {
    tunnels: PageTunnels,
    saved: SavedFilters,
    access: PageSecrets,
    guard: PageGuard,
    streams: Arc<Semaphore>,
    turns: Semaphore,
}

impl Site {
    pub(crate) fn new(
        tunnels: PageTunnels,
        saved: SavedFilters,
        access: PageSecrets,
        guard: PageGuard,
    ) -> Self {
        Self {
            tunnels,
            saved,
            access,
            guard,
            streams: Arc::new(Semaphore::new(changes::MAX_STREAMS)),
            turns: Semaphore::new(MAX_AT_ONCE),
        }
    }

    /// Returns the token of this run.
    pub(crate) fn run_token(&self) -> &str {
        self.access.token()
    }

    /// Returns whether there is more than one tunnel.
    pub(crate) fn has_several(&self) -> bool {
        self.tunnels.open.len() + self.tunnels.failed.len() > 1
    }

    /// Creates a token that opens the page once.
    pub(crate) fn one_time_token(&self) -> Result<String, getrandom::Error> {
        self.access.one_time_token()
    }

    /// Answers a request. A stream of changes ends when `ending` is cancelled.
    pub(crate) async fn answer(
        &self,
        request: Request<Incoming>,
        ending: CancellationToken,
    ) -> PageAnswer {
        let (head, body) = request.into_parts();
        if let Err(refusal) = self.guard.check_origin(&head) {
            return refusal_answer(refusal);
        }
        match (&head.method, head.uri.path()) {
            (&Method::GET, "/") if login::has_token(head.uri.query(), &self.access) => {
                let tunnel = login::tunnel(head.uri.query()).filter(|name| self.tunnels.has(name));
                return login::open(&self.access, &self.guard, tunnel.as_deref());
            }
            (&Method::GET, path) if let Some(file) = files::open_file(path) => return file,
            (&Method::POST, "/login") if self.access.has_password() => {
                let Ok(form) = Limited::new(body, MAX_FORM_BYTES).collect().await else {
                    return text(StatusCode::PAYLOAD_TOO_LARGE, "the form is too large");
                };
                return login::login(&form.to_bytes(), &self.access, &self.guard).await;
            }
            _ => {}
        }
        if let Err(refusal) = self.guard.check_session(&head.headers, &self.access) {
            return match head.uri.path() {
                "/" => login::login_page(&self.access),
                _ => refusal_answer(refusal),
            };
        }
        self.route(&head, body, ending).await
    }

    async fn route(&self, head: &Parts, body: Incoming, ending: CancellationToken) -> PageAnswer {
        let path = head.uri.path();
        let Some(path) = path.strip_prefix("/api/") else {
            return match head.method {
                Method::GET => files::file(path).unwrap_or_else(not_found),
                _ => method_not_allowed(),
            };
        };
        if path == "tunnels" {
            return self.tunnels.list();
        }
        let query = head.uri.query().unwrap_or_default();
        let Some((handle, query)) = self.tunnels.find(query) else {
            return tunnels::unknown_tunnel();
        };
        if path == "changes" {
            let Ok(place) = Arc::clone(&self.streams).try_acquire_owned() else {
                return error(StatusCode::SERVICE_UNAVAILABLE, "too many tabs are open");
            };
            return changes::stream(handle, place, ending);
        }
        let Ok(_turn) = self.turns.acquire().await else {
            return not_found();
        };
        let text = match head.method {
            Method::POST => match read_text(body).await {
                Ok(text) => text,
                Err(answer) => return answer,
            },
            _ => String::new(),
        };
        let parts: Vec<&str> = path.split('/').collect();
        match (&head.method, parts.as_slice()) {
            (&Method::GET, ["status"]) => status::now(handle),
            (&Method::GET, ["figures"]) => figures::now(handle).await,
            (&Method::GET, ["events"]) => list::page(handle, &self.saved, &query).await,
            (&Method::GET, ["object"]) => object::timeline(handle, &query).await,
            (&Method::POST, ["why"]) => why::answer(handle, &text).await,
            (method, ["events", id, rest @ ..]) => match id.parse::<EventId>() {
                Ok(id) => one_event(handle, id, method, rest, &text).await,
                Err(_) => error(StatusCode::NOT_FOUND, "this is not an event's id"),
            },
            (_, ["status" | "figures" | "events" | "object" | "why"]) => method_not_allowed(),
            _ => not_found(),
        }
    }
}

/// Answers a request about one event.
async fn one_event(
    handle: &AgentHandle,
    id: EventId,
    method: &Method,
    rest: &[&str],
    text: &str,
) -> PageAnswer {
    match (method, rest) {
        (&Method::GET, []) => detail::whole(handle, id).await,
        (&Method::GET, ["file"]) => edit::file(handle, id).await,
        (&Method::POST, ["explain"]) => detail::explain(handle, id).await,
        (&Method::POST, ["review"]) => edit::review(handle, id, text).await,
        (&Method::POST, ["replay"]) => detail::replay(handle, id, text).await,
        (_, [] | ["file" | "explain" | "review" | "replay"]) => method_not_allowed(),
        _ => not_found(),
    }
}

/// Reads the text that the page sends.
async fn read_text(body: Incoming) -> Result<String, PageAnswer> {
    let Ok(whole) = Limited::new(body, MAX_TEXT_BYTES).collect().await else {
        let words = "the text is too large";
        return Err(error(StatusCode::PAYLOAD_TOO_LARGE, words));
    };
    String::from_utf8(whole.to_bytes().into())
        .map_err(|_| error(StatusCode::BAD_REQUEST, "the text is not UTF-8"))
}

fn refusal_answer(refusal: PageRefusal) -> PageAnswer {
    match refusal {
        PageRefusal::Misdirected => text(
            StatusCode::MISDIRECTED_REQUEST,
            "this page answers only at its own address",
        ),
        PageRefusal::Foreign => text(
            StatusCode::FORBIDDEN,
            "this page does not answer other sites",
        ),
        PageRefusal::NoSession => error(
            StatusCode::UNAUTHORIZED,
            "open the page with the URL that podtap printed",
        ),
    }
}

fn not_found() -> PageAnswer {
    error(StatusCode::NOT_FOUND, "there is nothing here")
}

fn method_not_allowed() -> PageAnswer {
    error(StatusCode::METHOD_NOT_ALLOWED, "invalid method here")
}
