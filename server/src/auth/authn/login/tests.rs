//! Log-ins, from the attempt to the session.

use futures::future::join_all;
use model::rights::Role;

use super::*;
use crate::{
    auth::{
        Cost, HashMemory,
        authn::sessions,
        password_update,
        testing::{CHEAP, PASSWORD, add, audit_lines, auth},
    },
    db::Database,
};

fn attempt(user: &str, password: &str, address: &str) -> LogInAttempt {
    LogInAttempt {
        user: user.to_owned(),
        password: Password::new(password.to_owned()),
        device: None,
        session: None,
        address: address.parse().expect("an address"),
        agent: "test".to_owned(),
    }
}

async fn with_anna() -> (Database, Auth) {
    let database = Database::in_memory(crate::schema::MIGRATIONS).expect("memory");
    add(&database, "anna", Role::Operator).await;
    let auth = auth(&database);
    (database, auth)
}

async fn opens(auth: &Auth, token: Secret) -> bool {
    let limits = auth.session_limits();
    let found = auth.inner().database.run(move |c| sessions::find(c, &token, limits, now())).await;
    found.expect("answered").is_some()
}

#[tokio::test]
async fn the_right_password_opens_a_new_session_and_ends_the_one_that_came_along() {
    let (database, auth) = with_anna().await;
    let planted = auth.log_in(attempt("anna", PASSWORD, "10.0.0.9")).await.expect("in");
    let own = LogInAttempt { session: Some(planted.session_secret), ..attempt("anna", PASSWORD, "10.0.0.1") };
    let logged_in = auth.log_in(own).await.expect("in");
    assert_ne!(logged_in.session_secret, planted.session_secret);
    assert!(opens(&auth, logged_in.session_secret).await && !opens(&auth, planted.session_secret).await);
    assert_eq!((logged_in.principal.name.as_str(), logged_in.principal.rights.role), ("anna", Role::Operator));
    // A token that nobody made opens nothing, before and after.
    let made_up = Secret::random().expect("random bytes");
    let with_it = LogInAttempt { session: Some(made_up), ..attempt("anna", PASSWORD, "10.0.0.1") };
    auth.log_in(with_it).await.expect("in");
    assert!(!opens(&auth, made_up).await);
    assert_eq!(audit_lines(&database).await[1..], ["login log-in anna done"; 3].map(str::to_owned));
}

#[tokio::test]
async fn an_unknown_account_is_refused_like_a_wrong_password_after_the_same_work() {
    let (database, auth) = with_anna().await;
    let mut told = Vec::new();
    for user in ["anna", "nobody", "no name at all!", "", "anna'--", "ANNA"] {
        let before = auth.verified_passwords();
        let error = auth.log_in(attempt(user, "wrong password", "10.0.0.1")).await.expect_err("refused");
        assert!(matches!(error, LogInError::Wrong), "{user}: {error}");
        assert_eq!(auth.verified_passwords(), before + 1, "{user}");
        told.push(error.to_string());
    }
    told.dedup();
    assert_eq!(told.len(), 1);
    let lines = audit_lines(&database).await;
    assert_eq!(lines[1], "login log-in anna refused");
    // What was typed into the wrong field is not stored anywhere.
    assert!(lines[2..].iter().all(|line| line == "login log-in unknown account refused"), "{lines:?}");
}

#[tokio::test]
async fn as_many_failures_are_written_down_of_a_name_without_an_account_as_of_one_with() {
    let (database, auth) = with_anna().await;
    let entries = async || audit_lines(&database).await.iter().filter(|line| line.starts_with("login")).count();
    let mut before = 0;
    for (subnet, user) in ["anna", "nobody", "somebody"].into_iter().enumerate() {
        for n in 0..25 {
            let address = format!("10.{subnet}.{n}.1");
            auth.log_in(attempt(user, "wrong password", &address)).await.expect_err("refused");
        }
        assert_eq!(entries().await, before + 20, "{user}");
        before += 20;
    }
}

