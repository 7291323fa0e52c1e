//! States that operators set and a reload lost. Plain functions over rows; the collector adds who had set them.

use serde::{Deserialize, Serialize};

use crate::{
    action::Action,
    col::{Col, Text},
    row::{Row, RowKind, admin, check, op},
};

/// One state that a reload lost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lost {
    /// The node's name.
    pub node: String,
    /// Its cluster.
    pub cluster: String,
    /// HAProxy's `pxname`.
    pub proxy: String,
    /// HAProxy's `svname`.
    pub server: String,
    /// The action that sets it again.
    pub action: Action,
    /// Since when it had been set, Unix milliseconds; 0 where that is not known.
    pub since: u64,
    /// Who had set it, as far as is known.
    pub by: String,
    /// The operation that had set it; empty where it was set outside Sluice.
    pub operation: String,
    /// When the reload was seen, Unix milliseconds.
    pub at: u64,
}

/// The states that only an operator, or a server's agent, can have set: as the actions that set them.
///
/// What the configuration makes of a server is none of them: `disabled` is both bits of MAINT at once. A force of
/// health counts where no check undoes it.
#[must_use]
pub fn set_states(row: &Row) -> Vec<Action> {
    let Some(bits) = row.num(Col::AdminState) else { return Vec::new() };
    if row.kind != RowKind::Server {
        return Vec::new();
    }
    let (maint, drain) = (bits & admin::FORCED_MAINT != 0, bits & admin::FORCED_DRAIN != 0);
    let configured = bits & admin::CONFIGURED_MAINT != 0;
    let mut out = Vec::new();
    match (maint, drain) {
        (true, _) if !configured => out.push(Action::Maint),
        (true, false) => {}
        (_, true) => out.push(Action::Drain),
        (false, false) if configured => out.push(Action::Ready),
        _ => {}
    }
    for (col, action) in [(Col::CheckState, Action::Dhlth), (Col::AgentState, Action::Dagent)] {
        let state = row.get(col);
        if state & check::CONFIGURED != 0 && state & check::ENABLED == 0 {
            out.push(action);
        }
    }
    if is_unwatched(row) && bits & (admin::MAINT | admin::DRAIN) == 0 {
        match row.num(Col::OpState) {
            Some(op::STOPPING) => out.push(Action::Hnolb),
            Some(op::STOPPED) => out.push(Action::Hdown),
            _ => {}
        }
    }
    out
}

/// Whether the row shows what `action` sets, or can't show it any more: then nothing is lost.
#[must_use]
pub fn holds(action: Action, row: &Row) -> bool {
    let Some(bits) = row.num(Col::AdminState) else { return true };
    let is_off = |col| row.get(col) & check::ENABLED == 0;
    match action {
        Action::Maint => bits & admin::FORCED_MAINT != 0,
        Action::Drain => bits & admin::FORCED_DRAIN != 0,
        Action::Ready => bits & (admin::FORCED_MAINT | admin::FORCED_DRAIN) == 0,
        Action::Dhlth => is_off(Col::CheckState),
        Action::Dagent => is_off(Col::AgentState),
        Action::Hnolb => !is_unwatched(row) || row.num(Col::OpState) == Some(op::STOPPING),
        Action::Hdown => !is_unwatched(row) || row.num(Col::OpState) == Some(op::STOPPED),
        _ => true,
    }
}

/// Whether no check, agent or tracked server moves its health.
fn is_unwatched(row: &Row) -> bool {
    row.text(Text::Tracked).is_empty()
        && [Col::CheckState, Col::AgentState].iter().all(|col| row.get(*col) & check::CONFIGURED == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server with these administrative bits, operational state, and states of check and agent.
    fn server(bits: u64, op_state: u64, check_state: u64, agent_state: u64) -> Row {
        let mut row = Row::new(RowKind::Server, "s1");
        row.set(Col::AdminState, Some(bits));
        row.set(Col::OpState, Some(op_state));
        row.set(Col::CheckState, Some(check_state));
        row.set(Col::AgentState, Some(agent_state));
        row
    }

    #[test]
    fn what_an_operator_set_is_told_from_what_the_configuration_says() {
        for (row, set) in [
            (server(0, 2, 6, 0), vec![]),
            (server(1, 0, 14, 0), vec![Action::Maint]),
            (server(8, 2, 6, 0), vec![Action::Drain]),
            (server(9, 0, 6, 0), vec![Action::Maint]),
            (server(5, 0, 0, 0), vec![]),
            (server(4, 2, 0, 0), vec![Action::Ready]),
            (server(12, 2, 0, 0), vec![Action::Drain]),
            (server(13, 0, 0, 0), vec![Action::Drain]),
            (server(2, 0, 6, 0), vec![]),
            (server(0x20, 0, 6, 0), vec![]),
            (server(0, 2, 2, 18), vec![Action::Dhlth, Action::Dagent]),
            (server(0, 3, 0, 0), vec![Action::Hnolb]),
            (server(0, 0, 0, 0), vec![Action::Hdown]),
            (server(0, 3, 6, 0), vec![]),
            (server(0, 0, 6, 0), vec![]),
            (server(8, 3, 0, 0), vec![Action::Drain]),
            (Row::new(RowKind::Server, "s1"), vec![]),
        ] {
            assert_eq!(set_states(&row), set, "{row:?}");
            assert!(set.iter().all(|action| holds(*action, &row)), "{row:?}");
        }
    }

    #[test]
    fn what_a_fresh_process_has_holds_nothing_that_was_set() {
        let checked = server(0, 2, 6, 22);
        for action in [Action::Maint, Action::Drain, Action::Dhlth, Action::Dagent] {
            assert!(!holds(action, &checked), "{action}");
        }
        assert!(!holds(Action::Hnolb, &server(0, 2, 0, 0)));
        assert!(!holds(Action::Ready, &server(5, 0, 0, 0)));
        // `disabled` was taken out of the configuration: it is ready without anybody.
        assert!(holds(Action::Ready, &server(0, 2, 0, 0)));
    }
}
