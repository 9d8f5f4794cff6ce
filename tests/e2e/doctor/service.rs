//! The local service: not running, elsewhere, or a port that nothing listens on.

use std::net::{Ipv6Addr, SocketAddr};
use std::process::Command;

use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::DoctorOutput;
use crate::support::{GoneService, Service, Stage, command};

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_away_is_told() {
    let stage = Stage::new();
    let service = Service::start().await;
    let gone = service.address().to_string();
    drop(service);
    let said = DoctorOutput::of(&stage, &["--forward-to", &gone], &[]);
    said.breaks_at("service", "connection refused", &[]);
    said.has("service", "failed", &gone);

    let said = DoctorOutput::of(&stage, &["--forward-to", "http://nothing.invalid:80"], &[]);
    said.breaks_at("service", "", &[]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_on_the_other_ip_version_is_found() {
    let stage = Stage::new();
    let any = SocketAddr::from((Ipv6Addr::LOCALHOST, 0));
    let Ok(listener) = TcpListener::bind(any).await else {
        eprintln!("skipped: this machine has no IPv6");
        return;
    };
    let port = listener.local_addr().unwrap().port();
    let said = DoctorOutput::of(&stage, &["--forward-to", &format!("127.0.0.1:{port}")], &[]);
    said.breaks_at("service", "127.0.0.1", &[]);
    let fix = said.fix("service");
    assert!(fix.contains(&format!("http://[::1]:{port}")), "{fix}");

    // By its name, the service is reached on either IP version.
    let said = DoctorOutput::of(&stage, &["--forward-to", &port.to_string()], &[]);
    said.has("service", "ok", "[::1]");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_with_nothing_behind_it_is_not_a_service() {
    let stage = Stage::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let mut closing = JoinSet::new();
    closing.spawn(async move { while listener.accept().await.is_ok() {} });
    let said = DoctorOutput::of(&stage, &["--forward-to", &address], &[]);
    said.breaks_at("service", "closes them immediately", &[]);
}

/// Runs a doctor as in a container with these hosts: only this process sees the `/etc/hosts`, and
/// a variable of Kubernetes marks the container. Returns `None` if the system does not allow it.
fn in_container(stage: &Stage, hosts: &str, target: &str) -> Option<DoctorOutput> {
    const ENTER: &str = "mount --bind \"$1\" /etc/hosts && mount --bind \"$2\" /etc/nsswitch.conf \
                         && shift 2 && exec \"$@\"";
    let file = |name: &str, text: &str| {
        let path = stage.home().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    // Name servers of this machine are not asked.
    let files = [file("hosts", hosts), file("nsswitch", "hosts: files\n")];
    let enter = |command: &mut Command| {
        command.args(["--mount", "--map-root-user", "sh", "-c", ENTER, "sh"]);
        command.args(&files);
    };
    let mut may_enter = Command::new("unshare");
    enter(&mut may_enter);
    let allowed = may_enter.arg("true").output();
    if !allowed.is_ok_and(|output| output.status.success()) {
        #[expect(clippy::print_stderr, reason = "whoever runs the tests should know")]
        {
            eprintln!("skipped: this system forbids `unshare --mount`");
        }
        return None;
    }
    let args = ["doctor", "--json", "--name", "crm", "--forward-to", target];
    let doctor = command(stage, &args);
    let mut inside = Command::new("unshare");
    enter(&mut inside);
    inside.arg(doctor.get_program()).args(doctor.get_args());
    inside.env_clear().envs(
        doctor
            .get_envs()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    inside.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    inside.env("KUBERNETES_SERVICE_HOST", "192.0.2.1");
    Some(DoctorOutput::of_command(inside))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_outside_of_the_container_is_found_by_the_name_of_its_machine() {
    let stage = Stage::new();
    let gone = GoneService::new();
    let (target, port) = (gone.address().to_string(), gone.address().port());
    // The same port on another loopback address represents the machine outside.
    let outside = SocketAddr::from(([127, 0, 0, 77], port));
    let listener = TcpListener::bind(outside).await.unwrap();
    let mut open = JoinSet::new();
    open.spawn(async move {
        let mut kept = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            kept.push(stream);
        }
    });
    for (hosts, name, words) in [
        ("", "host.docker.internal", "--add-host"),
        (
            "127.0.0.77 host.docker.internal",
            "host.docker.internal",
            "runs outside of this container",
        ),
        (
            "127.0.0.78 host.docker.internal",
            "host.docker.internal",
            "listen on 0.0.0.0",
        ),
        (
            "127.0.0.77 host.containers.internal",
            "host.containers.internal",
            "runs outside of this container",
        ),
    ] {
        let hosts = format!("127.0.0.1 localhost\n{hosts}\n");
        let Some(said) = in_container(&stage, &hosts, &target) else {
            return;
        };
        said.breaks_at("service", "connection refused", &[]);
        let fix = said.fix("service");
        let there = format!("--forward-to http://{name}:{port}");
        assert!(
            fix.contains(words) && fix.contains(&there),
            "{hosts}: {fix}"
        );
    }
}
