//! Snapshots of the hooks pane, at every size for which the layout differs.

use podtap_agent::{FailedPlace, HookListing, ListedHook, Place, PlaceRef, UrlVerdict};
use podtap_podio::client::{ByLine, HookStatus};
use podtap_podio::hook_url::Uncallable;

use crate::app::App;
use crate::hooks::HooksAnswer;
use crate::hooks::samples::{hook, listing};
use crate::message::{FeatureAnswer, Message};
use crate::snapshot::snapshot;
use crate::testing::{app, now, press, settle, standing};

const SIZES: [(u16, u16); 4] = [(60, 15), (80, 24), (120, 40), (200, 60)];

const OURS: &str = "https://hooks.example.com/k3v9m2p7q4w8x5z6t3r9s2abcd/podio/hook";

fn listed_hook(hook_id: u64, event: &str, url: &str, by: &str, verdict: UrlVerdict) -> ListedHook {
    let mut listed = hook(hook_id, event, url);
    listed.hook.created_by = Some(ByLine {
        kind: "user".to_owned(),
        id: 7,
        name: by.to_owned(),
    });
    listed.hook.created_on = Some("2026-08-20 09:30:00".to_owned());
    listed.verdict = verdict;
    listed
}

fn sample() -> HookListing {
    let sales = Place {
        at: PlaceRef::space(4_201),
        name: Some("Sales and customer care".to_owned()),
    };
    let field = Place {
        at: PlaceRef::field(140_022),
        name: None,
    };
    let old = "https://hooks.example.com/aq4tm2p7q4w6x5z6t3r2s2abca/podio/hook";
    let mut ours = listed_hook(
        24_360_301,
        "item.update",
        OURS,
        "Ada Lovelace",
        UrlVerdict::Ours,
    );
    ours.made_here = true;
    let forgotten = listed_hook(
        24_360_217,
        "item.update",
        old,
        "Ben Okri",
        UrlVerdict::OtherTunnel,
    );
    let this = UrlVerdict::Uncallable(Uncallable::ThisMachine("localhost".to_owned()));
    let mut local = listed_hook(
        24_360_218,
        "comment.create",
        "http://localhost:3000/",
        "Ben Okri",
        this,
    );
    local.hook.status = HookStatus::Inactive;
    let ngrok = UrlVerdict::Temporary("ngrok");
    let url = "https://a1b2c3d4.ngrok-free.app/podio?env=dev";
    let ngrok = listed_hook(24_359_001, "item.delete", url, "Zoë", ngrok);
    let url = "https://crm.example.com/hooks/podio/orders";
    let mut live = listed_hook(
        24_100_003,
        "item.create",
        url,
        "Zoë",
        UrlVerdict::Unsuspected,
    );
    live.standing = Some(standing(24_100_003));
    let mut space = listed_hook(
        24_300_000,
        "task.create",
        OURS,
        "Ada Lovelace",
        UrlVerdict::Ours,
    );
    space.place = sales.clone();
    let mut listing = listing(vec![ours, forgotten, local, ngrok, live, space]);
    listing.places.extend([sales, field.clone()]);
    listing.failed.push(FailedPlace {
        place: field,
        reason: "Podio answered 403 forbidden".to_owned(),
    });
    listing
}

fn open_hooks(width: u16, height: u16, listing: Result<HookListing, String>) -> App {
    let mut app = app(width, height);
    settle(&mut app, Message::Tick(now()), 1_204);
    press(&mut app, "h", 1_204);
    let answer = FeatureAnswer::Hooks(HooksAnswer::Hooks {
        generation: 1,
        listing: listing.map(Box::new),
        standings: Ok(vec![standing(90_211)]),
    });
    settle(&mut app, Message::Answer(answer), 1_204);
    app
}

#[test]
fn hooks_at_every_size() {
    for (width, height) in SIZES {
        let mut app = open_hooks(width, height, Ok(sample()));
        press(&mut app, "j", 1_204);
        snapshot!("hooks", &app);
    }
}

#[test]
fn windows_over_the_hooks() {
    for (name, keys) in [
        ("hook", "j enter"),
        ("hook_delete", "del"),
        ("hook_new", "c"),
    ] {
        for (width, height) in SIZES {
            let mut app = open_hooks(width, height, Ok(sample()));
            press(&mut app, keys, 1_204);
            snapshot!(name, &app);
        }
    }
}

#[test]
fn without_credentials_the_history_alone_tells() {
    let why = "Podio shows hooks only to who is logged in: set credentials, or run `podtap login`";
    for (width, height) in SIZES {
        snapshot!(
            "hooks_refused",
            &open_hooks(width, height, Err(why.to_owned()))
        );
    }
}

#[test]
fn before_the_answer_and_without_any_hook_the_pane_says_so() {
    let mut app = app(80, 24);
    settle(&mut app, Message::Tick(now()), 1_204);
    press(&mut app, "h", 1_204);
    snapshot!("hooks_reading", &app);
    let answer = FeatureAnswer::Hooks(HooksAnswer::Hooks {
        generation: 1,
        listing: Ok(Box::default()),
        standings: Ok(Vec::new()),
    });
    settle(&mut app, Message::Answer(answer), 1_204);
    snapshot!("hooks_none", &app);
}
