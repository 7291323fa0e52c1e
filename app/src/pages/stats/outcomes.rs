//! How an operation goes, and what became of every server.

use leptos::prelude::*;
use model::{
    format::plural,
    outcome::{ActionResponse, Outcome, TargetOutcome},
};

use super::{
    StatsContext,
    operation::{Phase, PlannedAction},
};
use crate::components::status::Shape;

/// The panel above the bar.
#[component]
pub(super) fn OperationPanel() -> impl IntoView {
    let context = StatsContext::expect();
    view! {
        <div class="panel-area" aria-live="polite">
            {move || match context.operation.phase() {
                Phase::Idle | Phase::Asking(_) => None,
                Phase::Nothing => Some(note("Check the servers first, then choose what to do with them.".to_owned()).into_any()),
                Phase::Running(plan) => Some(running(&plan).into_any()),
                Phase::Failed(_, problem) => Some(note(problem).into_any()),
                Phase::Finished(plan, response) => Some(finished(plan, response).into_any()),
            }}
        </div>
    }
}

fn close() -> impl IntoView {
    let context = StatsContext::expect();
    view! { <button type="button" class="btn" on:click=move |_| context.operation.dismiss()>"Close"</button> }
}

fn note(text: String) -> impl IntoView {
    view! {
        <div class="panel">
            <p class="flex items-center gap-3"><span class="grow">{text}</span>{close()}</p>
        </div>
    }
}

fn running(plan: &PlannedAction) -> impl IntoView + use<> {
    let verb = plan.action.verb(&plural(plan.targets.len(), "server"));
    view! {
        <div class="panel">
            <p class="font-semibold">{format!("{verb} …")}</p>
            <progress class="mt-2 w-full" aria-label="Running"></progress>
        </div>
    }
}

fn finished(plan: PlannedAction, response: ActionResponse) -> impl IntoView {
    let context = StatsContext::expect();
    let verb = plan.action.verb(&plural(response.outcomes.len(), "server"));
    let failed: std::collections::HashSet<_> =
        response.outcomes.iter().filter(|o| !o.outcome.is_good()).map(|o| o.target.clone()).collect();
    let retry = (!failed.is_empty()).then(|| {
        let label = format!("Retry {}", plural(failed.len(), "server"));
        view! { <button type="button" class="btn btn-primary" on:click=move |_| context.operation.begin(plan.action, failed.clone())>{label}</button> }.into_any()
    });
    view! {
        <div class="panel" data-testid="outcomes">
            <div class="flex flex-wrap items-center gap-3">
                <h2 class="grow font-semibold">{format!("{verb}: {}", summary(&response.outcomes))}</h2>
                {retry}
                {close()}
            </div>
            {warning(response.warning)}
            <OutcomeList outcomes=response.outcomes />
        </div>
    }
}

/// What else there is to know of an operation.
pub(crate) fn warning(text: String) -> impl IntoView + use<> {
    (!text.is_empty()).then(|| view! { <p class="notice" role="alert">{text}</p> }.into_any())
}

/// "2 done, 1 refused".
pub(crate) fn summary(outcomes: &[TargetOutcome]) -> String {
    let count = |outcome| outcomes.iter().filter(|o| o.outcome == outcome).count();
    let parts = Outcome::ALL.into_iter().map(|o| (count(o), o.word())).filter(|(n, _)| *n > 0);
    parts.map(|(n, word)| format!("{n} {word}")).collect::<Vec<_>>().join(", ")
}

/// A line per server.
#[component]
pub(crate) fn OutcomeList(outcomes: Vec<TargetOutcome>) -> impl IntoView {
    view! {
        <ul class="outcomes">
            {outcomes.into_iter().map(|o| {
                let (class, path) = look(o.outcome);
                let change = if o.before == o.after { o.after.clone() } else { format!("{} → {}", o.before, o.after) };
                view! {
                    <li>
                        <span class=class><Shape path />{o.outcome.word()}</span>
                        <span class="min-w-0"><b>{format!("{}/{}", o.target.backend, o.target.server)}</b>" on "{o.target.node}</span>
                        <span class="whitespace-nowrap text-ink-2">{change}</span>
                        <span class="min-w-0 text-ink-2">{o.message}</span>
                    </li>
                }
                .into_any()
            }).collect_view()}
        </ul>
    }
}

fn look(outcome: Outcome) -> (&'static str, &'static str) {
    use model::status::RowState;

    use crate::components::status::shape;
    match outcome {
        Outcome::Done => ("st st-up", shape(RowState::Up)),
        Outcome::Unchanged => ("st st-none", shape(RowState::NoCheck)),
        Outcome::Refused | Outcome::Unreachable => ("st st-down", shape(RowState::Down)),
        Outcome::Unverified => ("st st-going", shape(RowState::Unknown)),
    }
}
