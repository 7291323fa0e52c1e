//! What stands in the cells of a row: plain functions.

use model::{
    cause::cause,
    col::{Col, Text},
    row::{Row, RowKind},
    status::RowState,
};

use super::on_nodes::Split;

/// What a row's sessions may grow to.
pub(super) fn limit(row: &Row) -> Option<u64> {
    row.num(Col::Slim).filter(|n| *n > 0)
}

/// Requests a second; sessions where HAProxy counts no requests.
pub(super) fn rate(row: &Row) -> Option<u64> {
    row.num(Col::ReqRate).max(row.num(Col::Rate))
}

/// What stands in the column of the last check.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct CheckCell {
    pub(super) text: String,
    pub(super) duration: String,
    pub(super) title: String,
    pub(super) is_bad: bool,
}

/// The cell of a row; `split` tells how the nodes of a cluster differ over it.
pub(super) fn check_cell(row: &Row, split: Option<&Split>) -> CheckCell {
    let is_server = row.kind == RowKind::Server;
    let cause = match split {
        Some(Split { disagreement, cause, .. }) if cause.is_empty() || !is_server => disagreement.text.clone(),
        Some(Split { disagreement, cause, .. }) => format!("{}: {cause}", disagreement.text),
        None if is_server => cause(row),
        None => return CheckCell::default(),
    };
    let state = row.state();
    let is_bad = matches!(state, RowState::Down | RowState::Failing | RowState::Recovering);
    if !cause.is_empty() {
        let title = [cause.as_str(), row.text(Text::LastChk)]
            .into_iter()
            .filter(|t| !t.is_empty())
            .collect::<Vec<_>>()
            .join(" · ");
        return CheckCell { text: cause, title, is_bad, ..CheckCell::default() };
    }
    let code = row.num(Col::CheckCode).filter(|c| *c > 0).map(|c| format!(" {c}")).unwrap_or_default();
    let tracked = row.text(Text::Tracked);
    let text = match row.text(Text::CheckStatus) {
        "" if !tracked.is_empty() => format!("follows {tracked}"),
        "" if !row.text(Text::AgentStatus).is_empty() => format!("agent {}", row.text(Text::AgentStatus)),
        "" => "not checked".to_owned(),
        status => format!("{status}{code}"),
    };
    let duration = row.num(Col::CheckDuration).map(|ms| format!(" {ms} ms")).unwrap_or_default();
    CheckCell { title: row.text(Text::LastChk).to_owned(), text, duration, is_bad }
}
