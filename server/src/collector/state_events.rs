//! Changes of a row's state, told once each. Plain functions over rows.

use model::{
    cause::cause,
    col::Text,
    event::{Event, EventKind},
    fleet::{Link, Node},
    format::span,
    row::{Kind, Row},
    status::State,
};

/// How long a new process may have servers that no check has looked at before their state counts, in seconds.
const SETTLING_S: u64 = 30;

/// What was told of a row last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LastReported {
    state: State,
    status: String,
    /// Since when, Unix milliseconds.
    since: u64,
}

/// Whether a row of a proxy that was started `age_s` ago is still to be checked: what it says counts only then. `rows`
/// are all rows of the proxy. What an operator set counts at once.
pub(super) fn is_settling(row: &Row, rows: &[Row], age_s: u64) -> bool {
    let is_unchecked = |r: &Row| r.kind == Kind::Server && r.text(Text::CheckStatus) == "INI";
    let is_set = matches!(row.state(), State::Drain | State::Maint);
    let follows_unchecked =
        || !row.text(Text::Tracked).is_empty() && uncounted(row.text(Text::Status)) != row.text(Text::Status);
    age_s < SETTLING_S
        && !is_set
        && match row.kind {
            Kind::Server => is_unchecked(row) || follows_unchecked(),
            Kind::Backend => rows.iter().any(is_unchecked),
            Kind::Frontend | Kind::Listener => false,
        }
}

/// What is to be told of a row at `now` (Unix milliseconds), compared with what was told last. The first sight of a row
/// is no news, and neither is another count of checks in the same state.
pub(super) fn state_news(told: &mut Option<LastReported>, row: &Row, now: u64) -> Option<Event> {
    if row.kind == Kind::Listener {
        return None;
    }
    let (state, status) = (row.state(), row.text(Text::Status));
    if told.as_ref().is_some_and(|t| t.state == state && uncounted(&t.status) == uncounted(status)) {
        return None;
    }
    let old = told.replace(LastReported { state, status: status.to_owned(), since: now })?;
    let cause = match cause(row) {
        // What is well again says how long it was not.
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

/// What is to be told of a node's link. The first answer of all is no news.
pub(super) fn link_news(old: &Node, new: &Node, now: u64) -> Option<Event> {
    if old.link == new.link || old.pulse.polled == 0 && new.link == Link::Live {
        return None;
    }
    let cause = match new.link {
        Link::Live => format!("silent for {}", span(now.saturating_sub(old.pulse.polled) / 1_000)),
        Link::Stale | Link::Down => new.error.clone(),
    };
    let (before, after) = (old.link.word().to_owned(), new.link.word().to_owned());
    Some(Event { before, after, cause, ..Event::of(new, EventKind::Link, now) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(status: &str, check: &str) -> Row {
        let mut row = Row::new(Kind::Server, "s1");
        row.set_text(Text::Status, status);
        row.set_text(Text::CheckStatus, check);
        row
    }

    #[test]
    fn a_change_of_state_is_told_once_and_a_count_of_checks_is_not() {
        let mut told = None;
        let mut seen = Vec::new();
        for (at, status) in ["UP", "UP", "UP 2/3", "UP 1/3", "DOWN", "DOWN (agent)", "DOWN 1/2", "UP", "MAINT", "odd"]
            .into_iter()
            .enumerate()
        {
            let event = state_news(&mut told, &server(status, "L7OK"), at as u64 * 60_000);
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
        let mut told = None;
        assert_eq!(state_news(&mut told, &server("DOWN", "L4CON"), 0), None);
        let back = state_news(&mut told, &server("UP", "L4OK"), 720_000).expect("news");
        assert_eq!((back.cause.as_str(), back.server.as_str()), ("DOWN for 12 min", "s1"));
        let mut listener = server("OPEN", "");
        listener.kind = Kind::Listener;
        assert_eq!(state_news(&mut told, &listener, 0), None);
    }

    #[test]
    fn what_no_check_looked_at_settles_for_a_while_only() {
        let rows =
            [server("UP 1/3", "INI"), server("UP", "L4OK"), server("DRAIN", "INI"), Row::new(Kind::Backend, "BACKEND")];
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
        live.pulse.polled = 1_000;
        let stale = Node { link: Link::Stale, error: "no answer".into(), ..live.clone() };
        assert_eq!(link_news(&unheard, &live, 1_000), None);
        assert_eq!(link_news(&live, &live, 2_000), None);
        let gone = link_news(&live, &stale, 2_000).expect("news");
        assert_eq!((gone.before.as_str(), gone.after.as_str(), gone.cause.as_str()), ("live", "stale", "no answer"));
        let back = link_news(&stale, &live, 62_000).expect("news");
        assert_eq!((back.after.as_str(), back.cause.as_str()), ("live", "silent for 1 min"));
    }
}
