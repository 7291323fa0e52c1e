//! Whether a principal may do an action to the servers that a request names.
//!
//! A server that they may not see does not exist for them: the request is denied with the same words as for one that is not
//! there.

use std::{collections::BTreeMap, sync::Arc};

use model::{
    action::Action,
    outcome::{ActionResponse, Target, TargetOutcome, TargetRef},
    rights::Rights,
};

use super::resolve::{RequestError, resolve};
use crate::hub::{Visibility, World};

/// Servers that a denial names for one reason; the others are counted.
const NAMED: usize = 3;

/// Reasons that a denial gives: with rules by backend there could be as many as there are backends.
const REASONS: usize = 3;

/// The servers that are meant, each once, in the order asked for, if `action` may be done to all of them.
///
/// # Errors
/// The first that is not known or not clear; then everything that `rights` do not allow.
pub(super) fn authorised_targets(
    world: &Arc<World>,
    action: Action,
    targets: &[TargetRef],
    rights: &Rights,
) -> Result<Vec<Target>, RequestError> {
    let world = world.seen_by(rights);
    let targets = resolve(&world, targets)?;
    let mut by_backend: BTreeMap<(&str, &str), Option<String>> = BTreeMap::new();
    let mut denied: Vec<(String, Vec<&Target>)> = Vec::new();
    for target in &targets {
        let cluster = world.fleet.node(&target.node).map_or("", |n| n.cluster.as_str());
        let place = (cluster, target.backend.as_str());
        let reason = by_backend.entry(place).or_insert_with(|| rights.denied(action, cluster, &target.backend));
        let Some(reason) = reason else { continue };
        match denied.iter_mut().find(|(known, _)| known == reason) {
            Some((_, targets)) => targets.push(target),
            None => denied.push((reason.clone(), vec![target])),
        }
    }
    if denied.is_empty() { Ok(targets) } else { Err(RequestError::Denied(explain(&denied))) }
}

/// The outcomes of an operation without the names that the principal may not see: a server may follow one of those.
pub(super) fn redact(rights: &Rights, world: &World, mut response: ActionResponse) -> ActionResponse {
    let Some(visibility) = Visibility::of(rights) else { return response };
    for TargetOutcome { target, message, before, after, .. } in &mut response.outcomes {
        let cluster = world.fleet.node(&target.node).map_or("", |n| n.cluster.as_str());
        for text in [message, before, after] {
            visibility.hide(cluster, text);
        }
    }
    response
}

/// `no rule lets you drain on db of edge (lb1/db/s1, lb1/db/s2 and 3 more)`; each reason once.
fn explain(denied: &[(String, Vec<&Target>)]) -> String {
    let one = |(reason, targets): &(String, Vec<&Target>)| {
        let names: Vec<String> = targets.iter().take(NAMED).map(ToString::to_string).collect();
        let names = names.join(", ");
        match targets.len().saturating_sub(NAMED) {
            0 => format!("{reason} ({names})"),
            more => format!("{reason} ({names} and {more} more)"),
        }
    };
    let mut parts: Vec<String> = denied.iter().take(REASONS).map(one).collect();
    if denied.len() > REASONS {
        parts.push(format!("and {} more reasons", denied.len() - REASONS));
    }
    parts.join("; ")
}

#[cfg(test)]
mod tests {
    use model::{
        fleet::{Fleet, Node},
        outcome::Outcome,
        rights::{Grant, Pattern, Role},
        row::{Row, RowKind},
        topic::{Section, Sections},
    };

    use super::*;
    use crate::hub::ProxyState;

    /// Cluster `edge` (lb1, lb2) with `app` and `db` of five servers each, and `lab` (lb3) with `app`.
    fn world() -> Arc<World> {
        let node = |name: &str, cluster: &str| Node { name: name.into(), cluster: cluster.into(), ..Node::default() };
        let servers = || Arc::new((1..6).map(|n| Row::new(RowKind::Server, format!("s{n}"))).collect());
        let proxy = |cluster: &str, proxy: &str, nodes: &[&str]| {
            let sections = nodes.iter().map(|node| Section::new(node, servers())).collect();
            Arc::new(ProxyState { sections: Sections(sections), ..ProxyState::new(cluster, proxy, false) })
        };
        let nodes = vec![node("lb1", "edge"), node("lb2", "edge"), node("lb3", "lab")];
        Arc::new(World {
            fleet: Arc::new(Fleet { nodes, ..Fleet::default() }),
            proxies: vec![
                proxy("edge", "app", &["lb1", "lb2"]),
                proxy("edge", "db", &["lb1", "lb2"]),
                proxy("lab", "app", &["lb3"]),
            ],
            ..World::default()
        })
    }

