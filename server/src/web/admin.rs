//! The Admin page and its forms: everybody's accounts, sessions and tokens, and the wall links.

use std::sync::Arc;

use app::pages::{
    admin::{Admin, UserLine, WallLine, admin as draw},
    managed::RevealedSecret,
};
use axum::{Router, http::StatusCode, response::Response};
use model::rights::Role;
use rusqlite::Connection;

use super::{
    AppState,
    account::self_service,
    account_pages::{
        Answered, Failure, FormOutcome, PageRequest, PageState, ServerPage, form, origin, page, session_line,
        token_line,
    },
    form_fields::{Fields, ago, moment, sentence},
    render,
};
use crate::{
    auth::{
        AuthMethod, LogInError, Origin, Password, User, UserError, UserName,
        authn::{
            expiry, sessions,
            tokens::{self, TokenError},
            wall_links::{self, NewWall, Wall, WallError},
        },
        users::{self, GroupError},
    },
    clock::now,
};

/// The routes.
pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/admin", page::<AdminPage>())
        .route("/admin/users/add", form::<AdminPage, _>(add_user))
        .route("/admin/users/role", form::<AdminPage, _>(set_role))
        .route("/admin/users/groups", form::<AdminPage, _>(set_groups))
        .route("/admin/users/remove", form::<AdminPage, _>(remove_user))
        .route("/admin/sessions/end", form::<AdminPage, _>(end_session))
        .route("/admin/sessions/end-all", form::<AdminPage, _>(end_sessions))
        .route("/admin/tokens/end", form::<AdminPage, _>(end_token))
        .route("/admin/walls/add", form::<AdminPage, _>(add_wall))
        .route("/admin/walls/end", form::<AdminPage, _>(end_wall))
}

struct AdminPage;

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

    async fn drawn(asked: &PageRequest, PageState { status, notice, made }: PageState) -> Result<Response, Failure> {
        let PageRequest { state, principal, headers, .. } = asked;
        let limits = state.auth.limits();
        let read = state.database.call(move |connection| {
            let sessions = sessions::list(connection, None, limits, now())?;
            Ok((users::list(connection)?, sessions, tokens::list(connection, None)?, wall_links::list(connection)?))
        });
        let (users, sessions, tokens, walls) = read.await?;
        let count =
            |name: &UserName| sessions.iter().filter(|s| s.origin == Origin::Local && s.user == name.as_str()).count();
        let user = |user: User| UserLine {
            sessions: count(&user.name),
            name: user.name.to_string(),
            role: user.role,
            groups: user.groups,
        };
        let users = users.into_iter().map(user).collect();
        let this = match &principal.means {
            AuthMethod::Session(id) => Some(id.as_str()),
            _ => None,
        };
        let mut clusters: Vec<String> = state.hub.world().fleet.nodes.iter().map(|n| n.cluster.clone()).collect();
        clusters.sort();
        clusters.dedup();
        let page = Admin {
            notice,
            made,
            users,
            sessions: sessions.into_iter().map(|session| session_line(session, this)).collect(),
            tokens: tokens.into_iter().map(token_line).collect(),
            walls: walls.into_iter().map(wall_line).collect(),
            clusters,
        };
        Ok(render::plain(headers, principal.who(), status, "Admin", &|| draw(page.clone())))
    }
}

fn wall_line(wall: Wall) -> WallLine {
    let Wall { id, name, clusters, by, expires, opened, .. } = wall;
    let opened = opened.map_or_else(|| "never opened".to_owned(), |at| format!("opened {}", ago(at, now())));
    let times = format!("made by {by}, until {}, {opened}", moment(expires));
    WallLine { id, name, clusters, times, is_over: expires <= now() }
}

fn refused(error: &dyn std::fmt::Display) -> Answered {
    Ok(FormOutcome::Refused(StatusCode::BAD_REQUEST, sentence(error)))
}

/// Groups as they are typed: separated by commas.
fn groups(fields: &Fields) -> Result<Vec<String>, GroupError> {
    fields.get("groups").split(',').filter(|group| !group.trim().is_empty()).map(users::group).collect()
}

async fn add_user(asked: Arc<PageRequest>) -> Answered {
    let PageRequest { state, principal, fields, .. } = &*asked;
    let name: UserName = match fields.get("user").trim().parse() {
        Ok(name) => name,
        Err(error) => return refused(&error),
    };
    let role: Role = match fields.get("role").parse() {
        Ok(role) => role,
        Err(error) => return refused(&error),
    };
    let groups = match groups(fields) {
        Ok(groups) => groups,
        Err(error) => return refused(&error),
    };
    let password = Password::typed(fields.get("password").to_owned());
    if let Err(error) = password.check(name.as_str()) {
        return refused(&error);
    }
    let hash = match state.auth.hash(password).await {
        Ok(hash) => hash,
        Err(error @ LogInError::Busy(_)) => {
            return Ok(FormOutcome::Refused(StatusCode::SERVICE_UNAVAILABLE, sentence(&error)));
        }
        Err(error) => return Err(error.into()),
    };
    let (by, at) = (principal.clone(), now());
    let user = User { name, role, groups, created: at, changed: at };
    match state.database.call(move |connection| Ok(users::add(connection, &user, &hash, &by))).await? {
        Ok(()) => Ok(FormOutcome::Done("added")),
        Err(UserError::Exists(name)) => refused(&format!("there is an account {name} already")),
        Err(error) => Err(error.into()),
    }
}

