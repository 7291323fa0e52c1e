//! Sluice's own work on a poll: reading the replies, parsing, comparing, encoding the frames. No HTTP, no WebSocket.
//!
//! `Metrics::work_nanos` is not told over HTTP, so the collector and the hub run in this process for it, on a thread of
//! their own, whose CPU time Linux counts.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, atomic::Ordering},
    thread,
    time::Duration,
};

use anyhow::{Context as _, ensure};
use haproxy::Address;
use model::topic::TopicId;
use server::{
    config::{Config, DEFAULT_POLL, NodeConfig},
    db::Database,
    hub::Encoding,
    metrics::Metrics,
    program,
    web::AppState,
};
use tokio::{sync::oneshot, time::sleep};
use tokio_util::sync::CancellationToken;

use crate::{
    fixture::Fixture,
    report::{Report, figure, say},
    sluice::NODE,
    traffic::Traffic,
};

/// How many polls are looked at.
const POLLS: usize = 10;

/// Until connections are open and the first answers have been streamed.
const SETTLE: Duration = Duration::from_secs(4);

const BOUND: f64 = 5.0; // ms

/// Measures, and reports.
pub(crate) async fn measure(fixture: &Fixture, report: &mut Report) -> anyhow::Result<()> {
    say("CPU of a poll without the HTTP side, busy servers");
    let _traffic = Traffic::start(fixture.frontend);
    let config = configuration(fixture);
    let (answer, polls) = oneshot::channel();
    // Not one of the runtime's own: those are waited for when somebody interrupts the benchmark.
    thread::Builder::new().spawn(move || answer.send(alone(&config)))?;
    let polls = polls.await??;
    let (least, median, most) = spread(polls.iter().map(|poll| poll.cpu).collect());
    report.figure("CPU of a poll, replies to frames, 1,000 busy servers (median of 10)", median, BOUND, "ms");
    report.shown("  least and most", format!("{}..{} ms", figure(least), figure(most)));
    let (least, median, most) = spread(polls.iter().map(|poll| poll.clock).collect());
    report.shown(
        "  by the clock, from parsed replies on (work_nanos): median",
        format!("{} ms ({}..{})", figure(median), figure(least), figure(most)),
    );
    report.repeat(
        "CPU of a poll: only here, because `Metrics::work_nanos` is not in /metrics; the whole process's CPU per poll, \
         above, is an upper bound for it",
    );
    Ok(())
}

/// Milliseconds for one poll.
struct Poll {
    cpu: f64,
    /// Waiting for a core counts, too.
    clock: f64,
}

/// Runs collector, hub and one viewer on this thread alone.
fn alone(config: &Config) -> anyhow::Result<Vec<Poll>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let shutdown = CancellationToken::new();
        let _ending = shutdown.clone().drop_guard();
        let state =
            program::start(config, Database::in_memory(server::schema::MIGRATIONS)?, &shutdown, shutdown.clone())?;
        let world = state.hub.wait_for(|world| !world.proxies.is_empty()).await.context("the hub has ended")?;
        let mut viewer = state.hub.join(Encoding::Postcard, &Arc::default()).await.context("the hub has ended")?;
        let topics = world.proxies.iter().map(|proxy| proxy.id()).chain([TopicId::Fleet]).collect();
        ensure!(viewer.subscribe(topics).await, "the hub has ended");
        tokio::spawn(async move { while viewer.next().await.is_some() {} });
        sleep(SETTLE).await;

        let mut polls = Vec::new();
        let mut last = Counted::now(&state)?;
        while polls.len() < POLLS {
            sleep(DEFAULT_POLL).await;
            let now = Counted::now(&state)?;
            polls.push(now.since(&last).with_context(|| format!("HAProxy was not polled for {DEFAULT_POLL:?}"))?);
            last = now;
        }
        Ok(polls)
    })
}

/// Totals so far, in nanoseconds.
struct Counted {
    polls: u64,
    cpu: u64,
    clock: u64,
}

impl Counted {
    fn now(state: &AppState) -> anyhow::Result<Self> {
        let schedstat = fs::read_to_string("/proc/thread-self/schedstat").context("the kernel counts no CPU time")?;
        Ok(Self {
            polls: state.metrics.polls.get_or_create(&Metrics::node(NODE)).get(),
            cpu: schedstat.split(' ').next().unwrap_or_default().parse()?,
            clock: state.metrics.work_nanos.load(Ordering::Relaxed),
        })
    }

    /// The mean of the polls since then; nothing where there was none.
    fn since(&self, last: &Self) -> Option<Poll> {
        let polls = self.polls - last.polls;
        let millis = |nanos: u64| nanos as f64 / polls as f64 / 1e6;
        (polls > 0).then(|| Poll { cpu: millis(self.cpu - last.cpu), clock: millis(self.clock - last.clock) })
    }
}

/// Least, median and most.
fn spread(mut values: Vec<f64>) -> (f64, f64, f64) {
    values.sort_by(f64::total_cmp);
    let median = (values[(values.len() - 1) / 2] + values[values.len() / 2]) / 2.0;
    (values[0], median, values[values.len() - 1])
}

fn configuration(fixture: &Fixture) -> Config {
    let node = NodeConfig {
        name: NODE.to_owned(),
        cluster: NODE.to_owned(),
        connector: Address::Unix(fixture.socket()).into(),
        poll: DEFAULT_POLL,
    };
    Config { listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), ..Config::of_nodes(vec![node]) }
}
