//! What people may do with their own account, on the page and through the API alike.

use axum::http::StatusCode;
use model::rights::Role;
use rusqlite::Connection;

use crate::{
    auth::{
        AccountOrigin, AuthMethod, ChangeError, LogInError, Password, Principal, Secret, Session, TakenAway, UserName,
        Withdrawal,
        authn::{
            expiry, sessions,
            tokens::{self, NewToken, Scope, Token, TokenError},
        },
        authz::policy::Permission,
    },
    clock::now,
    db::DatabaseError,
    web::{AppState, form_fields::sentence},
};

/// The account of whoever asks.
pub(in crate::web) struct OwnAccount {
    principal: Principal,
    /// The session that they asked with, where it was one.
    pub(in crate::web) session: Option<Session>,
}

/// What somebody is told whose own password was not verified.
pub(in crate::web) fn password_denial(error: &LogInError) -> (StatusCode, String) {
    match error {
        LogInError::Wrong => (StatusCode::FORBIDDEN, "The present password is wrong.".to_owned()),
        LogInError::Wait(_) => (StatusCode::TOO_MANY_REQUESTS, sentence(error)),
        LogInError::Busy(_) => (StatusCode::SERVICE_UNAVAILABLE, sentence(error)),
        LogInError::Failed(_) | LogInError::Database(_) | LogInError::Random(_) => {
            (StatusCode::INTERNAL_SERVER_ERROR, "Sluice could not verify the password. Its log says why.".to_owned())
        }
    }
}

/// How something that somebody ended has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::web) enum Ending {
    /// It is in the database, with its entry.
    Written,
    /// It has ended, and could not be written yet.
    Remembered,
    /// There was none.
    Missing,
}

/// What is said of an end that could not be written yet.
pub(in crate::web) const REMEMBERED: &str = "It has ended. The database can't be written now, so that the audit log does not \
                                             say so yet, and a restart of Sluice would bring it back; it is written as soon \
                                             as that works. The log of Sluice says why.";

/// Why a token was not made.
pub(in crate::web) enum MakeTokenError {
    /// It may not be made, and why.
    Denied(StatusCode, String),
    /// The password was not verified, which the audit log has.
    Password(LogInError),
    /// It was not tried.
    NotTried(ChangeError),
    /// Sluice failed.
    Failed(Box<dyn std::error::Error + Send + Sync>),
}

impl OwnAccount {
    /// The account of `principal`.
    pub(in crate::web) async fn of(state: &AppState, principal: &Principal) -> Result<Self, DatabaseError> {
        Ok(Self { session: state.auth.session_of(principal).await?, principal: principal.clone() })
    }

    /// Its name, where it is a local one.
    pub(in crate::web) fn local(&self) -> Option<UserName> {
        self.session.as_ref().filter(|s| s.origin == AccountOrigin::Local).and_then(|s| s.user.parse().ok())
    }

    /// Where the account comes from and its name, which its sessions are found by.
    pub(in crate::web) fn key(&self) -> Option<(AccountOrigin, String)> {
        self.session.as_ref().map(|session| (session.origin, session.user.clone()))
    }

    /// How they were authenticated, in words.
    pub(in crate::web) fn method(&self, state: &AppState) -> String {
        match (&self.principal.method, &self.session) {
            (AuthMethod::Session(_), Some(session)) if session.origin == AccountOrigin::Oidc => {
                state.auth.identity_providers().oidc.as_ref().map_or("OpenID Connect", |oidc| oidc.name()).to_owned()
            }
            (AuthMethod::Session(_), _) => "name and password".to_owned(),
            (AuthMethod::Open, _) => {
                "nothing: there are no accounts, and whoever uses this machine may do everything".to_owned()
            }
            (method, _) => method.to_string(),
        }
    }

    /// Ends a session of the account, where there is one of that id.
    pub(in crate::web) async fn end_session(&self, state: &AppState, id: String) -> Result<Ending, ChangeError> {
        match self.key() {
            Some(of) => end_session(state, &self.principal, id, Some(of)).await,
            None => Ok(Ending::Missing),
        }
    }