async fn set_role(asked: Arc<PageRequest>) -> Answered {
    match asked.fields.get("role").parse() {
        Ok(role) => changed(&asked, Change::Role(role)).await,
        Err(error) => refused(&error),
    }
}

async fn set_groups(asked: Arc<PageRequest>) -> Answered {
    match groups(&asked.fields) {
        Ok(groups) => changed(&asked, Change::Groups(groups)).await,
        Err(error) => refused(&error),
    }
}

async fn remove_user(asked: Arc<PageRequest>) -> Answered {
    changed(&asked, Change::Remove).await
}

/// What an admin changes of an account.
enum Change {
    Role(Role),
    Groups(Vec<String>),
    Remove,
}

impl Change {
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

/// Changes an account; never so that there is no admin left, while nobody else can be one.
async fn changed(asked: &PageRequest, change: Change) -> Answered {
    let name: UserName = match asked.fields.get("user").parse() {
        Ok(name) => name,
        Err(error) => return refused(&error),
    };
    let (by, has_others) = (asked.principal.clone(), asked.state.auth.outside().has_admins());
    let (word, account) = (change.word(), name.clone());
    let changed = asked.state.database.call(move |connection| {
        if !change.keeps_admin() && !has_others && is_last_admin(connection, &account)? {
            return Ok(None);
        }
        Ok(Some(match change {
            Change::Role(role) => users::set_role(connection, &account, role, &by, now()),
            Change::Groups(groups) => users::set_groups(connection, &account, &groups, &by, now()),
            Change::Remove => users::remove(connection, &account, &by),
        }))
    });
    match changed.await? {
        Some(Ok(())) => Ok(FormOutcome::Done(word)),
        None => {
            let text = format!("{name} is the last admin. Make another account an admin first.");
            Ok(FormOutcome::Refused(StatusCode::CONFLICT, text))
        }
        Some(Err(UserError::Missing(name))) => refused(&format!("there is no account {name} any more")),
        Some(Err(error)) => Err(error.into()),
    }
}

fn is_last_admin(connection: &Connection, name: &UserName) -> Result<bool, rusqlite::Error> {
    let admins: Vec<User> = users::list(connection)?.into_iter().filter(|user| user.role == Role::Admin).collect();
    Ok(admins.len() == 1 && admins[0].name == *name)
}

async fn end_session(asked: Arc<PageRequest>) -> Answered {
    let id = asked.fields.get("id").to_owned();
    Ok(match self_service::end_session(&asked.state, &asked.principal, id, None).await? {
        true => FormOutcome::Done("session"),
        false => FormOutcome::Refused(StatusCode::NOT_FOUND, "There is no such session any more.".to_owned()),
    })
}

async fn end_sessions(asked: Arc<PageRequest>) -> Answered {
    let name: UserName = match asked.fields.get("user").parse() {
        Ok(name) => name,
        Err(error) => return refused(&error),
    };
    let by = asked.principal.clone();
    asked.state.database.call(move |connection| sessions::revoke_all_of(connection, name.as_str(), &by)).await?;
    Ok(FormOutcome::Done("sessions"))
}

async fn end_token(asked: Arc<PageRequest>) -> Answered {
    let (by, id) = (asked.principal.clone(), asked.fields.get("id").to_owned());
    match asked.state.database.call(move |connection| Ok(tokens::remove(connection, &id, None, &by))).await? {
        Ok(_) => Ok(FormOutcome::Done("token")),
        Err(error @ TokenError::Missing(_)) => Ok(FormOutcome::Refused(StatusCode::NOT_FOUND, sentence(&error))),
        Err(error) => Err(error.into()),
    }
}

async fn add_wall(asked: Arc<PageRequest>) -> Answered {
    let PageRequest { state, principal, headers, fields, .. } = &*asked;
    let expires = match expiry::parse(fields.get("expires")) {
        Ok(time) => expiry::after(now(), time),
        Err(error) => return refused(&error),
    };
    let new = NewWall { name: fields.get("name").to_owned(), clusters: fields.all("cluster"), expires };
    let by = principal.clone();
    match state.database.call(move |connection| Ok(wall_links::add(connection, &new, &by, now()))).await? {
        Ok((wall, path)) => {
            let what = format!("The wall link of {} was made: open this address on the display", wall.name);
            let secret = format!("{}{path}", origin(headers));
            Ok(FormOutcome::RevealedSecret(RevealedSecret { what, secret, usage: String::new() }))
        }
        Err(error @ (WallError::Random(_) | WallError::Database(_))) => Err(error.into()),
        Err(error) => refused(&error),
    }
}

async fn end_wall(asked: Arc<PageRequest>) -> Answered {
    let (by, id) = (asked.principal.clone(), asked.fields.get("id").to_owned());
    match asked.state.database.call(move |connection| Ok(wall_links::remove(connection, &id, &by))).await? {
        Ok(_) => Ok(FormOutcome::Done("wall")),
        Err(error @ WallError::Missing(_)) => Ok(FormOutcome::Refused(StatusCode::NOT_FOUND, sentence(&error))),
        Err(error) => Err(error.into()),
    }
}
