//! Builds a request that Podio might have sent, from a sample, a captured event, parameters or
//! plain bytes, for `podtap trigger` and the terminal UI. Pure: nothing is read or sent here.

use bytes::Bytes;
use fastrand::Rng;
use jiff::Timestamp;
use podtap_podio::{EventType, PodioEvent, decode, sample};
use podtap_wire::{HeaderList, WebhookRequest};
use url::form_urlencoded::Serializer;

use crate::export::end_to_end;
use crate::history::Event;

/// Names and values of a form, in order; a name may occur several times.
pub type Params = Vec<(String, String)>;

/// The path at which a service usually accepts Podio's calls, as in the documentation.
pub const PATH: &str = "/podio/hook";

/// Returns the URL of a tunnel for Podio's hooks.
pub fn hook_url(public_url: &str) -> String {
    format!("{}{PATH}", public_url.trim_end_matches('/'))
}

/// The content type of Podio's calls.
const FORM: &str = "application/x-www-form-urlencoded";

/// A request with its decoded event.
#[derive(Debug)]
pub struct Draft {
    /// The request to send; it has no time of arrival yet.
    pub request: WebhookRequest,
    /// The decoded event, if the request is an event of Podio's.
    pub podio: Option<PodioEvent>,
}

/// The captured request is not a form, so its parameters cannot be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the event is not a form, so it has no parameters to change")]
pub struct NoForm;

impl Draft {
    /// Creates an event of this type, which Podio may not be known to
    /// send. Podio's parameters have no fixed order (podio.md 1.2), so
    /// `seed` decides it here, and no handler comes to rely on one order.
    pub fn of_type(event: &str, given: Params, seed: u64) -> Self {
        let usual = match event.parse::<EventType>() {
            Ok(known) => sample(known),
            Err(_) => vec![("type".to_owned(), event.to_owned())],
        };
        Self::of_form(merge(usual, given), seed)
    }

    /// Creates a request with these parameters, in an order that `seed` decides.
    pub fn of_form(params: Params, seed: u64) -> Self {
        Self::of_params(shuffle(params, seed))
    }

    /// Creates a request with exactly these parameters.
    pub fn of_params(params: Params) -> Self {
        Self::of_body(encode(params))
    }

    /// Creates a request with exactly this body.
    pub fn of_body(body: impl Into<Bytes>) -> Self {
        let (body, method) = (body.into(), "POST".to_owned());
        let headers = [
            ("content-type", FORM),
            ("user-agent", concat!("podtap/", env!("CARGO_PKG_VERSION"))),
        ];
        Self {
            podio: decode(Some(FORM), &body).ok(),
            request: WebhookRequest {
                received_at: Timestamp::UNIX_EPOCH,
                method,
                path: PATH.to_owned(),
                headers: headers.into_iter().collect(),
                peer: None,
                body,
            },
        }
    }

    /// Creates a request from a captured event, byte for byte if nothing is changed.
    ///
    /// # Errors
    /// If parameters are given, and the event has none.
    pub fn of_event(event: Event, given: Params) -> Result<Self, NoForm> {
        let Event {
            mut request,
            mut podio,
            ..
        } = event;
        let kept: HeaderList = end_to_end(&request.headers)
            .map(|(name, value)| (name, Bytes::copy_from_slice(value)))
            .collect();
        request.headers = kept;
        if !given.is_empty() {
            let params = merge(podio.ok_or(NoForm)?.params, given);
            request.body = encode(params.clone());
            // The new body is not compressed.
            let is_kept = |name: &str| !name.eq_ignore_ascii_case("content-encoding");
            let kept = request.headers.iter().filter(|(name, _)| is_kept(name));
            request.headers = kept.map(|(name, value)| (name, value.clone())).collect();
            podio = PodioEvent::from_params(params);
        }
        Ok(Self { request, podio })
    }

    /// Returns the event type, if it is an event of Podio's.
    pub fn event(&self) -> Option<&str> {
        self.podio.as_ref().map(|podio| podio.kind.as_str())
    }
}

/// Returns the type of the catalogue whose name is nearest.
pub fn nearest(event: &str) -> Option<EventType> {
    EventType::ALL.iter().copied().max_by(|a, b| {
        let near = |known: &EventType| strsim::jaro_winkler(known.as_str(), event);
        near(a).total_cmp(&near(b))
    })
}

/// Replaces usual parameters by given ones; a name that is given twice is sent twice.
fn merge(usual: Params, given: Params) -> Params {
    let mut params = usual;
    params.retain(|(name, _)| given.iter().all(|(known, _)| known != name));
    params.extend(given);
    params
}

