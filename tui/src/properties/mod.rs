//! Property tests of what always holds: random keys, clicks, sizes, changes
//! and answers, in any order.

mod held;

use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use jiff::SignedDuration;
use podtap_agent::history::{HistoryRow, Position};
use proptest::prelude::*;
use ratatui::layout::Size;

use crate::alignment::hostile;
use crate::app::App;
use crate::changes::Changes;
use crate::effect::Effect;
use crate::keymap::{Action, KeyPress, Keymap};
use crate::list::ListAnswer;
use crate::message::{FeatureAnswer, Message};
use crate::testing::{answer, app, frame, gap, id, now};

/// Number of events in the history of these tests.
const EVENTS: i64 = 700;

fn key() -> impl Strategy<Value = KeyPress> {
    let keymap = Keymap::default();
    let mut keys: Vec<KeyPress> = Action::ALL
        .iter()
        .filter_map(|action| keymap.key(*action))
        .collect();
    keys.retain(|key| keymap.key(Action::Quit) != Some(*key));
    prop::sample::select(keys)
}

fn mouse() -> impl Strategy<Value = MouseEvent> {
    let left = MouseButton::Left;
    let kinds = vec![
        MouseEventKind::Down(left),
        MouseEventKind::Drag(left),
        MouseEventKind::Up(left),
        MouseEventKind::ScrollDown,
        MouseEventKind::ScrollUp,
    ];
    (prop::sample::select(kinds), 0..130_u16, 0..50_u16).prop_map(|(kind, column, row)| {
        MouseEvent {
            kind,
            column,
            row,
            modifiers: KeyModifiers::NONE,
        }
    })
}

fn changes() -> impl Strategy<Value = Changes> {
    let touched = prop::collection::vec((1..EVENTS).prop_map(|at| (Position(at), id(at))), 0..4);
    (prop::option::of(1..EVENTS), touched, any::<bool>()).prop_map(
        |(appended, touched, everything)| Changes {
            appended: appended.map(Position),
            touched,
            everything,
            ..Changes::default()
        },
    )
}

fn message() -> impl Strategy<Value = Message> {
    prop_oneof![
        8 => key().prop_map(|key| Message::Key(key.into())),
        2 => mouse().prop_map(Message::Mouse),
        1 => (0..220_u16, 0..70_u16)
            .prop_map(|(width, height)| Message::Resize(Size { width, height })),
        2 => (0..100_i64).prop_map(|s| Message::Tick(now() + SignedDuration::from_secs(s))),
        3 => changes().prop_map(Message::Changed),
        1 => (0..9_u64).prop_map(|generation| Message::Answer(FeatureAnswer::List(ListAnswer::Page {
            generation,
            result: Err("the disk is gone".to_owned()),
        }))),
    ]
}

/// Returns the same answer with a gap instead of every seventh event.
fn with_gaps(answer: FeatureAnswer, has_gaps: bool) -> FeatureAnswer {
    let FeatureAnswer::List(ListAnswer::Page {
        generation,
        result: Ok(mut page),
    }) = answer
    else {
        return answer;
    };
    for row in &mut page.rows {
        let at = row.position().0;
        if has_gaps && at % 7 == 0 {
            *row = HistoryRow::Gap(gap(at));
        }
    }
    let result = Ok(page);
    FeatureAnswer::List(ListAnswer::Page { generation, result })
}

/// Sends a message, and answers at most `most` of the requests that follow, in their order.
fn send(app: &mut App, waiting: &mut Vec<Effect>, message: Message, most: usize, has_gaps: bool) {
    waiting.extend(app.update(message));
    for _ in 0..most.min(waiting.len()) {
        let answer = answer(waiting.remove(0), EVENTS);
        if let Some(answer) = answer.map(|answer| with_gaps(answer, has_gaps)) {
            waiting.extend(app.update(Message::Answer(answer)));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_sequence_of_messages_breaks_the_app(
        messages in prop::collection::vec((message(), 0..6_usize), 1..60),
        has_gaps in any::<bool>(),
    ) {
        let mut app = app(100, 30);
        let mut waiting = Vec::new();
        for (message, most) in messages {
            send(&mut app, &mut waiting, message, most, has_gaps);
            prop_assert!(!waiting.contains(&Effect::Quit));
            let rows = app.list.window().len();
            prop_assert_eq!(app.list.selected_row().is_some(), rows > 0);
            if let (Some(layout), Some(selected)) = (app.layout(), app.list.selected_row()) {
                let (first, height) = (app.list.first(layout.list_height()), layout.list_height());
                let shown = app.list.window().rows().skip(first).take(height.max(1));
                let mut shown = shown.map(HistoryRow::position);
                prop_assert!(height == 0 || shown.any(|shown| shown == selected.position()));
            }
            frame(&app);
        }
    }

    #[test]
    fn nothing_is_done_after_quitting(messages in prop::collection::vec(message(), 1..30)) {
        let mut app = app(100, 30);
        let quit: KeyPress = "ctrl-c".parse().unwrap();
        let effects = app.update(Message::Key(quit.into()));
        prop_assert_eq!(effects, [Effect::Quit]);
        for message in messages {
            prop_assert_eq!(app.update(message), []);
        }
    }

    #[test]
    fn no_frame_holds_a_control_character_of_an_event(
        body in prop::collection::vec(any::<u8>(), 0..400),
        text in any::<String>(),
        tab in 0..6_usize,
        width in 60..130_u16,
    ) {
        let mut app = hostile(&text, &body, tab > 2, (width, 30));
        for _ in 0..tab {
            app.update(Message::Key("tab".parse::<KeyPress>().unwrap().into()));
        }
        for cell in frame(&app).content() {
            prop_assert!(!cell.symbol().chars().any(char::is_control), "{:?}", cell.symbol());
        }
    }
}
