//! The end of what somebody was let in with, while something of theirs is still open.

use std::{future::pending, time::Duration};

use tokio::time::{Instant, sleep_until};

use super::{ActivePrincipal, Auth, Principal, active_principals};
use crate::{clock::now, db::DatabaseError};

/// How soon the database is asked again about somebody who is missing in the newest reading: they may have been let in
/// after it was made.
const RECHECK: Duration = Duration::from_millis(250);

impl Auth {
    /// What somebody may do now; nothing where they are not let in any more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn active_principal(&self, principal: &Principal) -> Result<Option<ActivePrincipal>, DatabaseError> {
        let (policy, principal) = (self.inner().policy.clone(), principal.clone());
        let database = &self.inner().database;
        database.run(move |connection| active_principals::look_up(&policy, connection, &principal, now())).await
    }

    /// Returns once somebody may not go on as they began: their session, token or link ended, or their rights changed.
    ///
    /// # Errors
    /// When the database fails: then it is not known, and they may not go on.
    pub async fn wait_until_revoked(&self, principal: &Principal) -> Result<(), DatabaseError> {
        let mut readings = self.inner().active.clone();
        let mut until = None;
        let mut is_confirmed = false;
        loop {
            // Marked as seen before the database is asked, so that no later change is missed.
            let is_active = readings.borrow_and_update().contains(principal);
            if !is_active || !is_confirmed {
                match self.active_principal(principal).await? {
                    Some(active) if active.rights == principal.rights => until = active.until,
                    _ => return Ok(()),
                }
            }
            is_confirmed = true;
            let recheck = (!is_active).then(|| Instant::now() + RECHECK);
            let expiry = until.map(|until| {
                Instant::now() + Duration::from_millis(until.saturating_sub(now()).try_into().unwrap_or(0))
            });
            let next_check = async {
                match recheck.into_iter().chain(expiry).min() {
                    Some(at) => sleep_until(at).await,
                    None => pending().await,
                }
            };
            tokio::select! {
                changed = readings.changed() => if changed.is_err() { return Ok(()) },
                () = next_check => is_confirmed = false,
            }
        }
    }
}
