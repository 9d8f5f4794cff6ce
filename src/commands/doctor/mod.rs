//! `podtap doctor`: checks the way from Podio to the local service, link by link. The
//! first broken link is explained; links that depend on it are skipped. The checks
//! change nothing and do not take over the tunnel, so they work while `listen` runs.
//!
//! `part` defines the links and what each needs, `walk` checks
//! them in order; each other module checks some of them.

mod bundle;
mod container;
mod finding;
mod history;
mod hooks;
mod network;
mod part;
mod podio;
mod reach;
mod relay;
mod report;
mod service;
mod settings;
mod tunnel;
mod walk;
mod words;

use std::process::ExitCode;

use jiff::Timestamp;
use podtap_agent::{HookUrls, Target};

use crate::cli::Doctor;
use crate::commands::podio::base_url;
use crate::config::Settings;
use crate::failure::{Code, Failure};
use crate::output::{note, print};
use crate::running::RunState;
use crate::style::LineStyle;
use bundle::Bundle;
use finding::{LinkCheck, LinkFinding, LinkMark};
use part::Part;
use report::{DoctorReport, LinkObject};
use walk::DoctorWalk;

/// Checks every link.
pub(crate) async fn run(doctor: Doctor, settings: &Settings) -> Result<ExitCode, Failure> {
    // Created first, so that a problem with the file is reported without waiting a minute.
    let bundle = doctor.bundle.as_deref().map(Bundle::at).transpose()?;
    let look = settings.line_style()?;
    let checks = report_each(&doctor, &look, async |tell| {
        let mut walk = DoctorWalk::new(tell);
        along(&mut walk, settings).await?;
        Ok(walk.end())
    })
    .await?;
    if let Some(bundle) = bundle {
        let path = bundle.write(settings, &checks)?;
        note(&format!(
            "Wrote {path}; look through it before you share it."
        ));
    }
    Ok(code(&checks))
}

/// Reports that the settings cannot be read, so no other link can be checked.
pub(crate) fn without_settings(doctor: &Doctor, failure: &Failure) -> Result<ExitCode, Failure> {
    let look = LineStyle {
        zone: jiff::tz::TimeZone::UTC,
        coloured: false,
    };
    let mut report = DoctorReport::new(&look);
    let checks: Vec<_> = Part::ALL
        .into_iter()
        .map(|part| LinkCheck {
            part,
            finding: match part {
                Part::Settings => settings::unreadable(failure),
                _ => LinkFinding::needs(Part::Settings),
            },
        })
        .collect();
    for check in &checks {
        say(doctor, &mut report, check)?;
    }
    end(doctor, &mut report, &checks)?;
    Ok(code(&checks))
}

/// Prints each link when it has been checked, then the summary.
async fn report_each(
    doctor: &Doctor,
    look: &LineStyle,
    walk: impl AsyncFnOnce(&mut walk::LinkReporter<'_>) -> Result<Vec<LinkCheck>, Failure>,
) -> Result<Vec<LinkCheck>, Failure> {
    let mut report = DoctorReport::new(look);
    let checks = walk(&mut |check| say(doctor, &mut report, check)).await?;
    end(doctor, &mut report, &checks)?;
    Ok(checks)
}

fn say(doctor: &Doctor, report: &mut DoctorReport<'_>, check: &LinkCheck) -> Result<(), Failure> {
    if doctor.json {
        return print(&LinkObject::new(check).line());
    }
    report.lines(check).iter().try_for_each(print)
}

fn end(
    doctor: &Doctor,
    report: &mut DoctorReport<'_>,
    checks: &[LinkCheck],
) -> Result<(), Failure> {
    if doctor.json {
        return Ok(());
    }
    report.rest().iter().try_for_each(print)?;
    print(&report::summary(checks))
}

/// Returns exit code 1 if a link is broken.
fn code(checks: &[LinkCheck]) -> ExitCode {
    let is_broken = checks
        .iter()
        .any(|check| check.finding.mark == LinkMark::Broken);
    if is_broken {
        Code::Failed.into()
    } else {
        ExitCode::SUCCESS
    }
}

/// Checks the links, in order.
async fn along(walk: &mut DoctorWalk<'_>, settings: &Settings) -> Result<(), Failure> {
    let now = Timestamp::now;
    walk.link(Part::Settings, async { settings::settings(settings) })
        .await?;
    let found = walk.link(Part::Folder, history::folder(settings)).await?;

    let relay = walk.link(Part::Dns, network::dns(settings)).await?;
    let relay = walk.link(Part::Proxy, network::proxy(relay)).await?;
    let relay = walk.link(Part::Tcp, network::tcp(relay)).await?;
    let tls = relay::tls(settings, relay.clone());
    let probe = walk.link(Part::Tls, tls).await?;
    let ready = walk.link(Part::Relay, relay::ready(probe.as_ref())).await?;
    let clock = async { relay::clock(ready.as_ref(), now()) };
    walk.link(Part::Clock, clock).await?;
    let token = relay::token(settings, relay);
    let admitted = walk.link(Part::Token, token).await?;
    let websocket = relay::websocket(admitted.as_ref());
    walk.link(Part::Websocket, websocket).await?;
    let tunnel = async {
        let admitted = admitted.as_ref().ok_or_else(network::no_relay)?;
        let name = settings.tunnel().map_err(LinkFinding::of_setting)?;
        let api = base_url(settings).map_err(LinkFinding::of_setting)?;
        let urls = HookUrls::new(&api, None);
        tunnel::tunnel(&admitted.tunnels, &name, &urls, now())
    };
    let tunnel = walk.link(Part::Tunnel, tunnel).await?;

    let service = async { service::service(service_in_question(settings)?).await };
    walk.link(Part::Service, service).await?;

    let client = walk.link(Part::Podio, podio::api(settings, now())).await?;
    let known = hooks::TunnelFacts {
        url: tunnel.map(|tunnel| tunnel.url),
        has_history: found.as_ref().is_some_and(|found| found.history.is_some()),
    };
    let hooks = hooks::hooks(settings, client.as_ref(), known);
    walk.link(Part::Hooks, hooks).await?;
    let last_event = history::last_event(found, now());
    walk.link(Part::LastEvent, last_event).await?;
    Ok(())
}

/// Returns the local service in the settings, or else where a running `listen` delivers.
fn service_in_question(
    settings: &Settings,
) -> Result<Option<service::ServiceQuestion>, LinkFinding> {
    let set = settings.target().map_err(LinkFinding::of_setting)?;
    let running = || -> Option<Target> {
        let running = RunState::now(&settings.history().ok()?)?;
        running.target(&settings.filters(Timestamp::now()).ok()?)
    };
    let in_container = container::is_one();
    Ok(set.or_else(running).map(|target| service::ServiceQuestion {
        target,
        in_container,
    }))
}
