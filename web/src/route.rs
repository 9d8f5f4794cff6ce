//! Which question goes where, once it may be asked.

use std::sync::Arc;

use http::request::Parts;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use podtap_agent::history::Saved;
use podtap_agent::{AgentHandle, EventId};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::access::PageSecrets;
use crate::answer::{PageAnswer, error, text};
use crate::guard::{PageGuard, PageRefusal};
use crate::{changes, detail, figures, files, list, login, status};

/// The largest body of a request: a form with a password.
const MAX_BODY_BYTES: usize = 4 * 1024;

/// What is looked at or waited for at once; the rest waits for its turn.
const MAX_AT_ONCE: usize = 8;

#[derive(Debug)]
pub(crate) struct Site {
    handle: AgentHandle,
    saved: Saved,
    access: PageSecrets,
    guard: PageGuard,
    streams: Arc<Semaphore>,
    turns: Semaphore,
}

impl Site {
    pub(crate) fn new(
        handle: AgentHandle,
        saved: Saved,
        access: PageSecrets,
        guard: PageGuard,
    ) -> Self {
        Self {
            handle,
            saved,
            access,
            guard,
            streams: Arc::new(Semaphore::new(changes::MAX_STREAMS)),
            turns: Semaphore::new(MAX_AT_ONCE),
        }
    }

    /// Answers; a stream of changes ends with `ending`.
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
                return login::open(&self.access, &self.guard);
            }
            (&Method::POST, "/login") if self.access.has_password() => {
                let Ok(form) = Limited::new(body, MAX_BODY_BYTES).collect().await else {
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
        self.route(&head, ending).await
    }

    async fn route(&self, head: &Parts, ending: CancellationToken) -> PageAnswer {
        let path = head.uri.path();
        let Some(path) = path.strip_prefix("/api/") else {
            return match head.method {
                Method::GET => files::file(path).unwrap_or_else(not_found),
                _ => method_not_allowed(),
            };
        };
        if path == "changes" {
            let Ok(place) = Arc::clone(&self.streams).try_acquire_owned() else {
                return error(StatusCode::SERVICE_UNAVAILABLE, "too many tabs are open");
            };
            return changes::stream(&self.handle, place, ending);
        }
        let Ok(_turn) = self.turns.acquire().await else {
            return not_found();
        };
        let (handle, query) = (&self.handle, head.uri.query().unwrap_or_default());
        let parts: Vec<&str> = path.split('/').collect();
        match (&head.method, parts.as_slice()) {
            (&Method::GET, ["status"]) => status::now(handle),
            (&Method::GET, ["figures"]) => figures::now(handle).await,
            (&Method::GET, ["events"]) => list::page(handle, &self.saved, query).await,
            (method, ["events", id, rest @ ..]) => match (id.parse::<EventId>(), method, rest) {
                (Err(_), ..) => error(StatusCode::NOT_FOUND, "this is not an event's id"),
                (Ok(id), &Method::GET, []) => detail::whole(handle, id).await,
                (Ok(id), &Method::POST, ["explain"]) => detail::explain(handle, id).await,
                (Ok(id), &Method::POST, ["replay"]) => detail::replay(handle, id).await,
                (Ok(_), _, [] | ["explain" | "replay"]) => method_not_allowed(),
                (Ok(_), ..) => not_found(),
            },
            (_, ["status" | "figures" | "events"]) => method_not_allowed(),
            _ => not_found(),
        }
    }
}

fn refusal_answer(refusal: PageRefusal) -> PageAnswer {
    match refusal {
        PageRefusal::Misdirected => text(
            StatusCode::MISDIRECTED_REQUEST,
            "this page answers under its own address alone",
        ),
        PageRefusal::Foreign => text(StatusCode::FORBIDDEN, "another site may not ask this page"),
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
