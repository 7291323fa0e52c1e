//! Why a row is as it is, in plain words: short for a table's cell, whole for its details.

mod check;
mod nodes;

use crate::{
    col::{Col, Text},
    row::{Row, RowKind, admin},
    status::RowState,
};

pub use nodes::{Disagreement, disagreement, sentence, set_by};

/// Why a row that is not well is not well, without a full stop; empty for one that is.
///
/// What a check or an agent said is repeated as it came: `collector::ingest` took its control characters out.
#[must_use]
pub fn cause(row: &Row) -> String {
    let status = row.text(Text::Status);
    match (row.kind, row.state()) {
        (RowKind::Backend, RowState::Down) if row.text(Text::Mode) == "http" => "its requests get 503".to_owned(),
        (RowKind::Backend, RowState::Down) => "its connections are closed".to_owned(),
        (RowKind::Frontend, RowState::Maint) if status == "STOP" => {
            "shut down: takes no connection before a reload".to_owned()
        }
        (RowKind::Frontend, RowState::Maint) => "disabled by an operator: takes no connection".to_owned(),
        (_, RowState::Full) if status == "WAITING" => "waits: its frontend or HAProxy is at its limit".to_owned(),
        (_, RowState::Full) => "as many connections as its limit allows".to_owned(),
        (RowKind::Server, RowState::Drain) => drain(row),
        (RowKind::Server, RowState::Maint) => maint(row),
        (RowKind::Server, RowState::Down | RowState::Failing | RowState::Recovering) => check::cause(row),
        _ => String::new(),
    }
}

fn drain(row: &Row) -> String {
    let mut text = match row.text(Text::Tracked) {
        tracked if !tracked.is_empty() && row.get(Col::AdminState) & admin::FORCED_DRAIN == 0 => {
            follows(tracked) + ", "
        }
        // `http-check disable-on-404`: the server itself asks to be left alone.
        _ if row.text(Text::Status).starts_with("NOLB") && row.text(Text::CheckStatus) == "L7OKC" => {
            "its check answers 404, ".to_owned()
        }
        _ => String::new(),
    };
    text += &match row.get(Col::Scur) {
        0 => "no session".to_owned(),
        1 => "1 session".to_owned(),
        n => n.to_string() + " sessions",
    };
    text + " left"
}

fn maint(row: &Row) -> String {
    let bits = row.get(Col::AdminState);
    // HAProxy's word tells one reason for MAINT of up to three, and hides that an operator set it as well.
    let hidden = if bits & admin::FORCED_MAINT != 0 { ", and set by an operator" } else { "" };
    let status = row.text(Text::Status);
    if status.ends_with("(resolution)") {
        "its name does not resolve".to_owned() + hidden
    } else if status.starts_with("MAINT (via ") {
        follows(row.text(Text::Tracked)) + hidden
    } else if bits & admin::CONFIGURED_MAINT != 0 {
        "disabled, by configuration or operator".to_owned()
    } else if row.text(Text::AgentStatus).is_empty() {
        "set by an operator".to_owned()
    } else {
        "set by an operator or its agent".to_owned()
    }
}

fn follows(tracked: &str) -> String {
    "follows ".to_owned() + tracked
}

#[cfg(test)]
mod tests;
