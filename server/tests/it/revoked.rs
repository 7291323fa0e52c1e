//! Rights that end while an operation goes on: nothing further is taken out of service, and what is put back is.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
};

use model::{
    action::Action,
    outcome::{ActionRequest, Outcome, Target, TargetOutcome},
    rights::Role,
};
use rusqlite::Transaction;
use server::{
    audit::{Filter, StoredEntry},
    auth::{
        Auth, AuthConfig, Cost, HashMemory, LogInAttempt, Password, Principal, Rules, SessionLimits, User, UserName,
        password_update, users,
    },
    operations::RequestError,
};

use crate::harness::{
    fake::{Fake, recorded},
    sluice::Sluice,
};

const PASSWORD: &str = "correct horse battery";

type Change = fn(&Transaction<'_>, &UserName, &Principal);

const LOG_OUT: Change = |transaction, _, _| {
    transaction.execute("DELETE FROM sessions", []).expect("ended");
};

fn anna() -> UserName {
    "anna".parse().expect("a name")
}

fn root() -> Principal {
    Principal::command_line("root")
}

/// A node that takes every command. `Stage` goes on with the first one when it is told to.
struct Stage {
    fake: Fake,
    sluice: Sluice,
    reached: Mutex<mpsc::Receiver<()>>,
    go_on: mpsc::Sender<()>,
}

impl Stage {
    async fn set() -> Self {
        let ((reach, reached), (go_on, wait)) = (mpsc::channel(), mpsc::channel());
        let (is_first, wait) = (AtomicBool::new(true), Mutex::new(wait));
        let fake = Fake::start(move |line| {
            if line.starts_with("set server") && is_first.swap(false, Ordering::Relaxed) {
                reach.send(()).expect("a test");
                wait.lock().expect("no panic").recv().expect("a test");
            }
            Some(recorded(line))
        });
        let sluice = Sluice::watching(&[("lb1", "edge", &fake.socket())]).await;
        Self { fake, sluice, reached: Mutex::new(reached), go_on }
    }

    /// Logs the operator `anna` in.
    async fn log_in(&self) -> Principal {
        let cost = Cost { memory: 8, passes: 1, lanes: 1 };
        let password = Password::new(PASSWORD.to_owned()).hash(cost, &mut HashMemory::default()).expect("hashed");
        let user = User { name: anna(), role: Role::Operator, groups: Vec::new(), created: 0, changed: 0 };
        let added =
            self.sluice.database.transact(move |transaction| users::add(transaction, &user, &password, &root()));
        added.await.expect("answered").expect("added");
        let (rules, sessions) = (Rules::default(), SessionLimits::default());
        let config = AuthConfig { rules, sessions, may_be_open: false, cost };
        let auth = Auth::start(self.sluice.database.clone(), config).expect("auth");
        let attempt = LogInAttempt {
            user: "anna".to_owned(),
            password: Password::new(PASSWORD.to_owned()),
            device: None,
            session: None,
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            agent: String::new(),
        };
        auth.log_in(attempt).await.expect("logged in").principal
    }

    async fn change(&self, change: Change) {
        let changed = self.sluice.database.transact(move |transaction| {
            change(transaction, &anna(), &root());
            Ok::<(), rusqlite::Error>(())
        });
        changed.await.expect("answered").expect("changed");
    }

    /// What anna's action comes to when `change` happens while its first command is on its way.
    async fn act(self: Arc<Self>, action: Action, targets: &[&str], change: Change) -> Vec<TargetOutcome> {
        let principal = self.log_in().await;
        let targets = targets.iter().map(|t| t.parse::<Target>().expect("a target").into()).collect();
        let request = ActionRequest { action, targets, reason: None };
        let operations = self.sluice.operations.clone();
        let running = tokio::spawn(async move { operations.run(request, &principal).await });
        let stage = self.clone();
        let reached = tokio::task::spawn_blocking(move || stage.reached.lock().expect("no panic").recv());
        reached.await.expect("no panic").expect("the first command");
        self.change(change).await;
        self.go_on.send(()).expect("the node waits");
        running.await.expect("no panic").expect("begun").outcomes
    }

    fn commands(&self) -> Vec<String> {
        self.fake.told().into_iter().filter(|line| line.starts_with("set server")).collect()
    }

    async fn entries(&self) -> Vec<StoredEntry> {
        self.sluice.audit().page(&Filter::default(), None, 50).await.expect("read").entries
    }
}

const SERVERS: [&str; 4] = ["lb1/be_http/s1", "lb1/be_http/s2", "lb1/be_http/s3", "lb1/be_agent/a1"];

#[tokio::test(flavor = "multi_thread")]
async fn when_the_account_loses_the_right_nothing_further_is_taken_out_of_service() {
    let lowered: Change = |t, name, by| users::set_role(t, name, Role::Viewer, by, 1).expect("lowered");
    let removed: Change = |t, name, by| users::remove(t, name, by).expect("removed");
    for change in [lowered, removed] {
        let stage = Arc::new(Stage::set().await);
        let outcomes = stage.clone().act(Action::Drain, &SERVERS, change).await;
        assert_eq!(stage.commands(), ["set server be_http/s1 state drain"]);
        for outcome in &outcomes[1..] {
            let told = (outcome.outcome, outcome.message.as_str());
            assert_eq!(told, (Outcome::Refused, "anna may not do this any more; nothing was sent"));
        }
        let newest = stage.entries().await.remove(0);
        assert_eq!((newest.entry.kind.as_str(), newest.entry.detail.as_str()), ("outcome", "3 refused, 1 unverified"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_logs_out_or_changes_the_password_ends_no_operation() {
    let password: Change = |t, name, by| {
        let hash = users::find(t, name).expect("read").expect("an account").1;
        password_update::set_password(t, name, &hash, by, 1).expect("changed");
    };
    for change in [LOG_OUT, password] {
        let stage = Arc::new(Stage::set().await);
        stage.clone().act(Action::Drain, &SERVERS, change).await;
        assert_eq!(stage.commands().len(), SERVERS.len());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn setting_ready_again_goes_on_and_is_recorded() {
    let lowered: Change = |t, name, by| users::set_role(t, name, Role::Viewer, by, 1).expect("lowered");
    let stage = Arc::new(Stage::set().await);
    stage.clone().act(Action::Ready, &["lb1/be_http/s4", "lb1/be_nocheck/n2"], lowered).await;
    assert_eq!(stage.commands(), ["set server be_http/s4 state ready", "set server be_nocheck/n2 state ready"]);
    let newest = stage.entries().await.remove(0).entry;
    assert_eq!((newest.kind.as_str(), newest.who.as_str(), newest.action.as_str()), ("outcome", "anna", "ready"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ended_before_the_entry_is_written_begins_nothing() {
    let stage = Stage::set().await;
    let principal = stage.log_in().await;
    let request = |reason: &str| ActionRequest {
        action: Action::Drain,
        targets: vec![SERVERS[0].parse::<Target>().expect("a target").into()],
        reason: Some(reason.to_owned()),
    };
    stage.change(|t, name, by| users::set_role(t, name, Role::Viewer, by, 1).expect("lowered")).await;
    let denied = stage.sluice.operations.run(request("lowered"), &principal).await;
    assert!(matches!(&denied, Err(RequestError::Denied(why)) if why.contains("role operator")), "{denied:?}");
    stage.change(LOG_OUT).await;
    assert_eq!(stage.sluice.operations.run(request("out"), &principal).await, Err(RequestError::NotLoggedIn));
    assert_eq!(stage.commands(), Vec::<String>::new());
    let kinds: Vec<String> = stage.entries().await.into_iter().map(|stored| stored.entry.kind).collect();
    assert!(!kinds.contains(&"operation".to_owned()), "{kinds:?}");
}
