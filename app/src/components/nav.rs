//! The way from page to page.

use leptos::prelude::*;

use crate::model::access::{Role, Who};

/// The pages that one may open; `current` is the address of this one.
#[component]
pub(crate) fn Nav(current: &'static str) -> impl IntoView {
    let is_admin = use_context::<Who>().unwrap_or_default().rights.role == Role::Admin;
    let tab = |address: &'static str, name: &'static str| {
        let is_here = address == current;
        let class = if is_here { "tab tab-on" } else { "tab" };
        // The program draws the others itself, and leaves this one to the browser.
        let rel = (address == "/audit").then_some("external");
        view! { <a class=class href=address rel=rel aria-current=is_here.then_some("page")>{name}</a> }
    };
    view! {
        <nav class="flex gap-0.5" aria-label="Pages">
            {tab("/stats", "Stats")}
            {tab("/events", "Events")}
            {tab("/wall", "Wall")}
            {is_admin.then(|| tab("/audit", "Audit"))}
        </nav>
    }
}
