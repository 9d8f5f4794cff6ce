//! `podtap show`: prints one event, decoded, with every attempt.

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

use crate::output::printable;
use podtap_agent::amount;
use podtap_agent::decoded::{self, BodyPacking, Extent};
use podtap_agent::export::{self, json::EventObject};
use podtap_agent::first_target;
use podtap_agent::history::{Attempt, Event, Outcome};
use podtap_wire::HeaderList;

use super::history::{find, load, open};
use crate::cli::Show;
use crate::config::Settings;
use crate::failure::Failure;
use crate::output::{lines, print};
use crate::style::LineStyle;

/// Prints the event in the requested form.
pub(crate) async fn run(show: Show, settings: &Settings) -> Result<ExitCode, Failure> {
    let history = open(settings)?;
    let id = find(&history, &show.id).await?;
    let event = load(&history, id).await?;
    let attempts = history.attempts(id).await?;
    if show.format.raw {
        raw(&event.request.body, show.force)?;
    } else if show.format.curl {
        let path = &event.request.path;
        // A command target has no URL that another tool could call.
        let service = settings.target()?.filter(|target| target.url().is_some());
        let target = match service {
            Some(target) => target,
            None => first_target(&attempts, path).unwrap_or_default(),
        };
        print(&export::curl::curl(&event.request, &target.with_path(path)))?;
    } else if show.format.json {
        print(&EventObject::new(&event, Some(&attempts)).to_line())?;
    } else {
        for line in describe(&event, &attempts, &settings.line_style()?) {
            print(&printable(&line))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints only the body. Control characters are sent to a terminal only with `force`.
fn raw(body: &[u8], force: bool) -> Result<(), Failure> {
    let text = String::from_utf8_lossy(body);
    let is_plain = text.chars().all(|c| {
        matches!(c, '\n' | '\r' | '\t') || printable(c.encode_utf8(&mut [0; 4])) == c.to_string()
    });
    let mut stdout = std::io::stdout();
    if !force && !is_plain && stdout.is_terminal() {
        return Err(Failure::usage(
            "the body has control characters, which can change your terminal",
        )
        .hint("pipe it (`| less`), write it to a file (`> body`), or add --force"));
    }
    stdout.write_all(body)?;
    Ok(stdout.flush()?)
}

fn describe(event: &Event, attempts: &[Attempt], look: &LineStyle) -> Vec<String> {
    let request = &event.request;
    let received = look.time("%Y-%m-%d %H:%M:%S%.3f %Z", request.received_at);
    let mut text = vec![
        pair("event", &event.id.to_string()),
        pair("received", &received),
        pair("request", &format!("{} {}", request.method, request.path)),
    ];
    if let Some(podio) = &event.podio {
        text.push(pair("type", podio.kind.as_str()));
        if let Some(verification) = &event.insight.verification {
            text.push(pair("validation", &lines::validation(verification).1));
        }
        if let Some(object) = podio.object() {
            text.push(pair("about", &object.to_string()));
        }
        text.extend([String::new(), "Parameters".to_owned()]);
        text.extend(podio.params.iter().map(|(name, value)| pair(name, value)));
    }
    text.extend([String::new(), "Headers".to_owned()]);
    text.extend(headers(&request.headers));
    text.extend(body("Body", &request.headers, &request.body));
    for attempt in attempts {
        text.extend(describe_attempt(attempt, look));
    }
    text
}

fn describe_attempt(attempt: &Attempt, look: &LineStyle) -> Vec<String> {
    let replay = if attempt.replay { " (replay)" } else { "" };
    let mut text = vec![
        String::new(),
        format!("Attempt {}{replay}", attempt.number),
        pair("started", &look.clock(attempt.started_at)),
        pair("url", &attempt.url),
        pair("took", &amount::duration(attempt.duration)),
    ];
    match &attempt.outcome {
        Outcome::Failed { error } => text.push(pair("error", error)),
        Outcome::Answered {
            status,
            headers: list,
            body: bytes,
            ..
        } => {
            text.push(pair("status", &status.to_string()));
            text.extend(headers(list));
            text.extend(body("Answer", list, bytes));
        }
    }
    text
}

fn pair(name: &str, value: &str) -> String {
    format!("  {name:18}  {value}")
}

fn headers(list: &HeaderList) -> impl Iterator<Item = String> {
    list.iter()
        .map(|(name, value)| pair(name, &String::from_utf8_lossy(value)))
}

/// Returns a body in readable form: decompressed, and
/// decoded from the character set that its headers name.
fn body(title: &str, headers: &HeaderList, bytes: &[u8]) -> Vec<String> {
    if bytes.is_empty() {
        return Vec::new();
    }
    let unpacked = decoded::unpack(headers, bytes);
    let [shown, came] = [&*unpacked.bytes, bytes].map(|all| amount::size(all.len() as u64));
    let size = match &unpacked.packing {
        None => came,
        Some(BodyPacking { coding, result }) => match result {
            Ok(Extent::Whole) => format!("{coding}, {came} → {shown}"),
            Ok(Extent::First) => format!("{coding}, {came} → more than {shown}"),
            Err(why) => format!("{coding}, {came}: {why}"),
        },
    };
    let mut text = vec![String::new(), format!("{title} ({size})")];
    let body = decoded::text(headers, &unpacked.bytes);
    let body = String::from_utf8_lossy(&body);
    text.extend(body.lines().map(|line| format!("  {line}")));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show_lines(headers: &[(&str, &str)], bytes: &[u8]) -> Vec<String> {
        let headers = headers
            .iter()
            .map(|&(name, value)| (name, value.to_owned()));
        body("Body", &headers.collect(), bytes)
    }

    #[test]
    fn a_body_is_shown_unpacked_or_says_why_not_and_in_its_character_set() {
        let packed = b"\x0b\x02\x80hello\x03";
        assert_eq!(
            show_lines(&[("content-encoding", "br")], packed),
            ["", "Body (br, 9 B → 5 B)", "  hello"]
        );
        assert_eq!(
            show_lines(&[("content-encoding", "gzip")], b"hello"),
            [
                "",
                "Body (gzip, 5 B: cannot be decompressed, shown as received)",
                "  hello"
            ]
        );
        assert_eq!(
            show_lines(
                &[("content-type", "text/plain; charset=iso-8859-1")],
                b"M\xfcller"
            ),
            ["", "Body (6 B)", "  Müller"]
        );
    }
}
