//! The Admin page: accounts, sessions, tokens and wall links of everybody. Drawn by the server alone, for admins.

use leptos::prelude::*;
use model::rights::Role;

use super::account_pages::{
    self, LatelyLine, Notice, RevealedSecret, SessionLine, TokenLine, button, card, empty_list, expiry, field, line,
};

/// What the page shows.
#[derive(Clone, Debug, Default)]
pub struct Admin {
    /// How a form ended.
    pub notice: Option<Notice>,
    /// A wall link that was just made.
    pub revealed: Option<RevealedSecret>,
    /// What happened to accounts, tokens and wall links, newest first.
    pub lately: Vec<LatelyLine>,
    /// The local accounts.
    pub users: Vec<UserLine>,
    /// Everybody's sessions.
    pub sessions: Vec<SessionLine>,
    /// Everybody's tokens.
    pub tokens: Vec<TokenLine>,
    /// The wall links.
    pub walls: Vec<WallLine>,
    /// The clusters that a wall link can show.
    pub clusters: Vec<String>,
    /// Whether the admin's password is here, and can be asked for.
    pub has_password: bool,
}

/// A local account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserLine {
    /// Its name.
    pub name: String,
    /// Its role.
    pub role: Role,
    /// Its groups.
    pub groups: Vec<String>,
    /// How many sessions it has.
    pub sessions: usize,
}

/// A wall link in a list; times are in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WallLine {
    /// Its id.
    pub id: String,
    /// Which display it is for.
    pub name: String,
    /// What it shows.
    pub clusters: Vec<String>,
    /// Who made it, until when it lasts, and when a display opened it last.
    pub times: String,
    /// Whether it has expired.
    pub is_expired: bool,
}

/// The page.
#[must_use]
pub fn admin(page: Admin) -> AnyView {
    let Admin { notice, revealed, lately, users, sessions, tokens, walls, clusters, has_password } = page;
    let users = view! { <ul>{users.into_iter().map(|line| user(line, has_password)).collect_view()}</ul> {new_user(has_password)} };
    let walls = view! {
        {if walls.is_empty() { empty_list("There are no wall links.") } else { view! { <ul>{walls.into_iter().map(wall).collect_view()}</ul> }.into_any() }}
        {new_wall(clusters, has_password)}
    };
    let body = view! {
        {revealed.map(account_pages::revealed)}
        {card("Accounts", users.into_any())}
        {card("Wall links", walls.into_any())}
        {card("Sessions", account_pages::sessions(sessions, "/admin/sessions/end", true))}
        {card("API tokens", account_pages::tokens(tokens, "/admin/tokens/end", true))}
        {account_pages::lately(lately)}
    };
    account_pages::page("/admin", "Admin", notice, body.into_any())
}

fn user(user: UserLine, has_password: bool) -> AnyView {
    let UserLine { name, role, groups, sessions } = user;
    let head = view! { <span>{name.clone()}</span> <span class="tag">{role.word()}</span> };
    let logged_in = match sessions {
        0 => "no session".to_owned(),
        1 => "1 session".to_owned(),
        n => format!("{n} sessions"),
    };
    let details = if groups.is_empty() { logged_in } else { format!("{} · {logged_in}", groups.join(", ")) };
    let controls = view! {
        <details class="menu">
            <summary class="btn" aria-label=format!("Role of {name}")>"Role"</summary>
            <form method="post" action="/admin/users/role" class="menu-body">
                <input type="hidden" name="user" value=name.clone() />
                {field("Role", roles(role))}
                {has_password.then(|| account_pages::own_password("Your password, for a higher one", false))}
                <button class="btn mt-2.5 w-full">{format!("Change the role of {name}")}</button>
            </form>
        </details>
        <details class="menu">
            <summary class="btn" aria-label=format!("Groups of {name}")>"Groups"</summary>
            <form method="post" action="/admin/users/groups" class="menu-body">
                <input type="hidden" name="user" value=name.clone() />
                {group_field(groups.join(", "))}
                {has_password.then(|| account_pages::own_password("Your password, for new ones", false))}
                <button class="btn mt-2.5 w-full">{format!("Put {name} into these")}</button>
            </form>
        </details>
        {(sessions > 0).then(|| button("/admin/sessions/end-all", "user", name.clone(), "Log out", format!("{name} everywhere")))}
        <details class="menu">
            <summary class="btn" aria-label=format!("Remove {name}")>"Remove"</summary>
            <form method="post" action="/admin/users/remove" class="menu-body">
                <input type="hidden" name="user" value=name.clone() />
                <p class="mb-2.5 text-ink-2">"The account ends with its sessions and tokens. What it did stays in the audit log."</p>
                <button class="btn btn-danger w-full">{format!("Remove {name}")}</button>
            </form>
        </details>
    };
    // Kept together, so that on a narrow screen they all wrap below the name.
    let controls =
        view! { <div class="ml-auto flex flex-wrap items-center justify-end gap-x-4 gap-y-2">{controls}</div> };
    line(head.into_any(), details, controls.into_any())
}

