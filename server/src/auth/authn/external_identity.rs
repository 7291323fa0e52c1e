//! Somebody whom another system vouches for: an OpenID Connect provider, or a reverse proxy.
//!
//! Local accounts have names without a colon. An outsider's name is made of the word for who vouches, a colon, and
//! what they are called there (`oidc:anna`), so that nobody becomes another's account by being called the same
//! elsewhere: not in the rules, not in the record, not on a page.

use model::rights::{Pattern, Role};

use crate::audit::is_hidden;

/// The longest name of a person or a group, in characters: addresses of mail have 254 at most.
pub(in crate::auth) const LONGEST: usize = 256;

/// Groups that are looked at; further ones are left aside. Directories send 200 at most in a token.
const MAX_GROUPS: usize = 500;

/// Who vouches.
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
    /// What their groups make of them.
    pub role: Role,
}

/// Why somebody is not let in although another system vouches for them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExternalIdentityError {
    /// No name that could be shown and recorded.
    #[error("the name that was given is empty, too long or holds characters that can't be shown")]
    Name,
    /// No group of theirs has a role.
    #[error("{0} may not use Sluice: none of their groups has a role in [roles] of the configuration")]
    NoRole(String),
}

/// Which groups make a viewer, an operator, an admin: `[roles]` of the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roles {
    /// The groups of admins.
    pub admin: Vec<Pattern>,
    /// Those of operators.
    pub operator: Vec<Pattern>,
    /// Those of viewers.
    pub viewer: Vec<Pattern>,
}

impl Roles {
    /// The highest role that one of the groups gives; `*` alone also fits somebody without any group.
    #[must_use]
    pub fn role(&self, groups: &[String]) -> Option<Role> {
        let gives = |patterns: &[Pattern]| {
            patterns.iter().any(|pattern| pattern.0 == "*" || groups.iter().any(|group| pattern.fits(group)))
        };
        [(&self.admin, Role::Admin), (&self.operator, Role::Operator), (&self.viewer, Role::Viewer)]
            .into_iter()
            .find_map(|(patterns, role)| gives(patterns).then_some(role))
    }

    /// Somebody with that name and these groups.
    ///
    /// # Errors
    /// When the name can't be used, or none of the groups has a role.
    pub fn admit(
        &self,
        origin: ProviderKind,
        name: &str,
        groups: impl IntoIterator<Item = String>,
    ) -> Result<ExternalIdentity, ExternalIdentityError> {
        let name = origin.qualified(name).ok_or(ExternalIdentityError::Name)?;
        // What is left aside gives nothing: who may do less is never who may do more.
        let groups: Vec<String> =
            groups.into_iter().map(|g| g.trim().to_owned()).filter(|g| is_plain(g)).take(MAX_GROUPS).collect();
        match self.role(&groups) {
            Some(role) => Ok(ExternalIdentity { name, groups, role }),
            None => Err(ExternalIdentityError::NoRole(name)),
        }
    }
}

impl ProviderKind {
    /// Its word, in names and in the record.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Oidc => "oidc",
            Self::Header => "header",
        }
    }

    /// The name that somebody has in Sluice; nothing where theirs can't be shown and recorded.
    fn qualified(self, name: &str) -> Option<String> {
        let name = name.trim();
        is_plain(name).then(|| format!("{}:{name}", self.word()))
    }
}

/// Whether a name is one that a person can read, and tell from another.
pub(in crate::auth) fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.chars().count() <= LONGEST && !name.chars().any(is_hidden)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roles() -> Roles {
        let patterns = |names: &[&str]| names.iter().map(|n| Pattern((*n).to_owned())).collect();
        Roles { admin: patterns(&["sluice-admins"]), operator: patterns(&["ops", "ops-*"]), viewer: patterns(&["*"]) }
    }

    fn groups(names: &[&str]) -> Vec<String> {
        names.iter().map(|n| (*n).to_owned()).collect()
    }

    #[test]
    fn the_highest_role_counts_and_a_star_fits_who_has_no_group() {
        for (names, role) in [
            (&[][..], Role::Viewer),
            (&["staff"], Role::Viewer),
            (&["staff", "ops-berlin"], Role::Operator),
            (&["ops", "sluice-admins"], Role::Admin),
            (&["Sluice-Admins"], Role::Viewer),
            (&["sluice-admins "], Role::Viewer),
        ] {
            assert_eq!(roles().role(&groups(names)), Some(role), "{names:?}");
        }
        let strict = Roles { viewer: Vec::new(), ..roles() };
        assert_eq!(strict.role(&groups(&["staff"])), None);
        assert_eq!(Roles::default().role(&groups(&["sluice-admins"])), None);
    }

    #[test]
    fn an_outsider_s_name_says_who_vouches_and_hides_nothing() {
        let admit = |name: &str| roles().admit(ProviderKind::Oidc, name, groups(&["ops"])).map(|o| o.name);
        assert_eq!(admit("anna"), Ok("oidc:anna".to_owned()));
        assert_eq!(admit(" Jürgen Ö <j@example.org> "), Ok("oidc:Jürgen Ö <j@example.org>".to_owned()));
        let long = "x".repeat(LONGEST + 1);
        for name in ["", "  ", "an\nna", "an\0na", "\u{202e}anna", "an\u{200b}na", "\u{feff}anna", "\u{1b}[31m", &long]
        {
            assert_eq!(admit(name), Err(ExternalIdentityError::Name), "{name:?}");
        }
        let strict = Roles { viewer: Vec::new(), ..roles() };
        let refused = strict.admit(ProviderKind::Header, "ben", groups(&["staff"])).expect_err("no role");
        assert!(refused.to_string().starts_with("header:ben may not use Sluice"), "{refused}");
    }

    #[test]
    fn groups_that_hide_something_or_are_too_many_give_nothing() {
        let outsider =
            roles().admit(ProviderKind::Header, "ben", groups(&["op\u{200b}s", "", " ops "])).expect("admitted");
        assert_eq!((outsider.role, outsider.groups), (Role::Operator, groups(&["ops"])));
        let many = (0..MAX_GROUPS).map(|n| format!("g{n}")).chain(["sluice-admins".to_owned()]);
        let outsider = roles().admit(ProviderKind::Oidc, "ben", many).expect("admitted");
        assert_eq!((outsider.role, outsider.groups.len()), (Role::Viewer, MAX_GROUPS));
    }
}
