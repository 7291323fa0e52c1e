//! The page `/audit`: the audit log for people, drawn here; no script, an ordinary form for the filter.

use app::pages::{
    audit as page,
    audit::{EntryLine, FilterForm},
};
use axum::{
    Extension,
    extract::{Query, State, rejection::QueryRejection},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use model::audit::{Kind, StoredEntry};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};

use super::query::AuditQuery;
use crate::{
    audit::EntryView,
    auth::Principal,
    web::{AppState, problem::ProblemResponse, render},
};

/// What is encoded in a value: all but RFC 3986's unreserved characters.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Entries of a page.
const MAX_ENTRIES: usize = 100;

/// Targets of an entry that a page names; the export has all.
const MAX_TARGETS: usize = 200;

/// The page.
pub(in crate::web) async fn audit(
    State(state): State<AppState>,
    Extension(principal): Extension<Principal>,
    headers: HeaderMap,
    query: Result<Query<AuditQuery>, QueryRejection>,
) -> Response {
    let answer = |status, form: &FilterForm, found: &Result<(Vec<EntryLine>, Option<String>), String>| {
        render::plain(&headers, state.who(&principal), status, "Audit", &|| page::audit(form.clone(), found.clone()))
    };
    let query = match query {
        Ok(Query(query)) => query,
        Err(rejection) => return answer(rejection.status(), &FilterForm::default(), &Err(rejection.body_text())),
    };
    let form = form(&query);
    let found = match query.filter() {
        Ok(filter) => state.audit.page(&filter, query.before, MAX_ENTRIES).await.map_err(ProblemResponse::from),
        Err(problem) => Err(problem),
    };
    match found {
        Ok(page) => {
            let older = page.next.map(|id| address("/audit", &form, &[("before", &id.to_string())]));
            let lines = page.entries.into_iter().map(line).collect();
            answer(StatusCode::OK, &form, &Ok((lines, older)))
        }
        Err(problem) => answer(problem.status(), &form, &Err(problem.to_string())),
    }
}

/// The filter's form, with what was asked for.
fn form(query: &AuditQuery) -> FilterForm {
    let mut out = FilterForm { fields: query.filters(), is_older: query.before.is_some(), ..FilterForm::default() };
    out.csv = address("/api/v1/audit", &out, &[("format", "csv")]);
    out.jsonl = address("/api/v1/audit", &out, &[("format", "jsonl")]);
    out
}

/// An address with the filter that was asked for, and more.
fn address(path: &str, form: &FilterForm, more: &[(&str, &str)]) -> String {
    let fields = form.fields.iter().map(|(name, value)| (*name, value.as_str()));
    let pairs: Vec<String> = fields.chain(more.iter().copied()).map(|(n, v)| format!("{n}={}", encoded(v))).collect();
    format!("{path}?{}", pairs.join("&"))
}

/// A value as it stands in an address.
fn encoded(text: &str) -> PercentEncode<'_> {
    utf8_percent_encode(text, RESERVED)
}

/// An entry as the page shows it.
fn line(stored: StoredEntry) -> EntryLine {
    let EntryView { stored, time, mut targets, mut outcome, mut outcomes } = EntryView::from(stored);
    if stored.entry.kind == Kind::Configuration.word() {
        // The hashes of the configuration's parts are for the next start to compare with; its words say what changed.
        outcome.clear();
    }
    let target_count = targets.len().max(outcomes.len());
    targets.truncate(MAX_TARGETS);
    outcomes.truncate(MAX_TARGETS);
    EntryLine {
        // To the second; the export has more.
        time: format!("{} {}", &time[..10], &time[11..19]),
        operation_link: format!("/audit?operation={}", encoded(&stored.entry.operation)),
        targets,
        target_count,
        outcome,
        outcomes,
        stored,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_keeps_the_filter_whatever_is_in_it() {
        let (who, target) = ("a&b=c \"é\"<#", "web/s+1");
        let mut query = AuditQuery::default();
        assert!(query.texts.set("who", who) && query.texts.set("target", target));
        let link = form(&query).csv;
        assert_eq!(link, "/api/v1/audit?who=a%26b%3Dc%20%22%C3%A9%22%3C%23&target=web%2Fs%2B1&format=csv");
        let uri = link.parse().expect("an address");
        let Query(read) = Query::<AuditQuery>::try_from_uri(&uri).expect("a query");
        assert_eq!((read.texts.get("who"), read.texts.get("target")), (who, target));
    }
}
