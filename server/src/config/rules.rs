//! `[[rule]]`: who may see and do what, and where.

use std::ops::Range;

use model::{
    action::Action,
    rights::{Grant, Pattern},
};
use toml::de::{DeTable, DeValue};

use super::{
    node::NodeConfig,
    reader::{Located, Mistakes, kind, suggestion, tables},
};
use crate::auth::{Rule, Rules};

/// A rule as somebody would write it.
const EXAMPLE: &str = "[[rule]]\n  groups = [\"on-call\"]\n  backends = [\"app-*\"]\n  actions = [\"state\"]";

/// Words for several actions at once.
const WORDS: [(&str, &[Action]); 5] = [
    ("state", &[Action::Ready, Action::Drain, Action::Maint]),
    ("checks", &[Action::Dhlth, Action::Ehlth, Action::Dagent, Action::Eagent]),
    ("force", &[Action::Hrunn, Action::Hnolb, Action::Hdown, Action::Arunn, Action::Adown]),
    ("kill", &[Action::Shutdown]),
    ("all", &Action::ALL),
];

/// Reads every rule. One that is wrong is reported, and left out.
pub(super) fn rules(table: &DeTable<'_>, mistakes: &mut Mistakes<'_>) -> Rules {
    let Some(value) = table.get("rule") else { return Rules::default() };
    let DeValue::Array(list) = value.get_ref() else {
        mistakes.add(&value.span(), format!("`rule` is {}: write\n  {EXAMPLE}", kind(value.get_ref())));
        return Rules::default();
    };
    let mut rules = Vec::new();
    for (span, item) in tables(list) {
        match item {
            Some(item) => rules.extend(rule(item, &span, mistakes)),
            None => mistakes.add(&span, format!("a rule is a table: write\n  {EXAMPLE}")),
        }
    }
    Rules(rules)
}

/// Warnings about rules that are well-formed and have no effect: for clusters that no node is in.
pub(super) fn warnings(rules: &Rules, nodes: &[NodeConfig]) -> Vec<String> {
    let clusters: Vec<&str> = nodes.iter().map(|n| n.cluster.as_str()).collect();
    let numbered = (1..).zip(&rules.0);
    let named = numbered.flat_map(|(number, rule)| rule.grant.clusters.iter().map(move |p| (number, p)));
    named
        .filter(|(_, pattern)| !clusters.iter().any(|cluster| pattern.fits(cluster)))
        .map(|(number, Pattern(name))| {
            format!("rule {number}: no node is in a cluster `{name}`: {}", suggestion(name, &clusters))
        })
        .collect()
}

fn rule(table: &DeTable<'_>, span: &Range<usize>, mistakes: &mut Mistakes<'_>) -> Option<Rule> {
    mistakes.unknown_keys(table, &["users", "groups", "clusters", "backends", "actions"]);
    if !table.contains_key("users") && !table.contains_key("groups") {
        mistakes.add(span, "this rule is for nobody: write users = [\"anna\"], or groups = [\"on-call\"]");
    }
    let mut patterns = |key, example| {
        let texts = texts(table, key, example, mistakes)?;
        Some(texts.into_iter().map(|at| Pattern(at.value)).collect::<Vec<_>>())
    };
    let [users, groups, clusters, backends] =
        [("users", "anna"), ("groups", "on-call"), ("clusters", "edge"), ("backends", "app-*")]
            .map(|(key, example)| patterns(key, example));
    let actions = match texts(table, "actions", "drain", mistakes) {
        // A list with a wrong word makes the whole rule wrong: it must not silently grant less than was meant.
        Some(words) => words.iter().map(|word| actions(word, mistakes)).collect::<Option<Vec<_>>>()?.concat(),
        None => Vec::new(),
    };
    let grant = Grant {
        clusters: clusters?,
        backends: backends?,
        actions: Action::ALL.into_iter().filter(|a| actions.contains(a)).collect(),
    };
    Some(Rule { users: users?, groups: groups?, grant })
}

/// The actions that a word of the list stands for.
fn actions(Located { value, span }: &Located<String>, mistakes: &mut Mistakes<'_>) -> Option<Vec<Action>> {
    if let Ok(action) = value.parse() {
        return Some(vec![action]);
    }
    if let Some((_, actions)) = WORDS.iter().find(|(word, _)| word == value) {
        return Some(actions.to_vec());
    }
    let known: Vec<&str> = Action::ALL.iter().map(|a| a.id()).chain(WORDS.map(|(word, _)| word)).collect();
    mistakes.add(span, format!("there is no action `{}`: {}", value.escape_debug(), suggestion(value, &known)));
    None
}

/// The texts of the list `key`, an empty list where it is not there. Nothing where it is wrong, which is reported.
fn texts(table: &DeTable<'_>, key: &str, example: &str, mistakes: &mut Mistakes<'_>) -> Option<Vec<Located<String>>> {
    let Some(value) = table.get(key) else { return Some(Vec::new()) };
    let list = match value.get_ref() {
        DeValue::Array(list) if !list.is_empty() => list,
        other => {
            let found = if other.is_array() { "an empty list" } else { kind(other) };
            // People would read an empty list as everything, or as nothing.
            mistakes.add(&value.span(), format!("`{key}` is {found}: write {key} = [\"{example}\"], or leave it out"));
            return None;
        }
    };
    let mut out = Vec::new();
    for item in list {
        match item.get_ref().as_str() {
            Some(text) if !text.is_empty() => out.push(Located { value: text.to_owned(), span: item.span() }),
            text => {
                let found = if text.is_some() { "an empty text" } else { kind(item.get_ref()) };
                mistakes.add(&item.span(), format!("{found} stands in `{key}`: write {key} = [\"{example}\"]"));
            }
        }
    }
    (out.len() == list.len()).then_some(out)
}

