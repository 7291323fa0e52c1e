//! The page `/audit`: the record for people, drawn here; no script, an ordinary form for the filter.

use app::pages::{
    audit as page,
    audit::{FilterForm, Line, TargetLine},
};
use axum::{
    Extension,
    extract::{Query, State, rejection::QueryRejection},
    http::{HeaderMap, StatusCode},
    response::Response,
};

use super::api::AuditQuery;
use crate::{
    audit::{Kind, StoredEntry, TargetNote},
    auth::Principal,
    web::{AppState, problem::Problem, render},
};
/// Entries of a page.
const ENTRIES: usize = 100;

/// Targets of an entry that a page names; the export has all.
const TARGETS: usize = 200;

/// The page.
pub(in crate::web) async fn audit(
    State(state): State<AppState>,
    Extension(principal): Extension<Principal>,
    headers: HeaderMap,
    query: Result<Query<AuditQuery>, QueryRejection>,
) -> Response {
    let answer = |status, asked: &FilterForm, found: &Result<(Vec<Line>, Option<String>), String>| {
        render::plain(&headers, state.who(&principal), status, "Audit", &|| page::audit(asked.clone(), found.clone()))
    };
    let query = match query {
        Ok(Query(query)) => query,
        Err(rejection) => return answer(rejection.status(), &FilterForm::default(), &Err(rejection.body_text())),
    };
    let asked = asked(&query);
    let found = match query.filter() {
        Ok(filter) => state.record.page(&filter, query.before, ENTRIES).await.map_err(Problem::from),
        Err(problem) => Err(problem),
    };
    match found {
        Ok(look) => {
            let older = look.next.map(|id| address("/audit", &asked, &[("before", &id.to_string())]));
            let lines = look.entries.iter().map(line).collect();
            answer(StatusCode::OK, &asked, &Ok((lines, older)))
        }
        Err(problem) => answer(problem.status(), &asked, &Err(problem.to_string())),
    }
}

fn asked(query: &AuditQuery) -> FilterForm {
    let fields = [
        ("from", &query.from),
        ("to", &query.to),
        ("who", &query.who),
        ("kind", &query.kind),
        ("action", &query.action),
        ("operation", &query.operation),
        ("target", &query.target),
        ("address", &query.address),
        ("outcome", &query.outcome),
    ];
    let fields = fields.into_iter().filter(|(_, value)| !value.is_empty());
    let mut out = FilterForm {
        fields: fields.map(|(name, value)| (name, value.clone())).collect(),
        kinds: Kind::ALL.map(Kind::word).to_vec(),
        is_older: query.before.is_some(),
        ..FilterForm::default()
    };
    out.csv = address("/api/v1/audit", &out, &[("format", "csv")]);
    out.jsonl = address("/api/v1/audit", &out, &[("format", "jsonl")]);
    out
}

/// An address with the filter that was asked for, and more.
fn address(path: &str, asked: &FilterForm, more: &[(&str, &str)]) -> String {
    let fields = asked.fields.iter().map(|(name, value)| (*name, value.as_str()));
    let pairs: Vec<String> = fields.chain(more.iter().copied()).map(|(n, v)| format!("{n}={}", encoded(v))).collect();
    format!("{path}?{}", pairs.join("&"))
}

/// A value as it stands in an address.
fn encoded(text: &str) -> String {
    let byte = |b: u8| match b {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(b).to_string(),
        b => format!("%{b:02X}"),
    };
    text.bytes().map(byte).collect()
}

fn line(entry: &StoredEntry) -> Line {
    let mut view = entry.view();
    let (all_targets, all_outcomes) = (view.targets.len(), view.outcomes.len());
    if view.kind == Kind::Configuration.word() {
        // The hashes of the configuration's parts are for the next start to compare with; its words say what changed.
        view.outcome.clear();
    }
    view.targets.truncate(TARGETS);
    view.outcomes.truncate(TARGETS);
    let outcome =
        |TargetNote { target, outcome, before, after, message }| TargetLine { target, outcome, before, after, message };
    Line {
        id: view.id,
        // To the second; the export has more.
        time: format!("{} {}", &view.time[..10], &view.time[11..19]),
        kind: view.kind,
        who: view.who,
        role: view.role,
        means: view.means,
        address: view.address,
        action: view.action,
        operation_link: format!("/audit?operation={}", encoded(&view.operation)),
        operation: view.operation,
        targets: view.targets,
        all_targets: all_targets.max(all_outcomes),
        reason: view.reason,
        outcome: view.outcome,
        outcomes: view.outcomes.into_iter().map(outcome).collect(),
        detail: view.detail,
        hash: view.hash,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_keeps_the_filter_whatever_is_in_it() {
        let query = AuditQuery { who: "a&b=c \"é\"<#".into(), target: "web/s+1".into(), ..AuditQuery::default() };
        let link = asked(&query).csv;
        assert_eq!(link, "/api/v1/audit?who=a%26b%3Dc%20%22%C3%A9%22%3C%23&target=web%2Fs%2B1&format=csv");
        let uri = link.parse().expect("an address");
        let Query(read) = Query::<AuditQuery>::try_from_uri(&uri).expect("a query");
        assert_eq!((read.who, read.target), (query.who, query.target));
    }
}
