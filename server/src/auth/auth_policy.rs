//! What an account may see and do now, whatever it is known by: its role and groups, seen through the configuration.

use std::{net::IpAddr, sync::Arc};

use model::rights::{Rights, Role};
use rusqlite::Connection;

use super::{
    AccountOrigin, AuthMethod, IdentityProviders, Principal, Rules, Session, SessionLimits,
    authn::tokens::{Scope, ValidToken},
    users,
};

/// An account that a session, token or wall link lets in at this moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActivePrincipal {
    /// The account's name.
    pub user: String,
    /// What they may see and do.
    pub rights: Arc<Rights>,
    /// When it ends unless it is used, Unix milliseconds.
    pub until: Option<i64>,
}

/// The part of the configuration that rights follow from.
#[derive(Clone, Debug)]
pub(super) struct AuthPolicy {
    pub(super) rules: Arc<Rules>,
    pub(super) limits: SessionLimits,
    /// Whether everybody may do everything as long as there are no accounts.
    pub(super) may_be_open: bool,
    /// Other systems that vouch for people.
    pub(super) providers: Arc<IdentityProviders>,
}

impl ActivePrincipal {
    /// Whoever sends the session of that id from that address.
    pub(super) fn principal(&self, session: &str, address: IpAddr) -> Principal {
        let method = AuthMethod::Session(session.to_owned());
        Principal { name: self.user.clone(), method, rights: self.rights.clone(), address }
    }
}

impl AuthPolicy {
    /// Whether everybody may do everything now.
    pub(super) fn is_open(&self, connection: &Connection) -> Result<bool, rusqlite::Error> {
        Ok(self.may_be_open && !users::has_any(connection)?)
    }

    /// What the account of a session may do.
    pub(super) fn of_session(&self, session: &Session) -> ActivePrincipal {
        let Session { user, groups, role, origin, .. } = session;
        // The groups came with the log-in; what they may do, the present configuration says.
        let role = if *origin == AccountOrigin::Oidc { self.providers.roles.role(groups) } else { Some(*role) };
        let nothing = || Arc::new(Rights { role: Role::Viewer, grants: Some(Vec::new()) });
        let rights = role.map_or_else(nothing, |role| self.rights(user, groups, role));
        ActivePrincipal { user: user.clone(), rights, until: Some(self.limits.end(session)) }
    }

    /// What the account of a token may do, within the token's scope.
    pub(super) fn of_token(&self, valid: &ValidToken) -> ActivePrincipal {
        let ValidToken { token, role, groups } = valid;
        let user = token.user.to_string();
        let mut rights = self.rights(&user, groups, *role);
        if token.scope == Scope::Read {
            // Only the role is lowered: an admin is bound by no rules, and sees everything with a token to read, too.
            rights = Arc::new(Rights { role: Role::Viewer, ..Rights::clone(&rights) });
        }
        ActivePrincipal { user, rights, until: Some(token.expires) }
    }

    /// What an account with that role and these groups may see and do.
    pub(super) fn rights(&self, user: &str, groups: &[String], role: Role) -> Arc<Rights> {
        Arc::new(self.rules.rights(user, groups, role))
    }
}
