//! One row of a section.

use leptos::prelude::*;

use super::{View, columns::Figure};
use crate::{
    components::{spark::Sparkline, status::Status},
    live::{Live, RowStore},
    model::{
        cause::cause,
        col::{Col, Text},
        format::{exact, span},
        row::{Kind, Row},
        status::State,
    },
};

/// The row.
#[component]
pub(super) fn RowView(row: RowStore, stale: Memo<bool>, has_servers: bool) -> impl IntoView {
    let view = View::expect();
    let RowStore { target, row, spark, shown } = row;
    let kind = row.with_untracked(|r| r.kind);
    let is_server = kind == Kind::Server;
    let selected = {
        let target = target.clone();
        Memo::new(move |_| is_server && view.selection.has(&target))
    };
    let now = Live::expect().clock;
    let row_signal = Signal::from(row.clone());
    let figure = move |f: fn(&Row) -> Option<Figure>| {
        let figure = Memo::new(move |_| row_signal.with(f).unwrap_or_default());
        view! { <span class:zero=move || figure.with(|f| f.is_zero) title=move || figure.with(|f| f.exact.clone())>{move || figure.with(|f| f.short.clone())}</span> }
    };
    let extras = {
        let now = now.clone();
        move || {
            let now = now.clone();
            view.columns
                .get()
                .columns()
                .map(move |column| {
                    let now = now.clone();
                    let figure = Memo::new(move |_| row_signal.with(|r| column.figure(r, now.seconds())));
                    view! { <td class="c-extra"><span class:zero=move || figure.with(|f| f.is_zero) title=move || figure.with(|f| f.exact.clone())>{move || figure.with(|f| f.short.clone())}</span></td> }
                })
                .collect_view()
        }
    };
    let check = Memo::new(move |_| row_signal.with(check_cell));
    view! {
        <tr
            class:sel=move || selected.get()
            class:sum=kind == Kind::Backend
            class:hidden=move || !shown.get()
            data-row=target.to_string()
        >
            <td class="c-sel">{is_server.then(|| view! { <Checkbox target=target.clone() selected /> })}</td>
            <th class="c-name" scope="row"><Name target=target.clone() kind has_servers /></th>
            <td class="c-status">
                <Status row=row_signal stale />
                <Since row=row_signal />
            </td>
            <td class="c-now" data-label="sessions">
                {figure(|r| r.num(Col::Scur).map(Figure::count))}
                <Use row=row_signal />
            </td>
            <td class="c-max dim">{figure(|r| r.num(Col::Smax).map(Figure::count))}</td>
            <td class="c-queue" data-label="queue">{figure(|r| r.num(Col::Qcur).map(Figure::count))}</td>
            <td class="c-rate" data-label="req/s">{figure(|r| rate(r).map(Figure::count))}</td>
            <td class="c-bytes" data-label="in / s">{figure(|r| r.num(Col::BinRate).map(Figure::rate))}</td>
            <td class="c-bytes" data-label="out / s">{figure(|r| r.num(Col::BoutRate).map(Figure::rate))}</td>
            <td class="c-err" data-label="errors / min">{figure(|r| r.num(Col::ErrorsMinute).map(Figure::count))}</td>
            <td class="c-retr">{figure(|r| r.num(Col::RetriesMinute).map(Figure::count))}</td>
            <td class="c-check" title=move || check.with(|c| c.title.clone())>
                <span class:cause=move || check.with(|c| c.is_bad)>{move || check.with(|c| c.text.clone())}</span>
                <span class="dim">{move || check.with(|c| c.duration.clone())}</span>
            </td>
            <td class="c-weight">{figure(|r| r.num(Col::Weight).map(Figure::count))}</td>
            <td class="c-spark"><Sparkline spark label="Sessions" /></td>
            {extras}
        </tr>
    }
}

#[component]
fn Checkbox(target: crate::model::outcome::Target, selected: Memo<bool>) -> impl IntoView {
    let view = View::expect();
    let value = target.to_string();
    let label = format!("Select {} of {} on {}", target.server, target.backend, target.node);
    view! {
        <label class="hit">
            <input
                type="checkbox"
                name="s"
                value=value
                aria-label=label
                prop:checked=move || selected.get()
                on:change=move |ev| view.selection.set(target.clone(), event_target_checked(&ev))
            />
        </label>
    }
}

/// The name, which opens the row's details.
#[component]
fn Name(target: crate::model::outcome::Target, kind: Kind, has_servers: bool) -> impl IntoView {
    let view = View::expect();
    let name = match kind {
        Kind::Server => target.server.clone(),
        Kind::Backend => "Backend".to_owned(),
        Kind::Frontend if has_servers => "Frontend".to_owned(),
        Kind::Frontend => target.backend.clone(),
        Kind::Listener => format!("{} · {}", target.backend, target.server),
    };
    let title = format!("{name}: show every figure");
    view! {
        <button type="button" class="name" title=title on:click=move |_| view.details.open(target.clone())>
            {name}
        </button>
    }
}

/// How long the state has been what it is.
#[component]
fn Since(row: Signal<Row>) -> impl IntoView {
    let clock = Live::expect().clock;
    let text =
        Memo::new(move |_| row.with(|r| r.num(Col::Lastchg)).map(|at| span(clock.since(at))).unwrap_or_default());
    view! { <span class="since">{move || text.get()}</span> }
}

/// How much of its limit a row uses.
#[component]
fn Use(row: Signal<Row>) -> impl IntoView {
    let share =
        Memo::new(move |_| row.with(|r| limit(r).map(|limit| (r.get(Col::Scur).saturating_mul(100) / limit).min(100))));
    let title = move || row.with(|r| limit(r).map(|limit| format!("{} of {}", exact(r.get(Col::Scur)), exact(limit))));
    view! {
        <svg class="use" class:invisible=move || share.get().is_none() viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
            <title>{title}</title>
            <rect class="use-all" width="100" height="8" rx="4" />
            <rect class="use-now" class:use-high=move || share.get().is_some_and(|s| s >= 80) width=move || share.get().unwrap_or(0) height="8" rx="4" />
        </svg>
    }
}

/// What a row's sessions may grow to.
fn limit(row: &Row) -> Option<u64> {
    row.num(Col::Slim).filter(|n| *n > 0)
}

/// Requests a second; sessions where HAProxy counts no requests.
fn rate(row: &Row) -> Option<u64> {
    row.num(Col::ReqRate).max(row.num(Col::Rate))
}

/// What stands in the column of the last check.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct CheckCell {
    text: String,
    duration: String,
    title: String,
    is_bad: bool,
}

fn check_cell(row: &Row) -> CheckCell {
    if row.kind != Kind::Server {
        return CheckCell::default();
    }
    let state = row.state();
    let cause = cause(row);
    let is_bad = matches!(state, State::Down | State::Failing | State::Recovering);
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
