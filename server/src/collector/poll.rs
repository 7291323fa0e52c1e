//! One poll of one node, and what changed since the one before.

use std::{
    collections::HashMap,
    mem,
    sync::Arc,
    time::{Duration, Instant},
};

use app::model::{
    change::diff,
    col::Col,
    fleet::{Level, Node, Pulse},
    row::{Kind, Row},
    settle::settle,
};

use super::{
    ingest::{self, Proxy},
    memory::Memory,
};
use crate::{
    haproxy::{self, Client, Error, Info, ServersState},
    hub::{ProxyUpdate, Replies, unix_ms},
    metrics::Metrics,
};

/// `show servers state` may take one part in this many of HAProxy's time; a large one is read less often than the tick.
const STATE_SHARE: u32 = 50;

/// Polls one node, and remembers what it needs for the next poll.
pub(super) struct Poller {
    /// The node as it was told last.
    pub(super) node: Node,
    pub(super) client: Client,
    metrics: Arc<Metrics>,
    /// The process that was asked for its level: one that can't tell is not asked at every poll.
    asked: Option<u64>,
    states: Option<ServersState>,
    states_due: Instant,
    proxies: HashMap<String, Known>,
}

/// One proxy as of the last poll.
struct Known {
    rows: Arc<Vec<Row>>,
    memories: Vec<Memory>,
}

/// What a poll found.
pub(super) struct Found {
    pub(super) node: Node,
    pub(super) replies: Arc<Replies>,
    pub(super) proxies: Vec<ProxyUpdate>,
}

impl Poller {
    pub(super) fn new(node: Node, client: Client, metrics: Arc<Metrics>) -> Self {
        Self { node, client, metrics, asked: None, states: None, states_due: Instant::now(), proxies: HashMap::new() }
    }

    /// The row of a server, as of the last poll.
    pub(super) fn server(&self, backend: &str, server: &str) -> Option<&Row> {
        let known = self.proxies.get(backend)?;
        known.rows.iter().find(|r| r.kind == Kind::Server && r.name == server)
    }

    /// Has the next poll read `show servers state`, whatever it costs.
    pub(super) fn want_states(&mut self) {
        self.states_due = Instant::now();
    }

    /// Reads everything and finds out what changed.
    pub(super) async fn poll(&mut self) -> Result<Found, Error> {
        let label = Metrics::node(&self.node.name);
        let began = Instant::now();
        match self.read().await {
            Ok((info, stat)) => {
                self.metrics.polls.get_or_create(&label).inc();
                self.metrics.poll_seconds.get_or_create(&label).observe(began.elapsed().as_secs_f64());
                let worked = Instant::now();
                let found = self.digest(info, stat);
                let rows = self.proxies.values().map(|p| p.rows.len()).sum::<usize>();
                self.metrics.rows.get_or_create(&label).set(i64::try_from(rows).unwrap_or(i64::MAX));
                self.metrics.worked(worked.elapsed());
                Ok(found)
            }
            Err(error) => {
                self.metrics.poll_errors.get_or_create(&label).inc();
                // Who comes back may be another process by the same number, as in a container.
                self.asked = None;
                Err(error)
            }
        }
    }

    async fn read(&mut self) -> Result<(Info, haproxy::StatTable), Error> {
        let (info, stat) = tokio::try_join!(self.client.info(), self.client.stat())?;
        let pid = info.number("Pid").unwrap_or(0);
        if self.asked != Some(pid) {
            self.states_due = Instant::now();
            self.node.level = match self.client.level().await {
                Ok(haproxy::Level::Admin) => Level::Admin,
                Ok(haproxy::Level::Operator) => Level::Operator,
                Ok(haproxy::Level::User) => Level::User,
                // HAProxy 1.8 can't tell.
                Err(Error::UnknownCommand { .. }) => Level::Unknown,
                Err(error) => return Err(error),
            };
            self.asked = Some(pid);
        }
        if self.states_due <= Instant::now() {
            let began = Instant::now();
            self.states = Some(self.client.servers_state().await?);
            let cost: Duration = began.elapsed() * STATE_SHARE;
            self.states_due = began + cost;
        }
        Ok((info, stat))
    }

    fn digest(&mut self, info: Info, stat: haproxy::StatTable) -> Found {
        let now = unix_ms();
        let read = ingest::read(&stat, self.states.as_ref(), now / 1_000);
        let requests = read.iter().flat_map(|p| &p.rows).map(requests).fold(0, u64::saturating_add);
        let proxies = self.compare(read, now);
        let mut node = self.node.clone();
        let number = |name| info.number(name).unwrap_or(0);
        node.version = info.get("Version").unwrap_or_default().to_owned();
        node.pid = number("Pid");
        node.maxconn = number("Maxconn");
        let started = (now / 1_000).saturating_sub(number("Uptime_sec"));
        // The age is in whole seconds: the instant it counts from moves by one from poll to poll.
        if started.abs_diff(node.started) > 1 {
            node.started = started;
        }
        node.pulse = Pulse { polled: now, conns: number("CurrConns"), idle: number("Idle_pct"), requests };
        Found { node, replies: Arc::new(Replies { info, stat, polled: now }), proxies }
    }

    fn compare(&mut self, read: Vec<Proxy>, now: u64) -> Vec<ProxyUpdate> {
        let mut before = mem::take(&mut self.proxies);
        let mut out = Vec::new();
        for Proxy { name, mut rows } in read {
            let mut old = before.remove(&name).unwrap_or_else(|| Known { rows: Arc::default(), memories: Vec::new() });
            let aligned = old.rows.len() == rows.len() && old.rows.iter().zip(&rows).all(|(a, b)| a.same_object(b));
            let mut memories = Vec::with_capacity(rows.len());
            for (at, row) in rows.iter_mut().enumerate() {
                let at = if aligned { Some(at) } else { old.rows.iter().position(|r| r.same_object(row)) };
                let known = at.map(|at| &old.rows[at]);
                let mut memory = at.and_then(|at| old.memories.get_mut(at)).map(mem::take).unwrap_or_default();
                memory.complete(known, row, now);
                if let Some(known) = known {
                    settle(known, row);
                }
                memories.push(memory);
            }
            let change = diff(&old.rows, &rows);
            let rows = if change.is_some() { Arc::new(rows) } else { old.rows };
            if let Some(change) = change {
                out.push(ProxyUpdate { proxy: name.clone(), news: Some((rows.clone(), change)) });
            }
            self.proxies.insert(name, Known { rows, memories });
        }
        out.extend(before.into_keys().map(|proxy| ProxyUpdate { proxy, news: None }));
        out
    }
}

/// Requests a second that a frontend takes; sessions where it does not count requests.
fn requests(row: &Row) -> u64 {
    match row.kind {
        Kind::Frontend => row.get(Col::ReqRate).max(row.get(Col::Rate)),
        _ => 0,
    }
}