#[tokio::test]
async fn a_thousand_wrong_passwords_keep_no_honest_browser_out() {
    let (_database, auth) = with_anna().await;
    let mut known = auth.log_in(attempt("anna", PASSWORD, "10.0.0.1")).await.expect("in").device;
    let before = auth.verified_passwords();
    let guesses = (0..1_000).map(|n| auth.log_in(attempt("anna", &format!("guess number {n}"), "10.0.0.1")));
    let guesses = join_all(guesses);
    let honest = async {
        for n in 0..20 {
            auth.log_in(attempt("anna", PASSWORD, &format!("10.0.1.{n}"))).await.expect("from another address");
            let own = LogInAttempt { device: Some(known), ..attempt("anna", PASSWORD, "10.0.0.1") };
            known = auth.log_in(own).await.expect("from a known browser at the same address").device;
        }
    };
    let (guesses, ()) = futures::join!(guesses, honest);
    let waits = guesses.iter().filter(|g| matches!(g, Err(LogInError::Wait(wait)) if !wait.is_zero())).count();
    let wrong = guesses.iter().filter(|g| matches!(g, Err(LogInError::Wrong))).count();
    assert_eq!((waits, wrong), (995, 5));
    assert_eq!(auth.verified_passwords(), before + 5 + 40, "no password is verified while somebody has to wait");
    // A browser of the same address that nobody knows waits.
    let stranger = auth.log_in(attempt("anna", PASSWORD, "10.0.0.1")).await;
    assert!(matches!(stranger, Err(LogInError::Wait(_))));
    // So does a known browser of another account, and a made-up one.
    let made_up = LogInAttempt { device: Secret::random().ok(), ..attempt("anna", PASSWORD, "10.0.0.1") };
    assert!(matches!(auth.log_in(made_up).await, Err(LogInError::Wait(_))));
}

#[tokio::test]
async fn a_browser_is_known_by_what_it_was_given_and_two_people_share_it() {
    let (database, auth) = with_anna().await;
    add(&database, "ben", Role::Viewer).await;
    let planted = Secret::random().expect("random bytes");
    let own = LogInAttempt { device: Some(planted), ..attempt("anna", PASSWORD, "10.0.0.1") };
    let given = auth.log_in(own).await.expect("in").device;
    assert_ne!(given, planted);
    let shared = LogInAttempt { device: Some(given), ..attempt("ben", PASSWORD, "10.0.0.1") };
    assert_eq!(auth.log_in(shared).await.expect("in").device, given);
    for n in 0..10 {
        let _: Result<_, _> = auth.log_in(attempt("anna", &format!("guess number {n}"), "10.0.0.1")).await;
    }
    for (device, is_in) in [(planted, false), (given, true)] {
        let tried = LogInAttempt { device: Some(device), ..attempt("anna", PASSWORD, "10.0.0.1") };
        assert_eq!(auth.log_in(tried).await.is_ok(), is_in);
    }
}

#[tokio::test]
async fn many_addresses_keep_no_other_address_out() {
    let (_database, auth) = with_anna().await;
    for n in 0..300 {
        let from = format!("10.{}.{}.1", n / 250 + 3, n % 250);
        let refused = auth.log_in(attempt("anna", "wrong password", &from)).await;
        assert!(matches!(refused, Err(LogInError::Wrong)));
    }
    auth.log_in(attempt("anna", PASSWORD, "10.2.0.1")).await.expect("in");
}

#[tokio::test]
async fn a_password_kept_at_another_cost_is_kept_anew_at_its_log_in() {
    let (database, auth) = with_anna().await;
    let old = Password::new(PASSWORD.to_owned())
        .hash(Cost { memory: 16, ..CHEAP }, &mut HashMemory::default())
        .expect("hashed");
    let name: UserName = "anna".parse().expect("a name");
    let (of, kept) = (name.clone(), old.clone());
    database.run(move |c| users::rehash(c, &of, &kept)).await.expect("kept");
    auth.log_in(attempt("anna", PASSWORD, "10.0.0.1")).await.expect("in");
    let (_, new) = database.run(move |c| users::find(c, &name)).await.expect("answered").expect("there");
    assert!(new != old && !new.is_outdated(CHEAP));
    auth.log_in(attempt("anna", PASSWORD, "10.0.0.1")).await.expect("in again");
}