    /// Makes a token of the account, whose password is asked for: a token outlasts the session, and a session may be stolen.
    pub(in crate::web) async fn make_token(
        &self,
        state: &AppState,
        scope: &str,
        expires: &str,
        note: &str,
        (password, device): (Password, Option<Secret>),
    ) -> Result<(Token, String), MakeTokenError> {
        let bad = |text: String| MakeTokenError::Denied(StatusCode::BAD_REQUEST, text);
        let scope: Scope = scope.parse().map_err(|error| bad(sentence(&error)))?;
        let time = expiry::parse(expires).map_err(|error| bad(sentence(&error)))?;
        let Some(user) = self.local() else {
            let text = "Tokens are for local accounts: ask an admin for one, as for a script.".to_owned();
            return Err(MakeTokenError::Denied(StatusCode::FORBIDDEN, text));
        };
        if scope == Scope::Act && self.principal.rights.role < Role::Operator {
            let text = "A viewer's token can only look: take the scope read.".to_owned();
            return Err(MakeTokenError::Denied(StatusCode::FORBIDDEN, text));
        }
        let confirmed = state.auth.confirm_own_password(&user, &self.principal, password, device, "token.add").await;
        confirmed.map_err(MakeTokenError::Password)?;
        let new = NewToken { user, scope, note: note.to_owned(), expires: expiry::after(now(), time) };
        let made = state.auth.change(&self.principal, Permission::OwnAccount, move |transaction, by| {
            tokens::add(transaction, &new, by, now())
        });
        match made.await.map_err(MakeTokenError::NotTried)? {
            Ok(made) => Ok(made),
            Err(error @ (TokenError::Random(_) | TokenError::Database(_))) => Err(MakeTokenError::Failed(error.into())),
            Err(error) => Err(MakeTokenError::Denied(StatusCode::CONFLICT, sentence(&error))),
        }
    }
}

/// Ends a session, where there is one of that id. With `of` only where it is that account's.
pub(in crate::web) async fn end_session(
    state: &AppState,
    by: &Principal,
    id: String,
    of: Option<(AccountOrigin, String)>,
) -> Result<Ending, ChangeError> {
    let limits = state.auth.session_limits();
    let permission = if of.is_some() { Permission::OwnAccount } else { Permission::ManageAccounts };
    let withdrawal = Withdrawal::Method(AuthMethod::Session(id.clone()));
    let (wanted, owner) = (id.clone(), of.clone());
    let exists = move |connection: &Connection| {
        let found = sessions::by_id(connection, &wanted, limits, now())?;
        Ok(found.is_some_and(|session| owner.is_none_or(|of| of == (session.origin, session.user))))
    };
    let ended = state.auth.take_away(by, permission, withdrawal, exists, move |transaction, by| {
        let of = of.as_ref().map(|(origin, user)| (*origin, user.as_str()));
        sessions::revoke(transaction, &id, of, by, limits, now())
    });
    let ended: Result<_, rusqlite::Error> = ended.await?;
    Ok(match ended.map_err(DatabaseError::from)? {
        TakenAway::Written(true) => Ending::Written,
        TakenAway::Written(false) => Ending::Missing,
        TakenAway::Remembered => Ending::Remembered,
    })
}

/// Ends a token, where there is one of that id. With `of` only where it is that account's.
pub(in crate::web) async fn end_token(
    state: &AppState,
    by: &Principal,
    id: String,
    of: Option<UserName>,
) -> Result<Ending, ChangeError> {
    let permission = if of.is_some() { Permission::OwnAccount } else { Permission::ManageAccounts };
    let withdrawal = Withdrawal::Method(AuthMethod::Token(id.clone()));
    let (wanted, owner) = (id.clone(), of.clone());
    let exists = move |connection: &Connection| {
        Ok(tokens::list(connection, owner.as_ref())?.iter().any(|token| token.id == wanted))
    };
    let ended = state.auth.take_away(by, permission, withdrawal, exists, move |transaction, by| {
        tokens::remove(transaction, &id, of.as_ref(), by)
    });
    match ended.await? {
        Ok(TakenAway::Written(_)) => Ok(Ending::Written),
        Ok(TakenAway::Remembered) => Ok(Ending::Remembered),
        Err(TokenError::Missing(_)) => Ok(Ending::Missing),
        Err(TokenError::Database(error)) => Err(DatabaseError::from(error).into()),
        // Nothing else can go wrong with the end of a token.
        Err(TokenError::NoUser(_) | TokenError::TooMany(_) | TokenError::Random(_)) => Ok(Ending::Missing),
    }
}
