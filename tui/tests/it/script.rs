//! Tests complete stories: keys and events go in, and screens come out, through
//! the real loop and a real history.

use std::time::Instant;

use tokio_util::sync::CancellationToken;

use crate::support::{Bench, Person};

#[tokio::test]
async fn events_are_listed_opened_and_filtered() {
    let bench = Bench::new(None);
    bench.history.append(1..=300).await;
    bench
        .session()
        .play(async |person: &mut Person| {
            let first = person.sees("item 300 r3").await;
            assert!(first.contains("following"), "{first}");
            person.sees("300 ╮").await;

            person.press("j enter 3").await;
            person.sees("&item_id=299").await;

            person.press("esc /").await;
            person.paste("item:7").await;
            person.sees("Events · item:7").await;
            person.sees("&item_id=7 ").await;
            person.press("enter esc").await;
            person.sees("esc once more shows all events").await;
            person.press("esc").await;
            person.sees("item 8 r3").await;

            person.press("G").await;
            person.sees("&item_id=1 ").await;
            person.press("g").await;
            person.sees("&item_id=300").await;
            person.press("q").await;
        })
        .await;
}

#[tokio::test]
async fn what_another_process_writes_appears_by_itself() {
    let bench = Bench::new(None);
    let session = bench.session().on(80, 24);
    let Bench { agent, history, .. } = bench;

    session
        .beside(agent)
        .play(async |person: &mut Person| {
            person.sees("The history is empty.").await;
            history.append([4_711]).await;
            person.sees("item 4711").await;
            person.end();
        })
        .await;
}

#[tokio::test]
async fn a_burst_is_opened_closed_and_replayed_as_one() {
    let bench = Bench::new(None);
    bench.history.append([2, 1]).await;
    bench.history.append([4; 60]).await;
    bench.history.append([5]).await;
    bench
        .session()
        .play(async |person: &mut Person| {
            person.sees("60 events").await;
            person.press("j enter").await;
            person.sees("▶ ┊").await;
            person.press("j j j z").await;
            person.sees("60 events").await;
            person.press("r").await;
            person.sees("Send 60 events again").await;
            person.press("enter").await;
            person.sees("Replayed: 60 sent").await;
            person.press("m").await;
            person.sees("Marked 60 events").await;
            person.press("M").await;
            person.sees("only marked").await;
            person.sees("60 ╮").await;
            person.press("q").await;
        })
        .await;
}

#[tokio::test]
async fn a_note_is_written_seen_and_found() {
    let bench = Bench::new(None);
    bench.history.append([1, 2, 3]).await;
    let session = bench.session();

    session
        .beside(bench.agent)
        .play(async |person: &mut Person| {
            person.sees("item 3 r3").await;
            person.press("j ;").await;
            person.paste("ask Ann \x1b[2J").await;
            person.press("enter").await;
            person.sees("ask Ann ").await;
            person.press("/").await;
            person.paste("note:Ann").await;
            person.sees(" 1 ╮").await;
            person.press("enter ;").await;
            person.press("ctrl-u enter").await;
            // The event no longer matches, and stays until another one is selected.
            person.sees("▶ ∅").await;
            person.press("g").await;
            person.sees("No event matches").await;
            person.press("q").await;
        })
        .await;
}

#[tokio::test]
async fn all_that_pass_a_filter_are_marked_and_replayed_as_one() {
    let bench = Bench::new(None);
    bench.history.append((1..=2_500).map(|item| item % 5)).await;
    bench
        .session()
        .play(async |person: &mut Person| {
            person.press("/").await;
            person.paste("item:3").await;
            person.sees("500 ╮").await;
            person.press("enter ctrl-a").await;
            person.sees("Marked 500 events").await;
            person.press("r").await;
            person.sees("Send 500 marked events again").await;
            person.press("enter").await;
            person
                .sees("Replayed: 500 sent, 500 without an answer")
                .await;
            person.press("q").await;
        })
        .await;
}

#[tokio::test]
async fn a_replay_without_a_local_service_says_so() {
    let bench = Bench::new(None);
    bench.history.append([1]).await;
    bench
        .session()
        .on(100, 30)
        .play(async |person: &mut Person| {
            person.sees("item 1 r3").await;
            person.press("r").await;
            person.sees("there is no local service").await;
            person.press("ctrl-c").await;
        })
        .await;
}

