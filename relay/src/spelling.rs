//! Restores the header names of a request as the sender wrote them, in the sender's order
//! (invariant 3). hyper keeps the values, but its names are in lower case and grouped. Pure.

use std::collections::HashMap;

use bytes::Bytes;
use http::HeaderMap;
use podtap_wire::HeaderList;

/// Maximum number of headers of a request. hyper's default of 100 is too low for all that
/// proxies add.
pub(crate) const MAX_HEADERS: usize = 256;

/// Header names in a head, as the sender wrote them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HeaderSpelling(Vec<String>);

impl HeaderSpelling {
    /// Parses the names in the head at the start of these bytes, if they are a head.
    pub(crate) fn of(bytes: &[u8]) -> Option<Self> {
        let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut request = httparse::Request::new(&mut headers);
        let parsed = request.parse(bytes).ok()?;
        let names = request.headers.iter().map(|header| header.name.to_owned());
        parsed.is_complete().then(|| Self(names.collect()))
    }

    /// Returns the headers with these names, or `None` if the names belong to another request.
    fn apply(&self, map: &HeaderMap) -> Option<HeaderList> {
        let mut values: HashMap<&str, _> = map
            .keys()
            .map(|name| (name.as_str(), map.get_all(name).iter()))
            .collect();
        let mut list = HeaderList::default();
        for name in &self.0 {
            let lower = name.to_ascii_lowercase();
            let value = values.get_mut(lower.as_str())?.next()?;
            list.push(name.clone(), Bytes::copy_from_slice(value.as_bytes()));
        }
        (list.len() == map.len()).then_some(list)
    }
}

/// Returns the headers as they were sent, or as hyper has them if that is unknown, as in HTTP/2.
pub(crate) fn headers(map: &HeaderMap, spelling: Option<&HeaderSpelling>) -> HeaderList {
    let spelled = spelling.and_then(|spelling| spelling.apply(map));
    spelled.unwrap_or_else(|| HeaderList::from(map))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(*name, http::HeaderValue::from_static(value));
        }
        map
    }

    #[test]
    fn names_keep_letters_and_order_and_values_are_hypers() {
        let head = b"POST / HTTP/1.1\r\nX-CRM-Id: 0\r\nHOST: 0\r\nx-crm-ID: 0\r\n\r\nbody";
        let spelling = HeaderSpelling::of(head).unwrap();
        let map = map(&[("x-crm-id", "1"), ("x-crm-id", "2"), ("host", "h")]);
        let expected: HeaderList = [("X-CRM-Id", "1"), ("HOST", "h"), ("x-crm-ID", "2")]
            .into_iter()
            .collect();
        assert_eq!(headers(&map, Some(&spelling)), expected);
    }

    #[test]
    fn the_names_of_another_request_are_not_taken() {
        let of = |head: &str| HeaderSpelling::of(head.as_bytes());
        assert_eq!(of("POST / HTTP/1.1\r\nHost: h\r\n"), None, "half a head");
        assert_eq!(of("body"), None);
        let map = map(&[("host", "h"), ("x", "1")]);
        let plain = HeaderList::from(&map);
        for other in ["Host: h", "Host: h\r\nX: 1\r\nX: 2", "Host: h\r\nY: 1"] {
            let spelling = of(&format!("POST / HTTP/1.1\r\n{other}\r\n\r\n"));
            assert!(spelling.is_some());
            assert_eq!(headers(&map, spelling.as_ref()), plain, "{other}");
        }
        assert_eq!(headers(&map, None), plain);
    }
}
