//! `GET /api/v1/events`: what happened lately, newest first.

use axum::{
    Extension, Json,
    extract::{Query, State, rejection::QueryRejection},
    http::StatusCode,
};
use model::event::{Event, EventFilter, EventKind};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    AppState,
    openapi::ProblemDetails,
    problem::Problem,
    query::{EventsFilter, QUOTED, selected},
};
use crate::{
    auth::Principal,
    hub::{EVENTS_KEPT, World},
};

/// Events that are given where nobody says how many.
const USUAL: usize = 100;

/// What happened.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Events {
    /// Newest first.
    events: Vec<EventView>,
}

/// One thing that happened. A text is empty where it does not apply.
#[derive(Debug, Serialize, ToSchema)]
struct EventView {
    /// Names it on this run of Sluice; counts up for who sees everything.
    id: u64,
    /// When Sluice saw it, Unix milliseconds.
    at: u64,
    /// The node's name.
    node: String,
    /// Its cluster.
    cluster: String,
    /// HAProxy's `pxname`.
    proxy: String,
    /// HAProxy's `svname`; `FRONTEND` or `BACKEND` for the proxy itself.
    server: String,
    /// `state`, `operation`, `reload` or `link`.
    #[schema(inline)]
    kind: KindWord,
    /// How it was: the `status` column, a link or a process.
    before: String,
    /// How it is.
    after: String,
    /// Why, or what became of it.
    cause: String,
    /// Who did it, as far as Sluice knows.
    by: String,
    /// The operation that it belongs to, as `POST /api/v1/actions` named it.
    operation: String,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum KindWord {
    State,
    Operation,
    Reload,
    Link,
}

/// What happened lately: changes of state, operations, reloads, nodes that stopped answering. Newest first.
#[utoipa::path(
    get,
    path = "/api/v1/events",
    params(EventsFilter),
    responses(
        (status = 200, description = "The events asked for", body = Events),
        (status = "4XX", description = "No such node or kind", body = ProblemDetails, content_type = "application/problem+json"),
    )
)]
pub(super) async fn events(
    State(AppState { hub, .. }): State<AppState>,
    Extension(principal): Extension<Principal>,
    query: Result<Query<EventsFilter>, QueryRejection>,
) -> Result<Json<Events>, Problem> {
    let Query(filter) = query?;
    Ok(Json(Events { events: found(&hub.world().seen_by(&principal.rights), filter)? }))
}

fn found(world: &World, filter: EventsFilter) -> Result<Vec<EventView>, Problem> {
    let EventsFilter { node, cluster, proxy, server, kind, since, limit } = filter;
    selected(world, Some(&node))?;
    let kind = match kind.as_str() {
        "" => None,
        word => Some(EventKind::from_word(word).ok_or_else(|| unknown_kind(word))?),
    };
    let wanted = EventFilter { text: String::new(), kind, node, cluster, proxy, server };
    let newest = world.events.iter().rev().filter(|e| since.is_none_or(|since| e.at >= since) && wanted.wants(e));
    Ok(newest.take(limit.unwrap_or(USUAL).min(EVENTS_KEPT)).map(|event| view(event)).collect())
}

fn unknown_kind(word: &str) -> Problem {
    let short: String = word.chars().take(QUOTED).collect();
    Problem::new(StatusCode::BAD_REQUEST, format!("There is no kind of event {short:?}"))
        .with_detail("A kind is state, operation, reload or link.")
}

fn view(event: &Event) -> EventView {
    let Event { id, at, node, cluster, proxy, server, kind, before, after, cause, by, operation } = event.clone();
    let kind = match kind {
        EventKind::State => KindWord::State,
        EventKind::Operation => KindWord::Operation,
        EventKind::Reload => KindWord::Reload,
        EventKind::Link => KindWord::Link,
    };
    EventView { id, at, node, cluster, proxy, server, kind, before, after, cause, by, operation }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use model::fleet::{Fleet, Node};

    use super::*;

    fn world() -> World {
        let node = |name: &str| Node { name: name.into(), cluster: "edge".into(), ..Node::default() };
        let nodes = vec![node("lb1"), node("lb2")];
        let event = |id: u64, place: usize, kind| Arc::new(Event { id, ..Event::of(&nodes[place], kind, id * 1_000) });
        let events = [event(1, 0, EventKind::State), event(2, 1, EventKind::Reload), event(3, 0, EventKind::Reload)];
        World {
            fleet: Arc::new(Fleet { nodes: nodes.clone(), ..Fleet::default() }),
            events: Arc::new(events.into_iter().collect()),
            ..World::default()
        }
    }

    fn ids(filter: EventsFilter) -> Result<Vec<u64>, u16> {
        let found = found(&world(), filter).map_err(|p| p.status().as_u16())?;
        Ok(found.iter().map(|e| e.id).collect())
    }

    #[test]
    fn events_are_found_newest_first_by_each_filter() {
        let all = EventsFilter::default;
        for (filter, want) in [
            (all(), Ok(vec![3, 2, 1])),
            (EventsFilter { node: "lb1".into(), ..all() }, Ok(vec![3, 1])),
            (EventsFilter { kind: "reload".into(), ..all() }, Ok(vec![3, 2])),
            (EventsFilter { since: Some(2_000), ..all() }, Ok(vec![3, 2])),
            (EventsFilter { limit: Some(1), ..all() }, Ok(vec![3])),
            (EventsFilter { limit: Some(0), ..all() }, Ok(vec![])),
            (EventsFilter { cluster: "lab".into(), ..all() }, Ok(vec![])),
            (EventsFilter { server: "s1".into(), ..all() }, Ok(vec![])),
            (EventsFilter { node: "lb9".into(), ..all() }, Err(404)),
            (EventsFilter { kind: "RELOAD".into(), ..all() }, Err(400)),
        ] {
            assert_eq!(ids(filter), want);
        }
    }
}
