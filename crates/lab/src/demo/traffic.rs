//! Visitors: an open loop of requests at a rate that comes and goes, some long streams, and a few database clients.
//!
//! The rate does not follow the answers, as real visitors' doesn't: a slow server gets more sessions, not less load.

use std::{
    collections::VecDeque,
    f64::consts::TAU,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::Semaphore,
    time::{Instant, MissedTickBehavior, interval, sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{client::Visitor, database};
use crate::web::LARGEST_KB;

/// Requests a second and node: the middle, and how far it swings to both sides.
const RATE: f64 = 75.0;
const SWING: f64 = 15.0;
/// One swing. Long enough to look like a day's curve on a chart of ten minutes.
const PERIOD: Duration = Duration::from_secs(240);
const TICK: Duration = Duration::from_millis(50);
/// Requests under way per node. When servers answer so slowly that it is reached, further visitors stay away.
const MOST_UNDER_WAY: usize = 400;
/// Idle connections that are kept for the next request.
const MOST_IDLE: usize = 40;
/// Longer than the slowest answer (8 s) and HAProxy's `timeout queue` together.
const PATIENCE: Duration = Duration::from_secs(30);
/// Streams per node: two to three for each web server that is up.
const STREAMS: usize = 10;
const STREAM_SECONDS: std::ops::Range<u64> = 60..150;
/// Before a stream that has ended is replaced: long enough to see that Kill Sessions did something.
const STREAM_PAUSE_SECONDS: std::ops::Range<u64> = 8..15;
/// Database clients per node: db1 takes six at once, the others go to db2.
const DATABASE_CLIENTS: usize = 8;

/// What one node gets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Load {
    pub(super) node: &'static str,
    pub(super) www: SocketAddr,
    pub(super) db: SocketAddr,
    /// Where in the swing it begins, from 0 to 1, so that the nodes' curves differ.
    pub(super) phase: f64,
    pub(super) lasts: Duration,
}

/// Keeps one node busy until `shutdown`, or until the load's time is over.
pub(super) async fn run(load: Load, shutdown: CancellationToken) {
    let over = shutdown.child_token();
    let tasks = TaskTracker::new();
    for _ in 0..STREAMS {
        tasks.spawn(over.clone().run_until_cancelled_owned(streams(load.www)));
    }
    for _ in 0..DATABASE_CLIENTS {
        tasks.spawn(over.clone().run_until_cancelled_owned(queries(load.db)));
    }
    tasks.spawn(over.clone().run_until_cancelled_owned(visitors(load, tasks.clone(), over.clone())));
    tasks.close();
    if timeout(load.lasts, shutdown.cancelled()).await.is_err() {
        tracing::info!(
            node = load.node,
            "the demo's traffic ends after {:?}; --traffic-for makes it last longer",
            load.lasts
        );
    }
    over.cancel();
    tasks.wait().await;
}

/// The rate after `elapsed`, in requests a second.
fn rate(elapsed: Duration, phase: f64) -> f64 {
    RATE + SWING * (TAU * (elapsed.as_secs_f64() / PERIOD.as_secs_f64() + phase)).sin()
}

/// What a visitor asks for: the mix of a shop with pages, an API and pictures.
fn path() -> String {
    let size = |largest: f64| largest.powf(fastrand::f64());
    match fastrand::u32(0..1_000) {
        0..3 => "/checkout?ms=40&status=500".to_owned(),
        3..20 => format!("/gone/{}?ms=5&status=404", fastrand::u32(0..1_000)),
        20..130 => format!("/report?ms={}&kb={:.0}", fastrand::u32(1_000..8_000), size(60.0)),
        130..550 => format!("/shop?ms={}&kb={:.0}", fastrand::u32(5..40), size(120.0)),
        550..565 => format!("/api/export?ms={}&kb=20", fastrand::u32(1_000..3_000)),
        565..760 => format!("/api/items/{}?ms={}&kb={:.0}", fastrand::u32(0..500), fastrand::u32(5..40), size(8.0)),
        _ => format!("/static/img/{}.jpg?ms=5&kb={:.0}", fastrand::u32(0..200), size(LARGEST_KB as f64)),
    }
}

/// Connections that wait for their next request. The lock is held to push or pop, never across an await.
type Idle = Arc<Mutex<VecDeque<Visitor>>>;

async fn visitors(load: Load, tasks: TaskTracker, over: CancellationToken) {
    let idle = Idle::default();
    let under_way = Arc::new(Semaphore::new(MOST_UNDER_WAY));
    let started = Instant::now();
    let mut last = started;
    let mut due = 0.0;
    let mut ticks = interval(TICK);
    // After a pause of the machine the load goes on; it doesn't catch up.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        let now = ticks.tick().await;
        due += rate(now - started, load.phase) * (now - last).min(TICK * 4).as_secs_f64();
        last = now;
        while due >= 1.0 {
            due -= 1.0;
            let Ok(permit) = Arc::clone(&under_way).try_acquire_owned() else {
                continue;
            };
            let idle = Arc::clone(&idle);
            tasks.spawn(over.clone().run_until_cancelled_owned(async move {
                // Errors are part of the show: HAProxy counts them, and the dashboard tells.
                let _shown = timeout(PATIENCE, visit(load.www, &idle)).await;
                drop(permit);
            }));
        }
    }
}

