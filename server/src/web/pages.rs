//! The pages: rendered here from the newest state, taken over in the browser.

use std::sync::Once;

use any_spawner::Executor;
use app::{Snapshot, shell};
use axum::{
    extract::{Query, Request, State},
    http::{HeaderValue, Uri, header, request::Parts},
    response::Response,
};
use leptos::{config::LeptosOptions, nonce::use_nonce, prelude::*, tachys::view::any_view::AnyView};
use leptos_axum::{ResponseOptions, render_app_async_with_context};
use model::{
    event::Event,
    fleet::Fleet,
    rights::Who,
    topic::{Section, Sections, TopicId},
};

use super::{AppState, render::theme};
use crate::{
    auth::{Principal, authz::policy::sees_account},
    clock::unix_ms,
    hub::World,
};

/// The address of the page of events.
const EVENTS_PAGE: &str = "/events";

/// Events that the page of events is rendered with; the stream brings more.
const FIRST_EVENTS: usize = 300;

/// A live page, rendered whole before it is sent. Which page it is follows from the request's path, by the same routes
/// that the program in the browser has.
pub(super) async fn live(State(state): State<AppState>, request: Request) -> Response {
    static EXECUTOR: Once = Once::new();
    // Leptos spawns what it waits for while it renders. That an executor is there already is well.
    EXECUTOR.call_once(|| drop(Executor::init_tokio()));
    let options = state.leptos.clone();
    let context = move || {
        // The request's own parts: leptos provides them before this.
        let Some(parts) = use_context::<Parts>() else { return };
        // Without a principal nothing is shown: no route is without one.
        let Some(principal) = parts.extensions.get::<Principal>() else { return };
        let world = state.hub.world().seen_by(&principal.rights);
        let snapshot = snapshot(&world, &state.build, state.who(principal), &parts.uri);
        provide_context(Snapshot { account_events: account_events(&state, principal, &parts.uri), ..snapshot });
    };
    render_app_async_with_context(context, move || page(options.clone()))(request).await
}

/// One page, with its policy: only our own script runs, by a word that changes with every answer.
fn page(options: LeptosOptions) -> AnyView {
    if let (Some(response), Some(nonce)) = (use_context::<ResponseOptions>(), use_nonce())
        && let Ok(policy) = HeaderValue::from_str(&policy(&nonce))
    {
        response.insert_header(header::CONTENT_SECURITY_POLICY, policy);
    }
    let parts = use_context::<Parts>();
    let path = parts.as_ref().map_or("", |parts| parts.uri.path());
    shell(options, parts.as_ref().and_then(|parts| theme(&parts.headers)), path)
}

fn policy(nonce: &str) -> String {
    format!(
        "default-src 'none'; script-src 'nonce-{nonce}' 'strict-dynamic' 'wasm-unsafe-eval'; style-src 'self'; \
         img-src 'self'; manifest-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'"
    )
}

/// The node that an address is about: its `node=`.
fn chosen_node(address: &Uri) -> Option<String> {
    let Query(fields) = Query::<Vec<(String, String)>>::try_from_uri(address).ok()?;
    fields.into_iter().find(|(name, _)| name == "node").map(|(_, node)| node)
}

/// What changed about the accounts that somebody sees, on the page that shows it.
fn account_events(state: &AppState, principal: &Principal, address: &Uri) -> Vec<Event> {
    if address.path() != EVENTS_PAGE {
        return Vec::new();
    }
    let all = state.audit.account_events().borrow().clone();
    all.iter().filter(|event| sees_account(principal, &event.account)).cloned().collect()
}

/// What the page at `address` is rendered from. Histories come with the stream: they would double the page.
fn snapshot(world: &World, build: &str, who: Who, address: &Uri) -> Snapshot {
    let node = chosen_node(address);
    let without_past = |section: &Section| Section::new(&section.node, section.rows.clone());
    let proxies = world.proxies.iter().map(|proxy| {
        let sections = Sections(proxy.topic().0.iter().map(without_past).collect());
        (proxy.cluster.clone(), proxy.proxy.clone(), sections)
    });
    let opened = world.proxies.iter().filter(|p| p.merged.is_some()).filter_map(|proxy| {
        let section = without_past(proxy.sections.section(node.as_deref()?)?);
        Some((TopicId::node(&section.node, &proxy.proxy), Sections(vec![section])))
    });
    let mut fleet = Fleet::clone(&world.fleet);
    fleet.now = unix_ms();
    let events = if address.path() == EVENTS_PAGE {
        let older = world.events.len().saturating_sub(FIRST_EVENTS);
        world.events.iter().skip(older).map(|e| Event::clone(e)).collect()
    } else {
        Vec::new()
    };
    let (proxies, opened) = (proxies.collect(), opened.collect());
    Snapshot { who, build: build.to_owned(), fleet, proxies, opened, events, account_events: Vec::new() }
}
