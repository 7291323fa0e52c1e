//! Another process behind the same socket: how it is recognised, and which states went with the old one. Plain functions.

use std::{collections::HashMap, sync::Arc};

use haproxy::Info;
use model::{
    action::Action,
    col::Col,
    event::{Event, EventKind},
    fleet::Node,
    format::{plural, span},
    lost::{holds, set_states},
    row::{Row, RowKind},
};

/// What tells one process from the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Process {
    pub(super) pid: u64,
    /// `Uptime_sec`.
    pub(super) uptime: u64,
    /// `Start_time_sec`: HAProxy has it since 2.4.
    pub(super) start: Option<u64>,
    /// Whether it only finishes the connections that it has: another process took over.
    pub(super) is_leaving: bool,
}

impl Process {
    pub(super) fn of(info: &Info) -> Self {
        Self {
            pid: info.number("Pid").unwrap_or(0),
            uptime: info.number("Uptime_sec").unwrap_or(0),
            start: info.number("Start_time_sec"),
            is_leaving: info.number("Stopping").unwrap_or(0) != 0,
        }
    }

    /// Whether `new` is another process than `self`, which was seen before it. Pids come round, and in containers every
    /// process may have the same.
    ///
    /// A worker that leaves is none: it was there before the one that took over.
    pub(super) fn is_followed_by(&self, new: &Self) -> bool {
        let started_anew = matches!((self.start, new.start), (Some(old), Some(new)) if old != new);
        !new.is_leaving && (self.pid != new.pid || new.uptime < self.uptime || started_anew)
    }
}

/// Rows by proxy.
pub(super) type Rows = HashMap<String, Arc<Vec<Row>>>;

/// A state that went with the old process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LostState {
    pub(super) proxy: String,
    pub(super) server: String,
    pub(super) action: Action,
    /// `lastchg` of the server before, Unix seconds; 0 where HAProxy did not say.
    pub(super) since: u64,
    /// Whether an agent checks the server: it may have set the state itself.
    pub(super) has_agent: bool,
}

/// What a reload changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Reload {
    /// States that operators had set, and that are not set any more on servers that are still there.
    pub(super) lost: Vec<LostState>,
    /// How many of theirs are still set.
    pub(super) kept: usize,
    /// Servers that were not there before.
    pub(super) added: usize,
    /// Servers that are not there any more.
    pub(super) removed: usize,
}

/// Compares the rows of the process that left with those of the one that took over.
pub(super) fn compare(before: &Rows, after: &Rows) -> Reload {
    let mut out = Reload::default();
    let mut known = 0;
    let mut proxies: Vec<_> = before.iter().collect();
    proxies.sort_unstable_by_key(|(name, _)| *name);
    for (proxy, rows) in proxies {
        let now: HashMap<&str, &Row> = after.get(proxy).map(|rows| servers(rows).collect()).unwrap_or_default();
        for (name, old) in servers(rows) {
            let Some(new) = now.get(name) else {
                out.removed += 1;
                continue;
            };
            known += 1;
            for action in set_states(old) {
                if set_states(new).contains(&action) {
                    out.kept += 1;
                } else if !holds(action, new) {
                    out.lost.push(LostState {
                        proxy: proxy.clone(),
                        server: name.to_owned(),
                        action,
                        since: old.get(Col::Lastchg),
                        has_agent: old.get(Col::AgentState) != 0,
                    });
                }
            }
        }
    }
    out.added = after.values().map(|rows| servers(rows).count()).sum::<usize>().saturating_sub(known);
    out
}

fn servers(rows: &[Row]) -> impl Iterator<Item = (&str, &Row)> {
    rows.iter().filter(|r| r.kind == RowKind::Server).map(|r| (r.name.as_str(), r))
}

/// The event of a reload.
pub(super) fn event(node: &Node, old: &Process, new: &Process, reload: &Reload, now: u64) -> Event {
    let process = |p: &Process| format!("pid {}, up {}", p.pid, span(p.uptime));
    Event {
        before: process(old),
        after: process(new),
        cause: reload.summary(),
        ..Event::of(node, EventKind::Reload, now)
    }
}

impl Reload {
    /// What became of what operators had set, and of the servers, in a sentence.
    fn summary(&self) -> String {
        let states = |n: usize| plural(n, "state");
        let were = |n: usize| if n == 1 { "was" } else { "were" };
        let mut parts = Vec::new();
        match (self.lost.len(), self.kept) {
            (0, 0) => {}
            (0, kept) => parts.push(format!("{} set by operators {} kept", states(kept), were(kept))),
            (lost, 0) => parts.push(format!("{} set by operators {} lost", states(lost), were(lost))),
            (lost, kept) => {
                parts.push(format!(
                    "{} set by operators {} lost, {kept} {} kept",
                    states(lost),
                    were(lost),
                    were(kept)
                ));
            }
        }
        for (count, what) in [(self.added, "new"), (self.removed, "gone")] {
            if count > 0 {
                parts.push(format!("{} {what}", plural(count, "server")));
            }
        }
        parts.join("; ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(name: &str, bits: u64) -> Row {
        let mut row = Row::new(RowKind::Server, name);
        row.set(Col::AdminState, Some(bits));
        row.set(Col::OpState, Some(if bits & 1 == 0 { 2 } else { 0 }));
        row.set(Col::CheckState, Some(6));
        row.set(Col::AgentState, Some(0));
        row.set(Col::Lastchg, Some(77));
        row
    }

    fn rows(proxies: &[(&str, &[(&str, u64)])]) -> Rows {
        let of = |servers: &[(&str, u64)]| Arc::new(servers.iter().map(|(n, b)| server(n, *b)).collect());
        proxies.iter().map(|(proxy, servers)| ((*proxy).to_owned(), of(servers))).collect()
    }

    #[test]
    fn another_process_is_known_by_pid_uptime_or_start() {
        let old = Process { pid: 7, uptime: 100, start: Some(1_000), is_leaving: false };
        for (new, is_other) in [
            (Process { uptime: 101, ..old }, false),
            (Process { pid: 8, ..old }, true),
            (Process { uptime: 3, ..old }, true),
            (Process { start: Some(1_100), uptime: 100, ..old }, true),
            (Process { start: None, ..old }, false),
            (Process { pid: 8, is_leaving: true, ..old }, false),
        ] {
            assert_eq!(old.is_followed_by(&new), is_other, "{new:?}");
        }
    }

    #[test]
    fn what_is_lost_is_distinguished_from_what_is_kept_and_from_servers_that_went() {
        let before = rows(&[("web", &[("a", 8), ("b", 1), ("c", 1), ("d", 8), ("e", 0)]), ("old", &[("x", 1)])]);
        let after = rows(&[("web", &[("a", 0), ("b", 1), ("c", 0), ("e", 0), ("f", 0)]), ("new", &[("y", 0)])]);
        let got = compare(&before, &after);
        let lost: Vec<_> = got.lost.iter().map(|g| (g.server.as_str(), g.action, g.since)).collect();
        assert_eq!(lost, [("a", Action::Drain, 77), ("c", Action::Maint, 77)]);
        assert_eq!((got.kept, got.added, got.removed), (1, 2, 2));
        assert_eq!(got.summary(), "2 states set by operators were lost, 1 was kept; 2 servers new; 2 servers gone");
        assert_eq!(compare(&before, &before).summary(), "5 states set by operators were kept");
        assert_eq!(compare(&after, &after).summary(), "1 state set by operators was kept");
        assert_eq!(compare(&rows(&[]), &rows(&[])).summary(), "");
    }
}
