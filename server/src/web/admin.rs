//! The Admin page and its forms: everybody's accounts, sessions and tokens, and the wall links.

use std::sync::Arc;

use app::pages::{
    account_pages::RevealedSecret,
    admin::{Admin, UserLine, WallLine, admin as draw},
};
use axum::{http::StatusCode, response::Response};
use model::rights::Role;
use rusqlite::{Connection, Transaction};

use super::{
    account::self_service,
    account_pages::{
        FormOutcome, FormResult, PageError, PageRequest, PageState, ServerPage, own_address, session_line, token_line,
    },
    form_fields::{Fields, ago, moment, sentence},
    render,
};
use crate::{
    auth::{
        AccountOrigin, AuthMethod, ChangeError, LogInError, Password, Principal, User, UserError, UserName,
        authn::{
            expiry, sessions,
            tokens::{self, TokenError},
            wall_links::{self, NewWallLink, WallLink, WallLinkError},
        },
        authz::policy::Permission,
        users::{self, GroupError},
    },
    clock::now,
};

/// The page.
pub(super) struct AdminPage;

impl ServerPage for AdminPage {
    const PATH: &'static str = "/admin";

    fn done(word: &str) -> Option<&'static str> {
        Some(match word {
            "added" => "The account was made.",
            "role" => "The account has another role.",
            "groups" => "The account is in these groups now.",
            "removed" => "The account has ended, with its sessions and tokens.",
            "session" => "The session has ended.",
            "sessions" => "Every session of the account has ended.",
            "token" => "The token has ended.",
            "wall" => "The wall link has ended.",
            _ => return None,
        })
    }

    async fn draw(
        request: &PageRequest,
        PageState { status, notice, revealed }: PageState,
    ) -> Result<Response, PageError> {
        let PageRequest { state, principal, headers, .. } = request;
        let limits = state.auth.session_limits();
        let read = state.database.read(move |connection| {
            let sessions = sessions::list(connection, None, limits, now())?;
            Ok((users::list(connection)?, sessions, tokens::list(connection, None)?, wall_links::list(connection)?))
        });
        let (users, sessions, tokens, walls) = read.await?;
        let count = |name: &UserName| {
            sessions.iter().filter(|s| s.origin == AccountOrigin::Local && s.user == name.as_str()).count()
        };
        let user = |user: User| UserLine {
            sessions: count(&user.name),
            name: user.name.to_string(),
            role: user.role,
            groups: user.groups,
        };
        let users = users.into_iter().map(user).collect();
        let this = match &principal.method {
            AuthMethod::Session(id) => Some(id.as_str()),
            _ => None,
        };
        let mut clusters: Vec<String> = state.hub.world().fleet.nodes.iter().map(|n| n.cluster.clone()).collect();
        clusters.sort();
        clusters.dedup();
        let page = Admin {
            notice,
            revealed,
            users,
            sessions: sessions.into_iter().map(|session| session_line(session, this)).collect(),
            tokens: tokens.into_iter().map(token_line).collect(),
            walls: walls.into_iter().map(wall_line).collect(),
            clusters,
        };
        Ok(render::plain(headers, principal.who(), status, "Admin", &|| draw(page.clone())))
    }
}

fn wall_line(link: WallLink) -> WallLine {
    let WallLink { id, name, clusters, by, expires, opened, .. } = link;
    let opened = opened.map_or_else(|| "never opened".to_owned(), |at| format!("opened {}", ago(at, now())));
    let times = format!("made by {by}, until {}, {opened}", moment(expires));
    WallLine { id, name, clusters, times, is_expired: expires <= now() }
}

