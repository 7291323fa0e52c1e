//! The beginning of a session: one transaction, with its audit entry.

use rusqlite::Connection;

use super::sessions;
use crate::{
    audit::{self, Entry, Kind},
    auth::{ActivePrincipal, NewSession, RandomError, Secret, Session, auth_policy::AuthPolicy, new_id},
    clock::now,
};

/// A session about to begin.
#[derive(Debug)]
pub(in crate::auth) struct SessionIssue {
    pub(in crate::auth) new: NewSession,
    id: String,
    /// What opens it.
    pub(in crate::auth) secret: Secret,
    /// The session that came with the request, which ends.
    old: Option<Secret>,
    /// How somebody logged in, for the audit entry.
    detail: String,
}

impl SessionIssue {
    pub(in crate::auth) fn new(new: NewSession, old: Option<Secret>, detail: &str) -> Result<Self, RandomError> {
        Ok(Self { new, id: new_id()?, secret: Secret::random()?, old, detail: detail.to_owned() })
    }

    /// Begins it inside a transaction, with its audit entry; nothing where its account is gone.
    pub(in crate::auth) fn issue(
        &self,
        transaction: &Connection,
        policy: &AuthPolicy,
    ) -> Result<Option<(Session, ActivePrincipal)>, rusqlite::Error> {
        let (Self { new, id, secret, old, detail }, now) = (self, now());
        if let Some(old) = old {
            sessions::end_by_secret(transaction, old)?;
        }
        sessions::create(transaction, new, id, secret, now)?;
        let Some(session) = sessions::by_id(transaction, id, policy.limits, now)? else { return Ok(None) };
        let Some(active) = policy.of_session(&session) else { return Ok(None) };
        let entry = active.principal(&session.id, new.address).entry(Kind::Login, "log-in");
        audit::append(transaction, &Entry { outcome: "done".to_owned(), detail: detail.clone(), ..entry })?;
        Ok(Some((session, active)))
    }
}
