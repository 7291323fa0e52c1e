//! `GET /api/v1/events`: what happened lately, newest first.

use std::{cmp::Reverse, sync::Arc};

use axum::{
    Extension, Json,
    extract::{Query, State, rejection::QueryRejection},
    http::StatusCode,
};
use model::event::{Event, EventFilter, EventKind};
use serde::{Deserialize, Serialize};
use utoipa::{
    IntoParams, ToSchema,
    openapi::{ObjectBuilder, schema::OneOfBuilder},
};

use super::{
    AppState,
    problem::ProblemResponse,
    query::{AtMost, QUOTED, or_empty, selected},
};
use crate::{
    auth::{Principal, authz::policy::sees_account},
    hub::{EVENTS_KEPT, World},
};

/// Events that are given where nobody says how many.
const USUAL: usize = 100;

/// The largest count that may be asked for; no more are given than are kept.
const LARGEST: u64 = 1_000_000;

/// The last instant that may be asked for, Unix milliseconds: the end of the year 9999.
const LATEST: u64 = 253_402_300_799_999;

/// Which events.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
pub(super) struct EventsFilter {
    /// Only those of the node of this name.
    node: String,
    /// Only those of this cluster.
    cluster: String,
    /// Only those of this proxy.
    proxy: String,
    /// Only those of this server.
    server: String,
    #[param(schema_with = describe_kind)]
    kind: String,
    #[param(schema_with = describe_since)]
    since: Option<AtMost<LATEST>>,
    #[param(schema_with = describe_limit)]
    limit: Option<AtMost<LARGEST>>,
}

fn describe_kind() -> OneOfBuilder {
    or_empty::<EventKind>().description(Some("Only this kind."))
}

fn describe_since() -> ObjectBuilder {
    AtMost::<LATEST>::schema().description(Some("Only those at or after this instant, in Unix milliseconds."))
}

fn describe_limit() -> ObjectBuilder {
    let text = "How many at most: 100 where nothing is said, and never more than are kept.";
    AtMost::<LARGEST>::schema().description(Some(text))
}

/// What happened.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Events {
    /// Newest first.
    #[schema(value_type = Vec<Event>)]
    events: Vec<Arc<Event>>,
}

/// What happened lately: changes of state, operations, reloads, nodes that stopped answering, and what changed about the
/// account of who asks; an admin sees every account's. Newest first.
pub(super) async fn events(
    State(AppState { hub, audit, .. }): State<AppState>,
    Extension(principal): Extension<Principal>,
    query: Result<Query<EventsFilter>, QueryRejection>,
) -> Result<Json<Events>, ProblemResponse> {
    let Query(filter) = query?;
    let all = audit.account_events().borrow().clone();
    let of_accounts = all.iter().filter(|event| sees_account(&principal, &event.account));
    Ok(Json(Events { events: found(&hub.world().seen_by(&principal.rights), of_accounts, filter)? }))
}

fn found<'a>(
    world: &World,
    of_accounts: impl DoubleEndedIterator<Item = &'a Event>,
    filter: EventsFilter,
) -> Result<Vec<Arc<Event>>, ProblemResponse> {
    let EventsFilter { node, cluster, proxy, server, kind, since, limit } = filter;
    selected(world, Some(&node))?;
    let kind = match kind.as_str() {
        "" => None,
        word => Some(EventKind::from_word(word).ok_or_else(|| unknown_kind(word))?),
    };
    let wanted = EventFilter { text: String::new(), kind, node, cluster, proxy, server };
    let is_wanted = |event: &Event| since.is_none_or(|AtMost(since)| event.at >= since) && wanted.wants(event);
    let of_nodes = world.events.iter().rev().filter(|event| is_wanted(event)).cloned();
    let of_accounts = of_accounts.rev().filter(|event| is_wanted(event)).cloned().map(Arc::new);
    let mut found: Vec<Arc<Event>> = of_nodes.chain(of_accounts).collect();
    found.sort_by_key(|event| Reverse(event.at));
    let limit = limit.map_or(USUAL, |AtMost(limit)| usize::try_from(limit).unwrap_or(usize::MAX));
    found.truncate(limit.min(EVENTS_KEPT));
    Ok(found)
}

fn unknown_kind(word: &str) -> ProblemResponse {
    let short: String = word.chars().take(QUOTED).collect();
    ProblemResponse::new(StatusCode::BAD_REQUEST, format!("There is no kind of event {short:?}"))
        .with_detail("A kind is state, operation, reload, link or account.")
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
        let of_ben = Event { id: 9, at: 2_500, account: "ben".into(), kind: EventKind::Account, ..Event::default() };
        let found = found(&world(), [&of_ben].into_iter(), filter).map_err(|p| p.status().as_u16())?;
        Ok(found.iter().map(|e| e.id).collect())
    }

    #[test]
    fn events_are_found_newest_first_by_each_filter() {
        let all = EventsFilter::default;
        for (filter, want) in [
            (all(), Ok(vec![3, 9, 2, 1])),
            (EventsFilter { node: "lb1".into(), ..all() }, Ok(vec![3, 1])),
            (EventsFilter { kind: "reload".into(), ..all() }, Ok(vec![3, 2])),
            (EventsFilter { kind: "account".into(), ..all() }, Ok(vec![9])),
            (EventsFilter { since: Some(AtMost(2_000)), ..all() }, Ok(vec![3, 9, 2])),
            (EventsFilter { limit: Some(AtMost(1)), ..all() }, Ok(vec![3])),
            (EventsFilter { limit: Some(AtMost(0)), ..all() }, Ok(vec![])),
            (EventsFilter { cluster: "lab".into(), ..all() }, Ok(vec![])),
            (EventsFilter { server: "s1".into(), ..all() }, Ok(vec![])),
            (EventsFilter { node: "lb9".into(), ..all() }, Err(404)),
            (EventsFilter { kind: "RELOAD".into(), ..all() }, Err(400)),
        ] {
            assert_eq!(ids(filter), want);
        }
    }
}
