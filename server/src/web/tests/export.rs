//! A long export ends with what let whoever asked for it in.

use futures::StreamExt as _;
use model::audit::Kind;

use super::*;
use crate::{
    audit::{append, by_sluice},
    web::middleware::authorize::tests::{ask, shown, with_accounts},
};

/// More than are read from the database at once.
const ENTRIES: usize = 12_000;

/// A state with a long audit log.
async fn with_entries() -> AppState {
    let state = with_accounts().await;
    let written = state.database.transact(|transaction| {
        (0..ENTRIES).try_for_each(|n| append(transaction, &by_sluice(Kind::Login, &n.to_string())))
    });
    written.await.expect("answered").expect("written");
    state
}

#[tokio::test]
async fn an_export_is_whole_or_breaks_off_where_its_reader_lost_the_right() {
    for is_revoked in [false, true] {
        let state = with_entries().await;
        let admin = shown(&state, "admin").await;
        let response = ask(&state, "GET /api/v1/audit?format=jsonl", "", admin).await;
        assert_eq!(response.status(), StatusCode::OK);
        let mut body = response.into_body().into_data_stream();
        let mut lines = 0;
        let mut is_broken = false;
        while let Some(part) = body.next().await {
            match part {
                Ok(part) => lines += part.iter().filter(|byte| **byte == b'\n').count(),
                Err(_) => is_broken = true,
            }
            if is_revoked {
                let ended = state.database.run(|connection| connection.execute("DELETE FROM sessions", []));
                ended.await.expect("ended");
            }
        }
        assert_eq!((is_broken, lines > ENTRIES), (is_revoked, !is_revoked), "{lines} lines");
    }
}
