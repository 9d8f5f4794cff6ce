//! Tests of what the pane asks for and does with the answers, without a terminal.

use podtap_agent::{HookListing, PlaceRef, UrlVerdict};
use podtap_podio::EventType;

use super::*;
use crate::app::App;
use crate::changes::Changes;
use crate::effect::Effect;
use crate::generation::Generation;
use crate::hooks::samples::{hook, listing};
use crate::message::{FeatureAnswer, Message};
use crate::testing::{app, frame, key, now, press, settle, shows};

fn listing_message(generation: Generation, listing: Result<HookListing, String>) -> Message {
    Message::Answer(FeatureAnswer::Hooks(HooksAnswer::Hooks {
        generation,
        listing: listing.map(Box::new),
        standings: Ok(Vec::new()),
    }))
}

fn open_hooks(hooks: &[u64]) -> App {
    let mut app = app(100, 30);
    settle(&mut app, Message::Tick(now()), 5);
    let effects = app.update(key("h"));
    assert_eq!(
        effects,
        [
            Effect::Hooks(HooksEffect::LoadHooks { generation: 1 }),
            Effect::Draw
        ]
    );
    let hooks = hooks
        .iter()
        .map(|id| hook(*id, "item.update", "https://x.test/a\nb"));
    app.update(listing_message(1, Ok(listing(hooks.collect()))));
    app
}

/// Checks that Podio is asked for this change, and answers. Returns the effects that follow.
fn answer(
    app: &mut App,
    asked: &[Effect],
    change: HookChange,
    result: Result<u64, String>,
) -> Vec<Effect> {
    let wanted = HooksEffect::ChangeHook(change.clone());
    assert_eq!(asked[0], Effect::Hooks(wanted));
    let answer = HooksAnswer::HookChanged { change, result };
    app.update(Message::Answer(FeatureAnswer::Hooks(answer)))
}

#[test]
fn a_closed_panes_answer_does_not_fill_the_next_one() {
    let mut app = open_hooks(&[7]);
    app.update(key("R"));
    app.update(key("esc"));
    let effects = app.update(key("h"));
    assert_eq!(
        effects[0],
        Effect::Hooks(HooksEffect::LoadHooks { generation: 3 })
    );
    app.update(listing_message(
        2,
        Ok(listing(vec![hook(7, "item.update", "x")])),
    ));
    assert!(shows(&app, "reading …"));
    assert!(!shows(&app, "item.update    Orders"));
}

#[test]
fn what_is_being_read_is_not_asked_for_twice() {
    let mut app = open_hooks(&[7]);
    let effects = app.update(key("ctrl-r"));
    assert_eq!(
        effects[0],
        Effect::Hooks(HooksEffect::LoadHooks { generation: 2 })
    );
    assert_eq!(app.update(key("ctrl-r")), [Effect::Draw]);
}

#[test]
fn a_hook_is_deleted_only_after_yes_and_the_list_read_again() {
    let mut app = open_hooks(&[7, 8]);
    press(&mut app, "j del", 5);
    assert!(shows(&app, "Delete hook 8, item.update on Orders?"));
    press(&mut app, "n", 5);
    assert!(!shows(&app, "Delete hook 8"));

    press(&mut app, "D", 5);
    let effects = app.update(key("y"));
    let change = HookChange::Delete { hook_id: 8 };
    let effects = answer(&mut app, &effects, change, Ok(8));
    assert_eq!(
        effects[0],
        Effect::Hooks(HooksEffect::LoadHooks { generation: 2 })
    );
    assert!(shows(&app, "Deleted hook 8"));
}

#[test]
fn a_refusal_stays_in_the_pane_until_the_next_change() {
    let mut app = open_hooks(&[7]);
    let change = HookChange::Verify { hook_id: 7 };
    let effects = app.update(key("v"));
    let effects = answer(
        &mut app,
        &effects,
        change,
        Err("Podio answered 403 forbidden".to_owned()),
    );
    assert_eq!(effects, [Effect::Draw], "nothing has changed at Podio");
    assert!(shows(&app, "Podio answered 403 forbidden"));
    press(&mut app, "v", 5);
    assert!(!shows(&app, "Podio answered 403"));
}

