//! Decodes the body of a POST to a [`PodioEvent`], or reports why it is not one.
//!
//! Called for every webhook that enters the history, so it accepts any bytes: it never panics,
//! and its work is bounded. The result is only for reading; the bytes themselves stay unchanged.

use std::borrow::Cow;

use crate::event::PodioEvent;

/// Maximum number of pairs that are decoded. Podio sends a few, and adds those of the hook's URL.
pub const MAX_PAIRS: usize = 1_000;

/// The content type of Podio's POSTs (podio.md 1.2: documented, and captured).
const FORM: &str = "application/x-www-form-urlencoded";

/// A name and its value, copied only if they were escaped.
type Pair<'a> = (Cow<'a, str>, Cow<'a, str>);

/// The reason why a body is not a Podio event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotPodio {
    /// The content type is not a form.
    #[error("the content type is `{content_type}`, Podio sends {FORM}")]
    NotForm {
        /// The content type, unchanged: text from outside.
        content_type: String,
    },
    /// The form has no `type`, which Podio always sends according to its documentation.
    #[error("the form has no parameter `type`")]
    NoType,
    /// The form has more pairs than any hook sends.
    #[error("the form has more than {MAX_PAIRS} parameters")]
    TooManyPairs,
}

/// Decodes the body of a webhook.
///
/// A missing content type counts as a form; parameters of the content type
/// (a charset) are ignored. Bytes that are not UTF-8 become U+FFFD, invalid
/// percent-escapes stay unchanged, and `+` is a space, all as in browsers.
///
/// # Errors
/// If the body is not a form, has no `type`, or has more than [`MAX_PAIRS`] pairs.
pub fn decode(content_type: Option<&str>, body: &[u8]) -> Result<PodioEvent, NotPodio> {
    if let Some(content_type) = content_type.filter(|text| !is_form(text)) {
        return Err(NotPodio::NotForm {
            content_type: content_type.to_owned(),
        });
    }
    let mut pairs = form_urlencoded::parse(body);
    let owned = |(name, value): Pair<'_>| (name.into_owned(), value.into_owned());
    let params = pairs.by_ref().take(MAX_PAIRS).map(owned).collect();
    if pairs.next().is_some() {
        return Err(NotPodio::TooManyPairs);
    }
    PodioEvent::from_params(params).ok_or(NotPodio::NoType)
}

/// Returns the pairs of a form body in order, at most [`MAX_PAIRS`],
/// decoded as by [`decode`]. For showing bodies that are not events.
pub fn params(body: &[u8]) -> impl Iterator<Item = Pair<'_>> {
    form_urlencoded::parse(body).take(MAX_PAIRS)
}

fn is_form(content_type: &str) -> bool {
    content_type
        .split(';')
        .next()
        .is_some_and(|essence| essence.trim().eq_ignore_ascii_case(FORM))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::catalog::EventType;
    use crate::event::EventKind;

    /// Captured by a receiver in 2014 (podio.md 6).
    const CAPTURED: &[u8] =
        b"item_id=118413739&item_revision_id=26&type=item.update&hook_id=224688";

    #[test]
    fn the_captured_body_decodes() {
        let event = decode(Some(FORM), CAPTURED).unwrap();
        assert_eq!(event.kind, EventKind::Known(EventType::ItemUpdate));
        assert_eq!(event.hook_id, Some(224_688));
        assert_eq!(event.revision(), Some(26));
        assert_eq!(event.object().unwrap().to_string(), "item 118413739");
    }

    #[test]
    fn the_content_type_may_be_missing_or_carry_a_charset() {
        for content_type in [
            None,
            Some("application/x-www-form-urlencoded; charset=utf-8"),
            Some("Application/X-WWW-Form-Urlencoded"),
        ] {
            assert!(decode(content_type, CAPTURED).is_ok(), "{content_type:?}");
        }
    }

    #[test]
    fn what_is_no_event_says_why() {
        let json = decode(Some("application/json"), br#"{"type":"item.update"}"#);
        assert!(matches!(json, Err(NotPodio::NotForm { .. })));
        for body in [&b""[..], b"a=b", b"type=", b"type", b"\xff\xfe\x00"] {
            assert_eq!(decode(None, body), Err(NotPodio::NoType), "{body:?}");
        }
    }

    #[test]
    fn ten_thousand_pairs_are_refused_after_a_thousand() {
        let body = "type=item.update&".repeat(10_000);
        assert_eq!(decode(None, body.as_bytes()), Err(NotPodio::TooManyPairs));
        assert_eq!(params(body.as_bytes()).count(), MAX_PAIRS);
    }

    #[test]
    fn bad_escapes_and_bad_utf8_are_tolerated_as_browsers_do() {
        let event = decode(None, b"type=a%zz%4&x=a+b%20c&y=%ff").unwrap();
        assert_eq!(event.kind.as_str(), "a%zz%4");
        assert_eq!(event.param("x"), Some("a b c"));
        assert_eq!(event.param("y"), Some("\u{fffd}"));
    }

    proptest! {
        #[test]
        fn any_bytes_decode_without_panic(body in proptest::collection::vec(any::<u8>(), 0..2_000)) {
            let _ = decode(None, &body);
            prop_assert!(params(&body).count() <= MAX_PAIRS);
        }

        #[test]
        fn what_was_encoded_comes_back(pairs in proptest::collection::vec((".{1,20}", ".{0,40}"), 0..20)) {
            let mut params = vec![("type".to_owned(), "item.update".to_owned())];
            params.extend(pairs);
            let body = form_urlencoded::Serializer::new(String::new())
                .extend_pairs(&params)
                .finish();

            let event = decode(Some(FORM), body.as_bytes()).unwrap();

            prop_assert_eq!(event.params, params);
        }
    }
}
