//! What the user may not do, by their role and the rules. The server denies it as well.

use std::collections::HashSet;

use model::{
    action::Action,
    fleet::Fleet,
    format::plural,
    outcome::{Target, TargetRef},
    rights::Rights,
};

/// Why `action` may be done to none of the targets; nothing where it may be done to one of them. Without a target: why
/// it may be done nowhere.
pub(super) fn denied_on_all<'a>(
    rights: &Rights,
    fleet: &Fleet,
    action: Action,
    targets: impl IntoIterator<Item = &'a Target>,
) -> Option<String> {
    let mut first = None;
    for target in targets {
        match rights.denied(action, cluster(fleet, target), &target.backend) {
            None => return None,
            reason => first = first.or(reason),
        }
    }
    first.or_else(|| rights.denied_everywhere(action))
}

/// What stands against a plan, a sentence per reason: `No rule lets you drain on db of edge: 2 of these servers.`
pub(super) fn denials(rights: &Rights, fleet: &Fleet, action: Action, targets: &HashSet<Target>) -> Vec<String> {
    let mut reasons: Vec<(String, usize)> = Vec::new();
    for target in targets {
        let Some(reason) = rights.denied(action, cluster(fleet, target), &target.backend) else { continue };
        // In order by itself: sorting would be another four kilobytes of program.
        match reasons.binary_search_by(|(known, _)| known.cmp(&reason)) {
            Ok(at) => reasons[at].1 += 1,
            Err(at) => reasons.insert(at, (reason, 1)),
        }
    }
    reasons.into_iter().map(|(reason, count)| sentence(reason) + ": " + &plural(count, "server") + ".").collect()
}

/// A reason with a capital.
pub(super) fn sentence(mut reason: String) -> String {
    if let Some(first) = reason.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    reason
}

/// The cluster of a target: of a merged row it is named in the node's place.
fn cluster<'a>(fleet: &'a Fleet, target: &'a Target) -> &'a str {
    match target.node.strip_prefix(TargetRef::CLUSTER_MARK) {
        Some(cluster) => cluster,
        None => fleet.node(&target.node).map_or("", |n| n.cluster.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use model::{
        fleet::Node,
        rights::{Grant, Pattern, Role},
    };

    use super::*;

    fn fleet() -> Fleet {
        let node = |name: &str, cluster: &str| Node { name: name.into(), cluster: cluster.into(), ..Node::default() };
        Fleet { nodes: vec![node("lb1", "edge"), node("lb3", "lab")], ..Fleet::default() }
    }

    /// May drain `app-*` of edge, and look at all else.
    fn anna() -> Rights {
        let patterns = |name: &str| vec![Pattern(name.into())];
        let looks = Grant { clusters: vec![], backends: vec![], actions: vec![] };
        let drains = Grant { clusters: patterns("edge"), backends: patterns("app-*"), actions: vec![Action::Drain] };
        Rights { role: Role::Operator, grants: Some(vec![looks, drains]) }
    }

    fn targets(names: &[&str]) -> HashSet<Target> {
        names.iter().map(|name| name.parse().expect("a target")).collect()
    }

    #[test]
    fn an_action_is_grey_where_it_may_be_done_to_none_of_what_is_checked() {
        let of = |rights: &Rights, action, names: &[&str]| denied_on_all(rights, &fleet(), action, &targets(names));
        let (anna, free) = (anna(), Rights::of(Role::Operator));
        for (action, names, want) in [
            (Action::Drain, &["lb1/app-web/s1"][..], None),
            (Action::Drain, &["@edge/app-web/s1"], None),
            (Action::Drain, &["lb1/app-web/s1", "lb1/db/s1"], None),
            (Action::Drain, &["lb1/db/s1"], Some("no rule lets you drain on db of edge")),
            (Action::Drain, &["lb3/app-web/s1"], Some("no rule lets you drain on app-web of lab")),
            (Action::Shutdown, &["lb1/app-web/s1"], Some("no rule lets you shutdown on app-web of edge")),
            (Action::Drain, &[], None),
            (Action::Shutdown, &[], Some("no rule lets you shutdown")),
        ] {
            assert_eq!(of(&anna, action, names).as_deref(), want, "{action} {names:?}");
            assert_eq!(of(&free, action, names), None);
        }
        let viewer = Rights::of(Role::Viewer);
        for names in [&[][..], &["lb1/app-web/s1"]] {
            assert_eq!(of(&viewer, Action::Ready, names).as_deref(), Some("a viewer may look, not act"));
        }
    }

    #[test]
    fn a_plan_says_what_of_it_is_not_allowed() {
        let plan = targets(&["lb1/app-web/s1", "lb1/db/s1", "lb1/db/s2", "lb3/db/s1"]);
        assert_eq!(
            denials(&anna(), &fleet(), Action::Drain, &plan),
            ["No rule lets you drain on db of edge: 2 servers.", "No rule lets you drain on db of lab: 1 server."]
        );
        assert!(denials(&Rights::of(Role::Admin), &fleet(), Action::Drain, &plan).is_empty());
    }
}
