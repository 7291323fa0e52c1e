//! Executes an order on one node: reads the state, sends the commands, and reads the state again until it shows them.

use std::{ops::ControlFlow, time::Duration};

use haproxy::{CommandReply, Error, ServerCommand, Verb};
use model::{
    action::Action,
    availability::withheld,
    col::Text,
    outcome::{Outcome, Target, TargetOutcome},
    row::Row,
    verify::{already, shows},
};
use tokio::time::{Instant, sleep};

use super::{DEADLINE, NodeTask, Permit, Requester};

/// Waits before the state is read again while it does not show the action yet: sessions take a moment to end.
const VERIFY_WAITS: [Duration; 6] = [
    Duration::ZERO,
    Duration::from_millis(30),
    Duration::from_millis(70),
    Duration::from_millis(150),
    Duration::from_millis(350),
    Duration::from_millis(800),
];

/// A command that went out; the state has to show its action.
struct SentCommand {
    /// Its target's place in the order.
    at: usize,
    before: Row,
    /// Why it is not sure that HAProxy got the command.
    doubt: Option<String>,
}

/// Does `action` on each target, and gives the outcomes in the same order.
pub(super) async fn execute(
    task: &mut NodeTask,
    action: Action,
    targets: &[Target],
    requester: &Requester,
    permit: &Permit,
) -> Vec<TargetOutcome> {
    let mut outcomes: Vec<TargetOutcome> = targets.iter().map(unreachable).collect();
    task.poller.want_states();
    if task.poll_once().await.is_err() {
        for outcome in &mut outcomes {
            outcome.message.clone_from(&task.poller.node.error);
        }
        return outcomes;
    }
    let mut sent = Vec::new();
    let mut tried = 0;
    for (at, outcome) in outcomes.iter_mut().enumerate() {
        tried = at + 1;
        if send(task, action, permit, at, outcome, &mut sent).await.is_break() {
            break;
        }
    }
    for outcome in &mut outcomes[tried..] {
        "the node stopped answering before it was this server's turn; nothing was sent"
            .clone_into(&mut outcome.message);
    }
    let began = Instant::now();
    for wait in VERIFY_WAITS {
        // Polls of a node that hangs take their whole deadline each: one is enough.
        if sent.is_empty() || began.elapsed() >= DEADLINE {
            break;
        }
        sleep(wait).await;
        task.poller.want_states();
        if task.poll_once().await.is_ok() {
            sent.retain(|command| !is_verified(task, action, command, &mut outcomes[command.at]));
        }
    }
    for SentCommand { at, doubt, .. } in sent {
        let outcome = &mut outcomes[at];
        (outcome.outcome, outcome.message) = match doubt {
            Some(doubt) => (Outcome::Unreachable, doubt),
            None => (Outcome::Unverified, unverified(action, &outcome.after)),
        };
    }
    let now = crate::clock::unix_ms();
    for TargetOutcome { target, outcome, .. } in outcomes.iter().filter(|o| o.outcome.is_good()) {
        task.poller.overrides.action_done(target, action, *outcome == Outcome::Done, requester, now);
    }
    outcomes
}

fn unreachable(target: &Target) -> TargetOutcome {
    TargetOutcome {
        target: target.clone(),
        outcome: Outcome::Unreachable,
        message: String::new(),
        before: String::new(),
        after: String::new(),
    }
}

/// Sends one command, unless the server already is as wanted. Breaks when the node hangs: every further command would
/// take its whole deadline.
async fn send(
    task: &NodeTask,
    action: Action,
    permit: &Permit,
    at: usize,
    outcome: &mut TargetOutcome,
    sent: &mut Vec<SentCommand>,
) -> ControlFlow<()> {
    let target = &outcome.target;
    let Some(before) = task.poller.server(&target.backend, &target.server).cloned() else {
        outcome.outcome = Outcome::Refused;
        outcome.message = "the server is not there any more; nothing was sent".to_owned();
        return ControlFlow::Continue(());
    };
    outcome.before = before.text(Text::Status).to_owned();
    outcome.after.clone_from(&outcome.before);
    if let Some(reason) = withheld(action, &before, &task.poller.node) {
        outcome.outcome = Outcome::Refused;
        outcome.message = format!("{reason}; nothing was sent");
        return ControlFlow::Continue(());
    }
    if let Some(message) = already(action, &before) {
        outcome.outcome = Outcome::Unchanged;
        outcome.message = message;
        return ControlFlow::Continue(());
    }
    let (Ok(backend), Ok(server)) = (target.backend.as_str().try_into(), target.server.as_str().try_into()) else {
        outcome.outcome = Outcome::Refused;
        outcome.message = "the name has a character that HAProxy does not allow; nothing was sent".to_owned();
        return ControlFlow::Continue(());
    };
    // What puts a server back is done whatever became of who asked for it: it ends half-done work.
    if action != Action::Ready
        && let Err(reason) = permit.check(target).await
    {
        outcome.outcome = Outcome::Refused;
        outcome.message = format!("{reason}; nothing was sent");
        return ControlFlow::Continue(());
    }
    match task.poller.client.run(&ServerCommand { backend, server, verb: verb(action) }).await {
        Ok(CommandReply::Accepted) => sent.push(SentCommand { at, before, doubt: None }),
        Ok(CommandReply::Refused(words)) => {
            outcome.outcome = Outcome::Refused;
            outcome.message = words;
        }
        Err(error) => {
            if error.may_have_run() {
                sent.push(SentCommand { at, before, doubt: Some(in_doubt(&error)) });
            } else {
                outcome.message = error.to_string();
            }
            if matches!(error, Error::Timeout { .. }) {
                return ControlFlow::Break(());
            }
        }
    }
    ControlFlow::Continue(())
}

/// Whether the state just read shows the action; if so the outcome says so.
fn is_verified(task: &NodeTask, action: Action, command: &SentCommand, outcome: &mut TargetOutcome) -> bool {
    let target = &outcome.target;
    let Some(after) = task.poller.server(&target.backend, &target.server) else { return false };
    outcome.after = after.text(Text::Status).to_owned();
    let Some(message) = shows(action, &command.before, after) else { return false };
    outcome.outcome = Outcome::Done;
    outcome.message = message;
    true
}

fn in_doubt(error: &Error) -> String {
    format!("{error}; HAProxy may have got the command, its state does not show it")
}

fn unverified(action: Action, after: &str) -> String {
    match action {
        Action::Shutdown => "HAProxy took the command, but sessions from before it are still open".to_owned(),
        _ => format!("HAProxy took the command, but the server is {after}"),
    }
}

/// The command behind an action.
fn verb(action: Action) -> Verb {
    match action {
        Action::Ready => Verb::StateReady,
        Action::Drain => Verb::StateDrain,
        Action::Maint => Verb::StateMaint,
        Action::Dhlth => Verb::DisableHealth,
        Action::Ehlth => Verb::EnableHealth,
        Action::Hrunn => Verb::HealthUp,
        Action::Hnolb => Verb::HealthStopping,
        Action::Hdown => Verb::HealthDown,
        Action::Dagent => Verb::DisableAgent,
        Action::Eagent => Verb::EnableAgent,
        Action::Arunn => Verb::AgentUp,
        Action::Adown => Verb::AgentDown,
        Action::Shutdown => Verb::ShutdownSessions,
    }
}
