//! 1,000 servers, idle and busy, seen by one viewer and by a hundred: bytes, CPU, memory.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::{
    fixture::{ALL_SERVERS, Fixture},
    process,
    report::{Report, figure, say},
    sluice::Sluice,
    traffic::Traffic,
    viewer::Crowd,
};

/// How long one measurement takes, in [`PARTS`]: two samples of the sparklines, which come every 10 s.
const WINDOW: Duration = Duration::from_secs(20);

/// A window's parts tell how much a figure varies by itself.
const PARTS: u32 = 4;

/// Until checks have run twice, or connections are open, and the first answers have been streamed.
const SETTLE: Duration = Duration::from_secs(5);

/// Viewers in the large crowd.
const MANY: usize = 100;

const IDLE_BOUND: f64 = 1.0; // kB per viewer and second
const BUSY_BOUND: f64 = 30.0; // kB per viewer and second
const MEMORY_BOUND: f64 = 80.0; // MB

/// Bytes a WebSocket adds to a frame of 126 bytes to 64 kB, without counting TCP's.
const FRAME_HEAD: f64 = 4.0;

/// Measures, and reports.
pub(crate) async fn measure(fixture: &Fixture, sluice: &Sluice, report: &mut Report) -> anyhow::Result<()> {
    say("idle servers, one viewer");
    let mut one = Crowd::gather(sluice.address, 1).await?;
    sleep(SETTLE).await;
    let idle = Window::watch(fixture, sluice, &mut one).await?;
    report.figure(
        "bytes per viewer and second, 1,000 idle servers, checks every 2 s",
        idle.kilobytes(),
        IDLE_BOUND,
        "kB",
    );

    report.shown("  frames", format!("{} per second", figure(idle.frames)));

    say("idle servers, a hundred viewers");
    let mut many = Crowd::gather(sluice.address, MANY).await?;
    sleep(SETTLE).await;
    let idle_many = Window::watch(fixture, sluice, &mut many).await?;
    drop(many);

    say("busy servers, one viewer");
    let traffic = Traffic::start(fixture.frontend);
    sleep(SETTLE).await;
    let (before, hits) = (traffic.counts(), sluice.requests().await?);
    let mut busy = Window::watch(fixture, sluice, &mut one).await?;
    let (answered, failed) = traffic.counts();
    report.figure("bytes per viewer and second, 1,000 busy servers", busy.kilobytes(), BUSY_BOUND, "kB");
    report.shown(
        "  frames, and kB with their WebSocket heads",
        format!("{:.0}/s, {} kB/s", busy.frames, figure(busy.kilobytes() + busy.frames * FRAME_HEAD / 1_000.0)),
    );
    let each = |(server, count): (&String, &f64)| (count - hits.get(server).unwrap_or(&0.0)) / busy.seconds;
    let after = sluice.requests().await?;
    let rates: Vec<f64> = after.iter().map(each).collect();
    let (least, most) = range(&rates);
    report.shown(
        "  requests per server and second, least and most of 1,000",
        format!("{}..{}; {} answered, {} failed", figure(least), figure(most), answered - before.0, failed - before.1),
    );

    say("busy servers, a hundred viewers");
    drop(one);
    let mut many = Crowd::gather(sluice.address, MANY).await?;
    sleep(SETTLE).await;
    let busy_many = Window::watch(fixture, sluice, &mut many).await?;
    let memory = process::memory(sluice.pid()?, "VmRSS")? as f64 / 1e6;
    let peak = process::memory(sluice.pid()?, "VmHWM")? as f64 / 1e6;
    report.figure("Sluice's memory, 1,000 busy servers, 100 viewers (VmRSS)", memory, MEMORY_BOUND, "MB");
    report.shown("  the most that it was (VmHWM)", format!("{} MB", figure(peak)));

    say("busy servers, one viewer again: what drifts meanwhile is no viewer's doing");
    drop(many);
    let mut one = Crowd::gather(sluice.address, 1).await?;
    sleep(SETTLE).await;
    busy.haproxy.extend(Window::watch(fixture, sluice, &mut one).await?.haproxy);

    tell_cpu(report, &idle, &idle_many, "idle");
    tell_cpu(report, &busy, &busy_many, "busy");
    let behind = sluice.metric("sluice_viewers_behind_total").await?;
    report.shown("viewers that fell behind, in all of it", format!("{behind:.0}"));
    report.repeat(
        "bytes: `sluice serve --socket PATH`, one browser tab on /stats, and divide the growth of \
         `curl -s localhost:8080/metrics | grep frames_sent_bytes` by the seconds",
    );
    report.repeat(
        "CPU, ms: `cat /proc/$(pidof sluice)/task/*/schedstat | awk '{s+=$1} END {print s/1e6}'` before and after, for \
         HAProxy's worker in the same way; polls: `curl -s localhost:8080/metrics | grep polls_total`",
    );
    report.repeat("memory: `grep -E 'VmRSS|VmHWM' /proc/$(pidof sluice)/status`");
    Ok(())
}