#[cfg(test)]
mod tests {
    use model::rights::Role;

    use super::*;
    use crate::config::{Config, file::parse};

    const NODE: &str = "[[node]]\nname = \"lb1\"\ncluster = \"edge\"\naddress = \"/run/h.sock\"\n";

    fn config(rules: &str) -> Config {
        parse(&format!("{NODE}{rules}")).expect("a good file")
    }

    /// The mistakes of rules that begin at line 5.
    fn told(rules: &str) -> Vec<String> {
        let mistakes = parse(&format!("{NODE}{rules}")).err().unwrap_or_default();
        mistakes.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn rules_bind_users_and_groups_to_clusters_backends_and_actions() {
        assert_eq!(config("").rules, Rules::default());
        let rules = config(
            "[[rule]]\nusers = [\"anna\", \"b*\"]\nclusters = [\"edge\"]\nbackends = [\"app-*\"]\nactions = [\"maint\", \"ready\"]\n\
             [[rule]]\ngroups = [\"on-call\"]\nactions = [\"force\", \"kill\", \"kill\"]\n\
             [[rule]]\ngroups = [\"guests\"]\n",
        )
        .rules;
        let rights = |user: &str, groups: &[&str]| {
            let groups: Vec<String> = groups.iter().map(|g| (*g).to_owned()).collect();
            rules.rights(user, &groups, Role::Operator)
        };
        for (rights, action, cluster, backend, may) in [
            (rights("anna", &[]), Action::Maint, "edge", "app-web", true),
            (rights("ben", &[]), Action::Ready, "edge", "app-web", true),
            (rights("ben", &[]), Action::Drain, "edge", "app-web", false),
            (rights("ben", &[]), Action::Maint, "edge", "db", false),
            (rights("carl", &["on-call"]), Action::Hdown, "any", "db", true),
            (rights("carl", &["on-call"]), Action::Shutdown, "any", "db", true),
            (rights("carl", &["on-call"]), Action::Ready, "any", "db", false),
            (rights("carl", &["guests"]), Action::Ready, "edge", "app-web", false),
        ] {
            assert_eq!(rights.denied(action, cluster, backend).is_none(), may, "{rights:?} {action} {backend}");
        }
        assert!(rights("carl", &["guests"]).sees_all());
        assert!(!rights("carl", &[]).sees("edge", "app-web"));
        assert_eq!(rules.0[1].grant.actions.last(), Some(&Action::Shutdown));
        assert_eq!(config("[[rule]]\nusers = [\"*\"]\nactions = [\"all\"]\n").rules.0[0].grant.actions, Action::ALL);
    }

    #[test]
    fn every_word_stands_for_actions_and_together_they_are_all() {
        let of_words: Vec<Action> = WORDS[..4].iter().flat_map(|(_, actions)| actions.to_vec()).collect();
        assert_eq!(of_words.len(), Action::ALL.len());
        assert!(Action::ALL.iter().all(|a| of_words.contains(a)));
        assert!(WORDS.iter().all(|(word, _)| word.parse::<Action>().is_err()), "a word is no action");
    }

    #[test]
    fn what_is_wrong_with_a_rule_is_told_at_its_place() {
        for (rules, expected) in [
            ("[[rule]]\nactions = [\"ready\"]\n", "5:1: this rule is for nobody: write users = [\"anna\"], or groups"),
            (
                "[[rule]]\nusers = [\"a\"]\nactions = [\"drian\"]\n",
                "7:12: there is no action `drian`: did you mean `drain`?",
            ),
            (
                "[[rule]]\nusers = [\"a\"]\nactions = [\"READY\"]\n",
                "7:12: there is no action `READY`: did you mean `ready`?",
            ),
            (
                "[[rule]]\nusers = [\"a\"]\nactions = [\"reboot!\\n\"]\n",
                "7:12: there is no action `reboot!\\n`: there is `ready`, ",
            ),
            ("[[rule]]\nusers = []\n", "6:9: `users` is an empty list: write users = [\"anna\"], or leave it out"),
            ("[[rule]]\nusers = \"anna\"\n", "6:9: `users` is text: write users = [\"anna\"], or leave it out"),
            ("[[rule]]\nusers = [\"a\"]\nbackends = [\"\", 1]\n", "7:13: an empty text stands in `backends`"),
            ("[[rule]]\nusers = [\"a\"]\nbackend = [\"b\"]\n", "7:1: unknown key `backend`: did you mean `backends`?"),
            ("[rule]\nusers = [\"a\"]\n", "5:1: `rule` is a table: write"),
        ] {
            let told = told(rules);
            assert!(told.first().is_some_and(|t| t.starts_with(expected)), "{rules}: {told:?}");
        }
        assert!(
            parse(&format!("rule = [1]\n{NODE}")).expect_err("no rule")[0]
                .to_string()
                .starts_with("1:9: a rule is a table")
        );
        let two = told("[[rule]]\nusers = [\"a\"]\nbackends = [\"\", 1]\n");
        assert_eq!(two.len(), 2, "{two:?}");
    }

    #[test]
    fn a_cluster_that_no_node_is_in_is_warned_of() {
        let warned = |rules: &str| config(rules).warnings();
        assert_eq!(warned("[[rule]]\nusers = [\"a\"]\nclusters = [\"edge\", \"e*\"]\n"), Vec::<String>::new());
        let rules = "[[rule]]\nusers = [\"a\"]\n[[rule]]\nusers = [\"a\"]\nclusters = [\"egde\", \"lab-*\"]\n";
        assert_eq!(
            warned(rules),
            [
                "rule 2: no node is in a cluster `egde`: did you mean `edge`?",
                "rule 2: no node is in a cluster `lab-*`: there is `edge`",
            ]
        );
    }
}
