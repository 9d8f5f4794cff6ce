//! Tests the targets of events according to routes, and which routes are refused.

use super::*;
use crate::history::fresh_event;

fn route(text: &str) -> Result<Route, InvalidRoute> {
    Route::parse(text, Timestamp::UNIX_EPOCH, &SavedFilters::default())
}

fn routes(texts: &[&str], rest: Option<&str>) -> Routes {
    let list = texts.iter().map(|text| route(text).unwrap()).collect();
    Routes::new(list, rest.map(|rest| rest.parse().unwrap())).unwrap()
}

fn event(body: &'static str) -> Event {
    fresh_event("/", body)
}

#[test]
fn the_first_route_that_takes_an_event_has_it_and_a_plus_leaves_it_to_the_others_too() {
    for (texts, rest, item, task) in [
        (&[][..], Some("1"), &["1"][..], &["1"][..]),
        (&[], None, &[], &[]),
        (&["type:item.*=1"], None, &["1"], &[]),
        (&["type:item.*=1"], Some("2"), &["1"], &["2"]),
        (&["type:item.*=1", "item:7=2"], None, &["1"], &[]),
        (
            &["+type:item.*=1", "item:7=2"],
            Some("3"),
            &["1", "2"],
            &["3"],
        ),
        (&["+type:item.*=1"], Some("2"), &["1", "2"], &["2"]),
        (&["+=1", "=2"], Some("3"), &["1", "2"], &["1", "2"]),
        (&["+item:7=1", "+type:item.*=1"], None, &["1"], &[]),
        (&["+=1"], Some("1"), &["1"], &["1"]),
    ] {
        let routes = routes(texts, rest);
        for (body, expected) in [
            ("type=item.update&item_id=7&item_revision_id=1", item),
            ("type=task.create&task_id=9", task),
        ] {
            let found = routes.of(&event(body), None);
            let expected: Vec<Target> = expected.iter().map(|at| at.parse().unwrap()).collect();
            assert_eq!(
                found,
                expected.iter().collect::<Vec<_>>(),
                "{texts:?} {body}"
            );
        }
    }
}

#[test]
fn the_first_equals_sign_outside_quotes_ends_the_filter() {
    for (text, target) in [
        ("type:item.*=3001", "http://localhost:3001"),
        ("  =:3001/x?a=b ", "http://localhost:3001/x?a=b"),
        ("external:\"a=b\"=3002", "http://localhost:3002"),
        ("+ path:/x = host:1/y", "http://host:1/y"),
    ] {
        assert_eq!(route(text).unwrap().target().to_string(), target, "{text}");
    }
}

#[test]
fn what_is_no_route_is_refused_with_a_word() {
    for (text, said) in [
        ("3001", "FILTER=TARGET"),
        ("type:item.*=", "is not a local service"),
        ("type:item.*=ftp://x", "http://"),
        (
            "typ:item.*=3001",
            "column 1: there is no field `typ:`; did you mean `type:`?",
        ),
        ("+typ:item.*=3001", "column 2"),
        ("status:5xx=3001", "not yet known"),
        ("item.create=3001", "has no field"),
    ] {
        let error = route(text).unwrap_err().to_string();
        assert!(error.contains(said), "{text}: {error}");
    }
    let many = (1..=MAX_TARGETS + 1).map(|port| route(&format!("={port}")).unwrap());
    let error = Routes::new(many.collect(), None).unwrap_err();
    assert_eq!(error, InvalidRoute::TooManyTargets);
    let many = vec![route("=1").unwrap(); MAX_ROUTES + 1];
    let error = Routes::new(many, None).unwrap_err();
    assert_eq!(error, InvalidRoute::TooManyRoutes);
}
