//! Finds out who sends a request.

use std::net::IpAddr;

use axum::http::HeaderMap;

use super::{
    credentials::{self, Bearer, SESSION_COOKIE, WALL_COOKIE},
    sessions, tokens,
    wall_links::{self, WallLinkLookup},
};
use crate::{
    auth::{
        ActivePrincipal, Auth, AuthMethod, ExternalIdentity, HeaderIdentity, Peer, Principal, Secret, Session,
        active_principals::Reading,
    },
    clock::now,
    db::DatabaseError,
};

impl Auth {
    /// Who sends a request; nothing where it shows no credentials that are valid.
    ///
    /// # Errors
    /// When the database fails: then it is not known who asks.
    pub async fn identify(&self, headers: &HeaderMap, peer: Peer) -> Result<Option<Principal>, DatabaseError> {
        match credentials::bearer(headers) {
            // A request with a token is that token's, or nobody's, whatever cookies come with it.
            Bearer::Token(token) => return self.by_token(token.to_owned(), peer.address).await,
            Bearer::Malformed => return Ok(None),
            Bearer::Absent => {}
        }
        match self.identity_providers().identify(headers, peer) {
            HeaderIdentity::Identified(ExternalIdentity { name, groups, role }) => {
                let rights = self.inner().policy.rights(&name, &groups, role);
                return Ok(Some(Principal { name, method: AuthMethod::Header, rights, address: peer.address }));
            }
            // A person who is not let in is nobody, although a display's cookie may be in their browser: it isn't theirs.
            HeaderIdentity::Denied(why) => {
                tracing::warn!(%why, address = %peer.address, "the reverse proxy names somebody who can't come in");
                return Ok(None);
            }
            HeaderIdentity::Absent | HeaderIdentity::Untrusted => {}
        }
        // After the header: whoever the reverse proxy names is not taken for who used this browser before.
        if let Some(secret) = credentials::secret(headers, SESSION_COOKIE)
            && let Some((session, active)) = self.by_session(secret).await?
        {
            return Ok(Some(active.principal(&session.id, peer.address)));
        }
        let mut readings = self.inner().active.clone();
        // This fails only when the task has ended.
        let (reading, is_open) = match readings.wait_for(|active| active.reading != Reading::Pending).await {
            Ok(active) => (active.reading, active.is_open),
            Err(_) => return Err(DatabaseError::Closed),
        };
        if reading == Reading::Failed {
            return Err(DatabaseError::Unread);
        }
        // A page under a stranger's name that leads here is nobody.
        if is_open && peer.is_by_loopback {
            return Ok(Some(Principal::open(peer.address)));
        }
        match credentials::cookie(headers, WALL_COOKIE) {
            Some(secret) => self.by_wall_link(secret.to_owned(), peer.address).await,
            None => Ok(None),
        }
    }

    /// The session that a secret opens, which is thereby used.
    async fn by_session(&self, secret: Secret) -> Result<Option<(Session, ActivePrincipal)>, DatabaseError> {
        let policy = self.inner().policy.clone();
        let found = self.inner().database.run(move |connection| {
            let now = now();
            let Some(session) = sessions::find(connection, &secret, policy.limits, now)? else { return Ok(None) };
            if let Err(error) = sessions::touch(connection, &session, now) {
                // With a full disk, say: whoever is logged in may look on, until the session expires by its last use
                // that was written.
                tracing::warn!(%error, "cannot write that a session is used");
            }
            Ok(policy.of_session(&session).map(|active| (session, active)))
        });
        found.await
    }

    async fn by_token(&self, token: String, address: IpAddr) -> Result<Option<Principal>, DatabaseError> {
        let policy = self.inner().policy.clone();
        let found = self.inner().database.run(move |connection| {
            Ok(tokens::find(connection, &token, now())?.and_then(|valid| {
                let ActivePrincipal { user, rights, .. } = policy.of_token(&valid)?;
                Some(Principal { name: user, method: AuthMethod::Token(valid.token.id), rights, address })
            }))
        });
        found.await
    }

    /// The display that shows a wall link's cookie.
    async fn by_wall_link(&self, secret: String, address: IpAddr) -> Result<Option<Principal>, DatabaseError> {
        let policy = self.inner().policy.clone();
        let found = self.inner().database.run(move |connection| {
            Ok(match wall_links::find(connection, &secret, now())? {
                WallLinkLookup::Valid(link) => {
                    policy.of_wall_link(&link).map(|ActivePrincipal { user, rights, .. }| Principal {
                        name: user,
                        rights,
                        method: AuthMethod::WallLink(link.id),
                        address,
                    })
                }
                WallLinkLookup::Expired(_) | WallLinkLookup::Unknown => None,
            })
        });
        found.await
    }
}
