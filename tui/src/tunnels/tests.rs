//! Tests of several tunnels without a terminal: the table, the choice, and
//! the notices about another tunnel.

use podtap_agent::LinkState;

use super::*;
use crate::app::App;
use crate::effect::Effect;
use crate::message::Message;
use crate::testing::{app, frame, key, now, press, settle, status, text};

fn tunnel(name: &str, is_here: bool) -> ShownTunnel {
    ShownTunnel {
        name: name.to_owned(),
        status: status(),
        is_here,
        is_open: true,
    }
}

fn of_several() -> App {
    let mut app = app(100, 30);
    settle(&mut app, Message::Tick(now()), 0);
    app.update(Message::Tunnels(vec![
        tunnel("crm", true),
        tunnel("shop", false),
        tunnel("blog", false),
    ]));
    app
}

fn switch_tunnel(app: &mut App) -> Option<String> {
    let effects = app.update(key("enter"));
    effects.into_iter().find_map(|effect| match effect {
        Effect::Switch(name) => Some(name),
        _ => None,
    })
}

#[test]
fn the_next_tunnel_is_two_keys_away() {
    let mut app = of_several();
    assert!(text(&frame(&app)).contains("1/3"));
    press(&mut app, "ctrl-r", 0);
    let shown = text(&frame(&app));
    assert!(
        shown.contains("Tunnels") && shown.contains("shop"),
        "{shown}"
    );
    assert_eq!(switch_tunnel(&mut app).as_deref(), Some("shop"));
    assert!(!text(&frame(&app)).contains("Tunnels"), "it is closed");
    press(&mut app, "ctrl-r", 0);
    press(&mut app, "down", 0);
    assert_eq!(switch_tunnel(&mut app).as_deref(), Some("blog"));
}

#[test]
fn one_that_ended_is_told_once_and_marked() {
    let mut app = of_several();
    let mut ended = tunnel("shop", false);
    ended.status.link = LinkState::Stopped {
        reason: "the token was revoked".to_owned(),
    };
    let now = || {
        Message::Tunnels(vec![
            tunnel("crm", true),
            ended.clone(),
            tunnel("blog", false),
        ])
    };
    app.update(now());
    let told = "The tunnel shop ended: the token was revoked";
    assert!(text(&frame(&app)).contains(told));
    let all = vec![tunnel("crm", true), ended.clone()];
    let mut tunnels = Tunnels::default();
    let notice = UiCommand::<Effect>::notify(Role::Failed, told);
    assert_eq!(tunnels.update(all.clone()), (true, vec![notice]));
    assert_eq!(tunnels.update::<Effect>(all), (false, Vec::new()));
    press(&mut app, "ctrl-r", 0);
    let shown = text(&frame(&app));
    assert!(shown.contains("✗ shop"), "{shown}");
}

#[test]
fn one_tunnel_alone_has_nothing_to_switch() {
    let mut app = app(100, 30);
    settle(&mut app, Message::Tick(now()), 0);
    press(&mut app, "ctrl-r", 0);
    let shown = text(&frame(&app));
    assert!(!shown.contains("Tunnels"), "{shown}");
    assert!(shown.contains("podtap up"), "{shown}");
}

#[test]
fn of_one_that_could_not_be_opened_there_is_nothing_to_show() {
    let mut app = of_several();
    let mut closed = tunnel("shop", false);
    closed.is_open = false;
    app.update(Message::Tunnels(vec![tunnel("crm", true), closed]));
    press(&mut app, "ctrl-r", 0);
    assert_eq!(switch_tunnel(&mut app), None);
}
