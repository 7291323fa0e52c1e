//! The deadline covers the time that a request waits for its turn.

use super::*;
use crate::Stage;

#[tokio::test]
async fn a_request_that_never_got_its_turn_was_not_sent() {
    let limits = Limits { deadline: Duration::from_millis(50), connections: 0, ..Limits::default() };
    let client = Client::new(Address::Unix("/nonexistent".into()), limits);
    let _turn = client.endpoint.slots.acquire().await.expect("at least one");
    let error = client.info().await.expect_err("no turn");
    let stage = Stage::Queue;
    assert!(matches!(error, Error::Timeout { stage: s, .. } if s == stage));
    assert!(!error.may_have_run());
}