/// One request, on a connection that waits or on a fresh one.
async fn visit(www: SocketAddr, idle: &Idle) -> io::Result<()> {
    let waiting = idle.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    let mut visitor = match waiting {
        Some(visitor) => visitor,
        None => Visitor::connect(www, fastrand::u8(0..10) < 6).await?,
    };
    // One in ten is a visitor's last, so that connections and cookies change hands.
    let answer = visitor.get(&path(), fastrand::u8(0..10) == 0).await?;
    if answer.keep {
        let mut idle = idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < MOST_IDLE {
            idle.push_back(visitor);
        }
    }
    Ok(())
}

/// One stream after the other.
async fn streams(www: SocketAddr) {
    loop {
        if let Ok(mut visitor) = Visitor::connect(www, false).await {
            // It ends by itself, with its server, or by Kill Sessions: the next one comes in any case.
            let _ended = visitor.get(&format!("/stream?seconds={}", fastrand::u64(STREAM_SECONDS)), true).await;
        }
        sleep(Duration::from_secs(fastrand::u64(STREAM_PAUSE_SECONDS))).await;
    }
}

/// One database connection after the other.
async fn queries(db: SocketAddr) {
    loop {
        // Its end, whoever caused it, only means that it is time for the next one.
        let _ended = query(db).await;
        sleep(Duration::from_millis(fastrand::u64(500..5_000))).await;
    }
}

async fn query(db: SocketAddr) -> io::Result<()> {
    let mut connection = TcpStream::connect(db).await?;
    let mut answer = [0; database::ANSWER];
    for _ in 0..fastrand::u8(5..30) {
        connection.write_all(b"select\n").await?;
        connection.read_exact(&mut answer).await?;
        sleep(Duration::from_millis(fastrand::u64(300..1_500))).await;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_stays_within_its_swing_and_differs_between_nodes() {
        for second in 0..600 {
            let (one, other) = (rate(Duration::from_secs(second), 0.0), rate(Duration::from_secs(second), 0.5));
            assert!((60.0..=90.0).contains(&one), "{one} at {second} s");
            assert!((one + other - 2.0 * RATE).abs() < 1e-6);
        }
    }

    #[test]
    fn every_kind_of_request_occurs() {
        let paths: Vec<_> = (0..20_000).map(|_| path()).collect();
        for kind in ["/shop", "/report", "/static/", "/api/items", "/api/export", "status=404", "status=500"] {
            assert!(paths.iter().any(|path| path.contains(kind)), "{kind}");
        }
    }
}
