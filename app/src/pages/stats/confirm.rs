//! What an action would do, and the question whether to do it.

use leptos::prelude::*;
use model::{
    action::Action,
    format::plural,
    impact::{Impact, names_to_type},
};

use super::{
    StatsContext,
    actions::ReasonField,
    operation::{Phase, PlannedAction},
};
use crate::{components::modal::Modal, live::Live};

/// The dialog. It is open while there is something to ask.
#[component]
pub(super) fn ConfirmDialog() -> impl IntoView {
    let context = StatsContext::expect();
    let plan = Memo::new(move |_| match context.operation.phase() {
        Phase::Asking(plan) => Some(plan),
        _ => None,
    });
    let is_open = Signal::derive(move || plan.with(Option::is_some));
    let on_close = Callback::new(move |()| context.operation.cancel());
    view! {
        <Modal is_open on_close class="dialog" labelled_by="confirm-title">
            {move || plan.get().map(|plan| view! { <Question plan /> })}
        </Modal>
    }
}

#[component]
fn Question(plan: PlannedAction) -> impl IntoView {
    let context = StatsContext::expect();
    let clock = Live::expect().clock;
    let servers = plural(plan.targets.len(), "server");
    let action = plan.action;
    let verb = action.verb(&servers);
    let denials = context.operation.denials(&plan);
    let is_allowed = denials.is_empty();
    // The rows go on while the question stands.
    let impacts = Memo::new(move |_| {
        clock.seconds();
        context.operation.impact(&plan)
    });
    let names = Memo::new(move |_| impacts.with(|i| names_to_type(i)));
    let typed = RwSignal::new(std::collections::HashMap::<String, String>::new());
    let is_typed =
        move || names.with(|names| typed.with(|t| names.iter().all(|n| t.get(n).is_some_and(|t| t.trim() == n))));
    let has_reason =
        move || !context.operation.needs_reason() || context.operation.reason.with(|r| !r.trim().is_empty());
    let is_ready = move || is_allowed && is_typed() && has_reason();
    let sessions = move || impacts.with(|i| i.iter().map(|i| i.sessions).sum::<u64>());
    let confirm = move |ev: leptos::ev::SubmitEvent| {
        ev.prevent_default();
        if is_ready() {
            context.operation.confirm();
        }
    };
    view! {
        <form on:submit=confirm>
            <h2 id="confirm-title" class="text-[17px] font-semibold">{format!("{verb}?")}</h2>
            <p class="mt-1 mb-3.5 text-ink-2">{move || effect(action, sessions())}</p>
            <div class="impacts">{move || impacts.get().iter().map(impact_line).collect_view()}</div>
            {move || impacts.with(|i| warnings(i)).into_iter().map(|text| view! { <p class="mt-3 text-ink-2">{text}</p> }.into_any()).collect_view()}
            {denials.into_iter().map(|text| view! { <p class="mt-3 text-down">{text}</p> }.into_any()).collect_view()}
            {(!is_allowed).then(|| view! { <p class="mt-1">"Uncheck them, and apply it to the others."</p> }.into_any())}
            {move || names.get().into_iter().map(|name| {
                let key = name.clone();
                view! {
                    <label class="mt-3 block">
                        "Nothing in " <b>{name.clone()}</b> " would take traffic. Type its name to go on:"
                        <input
                            class="field"
                            autocomplete="off"
                            spellcheck="false"
                            on:input=move |ev| typed.update(|t| { t.insert(key.clone(), event_target_value(&ev)); })
                        />
                    </label>
                }
            }).collect_view()}
            <label class="mt-3 block">"Reason" <ReasonField class="field" /></label>
            <div class="mt-4 flex justify-end gap-2.5">
                <button type="button" class="btn" autofocus on:click=move |_| context.operation.cancel()>"Cancel"</button>
                <button type="submit" class="btn btn-danger" disabled=move || !is_ready()>{verb.clone()}</button>
            </div>
        </form>
    }
}

/// What happens to traffic, in a sentence.
pub(crate) fn effect(action: Action, sessions: u64) -> String {
    let open = plural(usize::try_from(sessions).unwrap_or(usize::MAX), "session");
    let go_on = match sessions {
        0 => "No session is open now.".to_owned(),
        1 => "1 session that is open now goes on.".to_owned(),
        _ => format!("{open} that are open now go on."),
    };
    match action {
        Action::Shutdown if sessions == 0 => "No session is open now.".to_owned(),
        Action::Shutdown => format!("{open} would end at once; their clients see a broken connection."),
        Action::Maint => format!("They get no traffic and no checks. {go_on}"),
        Action::Drain => format!("They get no new sessions. {go_on}"),
        Action::Hnolb => format!("They get no new sessions but those of persistent clients. {go_on}"),
        Action::Hdown | Action::Adown => format!("They are DOWN until a check or an agent says otherwise. {go_on}"),
        _ => go_on,
    }
}

/// One backend, before and after.
pub(crate) fn impact_line(i: &Impact) -> AnyView {
    let Impact { backend, node, up, up_after, total, .. } = i;
    let after = if up_after < up {
        view! { " → "<b class="text-down">{format!("{up_after} up of {total}")}</b> }.into_any()
    } else if up_after > up {
        view! { " → "<b>{format!("{up_after} up of {total}")}</b> }.into_any()
    } else {
        format!(" of {total}, as before").into_any()
    };
    view! {
        <span class="truncate"><b>{backend.clone()}</b>" on "{node.clone()}</span>
        <span class="text-right whitespace-nowrap">{format!("{up} up")}{after}</span>
    }
    .into_any()
}

/// What else there is to know.
pub(crate) fn warnings(impacts: &[Impact]) -> Vec<String> {
    let mut out = Vec::new();
    for i in impacts {
        if !i.followers.is_empty() {
            out.push(format!("{} of {} on {} follows and goes along.", i.followers.join(", "), i.backend, i.node));
        }
        if i.up_after > 0 && i.up_after < i.up && i.failing.len() == i.up_after {
            let failing = i.failing.join(", ");
            out.push(format!(
                "Of what is left, {failing} fails its checks. If it goes down too, {} on {} has no server.",
                i.backend, i.node
            ));
        }
    }
    out
}
