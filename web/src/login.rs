//! The login: a URL with the run's token, or a password. Both lead to a cookie.

use http::header::{LOCATION, SET_COOKIE};
use http::{HeaderValue, Response, StatusCode};

use crate::access::{LoginOutcome, PageSecrets};
use crate::answer::{PageAnswer, text, whole};
use crate::guard::PageGuard;

/// The form that asks for the password, if the page has one.
const FORM: &str = include_str!("../page/login.html");

/// The part of `FORM` that is replaced by a message about the last try.
const SAID: &str = "<!-- said -->";

/// Returns the page for a request without a session, which says how to get one.
pub(crate) fn login_page(access: &PageSecrets) -> PageAnswer {
    if access.has_password() {
        return form(StatusCode::UNAUTHORIZED, "");
    }
    text(
        StatusCode::UNAUTHORIZED,
        "Open this page with the URL that podtap printed when it started. Its token is new in each \
         run.",
    )
}

/// Returns whether this query has the run's token.
pub(crate) fn has_token(query: Option<&str>, access: &PageSecrets) -> bool {
    let query = query.unwrap_or_default().as_bytes();
    form_urlencoded::parse(query).any(|(name, value)| name == "token" && access.is_token(&value))
}

/// Checks the password in a form.
pub(crate) async fn login(form_body: &[u8], access: &PageSecrets, guard: &PageGuard) -> PageAnswer {
    let mut fields = form_urlencoded::parse(form_body);
    let password = fields.find_map(|(name, value)| (name == "password").then_some(value));
    match access.login(password.as_deref().unwrap_or_default()).await {
        LoginOutcome::Right => open(access, guard, None),
        LoginOutcome::Wrong => form(StatusCode::UNAUTHORIZED, "Wrong password. Try again."),
        LoginOutcome::Busy => form(
            StatusCode::TOO_MANY_REQUESTS,
            "Too many tries. Wait a moment.",
        ),
    }
}

/// Returns the tunnel that a query names.
pub(crate) fn tunnel(query: Option<&str>) -> Option<String> {
    let query = query.unwrap_or_default().as_bytes();
    let mut named = form_urlencoded::parse(query).filter(|(name, _)| name == "tunnel");
    named.next().map(|(_, tunnel)| tunnel.into_owned())
}

/// Gives the browser its session, and redirects it to the page of this tunnel,
/// with a URL that contains no secret.
pub(crate) fn open(access: &PageSecrets, guard: &PageGuard, tunnel: Option<&str>) -> PageAnswer {
    let cookie = format!(
        "{}={}; HttpOnly; SameSite=Strict; Path=/",
        guard.cookie_name(),
        access.session()
    );
    let mut answer: PageAnswer = text(StatusCode::SEE_OTHER, "see /");
    let to = match tunnel {
        Some(tunnel) => {
            let to = "/?".to_owned();
            let mut query = form_urlencoded::Serializer::for_suffix(to, 2);
            query.append_pair("tunnel", tunnel).finish()
        }
        None => "/".to_owned(),
    };
    set_cookie(&mut answer, cookie, &to);
    answer
}

fn set_cookie(answer: &mut Response<impl Sized>, cookie: String, to: &str) {
    let headers = answer.headers_mut();
    if let Ok(to) = HeaderValue::try_from(to) {
        headers.insert(LOCATION, to);
    }
    if let Ok(mut cookie) = HeaderValue::try_from(cookie) {
        cookie.set_sensitive(true);
        headers.insert(SET_COOKIE, cookie);
    }
}

fn form(status: StatusCode, said: &str) -> PageAnswer {
    whole(status, "text/html; charset=utf-8", FORM.replace(SAID, said))
}