/// An editor that works without a person.
#[cfg(unix)]
const CHANGE_ITEM: &str =
    r#"sh -c 'sed s/item_id=41/item_id=42/ "$1" > "$1.new" && mv "$1.new" "$1"' sh"#;

#[cfg(unix)]
#[tokio::test]
async fn an_edited_event_shows_its_difference_before_it_is_sent() {
    let bench = Bench::new(None);
    bench.history.append([41]).await;
    bench
        .session()
        .with_editor(CHANGE_ITEM)
        .play(async |person: &mut Person| {
            person.sees("item.update · item 41").await;
            person.press("e").await;
            let shown = person.sees("+ type=item.update&item_id=42").await;
            assert!(shown.contains("- type=item.update&item_id=41"), "{shown}");
            person.press("enter").await;
            person.sees("there is no local service").await;
            person.press("q").await;
        })
        .await;
}

#[tokio::test]
async fn a_flood_is_drawn_no_faster_than_allowed_and_a_key_is_answered_in_it() {
    let bench = Bench::new(None);
    bench.history.append(1..=100).await;
    let session = bench.session();
    let Bench { agent, history, .. } = bench;
    let flooded = CancellationToken::new();
    let flood = async {
        let mut items = (101..).step_by(50);
        let mut last = 100;
        while !flooded.is_cancelled()
            && let Some(first) = items.next()
        {
            last = first + 49;
            history.append(first..=last).await;
        }
        last
    };
    let look = async |person: &mut Person| {
        let (before, start) = (person.frames(), Instant::now());
        // Keys are answered although the newest rows change all the time.
        for _ in 0..3 {
            person.press("?").await;
            person.sees("esc closes").await;
            person.press("esc").await;
            person.no_longer_sees("esc closes").await;
        }
        person.draws(before + 30).await;
        let (drawn, elapsed) = (person.frames() - before, start.elapsed());
        flooded.cancel();
        (drawn, elapsed)
    };
    let script = async |person: &mut Person| {
        // These rows are checked before the flood of events, which moves them off the screen
        // before a busy machine can draw them.
        person.sees("item 100 r3").await;
        let (last, (drawn, elapsed)) = tokio::join!(flood, look(person));
        person.sees(&format!("item {last} r3")).await;
        person.end();
        (drawn, elapsed)
    };
    let (drawn, elapsed) = session.beside(agent).play(script).await;
    // At most 40 frames per second, the first of them immediately.
    let allowed = elapsed.as_millis() * 40 / 1_000 + 2;
    assert!(u128::from(drawn) <= allowed, "{drawn} in {elapsed:?}");
}

#[cfg(unix)]
#[tokio::test]
async fn what_never_ends_is_not_imported_and_keeps_nobody_waiting() {
    let bench = Bench::new(None);
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe.har");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    bench
        .session()
        .play(async |person: &mut Person| {
            person.sees("The history is empty.").await;
            person.press("I").await;
            person.paste(&pipe.display().to_string()).await;
            person.press("enter").await;
            // The form opens again with the name, because it may be a typing error.
            person.sees("is not a file").await;
            person.press("esc").await;
            person.no_longer_sees("pipe.har").await;
            person.press("q").await;
        })
        .await;
}

#[tokio::test]
async fn why_is_asked_of_the_selected_event_and_of_what_is_typed() {
    let bench = Bench::new(None);
    bench.history.append([7]).await;
    bench
        .session()
        .play(async |person: &mut Person| {
            person.sees("item 7 r3").await;
            person.press("Y").await;
            let form = person.sees("Why did it arrive, or not?").await;
            assert!(form.contains("item:7"), "{form}");
            person.press("enter").await;
            let answer = person.sees("changed in Podio").await;
            assert!(
                answer.contains("? "),
                "without credentials not all is known: {answer}"
            );
            person.press("esc").await;
            person.no_longer_sees("changed in Podio").await;

            person.press("Y ctrl-u").await;
            person.paste("the weather").await;
            person.press("enter").await;
            person.sees("is not an object").await;
            person.press("esc").await;
            person.press("q").await;
        })
        .await;
}
