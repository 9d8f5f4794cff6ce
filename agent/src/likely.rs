//! Suggests why a delivery probably failed, and what
//! to try, from its status or its error alone. Pure.

/// A probable reason, and what to do about it; both are Podtap's own words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Likely {
    pub reason: &'static str,
    pub cure: &'static str,
}

const fn likely(reason: &'static str, cure: &'static str) -> Likely {
    Likely { reason, cure }
}

/// Returns the reason for an attempt with this status, or with this error and no answer.
pub fn of(outcome: Result<u16, &str>) -> Likely {
    match outcome {
        Ok(status) => of_status(status),
        Err(error) => of_error(error),
    }
}

const fn of_status(status: u16) -> Likely {
    match status {
        300..=399 => likely(
            "it redirects, which Podio does not follow",
            "answer at the URL of the hook, without a redirect",
        ),
        401 | 403 | 407 | 419 => likely(
            "it requires a login or a form token, which Podio does not send",
            "exclude the hook's path from login and CSRF checks",
        ),
        404 | 410 => likely(
            "it has no such path",
            "compare the path of the hook's URL with the routes of the service",
        ),
        405 => likely(
            "the path does not accept POST",
            "make the service accept POST there",
        ),
        408 | 504 => likely(
            "it took too long",
            "answer first, and do slow work afterwards",
        ),
        413 => likely(
            "the body is larger than it accepts",
            "raise the body limit of the service",
        ),
        415 => likely(
            "it expects another content type",
            "Podio sends a form (application/x-www-form-urlencoded), not JSON",
        ),
        400 | 422 => likely(
            "it could not use the request",
            "Podio sends a form (application/x-www-form-urlencoded) with ids, not the item",
        ),
        429 => likely(
            "it has a rate limit",
            "exclude the hook's path from the limit, or use --concurrency 1",
        ),
        502 | 503 => likely(
            "the program behind its proxy is not running",
            "start it, and check the proxy's log",
        ),
        400..=499 => likely("it refused the request", "check its answer: podtap show ID"),
        _ => likely(
            "the handler failed",
            "check its answer (podtap show ID) and its log",
        ),
    }
}

fn of_error(error: &str) -> Likely {
    let says = |words: &[&str]| words.iter().any(|word| error.contains(word));
    if says(&["refused", "unreachable", "no route"]) {
        return likely(
            "nothing listens there",
            "start the local service, or set its port",
        );
    }
    if says(&["no answer within", "timed out"]) {
        return likely(
            "it took too long",
            "answer first and do slow work afterwards, or raise --timeout",
        );
    }
    if says(&["certificate", "TLS"]) {
        return likely(
            "its certificate is not trusted, or it does not speak TLS",
            "use http, --ca-file FILE or --insecure-local",
        );
    }
    if says(&["resolve", "lookup", "no such host", "name"]) {
        return likely(
            "this machine cannot find its name",
            "use localhost or an address",
        );
    }
    if says(&["not HTTP"]) {
        return likely("the server there does not speak HTTP", "check the port");
    }
    likely(
        "the connection was lost: it may have crashed",
        "check its log, and replay the event",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_most_often_goes_wrong_has_a_reason_of_its_own() {
        for (outcome, reason) in [
            (Ok(404), "no such path"),
            (Ok(403), "login"),
            (Ok(415), "content type"),
            (Ok(418), "refused the request"),
            (Ok(500), "handler failed"),
            (Ok(503), "is not running"),
            (Err("connection refused"), "nothing listens"),
            (Err("no answer within 60s"), "too long"),
            (
                Err("invalid peer certificate: UnknownIssuer"),
                "not trusted",
            ),
            (Err("its answer is not HTTP: x"), "not speak HTTP"),
            (Err("the answer ended after 3 bytes: closed"), "crashed"),
        ] {
            assert!(of(outcome).reason.contains(reason), "{outcome:?}");
        }
    }
}
