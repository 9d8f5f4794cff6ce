//! Checks that the example `docs/config.toml` is
//! complete and correct and, unedited, changes nothing.

use std::collections::BTreeSet;

use jiff::Timestamp;
use podtap_agent::Target;
use podtap_agent::config::DeliveryConfig;
use podtap_agent::history::Retention;
use podtap_podio::client::BaseUrl;
use podtap_tui::Keymap;
use podtap_wire::limits::DEFAULT_WINDOW;

use super::file::{SettingsFile, parse_settings};
use super::key::Key;
use super::merge::{Layer, Layers};
use super::settings::{Settings, Tables};
use super::{Environment, default_keys};

const EXAMPLE: &str = include_str!("../../docs/config.toml");

/// Returns the example with every line in use: a `#` without a space after it precedes TOML.
fn uncomment_example() -> String {
    let lines = EXAMPLE.lines().map(|line| match line.strip_prefix('#') {
        Some(toml) if !toml.is_empty() && !toml.starts_with(' ') => toml,
        _ => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn settings(text: &str) -> Settings {
    let SettingsFile {
        settings,
        keys,
        filters,
        tunnels,
    } = parse_settings(text);
    let layers = Layers {
        flags: Layer::new(),
        tunnel: Layer::new(),
        env: Layer::new(),
        file: settings,
    };
    let tables = Tables {
        keys,
        filters,
        tunnels,
    };
    Settings::new(layers, tables, Environment::default(), 0)
}

#[test]
fn the_example_has_every_setting_and_as_it_stands_none() {
    let names: BTreeSet<&str> = Key::ALL.iter().map(|key| key.name()).collect();
    let file = parse_settings(&uncomment_example());
    let used: BTreeSet<&str> = file.settings.keys().map(|key| key.name()).collect();
    assert_eq!(used, names);
    assert!(parse_settings(EXAMPLE).settings.is_empty());
}

#[test]
fn every_value_of_the_example_is_one_that_the_setting_takes() {
    let set = settings(&uncomment_example());
    for key in [Key::TIMEOUT, Key::KEEP_AGE] {
        assert!(set.duration(key).unwrap().is_some(), "{key:?}");
    }
    for key in [
        Key::CONCURRENCY,
        Key::WINDOW,
        Key::KEEP_EVENTS,
        Key::PODIO_APP_ID,
    ] {
        assert!(set.number::<u64>(key).unwrap().is_some(), "{key:?}");
    }
    let switched = [
        (Key::ALLOW_PLAINTEXT_RELAY, false),
        (Key::INSECURE_LOCAL, false),
        (Key::PRESERVE_HOST, false),
        (Key::VERIFY, true),
        (Key::MOUSE, true),
        (Key::FORWARD_VERIFY, true),
        (Key::BREAK_LOOPS, false),
    ];
    for (key, default) in switched {
        assert_eq!(set.switch(key, !default).unwrap(), default, "{key:?}");
    }
    assert_eq!(
        set.service().unwrap(),
        Some("3000".parse::<Target>().unwrap())
    );
    let command = set.command().unwrap().unwrap();
    assert_eq!(command.to_string(), "exec:./handler.sh");
    assert_eq!(set.routes().unwrap().len(), 2);
    assert!(set.relay().unwrap().is_some() && set.listen().unwrap().is_some());
    assert_eq!(set.respond().unwrap(), podtap_wire::Respond::default());
    set.tunnel().unwrap();
    assert_eq!(
        set.relay_limits().unwrap(),
        podtap_relay::Limits {
            max_connections_per_peer: Some(1024),
            ..podtap_relay::Limits::default()
        }
    );
    let methods: podtap_relay::Methods = set.parse(Key::METHODS).unwrap().unwrap();
    assert_eq!(methods, podtap_relay::Methods::default());
    assert_eq!(set.trusted_proxies().unwrap().unwrap().len(), 2);
    assert_eq!(set.tui().unwrap().theme, podtap_tui::Theme::default());
}

/// The limits of a relay are compared above.
#[test]
fn the_defaults_of_the_example_are_those_of_the_code() {
    let set = settings(&uncomment_example());
    let delivery = DeliveryConfig::default();
    assert_eq!(set.duration(Key::TIMEOUT).unwrap(), Some(delivery.timeout));
    assert_eq!(
        set.number(Key::CONCURRENCY).unwrap(),
        Some(delivery.concurrency)
    );
    let retention = Retention::default();
    assert_eq!(
        set.duration(Key::KEEP_AGE).unwrap(),
        Some(retention.max_age)
    );
    assert_eq!(
        set.number(Key::KEEP_EVENTS).unwrap(),
        Some(retention.max_events)
    );
    assert_eq!(set.number(Key::WINDOW).unwrap(), Some(DEFAULT_WINDOW));
    let podio: BaseUrl = set.parse(Key::PODIO_URL).unwrap().unwrap();
    assert_eq!(podio.as_str(), BaseUrl::default().as_str());
}

#[test]
fn the_example_has_the_default_keys_and_filters_that_can_be_read() {
    let set = settings(&uncomment_example());
    assert_eq!(set.tui().unwrap().keymap, Keymap::default());
    assert!(
        uncomment_example().ends_with(default_keys().trim_end()),
        "see `podtap ui --print-keys`"
    );
    let saved = set.filters(Timestamp::UNIX_EPOCH).unwrap();
    assert_eq!(saved.iter().count(), 3);
    let tunnels = set.tunnels_of_file().unwrap();
    let names = tunnels.iter().map(|tunnel| tunnel.tunnel().unwrap());
    let names: Vec<String> = names.map(|name| name.to_string()).collect();
    assert_eq!(names, ["crm", "shop"]);
}
