//! Whether HAProxy's own state shows an action. Plain functions over two rows.

use crate::{
    action::Action,
    col::{Col, Text},
    format::plural,
    row::{Row, admin, check, op},
};

/// Why there is nothing to do; nothing where the command has to be sent.
#[must_use]
pub fn already(action: Action, row: &Row) -> Option<String> {
    let admin = row.num(Col::AdminState)?;
    let forced = admin & (admin::FORCED_MAINT | admin::FORCED_DRAIN);
    let enabled = |col| row.get(col) & check::ENABLED != 0;
    let configured = |col| row.get(col) & check::CONFIGURED != 0;
    match action {
        Action::Ready if admin & admin::INHERITED_MAINT != 0 && forced == 0 => {
            Some(format!("not set to MAINT itself: it follows {}", row.text(Text::Tracked)))
        }
        Action::Ready if admin & admin::RESOLUTION_MAINT != 0 && forced == 0 => {
            Some("not set to MAINT by anybody: its name does not resolve".to_owned())
        }
        Action::Ready => (forced == 0).then(String::new),
        Action::Drain => (forced == admin::FORCED_DRAIN).then(String::new),
        Action::Maint => (forced == admin::FORCED_MAINT).then(String::new),
        // HAProxy says nothing when it disables what is not there.
        Action::Dhlth if !configured(Col::CheckState) => Some("no health check is configured".to_owned()),
        Action::Dhlth => (!enabled(Col::CheckState)).then(String::new),
        Action::Ehlth => (configured(Col::CheckState) && enabled(Col::CheckState)).then(String::new),
        Action::Dagent if !configured(Col::AgentState) => Some("no agent is configured".to_owned()),
        Action::Dagent => (!enabled(Col::AgentState)).then(String::new),
        Action::Eagent => (configured(Col::AgentState) && enabled(Col::AgentState)).then(String::new),
        // A counter in the status (`UP 1/3`) says that the health is not at its end: forcing it changes that. The
        // agent has a health of its own, which the status does not tell.
        Action::Hrunn | Action::Hnolb | Action::Hdown => {
            let at_end = !row.text(Text::Status).contains('/') && row.text(Text::Tracked).is_empty();
            (at_end && admin & admin::MAINT == 0 && op_matches(action, row)).then(String::new)
        }
        Action::Arunn | Action::Adown => None,
        Action::Shutdown => (row.num(Col::Scur) == Some(0)).then(|| "there was no session".to_owned()),
    }
}

/// What the state after an action says of it; nothing where the state does not show the action.
#[must_use]
pub fn shows(action: Action, before: &Row, after: &Row) -> Option<String> {
    let admin = after.num(Col::AdminState)?;
    let bits = |col, on: bool| {
        let state = after.get(col);
        state & check::CONFIGURED != 0 && (state & check::ENABLED != 0) == on
    };
    match action {
        // `disabled` in the configuration leaves a bit of its own, which READY does not clear.
        Action::Ready => (admin & (admin::MAINT | admin::DRAIN) == 0).then(String::new),
        Action::Drain => (admin & admin::FORCED_DRAIN != 0).then(|| sessions_left(after)),
        Action::Maint => (admin & admin::FORCED_MAINT != 0).then(|| sessions_left(after)),
        Action::Dhlth => bits(Col::CheckState, false).then(String::new),
        Action::Ehlth => bits(Col::CheckState, true).then(String::new),
        Action::Dagent => bits(Col::AgentState, false).then(String::new),
        Action::Eagent => bits(Col::AgentState, true).then(String::new),
        Action::Hrunn | Action::Hnolb | Action::Hdown | Action::Arunn | Action::Adown => {
            // In MAINT HAProxy takes the command and stays in MAINT.
            (admin & admin::MAINT == 0 && op_matches(action, after)).then(String::new)
        }
        Action::Shutdown => killed(before, after),
    }
}

fn op_matches(action: Action, row: &Row) -> bool {
    let wanted: &[u64] = match action {
        Action::Hrunn | Action::Arunn => &[op::RUNNING, op::STARTING],
        Action::Hnolb => &[op::STOPPING],
        _ => &[op::STOPPED],
    };
    row.num(Col::OpState).is_some_and(|state| wanted.contains(&state))
}

fn sessions_left(row: &Row) -> String {
    match row.get(Col::Scur) {
        0 => String::new(),
        n => format!("{} left", plural(usize::try_from(n).unwrap_or(usize::MAX), "session")),
    }
}

/// The sessions of before are gone when no more are open than have begun since.
fn killed(before: &Row, after: &Row) -> Option<String> {
    let (was, is) = (before.get(Col::Scur), after.get(Col::Scur));
    let begun = after.get(Col::Stot).checked_sub(before.get(Col::Stot))?;
    let ended = plural(usize::try_from(was).unwrap_or(usize::MAX), "session");
    match is {
        0 => Some(format!("{ended} ended")),
        _ if is <= begun => Some(format!("{ended} ended, {is} begun since")),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
