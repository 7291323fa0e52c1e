//! Somebody whom another system vouches for: an OpenID Connect provider, or a reverse proxy.
//!
//! Names of local accounts have no colon. The name of an external identity is the provider's kind, a colon, and the name
//! that they have there (`oidc:anna`), so that nobody is taken for another account of the same name: not by the rules, not
//! in the audit log, not on a page.

use model::{rights::Role, text::is_hidden};

use crate::auth::authz::roles::RoleMapping;

/// The longest name of a person or a group, in characters: an e-mail address has 254 at most.
pub(in crate::auth) const LONGEST: usize = 256;

/// Groups that count; further ones are left out. Directories send 200 at most in a token.
const MAX_GROUPS: usize = 500;

/// What kind of system vouches for somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProviderKind {
    /// An OpenID Connect provider.
    Oidc,
    /// A reverse proxy, by a header.
    Header,
}

/// Somebody whom another system vouches for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalIdentity {
    /// Their name as Sluice uses it everywhere: `oidc:anna`.
    pub name: String,
    /// Their groups, as that system names them.
    pub groups: Vec<String>,
    /// The role of their groups.
    pub role: Role,
}

/// Why somebody is not let in although another system vouches for them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExternalIdentityError {
    /// No name that could be shown or audited.
    #[error("the name that was given is empty, too long, or holds a comma or characters that can't be shown")]
    Name,
    /// No group of theirs has a role.
    #[error("Sluice is not open to {0}: none of their groups has a role in [roles] of the configuration")]
    NoRole(String),
}

impl ExternalIdentity {
    /// Lets in somebody whom `provider` calls `name`, with the role that `roles` give to their groups.
    ///
    /// # Errors
    /// When the name can't be used, or none of the groups has a role.
    pub fn admit(
        provider: ProviderKind,
        name: &str,
        groups: impl IntoIterator<Item = String>,
        roles: &RoleMapping,
    ) -> Result<Self, ExternalIdentityError> {
        let name = provider.qualified(name).ok_or(ExternalIdentityError::Name)?;
        // A group that is left out gives nothing, which is safe: groups only ever add rights.
        let groups: Vec<String> =
            groups.into_iter().map(|g| g.trim().to_owned()).filter(|g| is_readable(g)).take(MAX_GROUPS).collect();
        match roles.role(&groups) {
            Some(role) => Ok(Self { name, groups, role }),
            None => Err(ExternalIdentityError::NoRole(name)),
        }
    }
}

impl ProviderKind {
    /// Its word in names.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Oidc => "oidc",
            Self::Header => "header",
        }
    }

    /// The name that somebody has in Sluice; nothing where theirs can't be shown or audited.
    fn qualified(self, name: &str) -> Option<String> {
        let name = name.trim();
        is_readable(name).then(|| format!("{}:{name}", self.word()))
    }
}

/// Whether a person can read a name and tell it from another.
pub(in crate::auth) fn is_readable(name: &str) -> bool {
    !name.is_empty() && name.chars().count() <= LONGEST && !name.chars().any(is_hidden)
}

#[cfg(test)]
mod tests {
    use model::rights::Pattern;

    use super::*;

    fn roles() -> RoleMapping {
        let patterns = |names: &[&str]| names.iter().map(|n| Pattern((*n).to_owned())).collect();
        RoleMapping {
            admin: patterns(&["sluice-admins"]),
            operator: patterns(&["ops", "ops-*"]),
            viewer: patterns(&["*"]),
        }
    }

    fn groups(names: &[&str]) -> Vec<String> {
        names.iter().map(|n| (*n).to_owned()).collect()
    }

    #[test]
    fn an_external_name_says_who_vouches_and_hides_nothing() {
        let admit =
            |name: &str| ExternalIdentity::admit(ProviderKind::Oidc, name, groups(&["ops"]), &roles()).map(|o| o.name);
        assert_eq!(admit("anna"), Ok("oidc:anna".to_owned()));
        assert_eq!(admit(" Jürgen Ö <j@example.org> "), Ok("oidc:Jürgen Ö <j@example.org>".to_owned()));
        let long = "x".repeat(LONGEST + 1);
        for name in ["", "  ", "an\nna", "an\0na", "\u{202e}anna", "an\u{200b}na", "\u{feff}anna", "\u{1b}[31m", &long]
        {
            assert_eq!(admit(name), Err(ExternalIdentityError::Name), "{name:?}");
        }
        let strict = RoleMapping { viewer: Vec::new(), ..roles() };
        let refused =
            ExternalIdentity::admit(ProviderKind::Header, "ben", groups(&["staff"]), &strict).expect_err("no role");
        assert!(refused.to_string().starts_with("Sluice is not open to header:ben"), "{refused}");
    }

    #[test]
    fn groups_that_hide_something_or_are_too_many_give_nothing() {
        let admit = |provider, groups: Vec<String>| {
            ExternalIdentity::admit(provider, "ben", groups, &roles()).expect("admitted")
        };
        let external = admit(ProviderKind::Header, groups(&["op\u{200b}s", "", " ops "]));
        assert_eq!((external.role, external.groups), (Role::Operator, groups(&["ops"])));
        let many = (0..MAX_GROUPS).map(|n| format!("g{n}")).chain(["sluice-admins".to_owned()]);
        let external = admit(ProviderKind::Oidc, many.collect());
        assert_eq!((external.role, external.groups.len()), (Role::Viewer, MAX_GROUPS));
    }
}