fn tell_cpu(report: &mut Report, one: &Window, many: &Window, servers: &str) {
    report.shown(
        &format!("Sluice's whole CPU per poll, {ALL_SERVERS} {servers} servers, 1 viewer"),
        format!("{} ms", figure(one.sluice_per_poll)),
    );
    report.shown("  and with 100 viewers", format!("{} ms", figure(many.sluice_per_poll)));
    let (low, high) = one.haproxy_range();
    let (many_low, many_high) = many.haproxy_range();
    report.judged(
        &format!("HAProxy's CPU per second, {servers}, 1 viewer and 100 viewers"),
        format!(
            "{} ms ({}..{}) and {} ms ({}..{})",
            figure(one.haproxy()),
            figure(low),
            figure(high),
            figure(many.haproxy()),
            figure(many_low),
            figure(many_high)
        ),
        "ranges of 5 s meet",
        many_low <= high,
    );
    report.shown("  polls per second", format!("{} and {}", figure(one.polls), figure(many.polls)));
}

/// What happened in one window.
struct Window {
    seconds: f64,
    /// Per viewer and second.
    bytes: f64,
    /// Per viewer and second.
    frames: f64,
    /// Per second.
    polls: f64,
    /// Milliseconds of Sluice's process.
    sluice_per_poll: f64,
    /// Milliseconds of HAProxy's process per second, in each part.
    haproxy: Vec<f64>,
}

impl Window {
    async fn watch(fixture: &Fixture, sluice: &Sluice, crowd: &mut Crowd) -> anyhow::Result<Self> {
        // Asking costs Sluice something, so it comes before the first look at its CPU, and after the last.
        let polls = sluice.metric("sluice_polls_total").await?;
        let (haproxy_pid, sluice_pid) = (fixture.pid()?, sluice.pid()?);
        let (began, received, used) = (Instant::now(), crowd.received(), process::cpu(sluice_pid)?);
        let (mut haproxy, mut last) = (Vec::new(), (Instant::now(), process::cpu(haproxy_pid)?));
        for part in 1..=PARTS {
            tokio::time::sleep_until(began + WINDOW * part / PARTS).await;
            let now = (Instant::now(), process::cpu(haproxy_pid)?);
            haproxy.push(millis(now.1.saturating_sub(last.1)) / (now.0 - last.0).as_secs_f64());
            last = now;
        }
        let used = process::cpu(sluice_pid)?.saturating_sub(used);
        let (bytes, frames) = crowd.received();
        let seconds = began.elapsed().as_secs_f64();
        let polls = sluice.metric("sluice_polls_total").await? - polls;
        crowd.check()?;
        let each = |count: u64| count as f64 / seconds / crowd.size as f64;
        Ok(Self {
            seconds,
            bytes: each(bytes - received.0),
            frames: each(frames - received.1),
            polls: polls / seconds,
            sluice_per_poll: millis(used) / polls.max(1.0),
            haproxy,
        })
    }

    /// Per viewer and second.
    fn kilobytes(&self) -> f64 {
        self.bytes / 1_000.0
    }

    fn haproxy(&self) -> f64 {
        self.haproxy.iter().sum::<f64>() / self.haproxy.len() as f64
    }

    fn haproxy_range(&self) -> (f64, f64) {
        range(&self.haproxy)
    }
}

/// Least and most.
fn range(values: &[f64]) -> (f64, f64) {
    let fold = |of: fn(f64, f64) -> f64, start| values.iter().copied().fold(start, of);
    (fold(f64::min, f64::INFINITY), fold(f64::max, f64::NEG_INFINITY))
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}
