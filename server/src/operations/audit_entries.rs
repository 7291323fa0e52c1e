//! The audit log's entries about an operation.

use model::{
    action::Action,
    outcome::{ActionRequest, Outcome, Target, TargetOutcome, TargetRef},
};

use super::{RequestError, resolve::quote};
use crate::{
    audit::{Entry, Kind, TargetNote},
    auth::Principal,
};

/// Targets of a denied request that are named: nobody may fill the disk with names that do not exist.
const NAMED: usize = 50;

/// Longest of HAProxy's words that are kept of one target, in characters.
const LONGEST_MESSAGE: usize = 300;

/// The entry before an operation: every target by its name.
pub(super) fn operation(principal: &Principal, action: Action, name: &str, targets: &[Target], reason: &str) -> Entry {
    let targets: Vec<String> = targets.iter().map(ToString::to_string).collect();
    Entry {
        operation: name.to_owned(),
        targets: list(&targets),
        reason: reason.to_owned(),
        ..principal.entry(Kind::Operation, action.id())
    }
}

/// The entry after an operation: the outcome of each target.
pub(super) fn outcome(principal: &Principal, action: Action, name: &str, outcomes: &[TargetOutcome]) -> Entry {
    let note = |o: &TargetOutcome| TargetNote {
        target: o.target.to_string(),
        outcome: o.outcome.word().to_owned(),
        before: o.before.clone(),
        after: o.after.clone(),
        message: o.message.chars().take(LONGEST_MESSAGE).collect(),
    };
    let notes: Vec<TargetNote> = outcomes.iter().map(note).collect();
    let count = |outcome: Outcome| outcomes.iter().filter(|o| o.outcome == outcome).count();
    let counts = Outcome::ALL.into_iter().map(|outcome| (count(outcome), outcome.word())).filter(|(n, _)| *n > 0);
    let summary: Vec<String> = counts.map(|(n, word)| format!("{n} {word}")).collect();
    Entry {
        operation: name.to_owned(),
        outcome: list(&notes),
        detail: summary.join(", "),
        ..principal.entry(Kind::Outcome, action.id())
    }
}

/// The entry of a request that was denied.
pub(super) fn denial(principal: &Principal, request: &ActionRequest, error: &RequestError) -> Entry {
    let name = |t: &TargetRef| {
        let place = match (&t.node, &t.cluster) {
            (Some(node), _) => node.clone(),
            (None, Some(cluster)) => format!("{}{cluster}", TargetRef::CLUSTER_MARK),
            (None, None) => "?".to_owned(),
        };
        let quoted = quote(&format!("{place}/{}/{}", t.backend, t.server));
        quoted[1..quoted.len() - 1].to_owned()
    };
    let targets: Vec<String> = request.targets.iter().take(NAMED).map(name).collect();
    let more = request.targets.len().saturating_sub(NAMED);
    let more = if more > 0 { format!("; {more} more targets") } else { String::new() };
    Entry {
        targets: list(&targets),
        reason: request.reason.clone().unwrap_or_default(),
        outcome: error.word().to_owned(),
        detail: format!("{error}{more}"),
        ..principal.entry(Kind::Denial, request.action.id())
    }
}

/// Lists of texts always are JSON.
fn list<T: serde::Serialize>(items: &[T]) -> String {
    serde_json::to_string(items).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    fn principal() -> Principal {
        Principal::open(IpAddr::from([127, 0, 0, 1]))
    }

    #[test]
    fn an_operation_names_every_target_and_its_outcome_each_of_theirs() {
        let targets: Vec<Target> = (0..3).map(|n| Target::new("lb1", "web", &format!("s{n}"))).collect();
        let entry = operation(&principal(), Action::Drain, "x-1", &targets, "a \"kernel\"");
        assert_eq!(entry.targets, r#"["lb1/web/s0","lb1/web/s1","lb1/web/s2"]"#);
        assert_eq!((entry.kind, entry.action.as_str(), entry.operation.as_str()), (Kind::Operation, "drain", "x-1"));
        assert_eq!((entry.who.as_str(), entry.address.as_str()), ("somebody on this machine", "127.0.0.1"));
        let of = |target: &Target, outcome, message: &str| TargetOutcome {
            target: target.clone(),
            outcome,
            message: message.to_owned(),
            before: "UP".to_owned(),
            after: "DRAIN".to_owned(),
        };
        let long = "x".repeat(10_000);
        let outcomes = [
            of(&targets[0], Outcome::Done, ""),
            of(&targets[1], Outcome::Refused, "no \"way\""),
            of(&targets[2], Outcome::Done, &long),
        ];
        let entry = outcome(&principal(), Action::Drain, "x-1", &outcomes);
        assert_eq!((entry.detail.as_str(), entry.operation.as_str()), ("2 done, 1 refused", "x-1"));
        let notes: Vec<TargetNote> = serde_json::from_str(&entry.outcome).expect("JSON");
        assert_eq!((notes[1].message.as_str(), notes[1].target.as_str()), ("no \"way\"", "lb1/web/s1"));
        assert_eq!(notes[2].message.len(), LONGEST_MESSAGE);
    }

    #[test]
    fn a_denial_names_what_was_asked_for_and_is_bounded() {
        let odd =
            TargetRef { node: None, cluster: Some("e".into()), backend: "b\n\"".into(), server: "x".repeat(5_000) };
        let request = ActionRequest { action: Action::Maint, targets: vec![odd; 5_000], reason: None };
        let entry = denial(&principal(), &request, &RequestError::NoReason);
        assert_eq!((entry.kind, entry.outcome.as_str()), (Kind::Denial, "no reason"));
        assert!(entry.detail.ends_with("; 4950 more targets"), "{}", entry.detail);
        assert!(entry.targets.len() < 10_000 && entry.targets.starts_with(r#"["@e/b\\n\\\"/xxx"#), "{}", entry.targets);
    }
}
