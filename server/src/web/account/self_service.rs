//! What somebody may do with their own account, by the page and by the API alike.

use axum::http::StatusCode;
use model::rights::Role;

use crate::{
    auth::{
        AuthMethod, Origin, Principal, Session, UserName,
        authn::{
            expiry, sessions,
            tokens::{self, NewToken, Scope, Token, TokenError},
        },
    },
    clock::now,
    db::DatabaseError,
    web::{AppState, form_fields::sentence},
};

/// Somebody's own account.
pub(in crate::web) struct OwnAccount {
    principal: Principal,
    /// The session that they ask with, where they have one.
    pub(in crate::web) session: Option<Session>,
}

/// Why a token was not made.
pub(in crate::web) enum MakeError {
    /// With what to tell.
    Told(StatusCode, String),
    /// Sluice failed.
    Failed(Box<dyn std::error::Error + Send + Sync>),
}

impl OwnAccount {
    /// That of a caller.
    pub(in crate::web) async fn of(state: &AppState, principal: &Principal) -> Result<Self, DatabaseError> {
        Ok(Self { session: state.auth.session_of(principal).await?, principal: principal.clone() })
    }

    /// The local account; others have none that Sluice keeps.
    pub(in crate::web) fn local(&self) -> Option<UserName> {
        self.session.as_ref().filter(|s| s.origin == Origin::Local).and_then(|s| s.user.parse().ok())
    }

    /// Whose sessions theirs are.
    pub(in crate::web) fn key(&self) -> Option<(Origin, String)> {
        self.session.as_ref().map(|session| (session.origin, session.user.clone()))
    }

    /// How they are known, in words.
    pub(in crate::web) fn means(&self, state: &AppState) -> String {
        match (&self.principal.means, &self.session) {
            (AuthMethod::Session(_), Some(session)) if session.origin == Origin::Oidc => {
                state.auth.outside().oidc.as_ref().map_or("OpenID Connect", |oidc| oidc.name()).to_owned()
            }
            (AuthMethod::Session(_), _) => "name and password".to_owned(),
            (AuthMethod::Open, _) => {
                "nothing: there are no accounts, and whoever uses this machine may do everything".to_owned()
            }
            (means, _) => format!("{means}"),
        }
    }

    /// Ends a session of theirs by its public name; whether there was one. Who has no sessions ends none.
    pub(in crate::web) async fn end_session(&self, state: &AppState, id: String) -> Result<bool, DatabaseError> {
        match self.key() {
            Some(of) => end_session(state, &self.principal, id, Some(of)).await,
            None => Ok(false),
        }
    }

    /// Makes a token of theirs.
    pub(in crate::web) async fn make_token(
        &self,
        state: &AppState,
        scope: &str,
        expires: &str,
        note: &str,
    ) -> Result<(Token, String), MakeError> {
        let bad = |text: String| MakeError::Told(StatusCode::BAD_REQUEST, text);
        let scope: Scope = scope.parse().map_err(|error| bad(sentence(&error)))?;
        let time = expiry::parse(expires).map_err(|error| bad(sentence(&error)))?;
        let Some(user) = self.local() else {
            let text = "Tokens are for local accounts: ask an admin for one, as for a script.".to_owned();
            return Err(MakeError::Told(StatusCode::FORBIDDEN, text));
        };
        if scope == Scope::Act && self.principal.rights.role < Role::Operator {
            let text = "A viewer's token can only look: take the scope read.".to_owned();
            return Err(MakeError::Told(StatusCode::FORBIDDEN, text));
        }
        let new = NewToken { user, scope, note: note.to_owned(), expires: expiry::after(now(), time) };
        let by = self.principal.clone();
        let made = state.database.call(move |connection| Ok(tokens::add(connection, &new, &by, now()))).await;
        match made.map_err(|error| MakeError::Failed(error.into()))? {
            Ok(made) => Ok(made),
            Err(error @ (TokenError::Random(_) | TokenError::Database(_))) => Err(MakeError::Failed(error.into())),
            Err(error) => Err(MakeError::Told(StatusCode::CONFLICT, sentence(&error))),
        }
    }
}

/// Ends a session by its public name; whether there was one. With `of` only where it is that account's.
pub(in crate::web) async fn end_session(
    state: &AppState,
    by: &Principal,
    id: String,
    of: Option<(Origin, String)>,
) -> Result<bool, DatabaseError> {
    let (limits, by) = (state.auth.limits(), by.clone());
    let ended = state.database.call(move |connection| {
        let of = of.as_ref().map(|(origin, user)| (*origin, user.as_str()));
        sessions::revoke(connection, &id, of, &by, limits, now())
    });
    ended.await
}
