//! One poll of one node, and what changed since the poll before.

use std::{collections::HashMap, mem, sync::Arc, time::Instant};

use haproxy::{self, Client, Error, Info, ServersState};
use model::{
    change::{Change, diff},
    event::Event,
    fleet::{Level, Node, NodeStats},
    jitter::suppress_jitter,
    lost::Lost,
    row::{Row, RowKind},
};

use super::{
    ingest::{self, ProxyRows},
    overrides::Overrides,
    rates::CounterHistory,
    reload::{self, Process, Rows},
    state_events::{self, LastReported},
};
use crate::{
    clock::unix_ms,
    hub::{ProxyUpdate, Replies, requests_of},
    metrics::Metrics,
};

/// `show servers state` may take one part in this many of HAProxy's time: where it is large it is not read at every poll.
const STATE_SHARE: u32 = 50;

/// Polls one node, and remembers what it needs for the next poll.
pub(super) struct Poller {
    /// The node as the hub knows it.
    pub(super) node: Node,
    pub(super) client: Client,
    pub(super) metrics: Arc<Metrics>,
    /// What operators set, and what of it was lost.
    pub(super) overrides: Overrides,
    /// The process that answered last; nothing before the first answer.
    process: Option<Process>,
    /// The pid that was asked for its level: a process that can't tell is not asked again at every poll.
    level_of: Option<u64>,
    states: Option<ServersState>,
    states_due: Instant,
    /// The proxies of the last poll: what HAProxy does not list any more is not remembered.
    proxies: HashMap<String, KnownProxy>,
}

/// One proxy as of the last poll.
#[derive(Default)]
struct KnownProxy {
    rows: Arc<Vec<Row>>,
    /// Per row.
    histories: Vec<CounterHistory>,
    /// Per row what was last reported of its state.
    reported: Vec<Option<LastReported>>,
}

/// What a poll found.
pub(super) struct PollResult {
    pub(super) node: Node,
    pub(super) replies: Arc<Replies>,
    pub(super) proxies: Vec<ProxyUpdate>,
    pub(super) events: Vec<Event>,
    /// What reloads lost, where that changed.
    pub(super) lost: Option<Vec<Lost>>,
}

impl Poller {
    pub(super) fn new(node: Node, client: Client, metrics: Arc<Metrics>) -> Self {
        Self {
            node,
            client,
            metrics,
            overrides: Overrides::default(),
            process: None,
            level_of: None,
            states: None,
            states_due: Instant::now(),
            proxies: HashMap::new(),
        }
    }

    /// The row of a server, as of the last poll.
    pub(super) fn server(&self, backend: &str, server: &str) -> Option<&Row> {
        find(&self.proxies, backend, server)
    }

    /// Has the next poll read `show servers state`, whatever it costs.
    pub(super) fn want_states(&mut self) {
        self.states_due = Instant::now();
    }

    /// Reads everything and finds out what changed.
    pub(super) async fn poll(&mut self) -> Result<PollResult, Error> {
        let label = Metrics::node(&self.node.name);
        let began = Instant::now();
        match self.read().await {
            Ok((info, stat)) => {
                self.metrics.polls.get_or_create(&label).inc();
                self.metrics.poll_seconds.get_or_create(&label).observe(began.elapsed().as_secs_f64());
                let worked = Instant::now();
                let result = self.compare_replies(info, stat, unix_ms());
                let rows = self.proxies.values().map(|p| p.rows.len()).sum::<usize>();
                self.metrics.rows.get_or_create(&label).set(i64::try_from(rows).unwrap_or(i64::MAX));
                self.metrics.worked(worked.elapsed());
                Ok(result)
            }
            Err(error) => {
                self.metrics.poll_errors.get_or_create(&label).inc();
                // What answers next may be another process with the same pid, as in a container.
                self.level_of = None;
                Err(error)
            }
        }
    }

    /// Reads `show info` last. When it names another process than the poll before, what was read before it may be the old
    /// process's: then it is read again, so that no poll mixes two processes.
    async fn read(&mut self) -> Result<(Info, haproxy::StatTable), Error> {
        let mut stat = self.client.stat().await?;
        let mut states = self.states_if_due().await?;
        let info = self.client.info().await?;
        let is_other = self.process.is_none_or(|old| old.is_followed_by(&Process::of(&info)));
        let pid = info.number("Pid").unwrap_or(0);
        if is_other || self.level_of != Some(pid) {
            self.node.level = match self.client.level().await {
                Ok(haproxy::Level::Admin) => Level::Admin,
                Ok(haproxy::Level::Operator) => Level::Operator,
                Ok(haproxy::Level::User) => Level::User,
                // HAProxy 1.8 can't tell.
                Err(Error::UnknownCommand { .. }) => Level::Unknown,
                Err(error) => return Err(error),
            };
            self.level_of = Some(pid);
        }
        if is_other && self.process.is_some() {
            self.want_states();
            stat = self.client.stat().await?;
            states = self.states_if_due().await?;
        }
        self.states = states.or(self.states.take());
        Ok((info, stat))
    }

