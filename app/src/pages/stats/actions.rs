//! The buttons and the list of thirteen actions, for a section and for the bar.

use std::collections::HashSet;

use leptos::prelude::*;

use super::View;
use crate::{
    live::{Live, RowStore},
    model::{action::Action, availability::refusal_of_all, outcome::Target},
};

/// A section as a form: its table, and below it what can be done. Without the program the form is posted.
#[component]
pub(super) fn SectionActions(title: String, rows: Signal<Vec<RowStore>>, children: Children) -> impl IntoView {
    let view = View::expect();
    let store = Live::expect().store;
    let targets = Signal::derive(move || -> HashSet<Target> {
        let on_nodes = rows.get().into_iter().flat_map(|r| store.on_nodes(&r)).map(|r| r.target);
        on_nodes.filter(|t| view.selection.has(t)).collect()
    });
    view! {
        <form method="post" action="/stats" on:submit=|ev| ev.prevent_default()>
            // Enter in a checkbox presses a form's first button: this one, which asks for nothing.
            <button type="submit" class="hidden" name="do" value="nothing" tabindex="-1" aria-hidden="true"></button>
            {children()}
            <div class="card-foot">
                <ActionControls targets label=format!("Action for the checked servers of {title}") />
            </div>
        </form>
    }
}

/// Enable, Disable, the list, Apply.
#[component]
pub(super) fn ActionControls(
    /// The checked servers that it acts on.
    targets: Signal<HashSet<Target>>,
    /// Names the list for those who don't see where it stands.
    label: String,
) -> impl IntoView {
    let view = View::expect();
    let chosen = RwSignal::new(None::<Action>);
    let begin = move |ev: leptos::ev::MouseEvent, action: Option<Action>| {
        ev.prevent_default();
        if let Some(action) = action {
            view.operation.begin(action, targets.get_untracked());
        }
    };
    view! {
        <button type="submit" class="btn" name="do" value="ready" on:click=move |ev| begin(ev, Some(Action::Ready))>
            "Enable"
        </button>
        <button type="submit" class="btn" name="do" value="maint" on:click=move |ev| begin(ev, Some(Action::Maint))>
            "Disable"
        </button>
        <select
            class="btn min-w-0"
            name="action"
            aria-label=label
            on:change=move |ev| chosen.set(event_target_value(&ev).parse().ok())
        >
            <option value="">"Choose an action"</option>
            {Action::ALL.map(|action| view! { <Entry action targets /> }).collect_view()}
        </select>
        <button
            type="submit"
            class="btn"
            class:btn-primary=move || chosen.get().is_some()
            name="do"
            value="apply"
            on:click=move |ev| begin(ev, chosen.get_untracked())
        >
            "Apply"
        </button>
    }
}

/// One entry of the list; grey, with the reason, where HAProxy would refuse it on every checked server.
#[component]
fn Entry(action: Action, targets: Signal<HashSet<Target>>) -> impl IntoView {
    let live = Live::expect();
    let refusal = Memo::new(move |_| {
        let rows: Vec<RowStore> = targets.with(|t| t.iter().filter_map(|t| live.store.row(t)).collect());
        let rows: Vec<_> = rows.into_iter().map(|r| (r.row.get(), r.target.node)).collect();
        live.fleet.with(|f| refusal_of_all(action, rows.iter().map(|(row, node)| (row, f.node(node)))))
    });
    view! {
        <option value=action.id() disabled=move || refusal.with(Option::is_some)>
            {action.label()}
            {move || refusal.get().map(|reason| format!(" ({reason})"))}
        </option>
    }
}
