//! Tests that each line stays in its area and each character in its cells, whatever text
//! an event has. If a terminal draws a character wider than the frame expects,
//! everything to the right of it moves.

use podtap_agent::ExplainedField;
use podtap_agent::Explanation;
use podtap_agent::history::{EventRow, HookCondition, HookNews};
use proptest::prelude::*;
use ratatui::buffer::{Buffer, CellWidth};
use ratatui::layout::Rect;

use crate::app::App;
use crate::changes::Changes;
use crate::detail::DetailAnswer;
use crate::detail::DetailEffect;
use crate::detail::{FullEvent, OpenEvent};
use crate::effect::Effect;
use crate::keymap::KeyPress;
use crate::line::Line;
use crate::list::ListAnswer;
use crate::list::ListEffect;
use crate::message::{FeatureAnswer, Message};
use crate::testing::{app, attempts, frame, now, row, with_body};
use crate::theme::{Role, Theme};

/// Texts that are hard to align: wide, combining, joined, right to left, invisible.
const HARD: [&str; 30] = [
    "a",
    "b ",
    "=",
    "&",
    "\t",
    "\n",
    "\r",
    "日",
    "本",
    "語",
    "ｶ",
    "ﾞ",
    "한",
    "ᄀ",
    "ᅡ",
    "ᆨ",
    "é",
    "e\u{301}",
    "\u{301}\u{308}",
    "👩\u{200d}👩\u{200d}👧",
    "👍🏽",
    "🏽",
    "🇩",
    "❤\u{fe0f}",
    "1\u{fe0f}\u{20e3}",
    "لا",
    "שלום",
    "\u{202e}",
    "क्ष",
    "\u{600}",
];

fn hard() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        4 => prop::sample::select(&HARD[..]).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(part, 0..60).prop_map(|parts| parts.concat())
}

/// Returns an app on a history of one event, which has `text` in every place where text can be.
pub(crate) fn hostile(text: &str, body: &[u8], has_type: bool, size: (u16, u16)) -> App {
    let mut app = app(size.0, size.1);
    let (row, full) = hostile_event(text, body, has_type);
    send(&mut app, Message::Tick(now()), &row, &full);
    app
}

/// Returns an event that has `text` in every place where text can be, for the list and the detail.
fn hostile_event(text: &str, body: &[u8], has_type: bool) -> (EventRow, FullEvent) {
    let text = text.to_owned();
    let mut event = with_body(7, body);
    event.request.path = format!("/{text}");
    event.request.method.clone_from(&text);
    event.request.headers.push(text.clone(), body.to_vec());
    event.note = Some(text.clone());
    let explanation = Explanation {
        title: Some(text.clone()),
        notes: vec![text.clone()],
        changes: vec![ExplainedField {
            field: text.clone(),
            from: text.clone(),
            to: text.clone(),
        }],
        ..Explanation::default()
    };
    let mut attempts = attempts(7);
    attempts[0].url.clone_from(&text);
    let mut row = row(7);
    row.note = Some(text.clone());
    (row.path, row.event_type) = (text.clone(), has_type.then(|| text.clone()));
    if let Some(last) = &mut row.last {
        last.outcome = Err(text);
    }
    let full = FullEvent {
        event,
        attempts,
        explanation: Some(explanation),
    };
    (row, full)
}

/// Sends a message, and answers every question of the app with this row and this event.
pub(crate) fn send(app: &mut App, message: Message, row: &EventRow, full: &FullEvent) {
    let mut waiting = app.update(message);
    while let Some(effect) = waiting.pop() {
        let answer = match effect {
            Effect::List(ListEffect::LoadPage { generation, .. }) => {
                FeatureAnswer::List(ListAnswer::Page {
                    generation,
                    result: Ok(vec![row.clone()].into()),
                })
            }
            Effect::Detail(DetailEffect::LoadEvent {
                generation,
                options,
                ..
            }) => {
                let opened = OpenEvent::new(full.clone(), options, &jiff::tz::TimeZone::UTC);
                FeatureAnswer::Detail(DetailAnswer::Event {
                    generation,
                    result: Ok(Some(Box::new(opened))),
                })
            }
            _ => continue,
        };
        waiting.extend(app.update(Message::Answer(answer)));
    }
}

