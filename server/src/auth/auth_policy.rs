//! What an account may see and do now, whatever it is known by: its role and groups, seen through the configuration.

use std::{net::IpAddr, sync::Arc};

use model::rights::{Rights, Role};
use rusqlite::Connection;

use super::{
    AccountOrigin, AuthMethod, IdentityProviders, Principal, Rules, Session, SessionLimits, User,
    authn::{
        tokens::{Scope, ValidToken},
        wall_links::WallLink,
    },
    users,
    withdrawals::Withdrawals,
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
    /// What was taken away and is not in the database yet.
    pub(super) withdrawals: Arc<Withdrawals>,
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

    /// What the account of a session may do; nothing where the session was taken away.
    pub(super) fn of_session(&self, session: &Session) -> Option<ActivePrincipal> {
        if self.withdrawals.has_session(session) {
            return None;
        }
        let Session { user, groups, role, origin, .. } = session;
        let nothing = || Arc::new(Rights { role: Role::Viewer, grants: Some(Vec::new()) });
        let rights = match origin {
            AccountOrigin::Local => self.local_rights(user, groups, *role),
            // The groups came with the log-in; what they may do, the present configuration says.
            AccountOrigin::Oidc => {
                self.providers.roles.role(groups).map_or_else(nothing, |role| self.rights(user, groups, role))
            }
        };
        Some(ActivePrincipal { user: user.clone(), rights, until: Some(self.limits.end(session)) })
    }

    /// What the account of a token may do, within the token's scope; nothing where the token was taken away.
    pub(super) fn of_token(&self, valid: &ValidToken) -> Option<ActivePrincipal> {
        let ValidToken { token, role, groups } = valid;
        let user = token.user.to_string();
        if self.withdrawals.has_method(&AuthMethod::Token(token.id.clone()), &user) {
            return None;
        }
        let mut rights = self.local_rights(&user, groups, *role);
        if token.scope == Scope::Read {
            // Only the role is lowered: an admin is bound by no rules, and sees everything with a token to read, too.
            rights = Arc::new(Rights { role: Role::Viewer, ..Rights::clone(&rights) });
        }
        Some(ActivePrincipal { user, rights, until: Some(token.expires) })
    }

    /// What a wall link shows; nothing where the link was taken away.
    pub(super) fn of_wall_link(&self, link: &WallLink) -> Option<ActivePrincipal> {
        let is_taken = self.withdrawals.has_method(&AuthMethod::WallLink(link.id.clone()), "");
        let active = || ActivePrincipal {
            user: format!("wall {}", link.name),
            rights: Arc::new(link.rights()),
            until: Some(link.expires),
        };
        (!is_taken).then(active)
    }

    /// What a local account may do; nothing where it is gone.
    pub(super) fn of_account(&self, user: &User) -> Option<Arc<Rights>> {
        let name = user.name.as_str();
        (!self.withdrawals.has_account(&user.name)).then(|| self.local_rights(name, &user.groups, user.role))
    }

    /// Whether a local account is an admin's, with all that was taken away so far.
    pub(super) fn is_admin(&self, user: &User) -> bool {
        let (role, _) = self.withdrawals.left_of(user.name.as_str(), user.role, &[]);
        role == Role::Admin && !self.withdrawals.has_account(&user.name)
    }

    /// What a local account may do, without what was taken away from it and is not in the database yet.
    fn local_rights(&self, user: &str, groups: &[String], role: Role) -> Arc<Rights> {
        let (role, groups) = self.withdrawals.left_of(user, role, groups);
        self.rights(user, &groups, role)
    }

    /// What an account with that role and these groups may see and do.
    pub(super) fn rights(&self, user: &str, groups: &[String], role: Role) -> Arc<Rights> {
        Arc::new(self.rules.rights(user, groups, role))
    }
}
