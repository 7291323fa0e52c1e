//! The way from page to page. To one's own account leads its name, in [`super::account`].

use leptos::prelude::*;
use model::rights::{Role, Who};

/// The pages that one may open; `current` is the address of this one.
#[component]
pub(crate) fn Nav(current: &'static str) -> impl IntoView {
    let who = use_context::<Who>().unwrap_or_default();
    // Without accounts there are none to manage, and a wall has none.
    let has_account = !who.is_open && !who.name.is_empty();
    let is_admin = who.rights.role == Role::Admin;
    let tab = |address: &'static str, name: &'static str| {
        let is_here = address == current;
        let class = if is_here { "tab tab-on" } else { "tab" };
        // A page without a program is the server's to draw.
        let rel = matches!(address, "/audit" | "/admin").then_some("external");
        view! { <a class=class href=address rel=rel aria-current=is_here.then_some("page")>{name}</a> }
    };
    view! {
        <nav class="flex flex-wrap gap-0.5" aria-label="Pages">
            {tab("/stats", "Stats")}
            {tab("/events", "Events")}
            {tab("/wall", "Wall")}
            {is_admin.then(|| tab("/audit", "Audit"))}
            {(is_admin && has_account).then(|| tab("/admin", "Admin"))}
        </nav>
    }
}
