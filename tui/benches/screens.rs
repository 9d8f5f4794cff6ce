//! Measures what a person waits for on a large history: the first frame, a frame while scrolling,
//! the first rows of a filter. Run it with `cargo bench -p podtap-tui`. `PODTAP_BENCH_EVENTS` sets
//! the number of events, a million by default. Filling the history takes minutes the first time;
//! it is then kept under `target/`.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a benchmark, whose size is a setting of the person who runs it"
)]

use std::io::{Sink, sink};
use std::sync::LazyLock;

use divan::Bencher;
use jiff::Timestamp;
use podtap_agent::config::AgentConfig;
use podtap_agent::history::{Anchor, Filter, PageQuery, SavedFilters};
use podtap_agent::{Agent, AgentHandle};
use podtap_bench::history::{self, COMMON_WORD, OLDEST_ITEM, OLDEST_WORD, RARE_WORD};
use podtap_tui::headless::HeadlessUi;
use podtap_tui::{KeyPress, UiConfig};
use ratatui::backend::CrosstermBackend;
use ratatui::layout::{Rect, Size};
use ratatui::{Terminal, TerminalOptions, Viewport};
use tokio::runtime::Runtime;

/// A large screen.
const SCREEN: Size = Size {
    width: 200,
    height: 60,
};

/// The kinds of filters, each in the form in which a person types it. The parts in
/// braces differ between histories.
const FILTERS: [&str; 24] = [
    "item:17",
    "item:{oldest}",
    "type:item.*",
    "type:item.update",
    "status:5xx",
    "status:418",
    "status:error",
    "external:BUG-4701",
    "external:BUG-17*",
    "BUG-4701",
    "{rare}",
    "{common}",
    "{oldest word}",
    "t",
    "ite",
    "n12",
    "-{common}",
    "-type:item.update",
    "path:*hook",
    "path:*nowhere",
    "replayed:yes",
    "after:10m",
    "before:7d",
    "nothingofthekind",
];

static HISTORY: LazyLock<BenchHistory> = LazyLock::new(BenchHistory::open);

fn main() {
    divan::main();
}

/// Measures the time from the opened history to a drawn screen with its rows.
#[divan::bench(sample_size = 1, sample_count = 50)]
fn first_frame(bencher: Bencher<'_, '_>) {
    let (history, mut terminal) = (&*HISTORY, terminal());
    bencher.bench_local(|| {
        history.runtime.block_on(async {
            let mut ui = history.sit();
            ui.wait_until_listed().await;
            ui.draw(&mut terminal).unwrap();
        });
    });
}

/// Measures a key press and its frame, without the reads that follow.
#[divan::bench(args = ["j", "pgdn"], sample_size = 1, sample_count = 300)]
fn frame_after_key(bencher: Bencher<'_, '_>, key: &str) {
    scroll(bencher, key, false);
}

/// Measures a key press, the reads that follow, and the frame that shows their result.
#[divan::bench(args = ["j", "pgdn", "G"], sample_size = 1, sample_count = 300)]
fn frame_after_reading(bencher: Bencher<'_, '_>, key: &str) {
    scroll(bencher, key, true);
}

fn scroll(bencher: Bencher<'_, '_>, key: &str, reads: bool) {
    let (history, mut terminal) = (&*HISTORY, terminal());
    let key: KeyPress = key.parse().unwrap();
    let mut ui = history.runtime.block_on(async {
        let mut ui = history.sit();
        ui.wait_until_idle().await;
        ui
    });
    bencher.bench_local(|| {
        history.runtime.block_on(async {
            ui.press(key);
            if reads {
                ui.wait_until_idle().await;
            }
            ui.draw(&mut terminal).unwrap();
        });
        // If it is not measured, the reading must still end, so that the next key finds its rows.
        history.runtime.block_on(ui.wait_until_idle());
    });
}

