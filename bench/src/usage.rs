//! Reads what a process has used from `/proc`. Linux only, where the measurements are made.

use std::time::Duration;

use anyhow::Context as _;

/// Ticks of the accounting clock per second. The same on every Linux on which we measure.
const TICKS: u64 = 100;

/// Returns the CPU time of a process: all threads, user and system.
///
/// # Errors
/// If there is no such process.
pub fn cpu(pid: u32) -> anyhow::Result<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The second field is a name, which may contain spaces and brackets.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    let mut times = fields.split_whitespace().skip(11).take(2);
    let mut time = || times.next()?.parse::<u64>().ok();
    let ticks = time().zip(time()).map(|(user, system)| user + system);
    let ticks = ticks.context("/proc/PID/stat is not as expected")?;
    Ok(Duration::from_millis(ticks * 1_000 / TICKS))
}

/// Returns the maximum resident memory of a process, in MiB.
///
/// # Errors
/// If there is no such process.
pub fn peak_rss_mib(pid: u32) -> anyhow::Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = peak.and_then(|peak| peak.trim().strip_suffix(" kB")?.parse::<u32>().ok());
    Ok(f64::from(kib.context("/proc/PID/status is not as expected")?) / 1024.0)
}