    fn of(rights: &Rights, action: Action, targets: &[&str]) -> Result<usize, (u16, String)> {
        let targets: Vec<TargetRef> = targets.iter().map(|t| t.parse().expect("a target")).collect();
        let found = authorised_targets(&world(), action, &targets, rights);
        found.map(|t| t.len()).map_err(|error| (error.status(), error.to_string()))
    }

    fn grant(clusters: &[&str], backends: &[&str], actions: &[Action]) -> Grant {
        let patterns = |names: &[&str]| names.iter().map(|n| Pattern((*n).to_owned())).collect();
        Grant { clusters: patterns(clusters), backends: patterns(backends), actions: actions.to_vec() }
    }

    #[test]
    fn one_server_that_is_not_allowed_denies_all() {
        let grants = vec![grant(&["edge"], &[], &[]), grant(&["edge"], &["app"], &[Action::Drain])];
        let anna = Rights { role: Role::Operator, grants: Some(grants) };
        assert_eq!(of(&anna, Action::Drain, &["@edge/app/s1", "lb1/app/s1"]), Ok(2));
        let all = ["lb1/app/s1", "lb1/db/s1", "lb2/db/s1", "lb1/db/s2", "lb1/db/s3"];
        let (status, text) = of(&anna, Action::Drain, &all).expect_err("not on db");
        assert_eq!(status, 403);
        assert_eq!(text, "no rule lets you drain on db of edge (lb1/db/s1, lb2/db/s1, lb1/db/s2 and 1 more)");
        let (status, text) = of(&anna, Action::Shutdown, &["lb1/app/s1", "lb1/db/s1"]).expect_err("not at all");
        assert_eq!(status, 403);
        assert!(text.contains("shutdown on app of edge (lb1/app/s1); no rule lets you shutdown on db"), "{text}");
        assert_eq!(of(&Rights::of(Role::Operator), Action::Shutdown, &all), Ok(5));
    }

    #[test]
    fn a_viewer_may_do_nothing() {
        let (status, text) = of(&Rights::of(Role::Viewer), Action::Ready, &["lb1/app/s1"]).expect_err("a viewer");
        assert_eq!((status, text.as_str()), (403, "a viewer may look, not act (lb1/app/s1)"));
    }

    #[test]
    fn an_outcome_does_not_name_a_server_that_is_not_seen() {
        let outcome = |node: &str| TargetOutcome {
            target: Target::new(node, "app", "s1"),
            outcome: Outcome::Refused,
            message: "follows db/s1".into(),
            before: "MAINT (via db/s1)".into(),
            after: "MAINT (via app/s2)".into(),
        };
        let response =
            ActionResponse { operation: "x-1".into(), outcomes: vec![outcome("lb1")], warning: String::new() };
        let anna = Rights { role: Role::Operator, grants: Some(vec![grant(&["edge"], &["app"], &[])]) };
        let seen = redact(&anna, &world(), response.clone());
        let TargetOutcome { message, before, after, .. } = &seen.outcomes[0];
        let got = [message, before, after].map(String::as_str);
        assert_eq!(got, ["follows another server", "MAINT (via another server)", "MAINT (via app/s2)"]);
        assert_eq!(redact(&Rights::default(), &world(), response.clone()), response);
    }

    /// The words would otherwise tell that it is there.
    #[test]
    fn what_is_not_seen_is_denied_like_what_is_not_there() {
        let rights = |grants| Rights { role: Role::Operator, grants: Some(grants) };
        let edge = rights(vec![grant(&["edge"], &["app"], &[Action::Ready])]);
        for (hidden, absent) in [
            ("lb1/db/s1", "lb1/zz/s1"),
            ("lb3/app/s1", "lb9/app/s1"),
            ("@lab/app/s1", "@bal/app/s1"),
            ("@edge/db/s1", "@edge/zz/s1"),
        ] {
            let (status, text) = of(&edge, Action::Ready, &[hidden]).expect_err(hidden);
            let (_, expected) = of(&edge, Action::Ready, &[absent]).expect_err(absent);
            let masked = expected.replace("zz", "db").replace("lb9", "lb3").replace("bal", "lab");
            assert_eq!((status, text), (404, masked));
        }
        // Nor is a name unclear because of what is not seen.
        let unplaced = TargetRef { node: None, cluster: None, backend: "app".into(), server: "s1".into() };
        let lab = rights(vec![grant(&["lab"], &[], &[Action::Ready])]);
        assert_eq!(authorised_targets(&world(), Action::Ready, &[unplaced], &lab).map(|t| t.len()), Ok(1));
    }
}
