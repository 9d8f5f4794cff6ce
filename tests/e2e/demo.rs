//! `podtap demo` without a terminal: the whole product in one process, which ends by itself.

use crate::support::Stage;

#[test]
fn the_demo_shows_events_being_delivered_and_ends_by_itself() {
    let stage = Stage::new();
    let (code, stdout, stderr) = stage.run(&["demo", "--events", "12", "--rate", "50"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(!stderr.contains("ERROR"), "its end is no error: {stderr}");
    let delivered = stdout.lines().filter(|line| line.contains(" ms ")).count();
    assert_eq!(delivered, 12, "{stdout}");
    assert!(stdout.contains("item."), "{stdout}");
    assert!(
        stdout.contains("✓  validated"),
        "no hook was verified: {stdout}"
    );
}

#[test]
fn the_demo_speaks_json_too() {
    let stage = Stage::new();
    let stdout = stage.succeed(&["demo", "--events", "5", "--rate", "50", "--json"]);
    let objects: Vec<serde_json::Value> = stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let count = |kind: &str| {
        objects
            .iter()
            .filter(|object| object["type"] == kind)
            .count()
    };
    assert_eq!((count("ready"), count("attempt")), (1, 5), "{stdout}");
    assert!(count("event") >= 5 && count("verify") >= 1, "{stdout}");
    assert!(objects.iter().all(|object| object["v"] == 1));
}