    async fn states_if_due(&mut self) -> Result<Option<ServersState>, Error> {
        if self.states_due > Instant::now() {
            return Ok(None);
        }
        let began = Instant::now();
        let states = self.client.servers_state().await?;
        self.states_due = began + began.elapsed() * STATE_SHARE;
        Ok(Some(states))
    }

    /// What a poll that was answered at `now` (Unix milliseconds) found.
    fn compare_replies(&mut self, info: Info, stat: haproxy::StatTable, now: u64) -> PollResult {
        let process = Process::of(&info);
        let former = self.process.filter(|old| old.is_followed_by(&process));
        let is_same = former.is_none() && self.process.is_none_or(|old| old.pid == process.pid);
        let before: Rows = if is_same { Rows::new() } else { self.forget_counters() };
        let read = ingest::read(&stat, self.states.as_ref(), now / 1_000);
        let requests = read.iter().flat_map(|p| &p.rows).map(requests_of).fold(0, u64::saturating_add);
        let mut events = Vec::new();
        let proxies = self.compare_rows(read, now, process.uptime, &mut events);
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
        node.stats = NodeStats { polled: now, conns: number("CurrConns"), idle: number("Idle_pct"), requests };
        if let Some(former) = former {
            let after = self.proxies.iter().map(|(name, known)| (name.clone(), known.rows.clone())).collect();
            let reload = reload::compare(&before, &after);
            self.overrides.reloaded(&node, &reload, now);
            // First, since it explains the events after it.
            events.insert(0, reload::event(&node, &former, &process, &reload, now));
        }
        // A worker that leaves is not the one to compare the next answer with.
        if !process.is_leaving || self.process.is_none() {
            self.process = Some(process);
        }
        if proxies.iter().any(|p| !matches!(p.rows, Some((_, Change::Patch(_))))) {
            self.overrides.forget_removed_servers(|proxy, server| find(&self.proxies, proxy, server));
        }
        self.overrides.review(|proxy, server| find(&self.proxies, proxy, server), now);
        let lost = self.overrides.take_lost();
        PollResult { node, replies: Arc::new(Replies { info, stat, polled: now }), proxies, events, lost }
    }

    /// Forgets the counters of the process that left: those of the next process may already be greater, and the difference
    /// would pass for a rate. Gives the rows of the process that left.
    fn forget_counters(&mut self) -> Rows {
        let rows = self.proxies.iter_mut().map(|(name, known)| {
            known.histories.fill_with(CounterHistory::default);
            (name.clone(), known.rows.clone())
        });
        rows.collect()
    }

    /// Takes the new rows in, and gives the proxies whose rows changed. `uptime` is the age of their process, in seconds.
    fn compare_rows(
        &mut self,
        read: Vec<ProxyRows>,
        now: u64,
        uptime: u64,
        events: &mut Vec<Event>,
    ) -> Vec<ProxyUpdate> {
        let mut before = mem::take(&mut self.proxies);
        let mut out = Vec::new();
        for ProxyRows { name, mut rows } in read {
            let mut old = before.remove(&name).unwrap_or_default();
            let aligned = old.rows.len() == rows.len() && old.rows.iter().zip(&rows).all(|(a, b)| a.same_object(b));
            let mut histories = Vec::with_capacity(rows.len());
            let mut all_reported = Vec::with_capacity(rows.len());
            let is_settling: Vec<bool> = rows.iter().map(|row| state_events::is_settling(row, &rows, uptime)).collect();
            for (place, row) in rows.iter_mut().enumerate() {
                let at = if aligned { Some(place) } else { old.rows.iter().position(|r| r.same_object(row)) };
                let known = at.map(|at| &old.rows[at]);
                let mut history = at.and_then(|at| old.histories.get_mut(at)).map(mem::take).unwrap_or_default();
                history.complete(known, row, now);
                if let Some(known) = known {
                    suppress_jitter(known, row);
                }
                histories.push(history);
                let mut reported = at.and_then(|at| old.reported.get_mut(at)).and_then(mem::take);
                let event = if is_settling[place] { None } else { state_events::state_event(&mut reported, row, now) };
                events.extend(event.map(|event| Event {
                    node: self.node.name.clone(),
                    cluster: self.node.cluster.clone(),
                    proxy: name.clone(),
                    ..event
                }));
                all_reported.push(reported);
            }
            let change = diff(&old.rows, &rows);
            let rows = if change.is_some() { Arc::new(rows) } else { old.rows };
            if let Some(change) = change {
                out.push(ProxyUpdate { proxy: name.clone(), rows: Some((rows.clone(), change)) });
            }
            self.proxies.insert(name, KnownProxy { rows, histories, reported: all_reported });
        }
        out.extend(before.into_keys().map(|proxy| ProxyUpdate { proxy, rows: None }));
        out
    }
}

/// A server's row.
fn find<'a>(proxies: &'a HashMap<String, KnownProxy>, backend: &str, server: &str) -> Option<&'a Row> {
    proxies.get(backend)?.rows.iter().find(|r| r.kind == RowKind::Server && r.name == server)
}

#[cfg(test)]
mod tests;
