//! The rules of the configuration: who may see and do what, and where.

use model::rights::{Grant, Pattern, Rights, Role};

/// One `[[rule]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The accounts that it is for; `*` is everybody.
    pub users: Vec<Pattern>,
    /// The groups that it is for.
    pub groups: Vec<Pattern>,
    /// What it grants them.
    pub grant: Grant,
}

/// All rules, in the order of the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules(pub Vec<Rule>);

impl Rules {
    /// What an account with that role and these groups may see and do.
    ///
    /// Without rules the role alone decides. With rules, viewers and operators have what the rules for them grant together,
    /// and nothing else. Admins are not bound by rules, since they could make themselves another account.
    #[must_use]
    pub fn rights(&self, user: &str, groups: &[String], role: Role) -> Rights {
        if self.0.is_empty() || role == Role::Admin {
            return Rights::of(role);
        }
        let names = |patterns: &[Pattern], name: &str| patterns.iter().any(|p| p.fits(name));
        let is_for = |rule: &&Rule| names(&rule.users, user) || groups.iter().any(|g| names(&rule.groups, g));
        Rights { role, grants: Some(self.0.iter().filter(is_for).map(|rule| rule.grant.clone()).collect()) }
    }
}

#[cfg(test)]
mod tests {
    use model::action::Action;

    use super::*;

    #[test]
    fn rules_add_up_and_bind_all_but_admins() {
        let patterns = |names: &[&str]| names.iter().map(|n| Pattern((*n).to_owned())).collect::<Vec<_>>();
        let grant = |backends: &[&str], actions: &[Action]| Grant {
            clusters: patterns(&["edge"]),
            backends: patterns(backends),
            actions: actions.to_vec(),
        };
        let rules = Rules(vec![
            Rule { users: patterns(&["*"]), groups: vec![], grant: grant(&["app-*"], &[Action::Drain]) },
            Rule { users: vec![], groups: patterns(&["on-call"]), grant: grant(&[], &[Action::Shutdown]) },
        ]);
        let anna = rules.rights("anna", &[], Role::Operator);
        assert_eq!(anna.denied(Action::Drain, "edge", "app-web"), None);
        assert!(anna.denied(Action::Shutdown, "edge", "app-web").is_some() && !anna.sees("edge", "db"));
        let ben = rules.rights("ben", &["on-call".to_owned()], Role::Operator);
        assert_eq!(ben.denied(Action::Drain, "edge", "app-web"), None);
        assert_eq!(ben.denied(Action::Shutdown, "edge", "db"), None);
        assert!(ben.denied(Action::Drain, "edge", "db").is_some() && !ben.sees("lab", "db"));
        assert_eq!(rules.rights("root", &[], Role::Admin), Rights::of(Role::Admin));
        assert_eq!(Rules::default().rights("anna", &[], Role::Viewer), Rights::of(Role::Viewer));
        let only = Rules(rules.0[1..].to_vec());
        assert!(!only.rights("anna", &[], Role::Operator).sees("edge", "app-web"));
    }
}