/// Measures the time from the last key of a filter, typed as fast as possible, to its first rows.
#[divan::bench(args = FILTERS, sample_size = 1, sample_count = 15)]
fn filter(bencher: Bencher<'_, '_>, text: &str) {
    let (history, mut terminal) = (&*HISTORY, terminal());
    let keys = keys_of(text);
    let (last, before) = keys.split_last().unwrap();
    bencher
        .with_inputs(|| {
            history.runtime.block_on(async {
                let mut ui = history.sit();
                ui.wait_until_idle().await;
                for key in before {
                    ui.press(*key);
                }
                ui
            })
        })
        .bench_local_values(|mut ui| {
            history.runtime.block_on(async {
                ui.press(*last);
                ui.wait_until_listed().await;
                ui.draw(&mut terminal).unwrap();
            });
            ui
        });
}

/// Measures the reading of a complete page of a filter, however long the search takes.
#[divan::bench(args = FILTERS, sample_size = 1, sample_count = 5)]
fn page(bencher: Bencher<'_, '_>, text: &str) {
    let history = &*HISTORY;
    let filter = Filter::parse(&filled_in(text), history.newest, &SavedFilters::default()).unwrap();
    let query = PageQuery {
        filter,
        anchor: Anchor::Newest,
        limit: 256,
    };
    let page = || history.handle.history().page(query.clone());
    bencher.bench_local(|| history.runtime.block_on(page()).unwrap());
}

/// Measures the count of the events that match the filter.
#[divan::bench(args = FILTERS, sample_size = 1, sample_count = 3)]
fn total(bencher: Bencher<'_, '_>, text: &str) {
    let history = &*HISTORY;
    let filter = Filter::parse(&filled_in(text), history.newest, &SavedFilters::default()).unwrap();
    let count = || history.handle.history().count(filter.clone());
    bencher.bench_local(|| history.runtime.block_on(count()).unwrap());
}

fn filled_in(text: &str) -> String {
    text.replace("{oldest}", &OLDEST_ITEM.to_string())
        .replace("{rare}", RARE_WORD)
        .replace("{common}", COMMON_WORD)
        .replace("{oldest word}", OLDEST_WORD)
}

fn keys_of(filter: &str) -> Vec<KeyPress> {
    let text = filled_in(filter);
    let typed = text.chars().map(|c| c.to_string());
    let keys = std::iter::once("/".to_owned()).chain(typed);
    keys.map(|key| key.parse().unwrap()).collect()
}

fn terminal() -> Terminal<CrosstermBackend<Sink>> {
    let area = Rect::new(0, 0, SCREEN.width, SCREEN.height);
    let viewport = Viewport::Fixed(area);
    Terminal::with_options(CrosstermBackend::new(sink()), TerminalOptions { viewport }).unwrap()
}

struct BenchHistory {
    runtime: Runtime,
    handle: AgentHandle,
    /// The time at which the newest event arrived, which `after:10m` is relative to.
    newest: Timestamp,
    _agent: Agent,
}

impl BenchHistory {
    fn open() -> Self {
        let events = std::env::var("PODTAP_BENCH_EVENTS").ok();
        let events = events.and_then(|text| text.parse().ok());
        let runtime = Runtime::new().unwrap();
        let filled = history::filled_history(events.unwrap_or(1_000_000));
        let file = runtime.block_on(filled).unwrap();
        let (agent, handle) = Agent::open(AgentConfig::new(file)).unwrap();
        let newest = PageQuery {
            filter: Filter::default(),
            anchor: Anchor::Newest,
            limit: 1,
        };
        let page = runtime.block_on(handle.history().page(newest)).unwrap();
        Self {
            runtime,
            handle,
            newest: page.first().unwrap().received_at,
            _agent: agent,
        }
    }

    fn sit(&self) -> HeadlessUi {
        let agent = self.handle.clone();
        HeadlessUi::open(agent, UiConfig::default(), SCREEN, self.newest)
    }
}