/// Shuffles the names; values with the same name keep their order.
fn shuffle(mut params: Params, seed: u64) -> Params {
    let mut names: Vec<String> = params.iter().map(|(name, _)| name.clone()).collect();
    names.sort_unstable();
    names.dedup();
    Rng::with_seed(seed).shuffle(&mut names);
    params.sort_by_key(|(name, _)| names.iter().position(|known| known == name));
    params
}

fn encode(params: Params) -> Bytes {
    Serializer::new(String::new())
        .extend_pairs(params)
        .finish()
        .into()
}

#[cfg(test)]
mod tests {
    use podtap_wire::EventId;

    use super::*;
    use crate::history::{DeliveryState, Insight, Position};

    fn pairs(given: &[(&str, &str)]) -> Params {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        given.iter().map(own).collect()
    }

    fn values<'a>(draft: &'a Draft, name: &str) -> Vec<&'a str> {
        let params = &draft.podio.as_ref().unwrap().params;
        let named = params.iter().filter(|(known, _)| known == name);
        named.map(|(_, value)| value.as_str()).collect()
    }

    fn captured_event(content_type: &'static str, body: &'static [u8]) -> Event {
        let headers = [
            ("host", "hooks.test"),
            ("content-type", content_type),
            ("content-length", "9"),
            ("x-own", "kept"),
        ];
        Event {
            position: Position(1),
            id: EventId::from_parts(Timestamp::UNIX_EPOCH, 1),
            seq: None,
            request: WebhookRequest {
                received_at: Timestamp::UNIX_EPOCH,
                method: "POST".to_owned(),
                path: "/crm?a=b".to_owned(),
                headers: headers.into_iter().collect(),
                peer: None,
                body: body.into(),
            },
            podio: decode(Some(content_type), body).ok(),
            state: DeliveryState::Delivered,
            insight: Insight::default(),
            note: None,
        }
    }

    #[test]
    fn every_type_has_all_that_the_catalogue_requires() {
        for &event in EventType::ALL {
            let draft = Draft::of_type(event.as_str(), Vec::new(), 1);
            assert_eq!(draft.event(), Some(event.as_str()));
            for parameter in event.spec().parameters.iter().filter(|p| !p.optional) {
                assert_eq!(values(&draft, parameter.name).len(), 1, "{event}");
            }
        }
    }

    #[test]
    fn what_is_given_replaces_or_adds_and_may_repeat() {
        let given = pairs(&[("item_id", "7"), ("tag", "a&b=c ü"), ("tag", "")]);
        let draft = Draft::of_type("item.update", given, 1);
        assert_eq!(values(&draft, "item_id"), ["7"]);
        assert_eq!(values(&draft, "tag"), ["a&b=c ü", ""]);
        assert_eq!(values(&draft, "type"), ["item.update"]);
    }

    #[test]
    fn no_order_of_the_parameters_can_be_relied_on() {
        let given = || pairs(&[("tag", "1"), ("tag", "2")]);
        let drafts = (0..50).map(|seed| Draft::of_type("item.create", given(), seed));
        let mut bodies: Vec<_> = drafts
            .map(|draft| {
                assert_eq!(values(&draft, "tag"), ["1", "2"]);
                draft.request.body
            })
            .collect();
        bodies.sort_unstable();
        bodies.dedup();
        assert!(bodies.len() > 10, "{}", bodies.len());
    }

    #[test]
    fn an_unknown_type_goes_as_it_is_and_has_a_neighbour() {
        let draft = Draft::of_type("item.updated", Vec::new(), 1);
        assert_eq!(&draft.request.body[..], b"type=item.updated");
        assert_eq!(nearest("item.updated"), Some(EventType::ItemUpdate));
    }

    #[test]
    fn a_captured_event_keeps_its_bytes_until_something_is_changed() {
        let body = b"item_id=%34&type=item.update&x=a%20b";
        let draft = Draft::of_event(captured_event(FORM, body), Vec::new()).unwrap();
        assert_eq!(&draft.request.body[..], body);
        let names: Vec<_> = draft.request.headers.iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["content-type", "x-own"]);

        let changed =
            Draft::of_event(captured_event(FORM, body), pairs(&[("item_id", "5")])).unwrap();
        assert_eq!(
            (values(&changed, "item_id"), values(&changed, "x")),
            (vec!["5"], vec!["a b"])
        );
        assert_eq!(changed.request.path, "/crm?a=b");
    }

    #[test]
    fn what_is_no_form_can_be_sent_but_not_changed() {
        let json = || captured_event("application/json", b"{}");
        assert!(Draft::of_event(json(), Vec::new()).is_ok());
        let refused = Draft::of_event(json(), pairs(&[("a", "b")]));
        assert_eq!(refused.unwrap_err(), NoForm);
    }
}
