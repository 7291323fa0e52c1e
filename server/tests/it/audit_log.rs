//! What can't be recorded is not done: HAProxy is told nothing while the audit log's disk is full or its file can't be
//! written, and everything works again afterwards.

use model::{
    action::Action,
    outcome::{ActionRequest, Outcome, Target},
};
use server::{
    audit::{Entry, EntryView, Filter, Kind, append, by_sluice, verify},
    auth::Principal,
    operations::RequestError,
};

use crate::harness::{
    fake::{Fake, recorded},
    sluice::Sluice,
};

const TARGET: &str = "lb1/be_http/s1";

async fn start() -> (Fake, Sluice) {
    let fake = Fake::start(|line| Some(recorded(line)));
    let sluice = Sluice::watching(&[("lb1", "edge", &fake.socket())]).await;
    (fake, sluice)
}

fn target() -> Target {
    TARGET.parse().expect("a target")
}

/// Asks for an action and says why it was refused.
async fn refused(sluice: &Sluice) -> RequestError {
    sluice.request(Action::Maint, vec![target().into()]).await.expect_err("not recorded")
}

/// Once the audit log can be written, the same action goes to HAProxy.
async fn works_again(fake: &Fake, sluice: &Sluice) {
    assert_eq!(fake.told(), Vec::<String>::new(), "nothing was sent meanwhile");
    let got = sluice.act(Action::Maint, TARGET).await;
    assert_eq!(got.outcome, Outcome::Unverified, "the recording does not change: {got:?}");
    assert_eq!(fake.told(), ["set server be_http/s1 state maint"]);
    let entries = sluice.audit().page(&Filter::default(), None, 2).await.expect("read").entries;
    assert_eq!(entries.iter().map(|e| e.entry.kind.as_str()).collect::<Vec<_>>(), ["outcome", "operation"]);
    assert_eq!(EntryView::from(entries[0].clone()).outcomes[0].outcome, "unverified");
    sluice.database.run(|c| Ok(verify(c, None).map(|_| ()))).await.expect("read").expect("one chain");
}

#[tokio::test]
async fn with_a_full_disk_nothing_is_sent_to_haproxy() {
    let (fake, sluice) = start().await;
    // No page more than there is, and what is free on the last one used up.
    let filled = sluice.database.run(|c| {
        let pages: i64 = c.pragma_query_value(None, "page_count", |row| row.get(0))?;
        c.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))?;
        let filler = Entry { reason: "x".repeat(10), ..by_sluice(Kind::Account, "filler") };
        while append(c, &filler).is_ok() {}
        Ok(())
    });
    filled.await.expect("full");
    for _ in 0..3 {
        let error = refused(&sluice).await;
        assert_eq!(error.status(), 503);
        assert!(error.to_string().contains("full"), "{error}");
        assert!(error.to_string().contains("what can't be recorded is not done"), "{error}");
    }
    assert_eq!(fake.told(), Vec::<String>::new());
    let more = sluice.database.run(|c| c.pragma_update_and_check(None, "max_page_count", 1_000_000, |_| Ok(())));
    more.await.expect("room");
    works_again(&fake, &sluice).await;
}

#[tokio::test]
async fn with_a_read_only_database_nothing_is_sent_to_haproxy() {
    let (fake, sluice) = start().await;
    sluice.database.run(|c| c.pragma_update(None, "query_only", true)).await.expect("set");
    let error = refused(&sluice).await;
    assert_eq!(error.status(), 503);
    assert!(error.to_string().contains("readonly"), "{error}");
    assert_eq!(fake.told(), Vec::<String>::new());
    sluice.database.run(|c| c.pragma_update(None, "query_only", false)).await.expect("set");
    works_again(&fake, &sluice).await;
}

/// The audit log stops between the command and its outcome: the outcome is told all the same, and that it is not recorded.
#[tokio::test]
async fn an_outcome_that_can_not_be_recorded_is_told_with_a_warning() {
    let (fake, sluice) = start().await;
    let told = sluice.database.run(|c| {
        // The entry of the operation still goes in.
        c.execute_batch(
            "CREATE TRIGGER no_outcome BEFORE INSERT ON record WHEN NEW.kind = 'outcome'
             BEGIN SELECT RAISE(ABORT, 'the disk is on fire'); END",
        )
    });
    told.await.expect("set");
    let request = ActionRequest { action: Action::Maint, targets: vec![target().into()], reason: None };
    let answer = sluice.operations.run(request, &Principal::command_line("tester")).await.expect("done");
    assert_eq!(fake.told(), ["set server be_http/s1 state maint"]);
    assert_eq!(answer.outcomes[0].outcome, Outcome::Unverified);
    assert!(answer.warning.contains("could not be recorded"), "{}", answer.warning);
}

#[tokio::test]
async fn haproxy_s_words_are_in_the_entry_of_the_outcome() {
    let fake = Fake::start(|line| {
        Some(if line.starts_with("show ") { recorded(line) } else { b"No \"such\"\x1b[31m server <b>.\n\n".to_vec() })
    });
    let sluice = Sluice::watching(&[("lb1", "edge", &fake.socket())]).await;
    assert_eq!(sluice.act(Action::Maint, TARGET).await.outcome, Outcome::Refused);
    let entry = sluice.audit().page(&Filter::default(), None, 1).await.expect("read").entries.remove(0);
    assert_eq!(entry.entry.detail, "1 refused");
    let outcome = &EntryView::from(entry).outcomes[0];
    assert_eq!((outcome.outcome.as_str(), outcome.target.as_str()), ("refused", TARGET));
    assert!(outcome.message.starts_with("No \"such\"") && !outcome.message.contains('\u{1b}'), "{outcome:?}");
}
