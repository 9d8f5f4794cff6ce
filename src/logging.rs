//! Sends the log to stderr, or to a file while the terminal UI uses the screen.

use std::fmt::Debug;
use std::io::IsTerminal as _;
use std::path::Path;
use std::sync::Mutex;

use podtap_disk::private;
use tracing::field::Field;
use tracing::level_filters::LevelFilter;
use tracing::{Level, Metadata};
use tracing_subscriber::field::MakeExt as _;
use tracing_subscriber::filter::FilterFn;
use tracing_subscriber::fmt::format::{Writer, debug_fn};
use tracing_subscriber::fmt::writer::BoxMakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

use crate::config::{Key, LogFormat, Settings};
use crate::failure::{Failure, OTHER_FOLDER};
use crate::log_file::{self, LogFile};
use crate::printable::printable;

/// Libraries that log whole messages, including headers and tokens, at this level
/// and below. The level is enabled for a library only if the filter names it.
const CHATTY: [(&str, Level); 8] = [
    ("h2", Level::TRACE),
    ("hyper", Level::TRACE),
    ("hyper_util", Level::TRACE),
    ("rmcp", Level::DEBUG),
    ("rustls", Level::TRACE),
    ("tokio_postgres", Level::DEBUG),
    ("tokio_tungstenite", Level::TRACE),
    ("tungstenite", Level::TRACE),
];

/// Starts logging for the whole process.
pub(crate) fn start(settings: &Settings, screen_is_taken: bool) -> Result<(), Failure> {
    let by_verbosity = match settings.verbose() {
        0 => "warn",
        1 => "warn,podtap=info,podtap_relay=info,podtap_agent=info,podtap_podio=info",
        2 => "info,podtap=debug,podtap_relay=debug,podtap_agent=debug,podtap_podio=debug",
        _ => "trace",
    };
    let wish = settings
        .text(Key::LOG)
        .or_else(|| settings.environment().get("RUST_LOG"));
    let filter = EnvFilter::try_new(wish.unwrap_or(by_verbosity)).map_err(|error| {
        Failure::usage("the log filter cannot be read").fact("why", error.to_string())
    })?;
    let discreet = discreet(wish.unwrap_or_default());
    let (writer, ansi) = if screen_is_taken {
        let writer = BoxMakeWriter::new(Mutex::new(open(&settings.data_dir()?)?));
        (writer, false)
    } else {
        let colour = settings.colour(std::io::stderr().is_terminal())?;
        (BoxMakeWriter::new(std::io::stderr), colour)
    };
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(writer)
        .with_ansi(ansi);
    let lines = match settings.log_format()? {
        LogFormat::Text => lines.fmt_fields(debug_fn(field).delimited(" ")).boxed(),
        LogFormat::Json => lines
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false)
            .boxed(),
    };
    let subscriber = tracing_subscriber::registry();
    subscriber.with(filter).with(discreet).with(lines).init();
    Ok(())
}

/// Opens the log file in the data folder.
fn open(dir: &Path) -> Result<LogFile, Failure> {
    let path = dir.join(log_file::NAME);
    let opened = private::folder(dir).and_then(|()| LogFile::open(&path));
    opened.map_err(|error| {
        Failure::because("the log file cannot be written", &error)
            .fact("file", path.display().to_string())
            .hint(OTHER_FOLDER)
    })
}

/// Writes one field of a log line. Control characters in text from outside
/// are shown, not obeyed, so the field stays on its line (invariant 7).
fn field(to: &mut Writer<'_>, field: &Field, value: &dyn Debug) -> std::fmt::Result {
    let value = printable(&format!("{value:?}"));
    match field.name() {
        "message" => to.write_str(&value),
        // Fields that `tracing-log` adds to the events of the `log` crate.
        name if name.starts_with("log.") => Ok(()),
        name => write!(to, "{name}={value}"),
    }
}

/// Returns a filter that drops the log events in which a library
/// would write secrets, unless `wish` names the library.
fn discreet(wish: &str) -> FilterFn<impl Fn(&Metadata<'_>) -> bool + use<>> {
    let named = |library: &str| {
        let mut directives = wish.split(',').map(str::trim);
        directives.any(|directive| is_of(directive, library))
    };
    let kept: Vec<_> = CHATTY
        .into_iter()
        .filter(|(library, _)| !named(library))
        .collect();
    FilterFn::new(move |record: &Metadata<'_>| {
        let mut kept = kept.iter();
        !kept.any(|(library, from)| record.level() >= from && is_of(record.target(), library))
    })
    .with_max_level_hint(LevelFilter::TRACE)
}

/// Returns whether a target, or a directive, is about this library or a module of it.
fn is_of(target: &str, library: &str) -> bool {
    let rest = target.strip_prefix(library);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['=', ':', '[']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_is_named_by_itself_or_a_module_of_it() {
        for (target, library, expected) in [
            ("h2", "h2", true),
            ("h2::codec", "h2", true),
            ("hyper=trace", "hyper", true),
            ("hyper_util", "hyper", false),
            ("trace", "h2", false),
        ] {
            assert_eq!(is_of(target, library), expected, "{target}");
        }
    }
}