#[test]
fn a_new_hook_leads_here_and_is_looked_at_again_once_it_is_verified() {
    let mut app = open_hooks(&[7]);
    press(&mut app, "c", 5);
    assert!(shows(&app, "New hook"));
    let effects = app.update(key("enter"));
    let change = HookChange::Create {
        place: PlaceRef::app(30_682_880),
        event: EventType::ItemUpdate,
        url: "https://hooks.example.com/k3v9m2p7q4w8x5z6t3r9s2abcd/podio/hook".to_owned(),
    };
    let effects = answer(&mut app, &effects, change, Ok(9));
    assert_eq!(
        effects[0],
        Effect::Hooks(HooksEffect::LoadHooks { generation: 2 })
    );

    let verified = |hook_id| {
        Message::Changed(Changes {
            verified: vec![hook_id],
            ..Changes::default()
        })
    };
    assert!(!app.update(verified(7)).iter().any(is_load));
    assert!(app.update(verified(9)).iter().any(is_load));
    assert!(!app.update(verified(9)).iter().any(is_load));
}

fn is_load(effect: &Effect) -> bool {
    matches!(effect, Effect::Hooks(HooksEffect::LoadHooks { .. }))
}

#[test]
fn without_credentials_the_history_still_tells_and_says_why_no_more() {
    let mut app = open_hooks(&[]);
    app.update(key("R"));
    app.update(Message::Answer(FeatureAnswer::Hooks(HooksAnswer::Hooks {
        generation: 2,
        listing: Err("set credentials, or run `podtap login`".to_owned()),
        standings: Ok(vec![crate::testing::standing(7)]),
    })));
    assert!(shows(&app, "run `podtap login`"));
    assert!(shows(&app, "hook 7         would be suspended"));
    press(&mut app, "v del y", 5);
    assert!(
        !shows(&app, "Delete"),
        "there is nothing of Podio's to change"
    );
    press(&mut app, "enter", 5);
    assert!(shows(&app, "the newest failure: the answer was 500"));
}

#[test]
fn text_of_podios_is_shown_and_not_obeyed() {
    let mut app = open_hooks(&[]);
    let mut hostile = hook(7, "item.\x1b[31mupdate", "https://x.test/\x07\u{202e}");
    hostile.place.name = Some("Or\nders\x1b]0;x".to_owned());
    hostile.verdict = UrlVerdict::OtherTunnel;
    app.update(key("R"));
    app.update(listing_message(2, Ok(listing(vec![hostile]))));
    for keys in ["g", "del", "esc", "enter", "esc", "c"] {
        press(&mut app, keys, 5);
        for cell in frame(&app).content() {
            let text = cell.symbol();
            assert!(
                !text.chars().any(|c| c.is_control() || c == '\u{202e}'),
                "{text:?}"
            );
        }
    }
}

#[test]
fn the_url_is_copied_without_its_line_breaks() {
    let mut app = open_hooks(&[7]);
    let effects = app.update(key("y"));
    assert_eq!(
        effects[0],
        Effect::ToClipboard(b"https://x.test/ab".to_vec())
    );
}

#[test]
fn help_lists_the_panes_keys() {
    let mut app = open_hooks(&[7]);
    press(&mut app, "?", 5);
    assert!(shows(&app, "In the hooks"));
    assert!(shows(&app, "ask Podio to verify it again"));
}

#[test]
fn a_key_that_needs_a_hook_says_so_where_there_is_none() {
    let mut app = app(100, 30);
    settle(&mut app, Message::Tick(now()), 5);
    press(&mut app, "h", 5);
    for pressed in ["c", "v", "del", "y", "enter"] {
        app.update(key(pressed));
        let told = app.toasts.iter().next_back().map(|toast| &*toast.text);
        assert_eq!(told, Some("The hooks are still being read"), "{pressed}");
        assert_eq!(app.windows.iter().count(), 1, "{pressed}");
    }
    let mut app = open_hooks(&[]);
    app.update(key("v"));
    assert!(shows(&app, "There is no hook here"));
    press(&mut app, "c", 5);
    assert!(shows(&app, "New hook"));
}
