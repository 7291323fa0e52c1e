//! `[roles]` of the configuration: which groups of another system make a viewer, an operator or an admin.

use model::rights::{Pattern, Role};

/// The groups that have a role.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoleMapping {
    /// The groups of admins.
    pub admin: Vec<Pattern>,
    /// Those of operators.
    pub operator: Vec<Pattern>,
    /// Those of viewers.
    pub viewer: Vec<Pattern>,
}

impl RoleMapping {
    /// The highest role that one of the groups has; the pattern `*` also fits somebody without any group.
    #[must_use]
    pub fn role(&self, groups: &[String]) -> Option<Role> {
        let fits = |patterns: &[Pattern]| {
            patterns.iter().any(|pattern| pattern.0 == "*" || groups.iter().any(|group| pattern.fits(group)))
        };
        [(&self.admin, Role::Admin), (&self.operator, Role::Operator), (&self.viewer, Role::Viewer)]
            .into_iter()
            .find_map(|(patterns, role)| fits(patterns).then_some(role))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_role_counts_and_a_star_fits_who_has_no_group() {
        let patterns = |names: &[&str]| names.iter().map(|n| Pattern((*n).to_owned())).collect();
        let roles = RoleMapping {
            admin: patterns(&["sluice-admins"]),
            operator: patterns(&["ops", "ops-*"]),
            viewer: patterns(&["*"]),
        };
        let groups = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
        for (names, role) in [
            (&[][..], Role::Viewer),
            (&["staff"], Role::Viewer),
            (&["staff", "ops-berlin"], Role::Operator),
            (&["ops", "sluice-admins"], Role::Admin),
            (&["Sluice-Admins"], Role::Viewer),
            (&["sluice-admins "], Role::Viewer),
        ] {
            assert_eq!(roles.role(&groups(names)), Some(role), "{names:?}");
        }
        let strict = RoleMapping { viewer: Vec::new(), ..roles };
        assert_eq!(strict.role(&groups(&["staff"])), None);
        assert_eq!(RoleMapping::default().role(&groups(&["sluice-admins"])), None);
    }
}
