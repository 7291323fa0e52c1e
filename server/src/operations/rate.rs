//! How many actions somebody may ask for in a short time: of each account, and of each address where there are no accounts.

use std::time::Duration;

use crate::{
    auth::{AuthMethod, Principal},
    rate_limit::Rate,
};

/// At once 120 actions, each on as many servers as one likes: a script that goes over a backend server by server. After
/// that five a second, as many as a script asks for that waits for each outcome.
pub(super) const ACTIONS: Rate = Rate { burst: 120, refill: 1, every: Duration::from_millis(200) };

/// What somebody's actions are counted by.
pub(super) fn key(principal: &Principal) -> String {
    match principal.method {
        AuthMethod::Open => format!("address {}", principal.address),
        _ => format!("account {}", principal.name),
    }
}