/// Changes something on behalf of whoever posted the form.
async fn change<T: Send + 'static, E: Send + 'static>(
    request: &PageRequest,
    job: impl FnOnce(&Transaction<'_>, &Principal) -> Result<T, E> + Send + 'static,
) -> Result<Result<T, E>, ChangeError> {
    request.state.auth.change(&request.principal, Permission::ManageAccounts, job).await
}

fn invalid(error: &dyn std::fmt::Display) -> FormResult {
    Ok(FormOutcome::Denied(StatusCode::BAD_REQUEST, sentence(error)))
}

/// Groups as people type them, separated by commas.
fn groups(fields: &Fields) -> Result<Vec<String>, GroupError> {
    fields.get("groups").split(',').filter(|group| !group.trim().is_empty()).map(users::group).collect()
}

pub(super) async fn add_user(request: Arc<PageRequest>) -> FormResult {
    let PageRequest { state, fields, .. } = &*request;
    let name: UserName = match fields.get("user").trim().parse() {
        Ok(name) => name,
        Err(error) => return invalid(&error),
    };
    let role: Role = match fields.get("role").parse() {
        Ok(role) => role,
        Err(error) => return invalid(&error),
    };
    let groups = match groups(fields) {
        Ok(groups) => groups,
        Err(error) => return invalid(&error),
    };
    let password = Password::new(fields.get("password").to_owned());
    if let Err(error) = password.check(name.as_str()) {
        return invalid(&error);
    }
    let hash = match state.auth.hash_password(password).await {
        Ok(hash) => hash,
        Err(error @ LogInError::Busy(_)) => {
            return Ok(FormOutcome::Denied(StatusCode::SERVICE_UNAVAILABLE, sentence(&error)));
        }
        Err(error) => return Err(error.into()),
    };
    let at = now();
    let user = User { name, role, groups, created: at, changed: at };
    match change(&request, move |transaction, by| users::add(transaction, &user, &hash, by)).await? {
        Ok(()) => Ok(FormOutcome::Done("added")),
        Err(UserError::Exists(name)) => invalid(&format!("there is an account {name} already")),
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn set_role(request: Arc<PageRequest>) -> FormResult {
    match request.fields.get("role").parse() {
        Ok(role) => apply(&request, AccountChange::Role(role)).await,
        Err(error) => invalid(&error),
    }
}

pub(super) async fn set_groups(request: Arc<PageRequest>) -> FormResult {
    match groups(&request.fields) {
        Ok(groups) => apply(&request, AccountChange::Groups(groups)).await,
        Err(error) => invalid(&error),
    }
}

pub(super) async fn remove_user(request: Arc<PageRequest>) -> FormResult {
    apply(&request, AccountChange::Remove).await
}

/// What an admin changes of an account.
enum AccountChange {
    Role(Role),
    Groups(Vec<String>),
    Remove,
}

impl AccountChange {
    /// Whether an admin stays one.
    fn keeps_admin(&self) -> bool {
        match self {
            Self::Role(role) => *role == Role::Admin,
            Self::Groups(_) => true,
            Self::Remove => false,
        }
    }

    fn word(&self) -> &'static str {
        match self {
            Self::Role(_) => "role",
            Self::Groups(_) => "groups",
            Self::Remove => "removed",
        }
    }
}

/// Changes an account. The last admin stays one, unless people of another system can be admins.
async fn apply(request: &PageRequest, account_change: AccountChange) -> FormResult {
    let name: UserName = match request.fields.get("user").parse() {
        Ok(name) => name,
        Err(error) => return invalid(&error),
    };
    let has_other_admins = request.state.auth.identity_providers().has_admins();
    let (word, account) = (account_change.word(), name.clone());
    let changed = change(request, move |transaction, by| {
        if !account_change.keeps_admin() && !has_other_admins && is_last_admin(transaction, &account)? {
            return Ok(false);
        }
        match account_change {
            AccountChange::Role(role) => users::set_role(transaction, &account, role, by, now()),
            AccountChange::Groups(groups) => users::set_groups(transaction, &account, &groups, by, now()),
            AccountChange::Remove => users::remove(transaction, &account, by),
        }?;
        Ok(true)
    });
    match changed.await? {
        Ok(true) => Ok(FormOutcome::Done(word)),
        Ok(false) => {
            let text = format!("{name} is the last admin. Make another account an admin first.");
            Ok(FormOutcome::Denied(StatusCode::CONFLICT, text))
        }
        Err(UserError::Missing(name)) => invalid(&format!("there is no account {name} any more")),
        Err(error) => Err(error.into()),
    }
}

fn is_last_admin(connection: &Connection, name: &UserName) -> Result<bool, rusqlite::Error> {
    let admins: Vec<User> = users::list(connection)?.into_iter().filter(|user| user.role == Role::Admin).collect();
    Ok(admins.len() == 1 && admins[0].name == *name)
}

pub(super) async fn end_session(request: Arc<PageRequest>) -> FormResult {
    let id = request.fields.get("id").to_owned();
    Ok(match self_service::end_session(&request.state, &request.principal, id, None).await? {
        true => FormOutcome::Done("session"),
        false => FormOutcome::Denied(StatusCode::NOT_FOUND, "There is no such session any more.".to_owned()),
    })
}

pub(super) async fn end_sessions(request: Arc<PageRequest>) -> FormResult {
    let name: UserName = match request.fields.get("user").parse() {
        Ok(name) => name,
        Err(error) => return invalid(&error),
    };
    change(&request, move |transaction, by| sessions::revoke_all_of(transaction, name.as_str(), by)).await??;
    Ok(FormOutcome::Done("sessions"))
}

pub(super) async fn end_token(request: Arc<PageRequest>) -> FormResult {
    let id = request.fields.get("id").to_owned();
    match change(&request, move |transaction, by| tokens::remove(transaction, &id, None, by)).await? {
        Ok(_) => Ok(FormOutcome::Done("token")),
        Err(error @ TokenError::Missing(_)) => Ok(FormOutcome::Denied(StatusCode::NOT_FOUND, sentence(&error))),
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn add_wall(request: Arc<PageRequest>) -> FormResult {
    let PageRequest { headers, fields, .. } = &*request;
    let expires = match expiry::parse(fields.get("expires")) {
        Ok(time) => expiry::after(now(), time),
        Err(error) => return invalid(&error),
    };
    let new = NewWallLink { name: fields.get("name").to_owned(), clusters: fields.all("cluster"), expires };
    match change(&request, move |transaction, by| wall_links::add(transaction, &new, by, now())).await? {
        Ok((link, path)) => {
            let what = format!("The wall link of {} was made: open this address on the display", link.name);
            let secret = format!("{}{path}", own_address(headers));
            Ok(FormOutcome::RevealedSecret(RevealedSecret { what, secret, usage: String::new() }))
        }
        Err(error @ (WallLinkError::Random(_) | WallLinkError::Database(_))) => Err(error.into()),
        Err(error) => invalid(&error),
    }
}

pub(super) async fn end_wall(request: Arc<PageRequest>) -> FormResult {
    let id = request.fields.get("id").to_owned();
    match change(&request, move |transaction, by| wall_links::remove(transaction, &id, by)).await? {
        Ok(_) => Ok(FormOutcome::Done("wall")),
        Err(error @ WallLinkError::Missing(_)) => Ok(FormOutcome::Denied(StatusCode::NOT_FOUND, sentence(&error))),
        Err(error) => Err(error.into()),
    }
}
