//! Events of changed states, each reported once. Plain functions over rows.

use model::{
    cause::cause,
    col::Text,
    event::{Event, EventKind},
    fleet::{Link, Node},
    format::span,
    row::{Row, RowKind},
    status::RowState,
};

/// After this the state of a new process's servers counts even where no check has looked at them, in seconds.
const SETTLING_S: u64 = 30;

/// What was last reported of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LastReported {
    state: RowState,
    status: String,
    /// Since when, Unix milliseconds.
    since: u64,
}

/// Whether a row's state does not count yet, since the process is `age_s` seconds old and no check has looked at the server.
/// `rows` are all rows of the proxy. What an operator set counts at once.
pub(super) fn is_settling(row: &Row, rows: &[Row], age_s: u64) -> bool {
    let is_unchecked = |r: &Row| r.kind == RowKind::Server && r.text(Text::CheckStatus) == "INI";
    let is_set = matches!(row.state(), RowState::Drain | RowState::Maint);
    let follows_unchecked =
        || !row.text(Text::Tracked).is_empty() && uncounted(row.text(Text::Status)) != row.text(Text::Status);
    age_s < SETTLING_S
        && !is_set
        && match row.kind {
            RowKind::Server => is_unchecked(row) || follows_unchecked(),
            RowKind::Backend => rows.iter().any(is_unchecked),
            RowKind::Frontend | RowKind::Listener => false,
        }
}

/// The event of a row at `now` (Unix milliseconds), compared with what was last reported of it. The first sight of a row is
/// no event, and neither is another count of checks in the same state.
pub(super) fn state_event(reported: &mut Option<LastReported>, row: &Row, now: u64) -> Option<Event> {
    if row.kind == RowKind::Listener {
        return None;
    }
    let (state, status) = (row.state(), row.text(Text::Status));
    if reported.as_ref().is_some_and(|t| t.state == state && uncounted(&t.status) == uncounted(status)) {
        return None;
    }
    let old = reported.replace(LastReported { state, status: status.to_owned(), since: now })?;
    let cause = match cause(row) {
        // A row that is well again says for how long it was not.
        cause if cause.is_empty() && old.state.is_problem() => {
            format!("{} for {}", old.status, span(now.saturating_sub(old.since) / 1_000))
        }
        cause => cause,
    };
    Some(Event {
        at: now,
        server: row.name.clone(),
        kind: EventKind::State,
        before: old.status,
        after: status.to_owned(),
        cause,
        ..Event::default()
    })
}

/// A status without its count of checks: `UP 1/3` is `UP`.
fn uncounted(status: &str) -> &str {
    match status.rsplit_once(' ') {
        Some((word, count)) if count.contains('/') && count.bytes().all(|b| b.is_ascii_digit() || b == b'/') => word,
        _ => status,
    }
}

/// The event of a node's link. The first answer of all is no event.
pub(super) fn link_event(old: &Node, new: &Node, now: u64) -> Option<Event> {
    if old.link == new.link || old.stats.polled == 0 && new.link == Link::Live {
        return None;
    }
    let cause = match new.link {
        Link::Live => format!("silent for {}", span(now.saturating_sub(old.stats.polled) / 1_000)),
        Link::Stale | Link::Down => new.error.clone(),
    };
    let (before, after) = (old.link.word().to_owned(), new.link.word().to_owned());
    Some(Event { before, after, cause, ..Event::of(new, EventKind::Link, now) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(status: &str, check: &str) -> Row {
        let mut row = Row::new(RowKind::Server, "s1");
        row.set_text(Text::Status, status);
        row.set_text(Text::CheckStatus, check);
        row
    }

    #[test]
    fn a_change_of_state_is_told_once_and_a_count_of_checks_is_not() {
        let mut reported = None;
        let mut seen = Vec::new();
        for (at, status) in ["UP", "UP", "UP 2/3", "UP 1/3", "DOWN", "DOWN (agent)", "DOWN 1/2", "UP", "MAINT", "odd"]
            .into_iter()
            .enumerate()
        {
            let event = state_event(&mut reported, &server(status, "L7OK"), at as u64 * 60_000);
            seen.extend(event.map(|e| format!("{}>{}", e.before, e.after)));
        }
        let changes = [
            "UP>UP 2/3",
            "UP 2/3>DOWN",
            "DOWN>DOWN (agent)",
            "DOWN (agent)>DOWN 1/2",
            "DOWN 1/2>UP",
            "UP>MAINT",
            "MAINT>odd",
        ];
        assert_eq!(seen, changes);
    }

    #[test]
    fn what_is_well_again_says_how_long_it_was_not() {
        let mut reported = None;
        assert_eq!(state_event(&mut reported, &server("DOWN", "L4CON"), 0), None);
        let back = state_event(&mut reported, &server("UP", "L4OK"), 720_000).expect("an event");
        assert_eq!((back.cause.as_str(), back.server.as_str()), ("DOWN for 12 min", "s1"));
        let mut listener = server("OPEN", "");
        listener.kind = RowKind::Listener;
        assert_eq!(state_event(&mut reported, &listener, 0), None);
    }

    #[test]
    fn what_no_check_looked_at_settles_for_a_while_only() {
        let rows = [
            server("UP 1/3", "INI"),
            server("UP", "L4OK"),
            server("DRAIN", "INI"),
            Row::new(RowKind::Backend, "BACKEND"),
        ];
        let settling = |age| rows.iter().map(|r| is_settling(r, &rows, age)).collect::<Vec<_>>();
        assert_eq!(settling(0), [true, false, false, true], "only what a check or a server without one decides");
        assert_eq!(settling(SETTLING_S), [false; 4]);
        let mut follower = server("UP 1/3", "");
        follower.set_text(Text::Tracked, "web/s1");
        assert!(is_settling(&follower, &rows, 0));
    }

    #[test]
    fn a_link_tells_why_it_is_gone_and_how_long_it_was() {
        let unheard = Node { name: "lb1".into(), ..Node::default() };
        let mut live = Node { link: Link::Live, ..unheard.clone() };
        live.stats.polled = 1_000;
        let stale = Node { link: Link::Stale, error: "no answer".into(), ..live.clone() };
        assert_eq!(link_event(&unheard, &live, 1_000), None);
        assert_eq!(link_event(&live, &live, 2_000), None);
        let gone = link_event(&live, &stale, 2_000).expect("an event");
        assert_eq!((gone.before.as_str(), gone.after.as_str(), gone.cause.as_str()), ("live", "stale", "no answer"));
        let back = link_event(&stale, &live, 62_000).expect("an event");
        assert_eq!((back.after.as_str(), back.cause.as_str()), ("live", "silent for 1 min"));
    }
}
