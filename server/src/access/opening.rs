//! The beginning of a session: one transaction, with its entry in the record.

use rusqlite::Connection;

use super::{NewSession, RandomError, Secret, Session, Standing, new_id, sessions, standing::Basis};
use crate::{
    clock::now,
    record::{self, Entry, Kind},
};

/// A session about to begin.
#[derive(Debug)]
pub(super) struct Opening {
    pub(super) new: NewSession,
    /// Its public name.
    id: String,
    /// What opens it.
    pub(super) secret: Secret,
    /// What came with the request.
    old: Option<Secret>,
    /// How it came about, for the record.
    detail: String,
}

impl Opening {
    pub(super) fn new(new: NewSession, old: Option<Secret>, detail: &str) -> Result<Self, RandomError> {
        Ok(Self { new, id: new_id()?, secret: Secret::random()?, old, detail: detail.to_owned() })
    }

    /// Begins it inside a transaction, and tells the record; nothing where its account is gone.
    pub(super) fn begin(
        &self,
        transaction: &Connection,
        basis: &Basis,
    ) -> Result<Option<(Session, Standing)>, rusqlite::Error> {
        let (Self { new, id, secret, old, detail }, now) = (self, now());
        if let Some(old) = old {
            sessions::end_by_secret(transaction, old)?;
        }
        sessions::create(transaction, new, id, secret, now)?;
        let Some(session) = sessions::by_id(transaction, id, basis.limits, now)? else { return Ok(None) };
        let standing = basis.of(&session);
        let entry = standing.caller(&session.id, new.address).entry(Kind::Login, "log-in");
        record::append(transaction, &Entry { outcome: "done".to_owned(), detail: detail.clone(), ..entry })?;
        Ok(Some((session, standing)))
    }
}
