//! The beginning of a session: one transaction, with its entry in the record.

use rusqlite::Connection;

use super::sessions;
use crate::{
    audit::{self, Entry, Kind},
    auth::{ActivePrincipal, NewSession, RandomError, Secret, Session, active_principals::AuthPolicy, new_id},
    clock::now,
};

/// A session about to begin.
#[derive(Debug)]
pub(in crate::auth) struct SessionIssue {
    pub(in crate::auth) new: NewSession,
    /// Its public name.
    id: String,
    /// What opens it.
    pub(in crate::auth) secret: Secret,
    /// What came with the request.
    old: Option<Secret>,
    /// How it came about, for the record.
    detail: String,
}

impl SessionIssue {
    pub(in crate::auth) fn new(new: NewSession, old: Option<Secret>, detail: &str) -> Result<Self, RandomError> {
        Ok(Self { new, id: new_id()?, secret: Secret::random()?, old, detail: detail.to_owned() })
    }

    /// Begins it inside a transaction, and tells the record; nothing where its account is gone.
    pub(in crate::auth) fn begin(
        &self,
        transaction: &Connection,
        basis: &AuthPolicy,
    ) -> Result<Option<(Session, ActivePrincipal)>, rusqlite::Error> {
        let (Self { new, id, secret, old, detail }, now) = (self, now());
        if let Some(old) = old {
            sessions::end_by_secret(transaction, old)?;
        }
        sessions::create(transaction, new, id, secret, now)?;
        let Some(session) = sessions::by_id(transaction, id, basis.limits, now)? else { return Ok(None) };
        let standing = basis.of(&session);
        let entry = standing.principal(&session.id, new.address).entry(Kind::Login, "log-in");
        audit::append(transaction, &Entry { outcome: "done".to_owned(), detail: detail.clone(), ..entry })?;
        Ok(Some((session, standing)))
    }
}
