//! What is taken away while a body is on its way counts: every route that changes something, against it.

use std::convert::Infallible;

use axum::body::Bytes;
use futures::{
    FutureExt as _, StreamExt as _,
    future::BoxFuture,
    stream::{self, BoxStream},
};

use super::*;
use crate::auth::{password_update, users};

/// What is taken away from the admin `admin`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Revocation {
    /// The session that the request shows ends.
    Session,
    /// The account gets another password.
    Password,
    /// The account is made a viewer.
    Role,
    /// The account is removed.
    Account,
    /// The token that the request shows ends.
    Token,
}

impl Revocation {
    /// Whose answer the rest of the request gets, as a place of [`PRINCIPALS`].
    fn answered_like(self) -> usize {
        let who = if self == Self::Role { "viewer" } else { "nobody" };
        PRINCIPALS.iter().position(|name| *name == who).expect("a column")
    }

    async fn happens(self, state: AppState) {
        let done =
            state.database.transact(move |transaction| -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
                let (admin, by) = ("admin".parse()?, Principal::command_line("test"));
                match self {
                    Self::Session => drop(transaction.execute("DELETE FROM sessions WHERE user = 'admin'", [])?),
                    Self::Token => drop(transaction.execute("DELETE FROM tokens", [])?),
                    Self::Role => users::set_role(transaction, &admin, Role::Viewer, &by, now())?,
                    Self::Account => users::remove(transaction, &admin, &by)?,
                    Self::Password => {
                        let hash = users::find(transaction, &admin)?.expect("an account").1;
                        password_update::set_password(transaction, &admin, &hash, &by, now())?;
                    }
                }
                Ok(())
            });
        done.await.expect("answered").expect("revoked");
    }
}

/// A body whose last byte is held back until something has happened.
fn held_back(body: &str, until: BoxFuture<'static, ()>) -> Body {
    let (first, last) = body.split_at(body.len().saturating_sub(1));
    let (first, last) = (Bytes::from(first.to_owned()), Bytes::from(last.to_owned()));
    let rest = stream::once(until.map(|()| last));
    let parts: BoxStream<'static, Bytes> = stream::once(async { first }).chain(rest).boxed();
    Body::from_stream(parts.map(Ok::<_, Infallible>))
}

async fn ask_and_revoke(state: &AppState, head: &str, body: &str, who: &str, revocation: Revocation) -> StatusCode {
    let shown = shown(state, who).await;
    let until = revocation.happens(state.clone()).boxed();
    let request = asked(head, held_back(body, until), body.starts_with('{'), shown);
    router(state.clone()).oneshot(request).await.expect("an answer").status()
}

/// What was done by somebody who is no command line.
async fn deeds(state: &AppState) -> Vec<String> {
    let read = state.database.read(|connection| {
        let sql = "SELECT kind || ' ' || action FROM record WHERE kind IN ('operation', 'account') AND means <> 'command line'";
        connection.prepare(sql)?.query_map([], |row| row.get(0))?.collect()
    });
    read.await.expect("read")
}

#[tokio::test]
async fn a_session_that_ends_between_head_and_body_is_answered_as_the_table_says() {
    for (head, body, expected) in EXPECTED {
        let state = with_accounts().await;
        let status = ask_and_revoke(&state, head, body, "admin", Revocation::Session).await;
        assert_eq!(status.as_u16(), expected[REVOKED], "{head}");
        assert_eq!(deeds(&state).await, Vec::<String>::new(), "{head}");
    }
}

#[tokio::test]
async fn whatever_is_revoked_between_head_and_body_changes_nothing_any_more() {
    for revocation in [Revocation::Password, Revocation::Role, Revocation::Account, Revocation::Token] {
        let who = if revocation == Revocation::Token { "act" } else { "admin" };
        for (head, body, expected) in EXPECTED.iter().filter(|(head, ..)| !head.starts_with("GET")) {
            let state = with_accounts().await;
            let status = ask_and_revoke(&state, head, body, who, revocation).await;
            // A token is not for these routes, whether it lasts or not.
            let acts = PRINCIPALS.iter().position(|name| *name == "act").expect("a column");
            let is_denied_before = revocation == Revocation::Token && expected[acts] == 403;
            let want = expected[if is_denied_before { acts } else { revocation.answered_like() }];
            assert_eq!(status.as_u16(), want, "{head} after {revocation:?}");
            assert_eq!(deeds(&state).await, Vec::<String>::new(), "{head} after {revocation:?}");
        }
    }
}
