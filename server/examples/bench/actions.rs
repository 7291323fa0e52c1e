//! From Apply to the verified outcome, and until a viewer has seen the servers change.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use model::{
    action::Action,
    col::Text,
    frame::{Frame, Handle},
    outcome::{ActionRequest, ActionResponse, Outcome, Target},
    topic::{Sections, TopicId},
};
use tokio::time::{sleep, timeout};

use crate::{
    http,
    report::{Report, figure, say},
    viewer::{Viewer, topics},
};

// What the demo calls them.
const CLUSTER: &str = "edge";
const NODE: &str = "lb1";
const BACKEND: &str = "webservers";
/// Three servers that are well all the time.
const SERVERS: [&str; 3] = ["web1", "web2", "web4"];

/// How often an action is applied: drain and ready in turn.
const ROUNDS: usize = 20;

/// Between two rounds, so that they meet the poll's tick at different moments, in milliseconds.
const PAUSE_MS: std::ops::Range<u64> = 200..700;

/// The longest wait for a change to arrive.
const DEADLINE: Duration = Duration::from_secs(10);

const BOUND: f64 = 300.0; // ms

/// Measures, and reports.
pub(crate) async fn measure(address: SocketAddr, report: &mut Report) -> anyhow::Result<()> {
    // Once every topic is there, both nodes have answered.
    topics(address).await?;
    let mut eye = Eye::open(address).await?;
    timeout(DEADLINE, eye.see("UP")).await.context("the demo's servers are not UP")??;
    say("drain and ready on three servers of the demo");
    let (mut answers, mut sights, mut not_done) = (Vec::new(), Vec::new(), 0);
    for round in 0..ROUNDS {
        let (action, shown) = if round % 2 == 0 { (Action::Drain, "DRAIN") } else { (Action::Ready, "UP") };
        let began = Instant::now();
        let (answer, seen) = tokio::join!(apply(address, action), timeout(DEADLINE, eye.see(shown)));
        let (answered, response) = answer?;
        seen.with_context(|| format!("the viewer saw no {shown}"))??;
        // Whichever came first: the clock of each was read when it did.
        answers.push(millis(answered.duration_since(began)));
        sights.push(millis(eye.seen.duration_since(began)));
        not_done += response.outcomes.iter().filter(|o| o.outcome != Outcome::Done).count();
        sleep(Duration::from_millis(fastrand::u64(PAUSE_MS))).await;
    }
    let (median, most) = spread(&mut answers);
    report.figure("from Apply to the verified outcome, 3 servers, HTTP, most of 20", most, BOUND, "ms");
    report.shown("  median", format!("{} ms", figure(median)));
    let (median, most) = spread(&mut sights);
    report.figure("from Apply to the change at a viewer, most of 20 (painting comes on top)", most, BOUND, "ms");
    report.shown("  median", format!("{} ms", figure(median)));
    report.shown("  targets that were not `done`", format!("{not_done} of {}", ROUNDS * SERVERS.len()));
    report.repeat(
        "Apply: `curl -so /dev/null -w '%{time_total}\\n' --json '{\"action\":\"drain\",\"targets\":[{\"node\":\"lb1\",\
         \"backend\":\"webservers\",\"server\":\"web1\"}]}' localhost:8080/api/v1/actions` under `make demo`",
    );
    Ok(())
}

/// Acts on all of [`SERVERS`] as a program does; the instant is that of the whole answer.
async fn apply(address: SocketAddr, action: Action) -> anyhow::Result<(Instant, ActionResponse)> {
    let targets = SERVERS.map(|server| Target::new(NODE, BACKEND, server).into()).to_vec();
    let request = serde_json::to_string(&ActionRequest { action, targets, reason: None })?;
    let answer = http::post(address, "/api/v1/actions", &request).await?;
    let answered = Instant::now();
    Ok((answered, serde_json::from_slice(&answer.body)?))
}

/// A viewer that keeps the rows of one proxy, as the page does.
struct Eye {
    viewer: Viewer,
    handle: Handle,
    sections: Sections,
    /// When the frame came that showed what was looked for last.
    seen: Instant,
}

impl Eye {
    async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let mut viewer = Viewer::connect(address, &[TopicId::proxy(CLUSTER, BACKEND)]).await?;
        loop {
            if let Frame::Proxy(handle, _, _, sections) = viewer.frame().await? {
                return Ok(Self { viewer, handle, sections, seen: Instant::now() });
            }
        }
    }

    /// Reads frames until all of [`SERVERS`] have the status.
    async fn see(&mut self, status: &str) -> anyhow::Result<()> {
        while !self.shows(status) {
            match self.viewer.frame().await? {
                Frame::Proxy(handle, _, _, sections) if handle == self.handle => self.sections = sections,
                Frame::ProxyDelta(handle, _, deltas) if handle == self.handle => {
                    deltas.into_iter().try_for_each(|delta| self.sections.apply(delta))?;
                }
                Frame::Hello { .. } => bail!("the stream began anew"),
                _ => {}
            }
        }
        self.seen = Instant::now();
        Ok(())
    }

    fn shows(&self, status: &str) -> bool {
        let Some(section) = self.sections.section(NODE) else { return false };
        let shows = |name| section.rows.iter().any(|row| row.name == name && row.text(Text::Status) == status);
        SERVERS.into_iter().all(shows)
    }
}

/// Median and most.
fn spread(values: &mut [f64]) -> (f64, f64) {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let median = (values[(values.len() - 1) / 2] + values[middle]) / 2.0;
    (median, values.last().copied().unwrap_or_default())
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}
