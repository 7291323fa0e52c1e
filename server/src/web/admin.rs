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
    account::self_service::{self, Ending, OwnAccount},
    account_pages::{
        FormOutcome, FormResult, PageError, PageRequest, PageState, ServerPage, own_address, session_line, token_line,
    },
    confirmation::unconfirmed,
    form_fields::{Fields, ago, moment, sentence},
    lately, render,
};
use crate::{
    auth::{
        AccountOrigin, Auth, AuthMethod, ChangeError, LogInError, MayBeDatabase, Password, Principal, TakenAway, User,
        UserError, UserName, Withdrawal,
        authn::{
            expiry, sessions, tokens,
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
            let (tokens, walls) = (tokens::list(connection, None)?, wall_links::list(connection)?);
            Ok((users::list(connection)?, sessions, tokens, walls, lately::of_all(connection)?))
        });
        let (users, sessions, tokens, walls, lately) = read.await?;
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
        let has_password = OwnAccount::of(state, principal).await?.local().is_some();
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
            lately,
            users,
            sessions: sessions.into_iter().map(|session| session_line(session, this)).collect(),
            tokens: tokens.into_iter().map(token_line).collect(),
            walls: walls.into_iter().map(wall_line).collect(),
            clusters,
            has_password,
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

/// Takes something away on behalf of whoever posted the form, also while the database can't be written.
async fn take_away<T: Send + 'static, E: MayBeDatabase + Send + 'static>(
    request: &PageRequest,
    withdrawal: Withdrawal,
    exists: impl FnOnce(&Connection) -> Result<bool, rusqlite::Error> + Send + 'static,
    job: impl Fn(&Transaction<'_>, &Principal) -> Result<T, E> + Clone + Send + Sync + 'static,
) -> Result<Result<TakenAway<T>, E>, ChangeError> {
    let PageRequest { state, principal, .. } = request;
    state.auth.take_away(principal, Permission::ManageAccounts, withdrawal, exists, job).await
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
    if let Some(answer) = unconfirmed(&request, "user.add").await? {
        return Ok(answer);
    }
    let hash = match state.auth.hash_password(password, &request.principal).await {
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
#[derive(Clone, Debug)]
enum AccountChange {
    Role(Role),
    Groups(Vec<String>),
    Remove,
}

impl AccountChange {
    /// Carries it out; whether it was: the last admin stays one, unless people of another system can be admins.
    fn apply(
        &self,
        transaction: &Transaction<'_>,
        account: &UserName,
        auth: &Auth,
        has_other_admins: bool,
        by: &Principal,
    ) -> Result<bool, UserError> {
        if !has_other_admins && self.takes_last_admin(auth, transaction, account)? {
            return Ok(false);
        }
        match self {
            Self::Role(role) => users::set_role(transaction, account, *role, by, now()),
            Self::Groups(groups) => users::set_groups(transaction, account, groups, by, now()),
            Self::Remove => users::remove(transaction, account, by),
        }?;
        Ok(true)
    }

    /// Whether no admin would be left.
    fn takes_last_admin(
        &self,
        auth: &Auth,
        connection: &Connection,
        account: &UserName,
    ) -> Result<bool, rusqlite::Error> {
        let keeps_admin = matches!(self, Self::Role(Role::Admin) | Self::Groups(_));
        Ok(!keeps_admin && is_last_admin(auth, connection, account)?)
    }

    /// What may hold without the database, where it takes something away.
    fn withdrawal(&self, account: &UserName) -> Withdrawal {
        match self {
            Self::Role(role) => Withdrawal::Role(account.clone(), *role),
            Self::Groups(groups) => Withdrawal::Groups(account.clone(), groups.clone()),
            Self::Remove => Withdrawal::Account(account.clone()),
        }
    }

    /// Whether it gives something more to an account as it is.
    fn gives_more_to(&self, user: &User) -> bool {
        match self {
            Self::Role(role) => *role > user.role,
            Self::Groups(groups) => groups.iter().any(|group| !user.groups.contains(group)),
            Self::Remove => false,
        }
    }

    /// What the audit log calls an attempt at it.
    fn action(&self) -> &'static str {
        match self {
            Self::Role(_) => "user.role",
            Self::Groups(_) => "user.groups",
            Self::Remove => "user.remove",
        }
    }

    /// Whether it takes something away from an account as it is.
    fn takes_away_from(&self, user: &User) -> bool {
        match self {
            Self::Role(role) => *role < user.role,
            Self::Groups(groups) => user.groups.iter().any(|group| !groups.contains(group)),
            Self::Remove => true,
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

/// Changes an account.
async fn apply(request: &PageRequest, account_change: AccountChange) -> FormResult {
    let name: UserName = match request.fields.get("user").parse() {
        Ok(name) => name,
        Err(error) => return invalid(&error),
    };
    let wanted = name.clone();
    let user = request.state.database.read(move |connection| users::find(connection, &wanted)).await?;
    // What takes something away is not held up.
    if user.is_some_and(|(user, _)| account_change.gives_more_to(&user))
        && let Some(answer) = unconfirmed(request, account_change.action()).await?
    {
        return Ok(answer);
    }
    let has_other_admins = request.state.auth.identity_providers().has_admins();
    let (word, withdrawal) = (account_change.word(), account_change.withdrawal(&name));
    let (account, planned, auth) = (name.clone(), account_change.clone(), request.state.auth.clone());
    let may_be_done = move |connection: &Connection| {
        // What gives somebody more waits until it can be written.
        let takes_away = users::find(connection, &account)?.is_some_and(|(user, _)| planned.takes_away_from(&user));
        Ok(takes_away && (has_other_admins || !planned.takes_last_admin(&auth, connection, &account)?))
    };
    let (account, auth) = (name.clone(), request.state.auth.clone());
    let job = move |transaction: &Transaction<'_>, by: &Principal| {
        account_change.apply(transaction, &account, &auth, has_other_admins, by)
    };
    match take_away(request, withdrawal, may_be_done, job).await? {
        Ok(TakenAway::Written(true)) => Ok(FormOutcome::Done(word)),
        Ok(TakenAway::Remembered) => Ok(FormOutcome::Remembered),
        Ok(TakenAway::Written(false)) => {
            let text = format!("{name} is the last admin. Make another account an admin first.");
            Ok(FormOutcome::Denied(StatusCode::CONFLICT, text))
        }
        Err(UserError::Missing(name)) => invalid(&format!("there is no account {name} any more")),
        Err(error) => Err(error.into()),
    }
}

fn is_last_admin(auth: &Auth, connection: &Connection, name: &UserName) -> Result<bool, rusqlite::Error> {
    let admins = auth.admins(connection)?;
    Ok(admins.len() == 1 && admins[0].name == *name)
}

/// The answer to a form that ended something.
fn ended(ending: Ending, word: &'static str, what: &str) -> FormOutcome {
    match ending {
        Ending::Written => FormOutcome::Done(word),
        Ending::Remembered => FormOutcome::Remembered,
        Ending::Missing => FormOutcome::Denied(StatusCode::NOT_FOUND, format!("There is no such {what} any more.")),
    }
}

pub(super) async fn end_session(request: Arc<PageRequest>) -> FormResult {
    let id = request.fields.get("id").to_owned();
    let ending = self_service::end_session(&request.state, &request.principal, id, None).await?;
    Ok(ended(ending, "session", "session"))
}

pub(super) async fn end_sessions(request: Arc<PageRequest>) -> FormResult {
    let name: UserName = match request.fields.get("user").parse() {
        Ok(name) => name,
        Err(error) => return invalid(&error),
    };
    let withdrawal = Withdrawal::Sessions(AccountOrigin::Local, name.to_string());
    let taken = take_away(
        &request,
        withdrawal,
        |_| Ok(true),
        move |transaction, by| sessions::revoke_all_of(transaction, name.as_str(), by),
    );
    Ok(match taken.await?? {
        TakenAway::Written(_) => FormOutcome::Done("sessions"),
        TakenAway::Remembered => FormOutcome::Remembered,
    })
}

pub(super) async fn end_token(request: Arc<PageRequest>) -> FormResult {
    let id = request.fields.get("id").to_owned();
    let ending = self_service::end_token(&request.state, &request.principal, id, None).await?;
    Ok(ended(ending, "token", "token"))
}

pub(super) async fn add_wall(request: Arc<PageRequest>) -> FormResult {
    let PageRequest { headers, fields, .. } = &*request;
    let expires = match expiry::parse(fields.get("expires")) {
        Ok(time) => expiry::after(now(), time),
        Err(error) => return invalid(&error),
    };
    if let Some(answer) = unconfirmed(&request, "wall.add").await? {
        return Ok(answer);
    }
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
    let withdrawal = Withdrawal::Method(AuthMethod::WallLink(id.clone()));
    let wanted = id.clone();
    let exists = move |connection: &Connection| Ok(wall_links::list(connection)?.iter().any(|link| link.id == wanted));
    let taken =
        take_away(&request, withdrawal, exists, move |transaction, by| wall_links::remove(transaction, &id, by));
    let ending = match taken.await? {
        Ok(TakenAway::Written(_)) => Ending::Written,
        Ok(TakenAway::Remembered) => Ending::Remembered,
        Err(WallLinkError::Missing(_)) => Ending::Missing,
        Err(error) => return Err(error.into()),
    };
    Ok(ended(ending, "wall", "wall link"))
}
