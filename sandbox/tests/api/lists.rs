//! Tests lists of several kinds of objects: views, streams, search, the calendar, contacts, links.

use http::Method;
use podtap_podio::{EventType, RefType};
use serde_json::{Value, json};

use crate::support::{RunningSandbox, app};
use podtap_testing::calls::{ORDERS, SPACE};

fn ids(list: &Value) -> Vec<u64> {
    let list = list.as_array().unwrap().iter();
    list.map(|object| object["id"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn a_view_keeps_filters_and_an_order_under_a_name() {
    let sandbox = RunningSandbox::new().await;
    let desk = sandbox
        .order(json!({ "title": "Desk", "status": "Paid" }))
        .await;
    let sofa = sandbox
        .order(json!({ "title": "Sofa", "status": "Paid" }))
        .await;
    let filters = json!([{ "key": "status", "values": ["Paid"] }, { "key": "created_on", "values": { "from": "-1dr" } }]);
    let view =
        json!({ "name": "Paid", "sort_by": "title", "sort_desc": false, "filters": filters });
    let path = format!("/view/app/{ORDERS}/");
    let view = sandbox.post(&path, view).await["view_id"].clone();

    let shown = sandbox.get(&format!("{path}Paid")).await;
    assert_eq!((&shown["view_id"], &shown["items"]), (&view, &json!(2)));
    assert_eq!(sandbox.get(&path).await.as_array().unwrap().len(), 1);
    let filter = format!("/item/app/{ORDERS}/filter/{view}/");
    let items = sandbox.post(&filter, json!({})).await;
    let found: Vec<_> = items["items"].as_array().unwrap().iter().collect();
    assert_eq!(found.len(), 2);
    assert_eq!(
        (&found[0]["item_id"], &found[1]["item_id"]),
        (&json!(desk), &json!(sofa))
    );
    let narrowed = sandbox
        .post(&filter, json!({ "filters": { "title": "desk" } }))
        .await;
    assert_eq!(narrowed["items"][0]["item_id"], desk);
    assert_eq!(narrowed["filtered"], 1);
    let count = format!("/item/app/{ORDERS}/count?view_id={view}");
    assert_eq!(sandbox.get(&count).await["count"], 2);

    sandbox
        .put_json(&format!("/view/{view}"), json!({ "name": "Done" }))
        .await;
    sandbox
        .post(&format!("/view/{view}/default"), json!({}))
        .await;
    let shown = sandbox.get(&format!("/view/{view}")).await;
    assert_eq!(
        (&shown["name"], &shown["default"]),
        (&json!("Done"), &json!(true))
    );
    let asked = json!({ "filters": { "title": "sofa" }, "remember": true });
    sandbox
        .post(&format!("/item/app/{ORDERS}/filter/"), asked)
        .await;
    assert_eq!(sandbox.get(&format!("{path}last")).await["items"], 1);
    sandbox.delete(&format!("/view/{view}")).await;
    let gone = sandbox
        .expect_refusal(Method::POST, &filter, json!({}))
        .await;
    assert_eq!(gone.0, 404);
    let unknown = json!({ "name": "x", "filters": [{ "key": "colour" }] });
    assert_eq!(
        sandbox.expect_refusal(Method::POST, &path, unknown).await.0,
        400
    );
}

#[tokio::test]
async fn streams_tell_what_was_changed_last_and_one_object_in_short() {
    let sandbox = RunningSandbox::new().await;
    let old = sandbox.order(json!({ "title": "Old" })).await;
    let new = sandbox.order(json!({ "title": "New" })).await;
    let post = sandbox
        .post(
            &format!("/status/space/{SPACE}/"),
            json!({ "value": "Hello" }),
        )
        .await;
    let task = json!({ "text": "Call", "ref_type": "item", "ref_id": new });
    let task = sandbox.post("/task/", task).await["task_id"]
        .as_u64()
        .unwrap();
    let post = post["status_id"].as_u64().unwrap();

    let space = sandbox
        .get(&format!("/stream/space/{SPACE}/v2/?limit=50"))
        .await;
    for id in [old, new, post, task] {
        assert!(ids(&space).contains(&id), "{id}: {space}");
    }
    let in_app = sandbox.get(&format!("/stream/app/{ORDERS}/?limit=2")).await;
    assert_eq!(in_app.as_array().unwrap().len(), 2);
    assert_eq!(in_app[0]["app"]["app_id"], ORDERS);
    assert_eq!(in_app[0]["space"]["space_id"], SPACE);

    let one = sandbox.get(&format!("/stream/status/{post}/v2")).await;
    assert_eq!(
        (&one["type"], &one["data"]["value"]),
        (&json!("status"), &json!("Hello"))
    );
    assert_eq!(one["created_by"]["name"], "Ada Holm");
    let reference = sandbox.get(&format!("/reference/item/{old}")).await;
    assert_eq!(reference["title"], "Old");
    assert_eq!(
        sandbox
            .expect_refusal(Method::GET, "/stream/item/1", json!({}))
            .await
            .0,
        404
    );
    let app_wide = sandbox
        .expect_refusal(Method::GET, "/stream/?types=item", json!({}))
        .await;
    assert_eq!(app_wide.0, 501, "{}", app_wide.1);
}

#[tokio::test]
async fn a_search_finds_the_beginnings_of_words_and_counts_kinds() {
    let sandbox = RunningSandbox::new().await;
    let desk = sandbox.order(json!({ "title": "Teak desk" })).await;
    let shelf = sandbox.order(json!({ "title": "Oak shelf" })).await;
    sandbox
        .post(
            &format!("/comment/item/{shelf}/"),
            json!({ "value": "like the teak one" }),
        )
        .await;
    let task = json!({ "text": "Buy teak", "ref_type": "item", "ref_id": desk });
    sandbox.post("/task/", task).await;

    let query = json!({ "query": "TEA", "limit": 50 });
    let space = sandbox
        .post(&format!("/search/space/{SPACE}/v2"), query.clone())
        .await;
    assert_eq!(space["counts"], json!({ "item": 2, "task": 1 }));
    assert_eq!(space["results"][0]["rank"], 0);
    let items = json!({ "query": "teak", "ref_type": "item" });
    let in_app = sandbox.post(&format!("/search/app/{ORDERS}/"), items).await;
    let mut found = ids(&in_app);
    found.sort_unstable();
    assert_eq!(found, [desk, shelf]);
    let both = sandbox
        .get(&format!("/search/app/{ORDERS}/v2/?query=desk%20teak"))
        .await;
    assert_eq!(ids(&both["results"]), [desk]);
    assert_eq!(sandbox.get("/search/?query=nothing").await, json!([]));
    let fields = json!({ "query": "x", "search_fields": ["title"] });
    let refused = sandbox
        .expect_refusal(Method::POST, "/search/", fields)
        .await;
    assert_eq!(refused.0, 501, "{}", refused.1);
}

#[tokio::test]
async fn the_calendar_has_items_by_their_dates_and_tasks_by_when_they_are_due() {
    let sandbox = RunningSandbox::new().await;
    let due = json!({ "start": "2031-02-01 09:00:00", "end": "2031-02-03" });
    let item = sandbox.order(json!({ "title": "Fair", "due": due })).await;
    sandbox
        .order(json!({ "title": "Later", "due": { "start": "2031-03-01" } }))
        .await;
    let task =
        json!({ "text": "Pack", "due_date": "2031-02-02", "ref_type": "space", "ref_id": SPACE });
    let task = sandbox.post("/task/", task).await["task_id"]
        .as_u64()
        .unwrap();

    let span = "date_from=2031-02-02&date_to=2031-02-10";
    let all = sandbox.get(&format!("/calendar/?{span}")).await;
    assert_eq!(ids(&all), [item, task]);
    assert_eq!(all[0]["app"]["app_id"], ORDERS);
    assert_eq!(all[1]["start_time"], Value::Null);
    let in_app = sandbox
        .get(&format!("/calendar/app/{ORDERS}/?{span}"))
        .await;
    assert_eq!(ids(&in_app), [item]);
    let tasks = sandbox
        .get(&format!("/calendar/space/{SPACE}/?{span}&types=task"))
        .await;
    assert_eq!(ids(&tasks), [task]);
    assert_eq!(sandbox.get("/calendar/summary").await["today"]["total"], 0);
    let open = sandbox
        .expect_refusal(Method::GET, "/calendar/?date_from=2031-02-02", json!({}))
        .await;
    assert_eq!(open, (400, "Missing parameter date_to".to_owned()));
}

#[tokio::test]
async fn contacts_are_the_users_and_those_that_spaces_keep() {
    let sandbox = RunningSandbox::new().await;
    let carla = json!({ "name": "Carla Braun", "mail": ["carla@example.com"] });
    let path = format!("/contact/space/{SPACE}/");
    let contact = sandbox.post(&path, carla).await["profile_id"].clone();

    let ada = sandbox.get("/contact/user/8123456").await;
    assert_eq!(ada["name"], "Ada Holm");
    let as_post = format!("/stream/status/{contact}");
    let no_post = sandbox
        .expect_refusal(Method::GET, &as_post, json!({}))
        .await;
    assert_eq!(no_post.0, 404, "a contact is no status post");
    let by_profile = sandbox
        .get(&format!("/contact/{}/v2", ada["profile_id"]))
        .await;
    assert_eq!(by_profile["user_id"], 8_123_456);
    let shown = sandbox.get(&format!("/contact/{contact}/v2")).await;
    assert_eq!(
        (&shown["name"], &shown["type"]),
        (&json!("Carla Braun"), &json!("space"))
    );
    assert_eq!(sandbox.get(&path).await.as_array().unwrap().len(), 4);
    let found = sandbox.get("/contact/?name=carla&contact_type=space").await;
    assert_eq!(found[0]["profile_id"], contact);
    let others = sandbox
        .get("/contact/?exclude_self=true&contact_type=user")
        .await;
    assert_eq!(others.as_array().unwrap().len(), 2);
    let app = sandbox.client(app());
    assert_eq!(app.scopes().await.unwrap().len(), 1);
}

#[tokio::test]
async fn one_change_of_an_app_takes_all_its_fields_and_is_one_event() {
    let sandbox = RunningSandbox::new().await;
    let (_, mut receiver) = sandbox
        .with_hook(RefType::App, ORDERS, EventType::AppUpdate)
        .await;
    let path = format!("/app/{ORDERS}");
    let before = sandbox.get(&path).await;
    let title = before["fields"][0]["field_id"].clone();
    let change = json!({
        "config": { "name": "Jobs" },
        "fields": [
            { "field_id": title, "config": { "label": "Name" } },
            { "type": "number", "config": { "label": "Hours" } },
        ],
    });

    sandbox.put_json(&path, change).await;

    let after = sandbox.get(&path).await;
    let fields = after["fields"].as_array().unwrap();
    assert_eq!(after["config"]["name"], "Jobs");
    assert_eq!(fields.len(), before["fields"].as_array().unwrap().len() + 1);
    assert_eq!(
        (&fields[0]["label"], &fields[0]["external_id"]),
        (&json!("Name"), &json!("title"))
    );
    assert_eq!(fields.last().unwrap()["external_id"], "hours");
    assert_eq!(receiver.next().await.event.kind.as_str(), "app.update");
    assert!(receiver.nothing_more());
    let unknown = json!({ "fields": [{ "field_id": 5, "config": { "label": "x" } }] });
    assert_eq!(
        sandbox.expect_refusal(Method::PUT, &path, unknown).await.0,
        404
    );
}

#[tokio::test]
async fn spaces_are_made_found_and_renamed_and_a_link_is_shown_in_an_item() {
    let sandbox = RunningSandbox::new().await;
    let org = sandbox.get("/org/").await[0]["org_id"].clone();
    let made = sandbox
        .post("/space/", json!({ "org_id": org, "name": "Annex" }))
        .await;
    let space = made["space_id"].clone();
    let url = made["url"].as_str().unwrap();
    assert_eq!(
        sandbox.get(&format!("/space/url?url={url}")).await["space_id"],
        space
    );
    sandbox
        .put_json(&format!("/space/{space}"), json!({ "name": "Barn" }))
        .await;
    assert_eq!(
        sandbox.get(&format!("/space/{space}")).await["name"],
        "Barn"
    );
    let members = sandbox.get(&format!("/space/{space}/member/v2/")).await;
    assert_eq!(members[0]["profile"]["name"], "Ada Holm");

    let embed = sandbox
        .post("/embed/", json!({ "url": "https://example.com/a" }))
        .await;
    let id = embed["embed_id"].clone();
    assert_eq!(
        sandbox.get(&format!("/embed/{id}")).await["hostname"],
        "example.com"
    );
    let field = json!({ "type": "embed", "config": { "label": "Link" } });
    sandbox.post(&format!("/app/{ORDERS}/field/"), field).await;
    let item = sandbox
        .order(json!({ "title": "x", "link": { "embed": id } }))
        .await;
    let value = sandbox.get(&format!("/item/{item}/value/link")).await;
    assert_eq!(value[0]["embed"]["url"], "https://example.com/a");
}

#[tokio::test]
async fn a_reference_field_says_which_items_it_may_name() {
    let sandbox = RunningSandbox::new().await;
    let one = sandbox.order(json!({ "title": "Teak desk" })).await;
    let two = sandbox.order(json!({ "title": "Teak shelf" })).await;
    let field = sandbox.get(&format!("/app/{ORDERS}")).await["fields"][0]["field_id"].clone();
    let path = format!("/item/field/{field}/find?text=teak&not_item_id={one}");
    let found = sandbox.get(&path).await;
    assert_eq!(found.as_array().unwrap().len(), 1);
    assert_eq!(found[0]["item_id"], two);
}
