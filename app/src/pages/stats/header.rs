//! The bar at the top: where one is, what to find, whether it is the present.

use leptos::{ev, prelude::*};
use leptos_router::{NavigateOptions, hooks::use_navigate};
use wasm_bindgen::JsCast;

use super::{StatsContext, columns::GROUPS};
use crate::{
    components::{account::Account, brand::Brand, link::LinkPill, nav::Nav, theme::ThemeSwitch},
    live::Live,
};

/// The bar.
#[component]
pub(super) fn Header() -> impl IntoView {
    view! {
        <header class="sticky top-0 z-20 flex flex-wrap items-center gap-3 border-b border-line bg-surface px-4 py-2.5 max-[835px]:static">
            <Brand />
            <Nav current="/stats" />
            <Find />
            <span class="grow max-[835px]:hidden"></span>
            <LinkPill />
            <NodeChoice />
            <Columns />
            <ThemeSwitch />
            <Account />
        </header>
    }
}

/// An address of this page with one of its parts changed.
pub(super) fn address(context: StatsContext, change: impl FnOnce(&mut super::filter::RowFilter)) -> String {
    let mut filter = context.filter.get_untracked();
    change(&mut filter);
    filter.address()
}

fn go(context: StatsContext, change: impl FnOnce(&mut super::filter::RowFilter)) {
    let to = address(context, change);
    let options = NavigateOptions { replace: true, scroll: false, ..NavigateOptions::default() };
    use_navigate()(&to, options);
}

/// The filter box. Without the program it is a form that asks the server.
#[component]
fn Find() -> impl IntoView {
    let context = StatsContext::expect();
    let input = NodeRef::<leptos::html::Input>::new();
    let slash = window_event_listener(ev::keydown, move |ev| {
        let typing = ev.target().and_then(|t| t.dyn_into::<web_sys::HtmlElement>().ok()).is_some_and(|e| {
            matches!(e.tag_name().as_str(), "INPUT" | "SELECT" | "TEXTAREA")
                && e.get_attribute("type").as_deref() != Some("checkbox")
        });
        if ev.key() == "/" && !typing && !ev.ctrl_key() && !ev.meta_key() && !ev.alt_key() {
            ev.prevent_default();
            if let Some(input) = input.get_untracked() {
                let _: Result<(), _> = input.focus();
                input.select();
            }
        }
    });
    on_cleanup(move || slash.remove());
    let clear = move |ev: ev::KeyboardEvent| {
        if ev.key() == "Escape" {
            ev.stop_propagation();
            go(context, |f| f.text.clear());
        }
    };
    view! {
        <form method="get" action="/stats" role="search" class="find" on:submit=|ev| ev.prevent_default()>
            <input
                node_ref=input
                type="search"
                name="q"
                placeholder="Find a server, backend or address"
                aria-label="Find a server, backend or address"
                autocomplete="off"
                spellcheck="false"
                value=context.filter.get_untracked().text
                prop:value=move || context.filter.with(|f| f.text.clone())
                on:input=move |ev| go(context, |f| f.text = event_target_value(&ev))
                on:keydown=clear
            />
            {move || context.filter.with(hidden_fields)}
            <kbd class="needs-script" aria-hidden="true">"/"</kbd>
        </form>
    }
}

/// What a search without the program keeps of the address.
fn hidden_fields(filter: &super::filter::RowFilter) -> impl IntoView + use<> {
    let show = filter.show.id();
    let node = filter.node.clone();
    view! {
        {(!show.is_empty()).then(|| view! { <input type="hidden" name="show" value=show /> }.into_any())}
        {node.map(|node| view! { <input type="hidden" name="node" value=node /> }.into_any())}
    }
}

/// One node, or all.
#[component]
fn NodeChoice() -> impl IntoView {
    let context = StatsContext::expect();
    let fleet = Live::expect().fleet;
    let nodes = Memo::new(move |_| fleet.with(|f| f.nodes.iter().map(|n| n.name.clone()).collect::<Vec<_>>()));
    let chosen = Memo::new(move |_| context.filter.with(|f| f.node.clone().unwrap_or_default()));
    view! {
        {move || (nodes.with(Vec::len) > 1).then(|| view! {
            <select
                class="btn needs-script"
                aria-label="Node"
                prop:value=move || chosen.get()
                on:change=move |ev| {
                    let node = event_target_value(&ev);
                    go(context, |f| f.node = Some(node).filter(|n| !n.is_empty()));
                }
            >
                <option value="">"All nodes"</option>
                {nodes.get().into_iter().map(|n| {
                    let name = n.clone();
                    view! { <option value=n.clone() selected=move || chosen.with(|c| *c == name)>{n.clone()}</option> }.into_any()
                }).collect_view()}
            </select>
        }.into_any())}
    }
}

/// The choice of further columns.
#[component]
fn Columns() -> impl IntoView {
    let context = StatsContext::expect();
    let choose = move |at: usize| {
        context.columns.update(|shown| *shown = shown.toggled(at));
        context.columns.get_untracked().keep();
    };
    view! {
        <details class="menu needs-script max-[835px]:hidden">
            <summary class="btn">"Columns"</summary>
            <div class="menu-body" role="group" aria-label="Further columns">
                {GROUPS.iter().enumerate().map(|(at, group)| view! {
                    <label class="flex items-center gap-2 py-1">
                        <input type="checkbox" prop:checked=move || context.columns.get().has(at) on:change=move |_| choose(at) />
                        {group.label}
                        <span class="ml-auto pl-4 text-[12px] text-ink-3">{group.columns.iter().map(|c| c.head).collect::<Vec<_>>().join(", ")}</span>
                    </label>
                }.into_any()).collect_view()}
            </div>
        </details>
    }
}
