//! The buttons and the list of thirteen actions, for a section and for the bar.

use std::collections::HashSet;

use leptos::prelude::*;
use model::{action::Action, availability::refused_by_all, outcome::Target};

use super::{StatsContext, permissions::sentence};
use crate::live::{Live, RowStore};

/// The longest reason, in characters.
pub(super) const LONGEST_REASON: &str = "500";

/// A section as a form: its table, and below it what can be done. Without the program the form is posted.
#[component]
pub(super) fn SectionActions(title: String, rows: Signal<Vec<RowStore>>, children: Children) -> impl IntoView {
    let context = StatsContext::expect();
    let store = Live::expect().store;
    let targets = Signal::derive(move || -> HashSet<Target> {
        let on_nodes = rows.get().into_iter().flat_map(|r| store.on_nodes(&r)).map(|r| r.target);
        on_nodes.filter(|t| context.selection.has(t)).collect()
    });
    // All rows of a section are of one backend: one speaks for it while nothing is checked.
    let place = Signal::derive(move || rows.with(|rows| rows.first().map(|r| r.target.clone())));
    view! {
        <form method="post" action="/stats" on:submit=|ev| ev.prevent_default()>
            // Enter in a checkbox presses a form's first button: this one, which asks for nothing.
            <button type="submit" class="hidden" name="do" value="nothing" tabindex="-1" aria-hidden="true"></button>
            {children()}
            <div class="card-foot section-actions">
                <ActionControls targets place label=format!("Action for the checked servers of {title}") />
                <input class="btn no-script" name="reason" maxlength=LONGEST_REASON placeholder="Reason" aria-label="Reason" />
            </div>
        </form>
    }
}

/// Enable, Disable, the list, Apply; and why not, where nothing may be done.
#[component]
pub(super) fn ActionControls(
    /// The checked servers that it acts on.
    targets: Signal<HashSet<Target>>,
    /// What stands for them while there are none.
    place: Signal<Option<Target>>,
    /// Names the list for those who don't see where it stands.
    label: String,
) -> impl IntoView {
    let context = StatsContext::expect();
    let chosen = RwSignal::new(None::<Action>);
    let on = ActionScope { targets, place, context };
    let nothing = move || on.denied(Action::Maint).and_then(|_| on.denied(Action::Ready)).map(sentence);
    view! {
        {act_button(on, Action::Ready.id(), "Enable", RwSignal::new(Some(Action::Ready)))}
        {act_button(on, Action::Maint.id(), "Disable", RwSignal::new(Some(Action::Maint)))}
        <select
            class="btn min-w-0"
            name="action"
            aria-label=label
            on:change=move |ev| chosen.set(event_target_value(&ev).parse().ok())
        >
            <option value="">"Choose an action"</option>
            {Action::ALL.map(|action| view! { <Entry action on /> }).collect_view()}
        </select>
        {act_button(on, APPLY, "Apply", chosen)}
        {move || nothing().map(|why| view! { <span class="text-ink-3">{why}</span> }.into_any())}
    }
}

/// What the button is called that does what the list says.
const APPLY: &str = "apply";

/// The servers that controls act on.
#[derive(Clone, Copy)]
struct ActionScope {
    targets: Signal<HashSet<Target>>,
    place: Signal<Option<Target>>,
    context: StatsContext,
}

impl ActionScope {
    /// Why an action may not be done to any of the servers.
    fn denied(self, action: Action) -> Option<String> {
        self.targets.with(|targets| {
            let place = self.place.get().filter(|_| targets.is_empty());
            self.context.operation.denied_on_all(action, targets.iter().chain(&place))
        })
    }
}

/// A button that does `action`; grey, with the reason, where it may not be done.
fn act_button(
    on: ActionScope,
    value: &'static str,
    label: &'static str,
    action: RwSignal<Option<Action>>,
) -> impl IntoView {
    let denial = Memo::new(move |_| action.get().and_then(|action| on.denied(action)));
    let begin = move |ev: leptos::ev::MouseEvent| {
        ev.prevent_default();
        if let Some(action) = action.get_untracked() {
            on.context.operation.begin(action, on.targets.get_untracked());
        }
    };
    view! {
        <button
            type="submit"
            class="btn"
            class:btn-primary=move || value == APPLY && action.get().is_some()
            name="do"
            value=value
            title=move || denial.get()
            disabled=move || denial.with(Option::is_some)
            on:click=begin
        >
            {label}
        </button>
    }
}

/// Why, in the operator's words: one text, wherever the field stands.
#[component]
pub(super) fn ReasonField(class: &'static str) -> impl IntoView {
    let operation = StatsContext::expect().operation;
    let hint = if operation.needs_reason() { "Reason (needed)" } else { "Reason (optional)" };
    view! {
        <input
            class=class
            placeholder=hint
            aria-label="Reason"
            maxlength=LONGEST_REASON
            autocomplete="off"
            prop:value=move || operation.reason.get()
            on:input=move |ev| operation.reason.set(event_target_value(&ev))
        />
    }
}

/// One entry of the list; grey, with the reason, where it is not allowed, or HAProxy would refuse it, on every checked
/// server.
#[component]
fn Entry(action: Action, on: ActionScope) -> impl IntoView {
    let live = Live::expect();
    let denial = Memo::new(move |_| {
        if let Some(reason) = on.denied(action) {
            return Some(reason);
        }
        let rows: Vec<RowStore> = on.targets.with(|t| t.iter().filter_map(|t| live.store.row(t)).collect());
        let rows: Vec<_> = rows.into_iter().map(|r| (r.row.get(), r.target.node)).collect();
        live.fleet.with(|f| refused_by_all(action, rows.iter().map(|(row, node)| (row, f.node(node)))))
    });
    view! {
        <option value=action.id() disabled=move || denial.with(Option::is_some)>
            {action.label()}
            {move || denial.get().map(|reason| format!(" ({reason})"))}
        </option>
    }
}