#[tokio::test]
async fn an_account_that_changed_under_way_lets_nobody_in() {
    let (database, auth) = with_anna().await;
    let name: UserName = "anna".parse().expect("a name");
    let of = name.clone();
    let (user, kept) = database.run(move |c| users::find(c, &of)).await.expect("answered").expect("there");
    let new = Password::new("another password".to_owned()).hash(CHEAP, &mut HashMemory::default()).expect("hashed");
    let of = name.clone();
    let changed =
        database.transact(move |c| password_update::set_password(c, &of, &new, &Principal::command_line("x"), now()));
    changed.await.expect("answered").expect("changed");
    let session = NewSession {
        user: "anna".to_owned(),
        origin: AccountOrigin::Local,
        role: user.role,
        groups: Vec::new(),
        address: "10.0.0.1".parse().expect("an address"),
        agent: String::new(),
    };
    let issue = SessionIssue::new(session, None, "password").expect("random bytes");
    let secret = issue.secret;
    let device = Secret::random().expect("random bytes");
    let issued = auth.issue_unless_changed(name, kept, None, device, issue).await;
    assert!(matches!(issued, Err(LogInError::Wrong)));
    assert!(!opens(&auth, secret).await);
}

#[tokio::test]
async fn nothing_that_opens_something_is_in_what_is_shown() {
    let (database, auth) = with_anna().await;
    let tried = attempt("anna", PASSWORD, "10.0.0.1");
    let shown = format!("{tried:?}");
    let logged_in = auth.log_in(tried).await.expect("in");
    let shown = format!("{shown} {logged_in:?} {auth:?}");
    let (token, device) = (logged_in.session_secret.reveal(), logged_in.device.reveal());
    for secret in [PASSWORD, &token, &device, "$argon2id"] {
        assert!(!shown.contains(secret));
    }
    assert!(!audit_lines(&database).await.join("\n").contains(PASSWORD));
}

#[test]
fn a_wait_is_told_in_whole_seconds_that_suffice() {
    for (millis, told) in [(1, 1), (999, 1), (1_000, 1), (1_001, 2)] {
        assert_eq!(retry_after(Duration::from_millis(millis)), told);
    }
}

#[tokio::test]
async fn whoever_has_a_whole_network_guesses_slowly_and_keeps_nobody_else_waiting() {
    let (database, auth) = with_anna().await;
    for n in 0..19 {
        add(&database, &format!("user{n}"), Role::Viewer).await;
    }
    let auth = &auth;
    // A /48 has 65,536 networks of a customer.
    let guesses = join_all((0..80).map(|thread| async move {
        for n in 0..30 {
            let address = format!("2001:db8:7:{:x}::1", thread * 30 + n);
            auth.log_in(attempt("anna", &format!("guess {thread} {n}"), &address)).await.expect_err("wrong");
        }
    }));
    let honest = join_all((0..19).map(|n| async move {
        auth.log_in(attempt(&format!("user{n}"), PASSWORD, &format!("10.0.{n}.9")))
            .await
            .map(|logged_in| logged_in.principal)
    }));
    let (_, honest) = futures::join!(guesses, honest);
    let failed: Vec<_> = honest.iter().filter_map(|log_in| log_in.as_ref().err()).collect();
    assert!(failed.is_empty(), "{failed:?}");
    // Sixty failures of a /48 are free; with each further one the next has to wait for longer.
    let guessed = auth.verified_passwords() - 19;
    assert!((60..80).contains(&guessed), "{guessed} of 2,400 guesses were looked at");
    auth.log_in(attempt("anna", PASSWORD, "192.0.2.1")).await.expect("in, from elsewhere");
}
