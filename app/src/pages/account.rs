//! The Account page: one's own name, rights, sessions, tokens and password. Drawn by the server alone.

use leptos::prelude::*;
use model::rights::{Grant, Pattern, Rights, Role};

use super::account_pages::{self, LatelyLine, Notice, RevealedSecret, SessionLine, TokenLine, card, expiry, field};

/// What the page shows.
#[derive(Clone, Debug, Default)]
pub struct Account {
    /// The account's name.
    pub name: String,
    /// How somebody was authenticated, in words.
    pub method: String,
    /// What they may see and do.
    pub rights: Rights,
    /// Their groups.
    pub groups: Vec<String>,
    /// How a form ended.
    pub notice: Option<Notice>,
    /// What happened to the account, newest first.
    pub lately: Vec<LatelyLine>,
    /// A token that was just made.
    pub revealed: Option<RevealedSecret>,
    /// Their sessions; nothing where they were authenticated without one.
    pub sessions: Option<Vec<SessionLine>>,
    /// Their tokens; nothing where the account is not a local one: only those have a password and tokens.
    pub tokens: Option<Vec<TokenLine>>,
}

/// The page.
#[must_use]
pub fn account(page: Account) -> AnyView {
    let Account { name, method, rights, groups, notice, revealed, lately, sessions, tokens } = page;
    let is_local = tokens.is_some();
    let who = view! {
        <dl class="columns mt-0 px-3.5 pb-1">
            <div><dt>"Name"</dt><dd>{name}</dd></div>
            <div><dt>"Role"</dt><dd>{rights.role.word()}</dd></div>
            <div><dt>"Known by"</dt><dd>{method}</dd></div>
            {(!groups.is_empty()).then(|| view! { <div><dt>"Groups"</dt><dd>{groups.join(", ")}</dd></div> })}
        </dl>
        <ul class="border-t border-line px-3.5 py-2.5 text-ink-2">
            {rights_in_words(&rights).into_iter().map(|text| view! { <li class="wrap-anywhere">{text}</li> }).collect_view()}
        </ul>
    };
    let sessions = sessions.map(|lines| {
        let body = view! {
            {account_pages::sessions(lines, "/account/sessions/end", false)}
            <form method="post" action="/logout" class="card-foot">
                <input type="hidden" name="everywhere" value="true" />
                <button class="btn">"Log out everywhere"</button>
            </form>
        };
        card("Sessions", body.into_any())
    });
    let tokens = tokens.map(|lines| {
        let body = view! { {account_pages::tokens(lines, "/account/tokens/end", false)} {new_token(rights.role)} };
        card("API tokens", body.into_any())
    });
    let body = view! {
        {revealed.map(account_pages::revealed)}
        {card("You", who.into_any())}
        {sessions}
        {tokens}
        {is_local.then(password)}
        {account_pages::lately(lately)}
    };
    account_pages::page("/account", "Account", notice, body.into_any())
}

fn new_token(role: Role) -> AnyView {
    let can_act = role >= Role::Operator;
    view! {
        <form method="post" action="/account/tokens/add" class="flex flex-wrap items-end gap-3 border-t border-line px-3.5 py-3">
            {field("For", view! { <input class="field text-ink" name="note" maxlength="80" placeholder="nightly report" autocomplete="off" required /> }.into_any())}
            {field("May", view! {
                <select class="field text-ink" name="scope">
                    <option value="read" selected>"look"</option>
                    {can_act.then(|| view! { <option value="act">"look and act"</option> })}
                </select>
            }.into_any())}
            {expiry("30d")}
            {account_pages::own_password("Your password", true)}
            <button class="btn btn-primary">"Make a token"</button>
        </form>
    }
    .into_any()
}

fn password() -> AnyView {
    let input = |name, autocomplete| {
        let least = (autocomplete == "new-password").then_some("12");
        view! { <input class="field text-ink" type="password" name=name autocomplete=autocomplete minlength=least maxlength="1024" required /> }.into_any()
    };
    let body = view! {
        <form method="post" action="/account/password" class="px-3.5 py-3">
            <div class="flex flex-wrap gap-3">
                {field("Present password", input("current", "current-password"))}
                {field("New password, 12 characters at least", input("new", "new-password"))}
                {field("New password again", input("again", "new-password"))}
            </div>
            <p class="mt-2 text-[13px] text-ink-2">"Every other session of yours ends with it, and so do your API tokens."</p>
            <label class="flex min-h-11 w-fit items-center gap-2"><input type="checkbox" class="size-4" name="keep_tokens" value="true" />"Keep my API tokens"</label>
            <button class="btn mt-3">"Change password"</button>
        </form>
    };
    card("Password", body.into_any())
}