fn group_field(groups: String) -> AnyView {
    let input =
        view! { <input class="field text-ink" name="groups" value=groups autocomplete="off" spellcheck="false" /> };
    field("Groups, separated by commas", input.into_any())
}

fn roles(chosen: Role) -> AnyView {
    let options =
        Role::ALL.map(|role| view! { <option value=role.word() selected=role == chosen>{role.word()}</option> });
    view! { <select class="field text-ink" name="role">{options.collect_view()}</select> }.into_any()
}

fn new_user(has_password: bool) -> AnyView {
    view! {
        <form method="post" action="/admin/users/add" class="flex flex-wrap items-end gap-3 border-t border-line px-3.5 py-3">
            {field("Name", view! { <input class="field text-ink" name="user" maxlength="64" autocomplete="off" autocapitalize="none" spellcheck="false" required /> }.into_any())}
            {field("Role", roles(Role::Viewer))}
            {group_field(String::new())}
            {field("First password, 12 characters at least", view! { <input class="field text-ink" type="password" name="password" autocomplete="new-password" minlength="12" maxlength="1024" required /> }.into_any())}
            {has_password.then(|| account_pages::own_password("Your password", true))}
            <button class="btn btn-primary">"Add account"</button>
        </form>
    }
    .into_any()
}

fn wall(wall: WallLine) -> AnyView {
    let WallLine { id, name, clusters, times, is_expired } = wall;
    let head = view! {
        <span>{name.clone()}</span>
        {clusters.into_iter().map(|cluster| view! { <span class="tag">{cluster}</span> }).collect_view()}
        {is_expired.then(|| view! { <span class="tag">"ended"</span> })}
    };
    line(
        head.into_any(),
        format!("{id} · {times}"),
        button("/admin/walls/end", "id", id, "End", format!("the link of {name}")),
    )
}

fn new_wall(clusters: Vec<String>, has_password: bool) -> AnyView {
    let choice = |value: String, text: String| {
        view! {
            <label class="flex min-h-11 min-w-11 items-center gap-2"><input type="checkbox" class="size-4" name="cluster" value=value />{text}</label>
        }
    };
    let clusters = clusters.into_iter().map(|cluster| choice(cluster.clone(), cluster)).collect_view();
    view! {
        <form method="post" action="/admin/walls/add" class="flex flex-wrap items-end gap-3 border-t border-line px-3.5 py-3">
            {field("Display", view! { <input class="field text-ink" name="name" maxlength="60" placeholder="control room" autocomplete="off" required /> }.into_any())}
            <fieldset class="min-w-0 flex-[1_1_180px]">
                <legend class="text-[13px] text-ink-2">"Shows"</legend>
                <div class="flex flex-wrap gap-x-4">{clusters} {choice("*".to_owned(), "all clusters, later ones too".to_owned())}</div>
            </fieldset>
            {expiry("90d")}
            {has_password.then(|| account_pages::own_password("Your password", true))}
            <button class="btn btn-primary">"Make a link"</button>
        </form>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_is_text() {
        let text = || "\"><script>alert(1)</script>".to_owned();
        let page = Admin {
            lately: vec![LatelyLine { time: text(), what: text(), by: text() }],
            notice: Some(Notice::Done(text())),
            revealed: Some(RevealedSecret { what: text(), secret: text(), usage: String::new() }),
            users: vec![UserLine { name: text(), groups: vec![text()], sessions: 2, ..UserLine::default() }],
            sessions: vec![SessionLine { id: text(), user: text(), agent: text(), ..SessionLine::default() }],
            tokens: vec![TokenLine { id: text(), user: text(), note: text(), ..TokenLine::default() }],
            walls: vec![WallLine { name: text(), clusters: vec![text()], times: text(), ..WallLine::default() }],
            clusters: vec![text()],
            has_password: true,
        };
        let html = Owner::new().with(|| admin(page).to_html());
        assert!(!html.contains("<script") && html.matches("alert(1)").count() > 15, "{html}");
        assert!(!html.contains("style="), "the policy takes no style from the page");
    }

    #[test]
    fn every_form_posts_and_says_what_it_is_about() {
        let page = Admin {
            users: vec![UserLine { name: "anna".to_owned(), sessions: 1, ..UserLine::default() }],
            ..Admin::default()
        };
        let html = Owner::new().with(|| admin(page).to_html());
        assert_eq!(html.matches("<form").count(), html.matches("<form method=\"post\"").count());
        for label in
            ["Remove anna", "Change the role of anna", "Log out anna everywhere", "Role of anna", "Groups of anna"]
        {
            assert!(html.contains(label), "{label}");
        }
    }
}
