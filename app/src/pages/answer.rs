//! The pages that answer the form when it is posted without the program: a question, or the outcomes.

use leptos::prelude::*;
use model::{
    action::Action,
    format::plural,
    impact::{Impact, names_to_type},
    outcome::{ActionResponse, Target},
};

use super::stats::{
    confirm::{effect, impact_line, warnings},
    outcomes::{OutcomeList, summary, warning},
};
use crate::components::brand::Brand;

/// Why somebody acts, as far as they have said.
#[derive(Clone, Debug, Default)]
pub struct Reason {
    /// In their words; may be empty.
    pub text: String,
    /// Whether nothing is done without.
    pub is_needed: bool,
}

impl Reason {
    /// Whether nothing can be done yet.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        self.is_needed && self.text.is_empty()
    }
}

/// Asks whether to go on, with what it would do. `missed` tells that a name was not typed as asked.
#[must_use]
pub fn question(action: Action, targets: &[Target], impacts: &[Impact], missed: bool, reason: &Reason) -> AnyView {
    let verb = action.verb(&plural(targets.len(), "server"));
    let sessions = impacts.iter().map(|i| i.sessions).sum();
    let names = names_to_type(impacts);
    page(
        format!("{verb}?"),
        view! {
            <p class="mt-1 mb-3.5 text-ink-2">{effect(action, sessions)}</p>
            <div class="impacts">{impacts.iter().map(impact_line).collect_view()}</div>
            {warnings(impacts).into_iter().map(|text| view! { <p class="mt-3 text-ink-2">{text}</p> }).collect_view()}
            {missed.then(|| view! { <p class="mt-3 text-down">"The name was not typed as it is written. Nothing was done."</p> })}
            <form method="post" action="/stats" class="mt-4">
                <input type="hidden" name="do" value=action.id() />
                <input type="hidden" name="confirmed" value="yes" />
                {targets.iter().map(|t| view! { <input type="hidden" name="s" value=t.to_string() /> }).collect_view()}
                {names.into_iter().map(|name| view! {
                    <label class="mt-3 block">
                        "Nothing in " <b>{name}</b> " would take traffic. Type its name to go on:"
                        <input class="field" name="typed" autocomplete="off" spellcheck="false" required />
                    </label>
                }).collect_view()}
                <label class="mt-3 block">
                    "Reason"
                    <input class="field" name="reason" maxlength="500" autocomplete="off" value=reason.text.clone() required=reason.is_needed />
                </label>
                <div class="mt-4 flex justify-end gap-2.5">
                    <a class="btn" href="/stats">"Cancel"</a>
                    <button type="submit" class="btn btn-danger">{verb.clone()}</button>
                </div>
            </form>
        }
        .into_any(),
    )
}

/// What became of every server; `reason` goes with another try.
#[must_use]
pub fn outcomes(action: Action, response: ActionResponse, reason: &str) -> AnyView {
    let verb = action.verb(&plural(response.outcomes.len(), "server"));
    let failed: Vec<Target> =
        response.outcomes.iter().filter(|o| !o.outcome.is_good()).map(|o| o.target.clone()).collect();
    let retry = (!failed.is_empty()).then(|| {
        view! {
            <form method="post" action="/stats">
                <input type="hidden" name="do" value=action.id() />
                {failed.iter().map(|t| view! { <input type="hidden" name="s" value=t.to_string() /> }).collect_view()}
                <input type="hidden" name="reason" value=reason.to_owned() />
                <button type="submit" class="btn">{format!("Retry {}", plural(failed.len(), "server"))}</button>
            </form>
        }
    });
    page(
        format!("{verb}: {}", summary(&response.outcomes)),
        view! {
            {warning(response.warning)}
            <OutcomeList outcomes=response.outcomes />
            <div class="mt-4 flex justify-end gap-2.5">{retry}<a class="btn btn-primary" href="/stats">"Back to the servers"</a></div>
        }
        .into_any(),
    )
}

/// Says what was wrong with what was posted.
#[must_use]
pub fn denied(text: String) -> AnyView {
    page(
        "Nothing was done".to_owned(),
        view! {
            <p class="mt-1 text-ink-2">{text}</p>
            <div class="mt-4 flex justify-end"><a class="btn btn-primary" href="/stats">"Back to the servers"</a></div>
        }
        .into_any(),
    )
}

/// Says that there is no page at an address.
#[must_use]
pub fn missing() -> AnyView {
    page(
        "There is no such page".to_owned(),
        view! {
            <p class="mt-1 text-ink-2">"The address may be mistyped."</p>
            <div class="mt-4 flex justify-end"><a class="btn btn-primary" href="/stats">"Go to the servers"</a></div>
        }
        .into_any(),
    )
}

/// Says why somebody who is known may not see a page.
#[must_use]
pub fn not_allowed(why: &str) -> AnyView {
    page(
        "You may not do this".to_owned(),
        view! {
            <p class="mt-1 text-ink-2">{why.to_owned()}</p>
            <div class="mt-4 flex justify-end"><a class="btn btn-primary" href="/stats">"Go to the servers"</a></div>
        }
        .into_any(),
    )
}

/// Says why a wall link does not open the wall.
#[must_use]
pub fn no_wall(why: &str) -> AnyView {
    page("This link shows nothing".to_owned(), view! { <p class="mt-1 text-ink-2">{why.to_owned()}</p> }.into_any())
}

fn page(title: String, body: AnyView) -> AnyView {
    view! {
        <header class="border-b border-line bg-surface px-4 py-2.5"><Brand /></header>
        <main class="mx-auto max-w-2xl p-4">
            <div class="card p-5">
                <h1 class="text-[17px] font-semibold">{title}</h1>
                {body}
            </div>
        </main>
    }
    .into_any()
}