/// Returns the first cell whose text does not fit its space, or that another cell hides.
fn find_misaligned(buffer: &Buffer) -> Option<String> {
    let width = usize::from(buffer.area().width);
    buffer.content().chunks(width).find_map(|row| {
        let mut at = 0;
        while let Some(cell) = row.get(at) {
            let wrong = match cell.symbol().cell_width() {
                1 => false,
                2 => row.get(at + 1).is_none_or(|next| next.symbol() != " "),
                _ => true,
            };
            if wrong {
                let row: Vec<&str> = row.iter().map(ratatui::buffer::Cell::symbol).collect();
                return Some(format!("cell {at} of {row:?}"));
            }
            at += usize::from(cell.symbol().cell_width());
        }
        None
    })
}

fn line(parts: &[String]) -> Line {
    let put = |line: Line, part: &String| line.with(Role::Plain, part);
    parts.iter().fold(Line::new(), put)
}

proptest! {
    #[test]
    fn a_line_takes_the_cells_it_says_and_stays_in_its_area(
        parts in prop::collection::vec(hard(), 1..4),
        below in hard(),
        (x, width) in (0..20_u16, 0..60_u16),
    ) {
        let row = Rect::new(0, 0, 100, 1);
        let mut buffer = Buffer::empty(row);
        line(&[below]).draw(row, Theme::Ansi, &mut buffer);
        let before = buffer.clone();
        let area = Rect { x, width, ..row };
        line(&parts).draw(area, Theme::Ansi, &mut buffer);
        prop_assert_eq!(find_misaligned(&buffer), None);
        for outside in (0..x.saturating_sub(1)).chain(area.right()..100) {
            prop_assert_eq!(&buffer[(outside, 0)], &before[(outside, 0)]);
        }

        let mut wide = Buffer::empty(Rect::new(0, 0, 2_000, 1));
        let (mut whole, end) = (line(&parts), Line::of(Role::Plain, "|"));
        let taken = whole.width();
        whole = whole.join(end);
        whole.draw(*wide.area(), Theme::Ansi, &mut wide);
        prop_assert_eq!(wide[(u16::try_from(taken).unwrap(), 0)].symbol(), "|");
    }

    #[test]
    fn breaking_and_skipping_keep_every_cell(
        parts in prop::collection::vec(hard(), 1..4),
        cells in 2..40_usize,
    ) {
        let line = line(&parts);
        let wrapped = line.clone().wrap(cells);
        prop_assert!(wrapped.iter().all(|part| part.width() <= cells), "{:?}", wrapped);
        let text: String = wrapped.iter().map(Line::text).collect();
        prop_assert_eq!(text, line.text());
        prop_assert_eq!(line.skip(cells).width(), line.width().saturating_sub(cells));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_event_moves_what_is_beside_it(
        text in hard(),
        body in hard(),
        keys in prop::sample::select(vec!["", "W", "W >", "v", "?", "y", "b", ": a"]),
        tab in 1..7_u8,
        (width, height) in (60..150_u16, 15..40_u16),
    ) {
        let (row, full) = hostile_event(&text, body.as_bytes(), tab > 3);
        let mut app = app(width, height);
        send(&mut app, Message::Tick(now()), &row, &full);
        let changes = Changes {
            hooks: vec![HookNews {
                hook_id: 7,
                place: None,
                event_type: Some(text.clone()),
                at: now(),
                state: HookCondition::Gone,
            }],
            ..Changes::default()
        };
        app.update(Message::Changed(changes));
        prop_assert_eq!(find_misaligned(&frame(&app)), None);
        for key in format!("enter {tab} {keys}").split_whitespace() {
            let key: KeyPress = key.parse().unwrap();
            send(&mut app, Message::Key(key.into()), &row, &full);
            prop_assert_eq!(find_misaligned(&frame(&app)), None);
        }
    }
}
