//! An action that role or rules deny never reaches HAProxy, and neither does a reason.

use std::sync::Arc;

use model::{
    action::Action,
    outcome::ActionRequest,
    rights::{Grant, Pattern, Rights, Role},
};
use server::auth::Principal;

use crate::{
    harness::{
        fake::{Fake, recorded},
        sluice::Sluice,
    },
    injection::BAD,
};

async fn start() -> (Fake, Sluice) {
    let fake = Fake::start(|line| Some(recorded(line)));
    let sluice = Sluice::watching(&[("lb1", "edge", &fake.socket())]).await;
    (fake, sluice)
}

fn request(action: Action, targets: &[&str], reason: &str) -> ActionRequest {
    let targets = targets.iter().map(|t| t.parse().expect("a target")).collect();
    ActionRequest { action, targets, reason: Some(reason.to_owned()) }
}

#[tokio::test]
async fn what_is_not_allowed_is_never_sent() {
    let (fake, sluice) = start().await;
    let grant = |backends: &str, actions: &[Action]| Grant {
        clusters: vec![],
        backends: vec![Pattern(backends.to_owned())],
        actions: actions.to_vec(),
    };
    let by = |role, grants| Principal {
        rights: Arc::new(Rights { role, grants: Some(grants) }),
        ..Principal::command_line("anna")
    };
    let odd = "lb1/be_odd.name:with_all-chars_1/s.1:a_b-c";
    for (principal, action, targets, status) in [
        (by(Role::Viewer, vec![grant("*", &Action::ALL)]), Action::Ready, vec!["lb1/be_http/s1"], 403),
        (by(Role::Operator, vec![grant("*", &[Action::Drain])]), Action::Maint, vec!["lb1/be_http/s1"], 403),
        (by(Role::Operator, vec![grant("be_odd*", &Action::ALL)]), Action::Maint, vec!["lb1/be_http/s1"], 404),
        (
            by(Role::Operator, vec![grant("be_odd*", &Action::ALL), grant("be_http", &[])]),
            Action::Maint,
            vec![odd, "lb1/be_http/s1"],
            403,
        ),
        (by(Role::Admin, vec![]), Action::Maint, vec!["lb1/be_http/s1"], 404),
    ] {
        let denied = sluice.operations.run(request(action, &targets, ""), &principal).await.expect_err("denied");
        assert_eq!(denied.status(), status, "{denied}");
    }
    assert_eq!(fake.told(), Vec::<String>::new());
}

#[tokio::test]
async fn a_reason_stays_out_of_commands_and_is_one_line_of_text() {
    let (fake, sluice) = start().await;
    let principal = Principal::command_line("anna");
    let request = request(Action::Maint, &["lb1/be_odd.name:with_all-chars_1/s.1:a_b-c"], &BAD.join("\n"));
    sluice.operations.run(request, &principal).await.expect("carried out");
    assert_eq!(fake.told(), ["set server be_odd.name:with_all-chars_1/s.1:a_b-c state maint"]);
    let world = sluice.until("the event", |w| !w.events.is_empty()).await;
    let event = world.events.back().expect("an event");
    assert!(event.cause.contains("shutdown sessions server") && !event.cause.contains(['\n', '\r', '\0']), "{event:?}");
}