/// What somebody may see and do, in sentences.
#[must_use]
pub fn rights_in_words(rights: &Rights) -> Vec<String> {
    let can_act = rights.role >= Role::Operator;
    match &rights.grants {
        None => vec![
            match rights.role {
                Role::Viewer => "You may look at everything.",
                Role::Operator => "You may look at everything, and act on every server.",
                Role::Admin => {
                    "You may look at everything, act on every server, manage accounts and read the audit log."
                }
            }
            .to_owned(),
        ],
        Some(grants) if grants.is_empty() => {
            vec!["No rule lets you see anything yet. Whoever runs Sluice can write one, as [[rule]].".to_owned()]
        }
        Some(grants) => grants.iter().map(|grant| grant_in_words(grant, can_act)).collect(),
    }
}

fn grant_in_words(grant: &Grant, can_act: bool) -> String {
    let names = |patterns: &[Pattern]| patterns.iter().map(|p| p.0.as_str()).collect::<Vec<_>>().join(", ");
    let clusters = if grant.clusters.is_empty() {
        "every cluster".to_owned()
    } else {
        format!("cluster {}", names(&grant.clusters))
    };
    let backends = if grant.backends.is_empty() { "everything".to_owned() } else { names(&grant.backends) };
    let actions = grant.actions.iter().map(|action| action.id()).collect::<Vec<_>>().join(", ");
    if can_act && !actions.is_empty() {
        format!("On {clusters} you may look at {backends}, and do: {actions}.")
    } else {
        format!("On {clusters} you may look at {backends}.")
    }
}

#[cfg(test)]
mod tests {
    use model::action::Action;

    use super::*;

    fn drawn(page: Account) -> String {
        Owner::new().with(|| account(page).to_html())
    }

    const EVIL: &str = "\"><script>alert(1)</script>";

    #[test]
    fn what_others_wrote_is_text() {
        let text = || EVIL.to_owned();
        let html = drawn(Account {
            name: text(),
            method: text(),
            groups: vec![text()],
            rights: Rights {
                role: Role::Viewer,
                grants: Some(vec![Grant { clusters: vec![Pattern(text())], backends: vec![], actions: vec![] }]),
            },
            notice: Some(Notice::Denied(text())),
            revealed: Some(RevealedSecret { what: text(), secret: text(), usage: text() }),
            lately: vec![LatelyLine { time: text(), what: text(), by: text() }],
            sessions: Some(vec![SessionLine {
                id: text(),
                address: text(),
                agent: text(),
                times: text(),
                ..SessionLine::default()
            }]),
            tokens: Some(vec![TokenLine {
                id: text(),
                scope: text(),
                note: text(),
                times: text(),
                ..TokenLine::default()
            }]),
        });
        assert!(!html.contains("<script") && html.matches("alert(1)").count() > 12, "{html}");
        assert!(!html.contains("style="), "the policy takes no style from the page");
    }

    #[test]
    fn only_local_accounts_have_a_password_and_tokens() {
        let html = drawn(Account { sessions: Some(vec![]), ..Account::default() });
        assert!(!html.contains("/account/password") && !html.contains("/account/tokens"), "{html}");
        let html = drawn(Account { tokens: Some(vec![]), ..Account::default() });
        assert!(html.contains("/account/password") && html.contains("/account/tokens/add"), "{html}");
        assert!(!html.contains("look and act"), "a viewer's token can't act");
    }

    #[test]
    fn rights_are_told_in_words() {
        let told = |role, grants| rights_in_words(&Rights { role, grants }).join(" ");
        assert_eq!(told(Role::Viewer, None), "You may look at everything.");
        assert!(told(Role::Operator, Some(vec![])).starts_with("No rule lets you see anything"));
        let grant = |clusters: &[&str], actions: &[Action]| Grant {
            clusters: clusters.iter().map(|c| Pattern((*c).to_owned())).collect(),
            backends: vec![Pattern("app-*".to_owned())],
            actions: actions.to_vec(),
        };
        let both = vec![grant(&["edge"], &[Action::Ready, Action::Drain]), grant(&[], &[])];
        assert_eq!(
            told(Role::Operator, Some(both.clone())),
            "On cluster edge you may look at app-*, and do: ready, drain. On every cluster you may look at app-*."
        );
        assert!(!told(Role::Viewer, Some(both)).contains("drain"));
    }
}
