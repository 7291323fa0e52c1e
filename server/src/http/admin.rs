//! The Admin page and its forms: everybody's accounts, sessions and tokens, and the wall links.

use app::{
    model::access::Role,
    pages::{
        admin::{Admin, UserLine, WallLine, admin as draw},
        managed::{Made, Notice},
    },
};
use axum::{
    Extension, Router,
    extract::{Query, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Redirect, Response},
    routing::{get, post},
};
use rusqlite::Connection;
use tokio::task::spawn_blocking;

use super::{
    AppState,
    account::{end_any, origin, session_line, token_line},
    fields::{Fields, Posted, ago, moment, sentence},
    plain,
    problem::Problem,
};
use crate::{
    access::{
        Caller, Cost, Means, Memory, Origin, Password, User, UserError, UserName,
        columns::now,
        expiry, sessions,
        tokens::{self, TokenError},
        users,
        walls::{self, NewWall, Wall, WallError},
    },
    record::{self, Entry, Kind},
    vault::VaultError,
};

/// The routes.
pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/admin", get(page))
        .route("/admin/users/add", post(add_user))
        .route("/admin/users/role", post(set_role))
        .route("/admin/users/remove", post(remove_user))
        .route("/admin/sessions/end", post(end_session))
        .route("/admin/sessions/end-all", post(end_sessions))
        .route("/admin/tokens/end", post(end_token))
        .route("/admin/walls/add", post(add_wall))
        .route("/admin/walls/end", post(end_wall))
}

/// What became of a form.
enum Outcome {
    /// It was done: a word of [`done`].
    Done(&'static str),
    /// A wall link was made.
    Made(Made),
    /// It was not done, and why.
    Refused(StatusCode, String),
}

/// Why Sluice itself failed.
type Failure = Box<dyn std::error::Error + Send + Sync>;

fn refused(error: &dyn std::fmt::Display) -> Result<Outcome, Failure> {
    Ok(Outcome::Refused(StatusCode::BAD_REQUEST, sentence(error)))
}

async fn page(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Query(query): Query<Vec<(String, String)>>,
) -> Response {
    let notice = query.iter().find(|(name, _)| name == "done").and_then(|(_, what)| done(what));
    answer(&state, &caller, &headers, StatusCode::OK, notice, None).await
}

/// What a form that was carried out leads to: a word in the address, and here what it says.
fn done(what: &str) -> Option<Notice> {
    let text = match what {
        "added" => "The account was made.",
        "role" => "The account has another role.",
        "removed" => "The account has ended, with its sessions and tokens.",
        "session" => "The session has ended.",
        "sessions" => "Every session of the account has ended.",
        "token" => "The token has ended.",
        "wall" => "The wall link has ended.",
        _ => return None,
    };
    Some(Notice::Done(text.to_owned()))
}

/// The answer to a form.
async fn tell(state: &AppState, caller: &Caller, headers: &HeaderMap, outcome: Result<Outcome, Failure>) -> Response {
    match outcome {
        Ok(Outcome::Done(what)) => Redirect::to(&format!("/admin?done={what}")).into_response(),
        Ok(Outcome::Made(made)) => answer(state, caller, headers, StatusCode::OK, None, Some(made)).await,
        Ok(Outcome::Refused(status, text)) => {
            answer(state, caller, headers, status, Some(Notice::Refused(text)), None).await
        }
        Err(error) => Problem::internal(error).into_response(),
    }
}

async fn answer(
    state: &AppState,
    caller: &Caller,
    headers: &HeaderMap,
    status: StatusCode,
    notice: Option<Notice>,
    made: Option<Made>,
) -> Response {
    match drawn(state, caller, notice, made).await {
        Ok(page) => plain::plain(headers, caller.who(), status, "Admin", &|| draw(page.clone())),
        Err(error) => Problem::internal(error).into_response(),
    }
}

async fn drawn(
    state: &AppState,
    caller: &Caller,
    notice: Option<Notice>,
    made: Option<Made>,
) -> Result<Admin, VaultError> {
    let limits = state.access.limits();
    let read = state.vault.call(move |connection| {
        let sessions = sessions::list(connection, None, limits, now())?;
        Ok((users::list(connection)?, sessions, tokens::list(connection, None)?, walls::list(connection)?))
    });
    let (users, sessions, tokens, walls) = read.await?;
    let count =
        |name: &UserName| sessions.iter().filter(|s| s.origin == Origin::Local && s.user == name.as_str()).count();
    let users = users.into_iter().map(|user| UserLine {
        sessions: count(&user.name),
        name: user.name.to_string(),
        role: user.role,
        groups: user.groups,
    });
    let users = users.collect();
    let this = match &caller.means {
        Means::Session(id) => Some(id.as_str()),
        _ => None,
    };
    let mut clusters: Vec<String> = state.hub.world().fleet.nodes.iter().map(|node| node.cluster.clone()).collect();
    clusters.sort();
    clusters.dedup();
    Ok(Admin {
        notice,
        made,
        users,
        sessions: sessions.into_iter().map(|session| session_line(session, this)).collect(),
        tokens: tokens.into_iter().map(token_line).collect(),
        walls: walls.into_iter().map(wall_line).collect(),
        clusters,
    })
}

fn wall_line(wall: Wall) -> WallLine {
    let Wall { id, name, clusters, by, expires, opened, .. } = wall;
    let opened = opened.map_or_else(|| "never opened".to_owned(), |at| format!("opened {}", ago(at, now())));
    let times = format!("made by {by}, until {}, {opened}", moment(expires));
    WallLine { id, name, clusters, times, is_over: expires <= now() }
}

async fn add_user(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    posted: Posted,
) -> Response {
    let outcome = added(&state, &caller, &Fields::of(posted)).await;
    tell(&state, &caller, &headers, outcome).await
}

async fn added(state: &AppState, caller: &Caller, fields: &Fields) -> Result<Outcome, Failure> {
    let name: UserName = match fields.get("user").trim().parse() {
        Ok(name) => name,
        Err(error) => return refused(&error),
    };
    let role: Role = match fields.get("role").parse() {
        Ok(role) => role,
        Err(error) => return refused(&error),
    };
    let groups: Vec<String> =
        fields.get("groups").split(',').map(str::trim).filter(|g| !g.is_empty()).map(str::to_owned).collect();
    if groups.iter().any(|group| group.chars().count() > 256 || group.contains(char::is_control)) {
        return refused(&"A group is text of 256 characters at most, without control characters");
    }
    let password = Password::typed(fields.get("password").to_owned());
    if let Err(error) = password.check(name.as_str()) {
        return refused(&error);
    }
    let hash = spawn_blocking(move || password.hash(Cost::USUAL, &mut Memory::default())).await??;
    let (by, at) = (caller.clone(), now());
    let user = User { name, role, groups, created: at, changed: at };
    match state.vault.call(move |connection| Ok(users::add(connection, &user, &hash, &by))).await? {
        Ok(()) => Ok(Outcome::Done("added")),
        Err(UserError::Exists(name)) => refused(&format!("there is an account {name} already")),
        Err(error) => Err(error.into()),
    }
}

async fn set_role(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    posted: Posted,
) -> Response {
    let fields = Fields::of(posted);
    let role: Result<Role, _> = fields.get("role").parse();
    let outcome = match role {
        Ok(role) => changed(&state, &caller, fields.get("user"), Some(role)).await,
        Err(error) => refused(&error),
    };
    tell(&state, &caller, &headers, outcome).await
}

async fn remove_user(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    posted: Posted,
) -> Response {
    let outcome = changed(&state, &caller, Fields::of(posted).get("user"), None).await;
    tell(&state, &caller, &headers, outcome).await
}

/// Gives an account another role, or ends it; never the last admin, while nobody else can be one.
async fn changed(state: &AppState, caller: &Caller, user: &str, role: Option<Role>) -> Result<Outcome, Failure> {
    let name: UserName = match user.parse() {
        Ok(name) => name,
        Err(error) => return refused(&error),
    };
    let (by, has_others) = (caller.clone(), state.access.outside().has_admins());
    let changed = state.vault.call(move |connection| {
        if role != Some(Role::Admin) && !has_others && is_last_admin(connection, &name)? {
            return Ok(Err(Err(name)));
        }
        let done = match role {
            Some(role) => users::set_role(connection, &name, role, &by, now()),
            None => users::remove(connection, &name, &by),
        };
        Ok(done.map_err(Ok))
    });
    match changed.await? {
        Ok(()) => Ok(Outcome::Done(if role.is_some() { "role" } else { "removed" })),
        Err(Err(name)) => {
            let text = format!("{name} is the last admin. Make another account an admin first.");
            Ok(Outcome::Refused(StatusCode::CONFLICT, text))
        }
        Err(Ok(UserError::Missing(name))) => refused(&format!("there is no account {name} any more")),
        Err(Ok(error)) => Err(error.into()),
    }
}

fn is_last_admin(connection: &Connection, name: &UserName) -> Result<bool, rusqlite::Error> {
    let admins: Vec<User> = users::list(connection)?.into_iter().filter(|user| user.role == Role::Admin).collect();
    Ok(admins.len() == 1 && admins[0].name == *name)
}

async fn end_session(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    posted: Posted,
) -> Response {
    let outcome = match end_any(&state, &caller, Fields::of(posted).get("id").to_owned()).await {
        Ok(true) => Ok(Outcome::Done("session")),
        Ok(false) => Ok(Outcome::Refused(StatusCode::NOT_FOUND, "There is no such session any more.".to_owned())),
        Err(error) => Err(error.into()),
    };
    tell(&state, &caller, &headers, outcome).await
}

async fn end_sessions(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    posted: Posted,
) -> Response {
    let (by, user) = (caller.clone(), Fields::of(posted).get("user").to_owned());
    let Ok(name) = user.parse::<UserName>() else {
        return tell(&state, &caller, &headers, refused(&"This can't be an account's name")).await;
    };
    let ended = state.vault.call(move |connection| {
        let transaction = tokens::begin(connection)?;
        let ended = sessions::end_all_of(&transaction, Origin::Local, name.as_str())?;
        let entry = Entry::by(&by, Kind::Account, "session.end");
        let targets = crate::access::columns::list(&[name.to_string()]);
        let detail = format!("everywhere: sessions ended: {ended}");
        record::append(&transaction, &Entry { targets, detail, outcome: "done".to_owned(), ..entry })?;
        transaction.commit()
    });
    let outcome = ended.await.map(|()| Outcome::Done("sessions")).map_err(Failure::from);
    tell(&state, &caller, &headers, outcome).await
}

async fn end_token(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    posted: Posted,
) -> Response {
    let (by, id) = (caller.clone(), Fields::of(posted).get("id").to_owned());
    let ended = state.vault.call(move |connection| Ok(tokens::remove(connection, &id, None, &by)));
    let outcome = match ended.await {
        Ok(Ok(_)) => Ok(Outcome::Done("token")),
        Ok(Err(error @ TokenError::Missing(_))) => Ok(Outcome::Refused(StatusCode::NOT_FOUND, sentence(&error))),
        Ok(Err(error)) => Err(error.into()),
        Err(error) => Err(error.into()),
    };
    tell(&state, &caller, &headers, outcome).await
}

async fn add_wall(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    posted: Posted,
) -> Response {
    let fields = Fields::of(posted);
    let outcome = match expiry::parse(fields.get("expires")) {
        Ok(time) => {
            let expires = expiry::after(now(), time);
            let new = NewWall { name: fields.get("name").to_owned(), clusters: fields.all("cluster"), expires };
            let by = caller.clone();
            match state.vault.call(move |connection| Ok(walls::add(connection, &new, &by, now()))).await {
                Ok(Ok((wall, path))) => {
                    let what = format!("The wall link of {} was made: open this address on the display", wall.name);
                    let secret = format!("{}{path}", origin(&headers));
                    Ok(Outcome::Made(Made { what, secret, usage: String::new() }))
                }
                Ok(Err(error @ (WallError::Random(_) | WallError::Database(_)))) => Err(error.into()),
                Ok(Err(error)) => refused(&error),
                Err(error) => Err(error.into()),
            }
        }
        Err(error) => refused(&error),
    };
    tell(&state, &caller, &headers, outcome).await
}

async fn end_wall(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    posted: Posted,
) -> Response {
    let (by, id) = (caller.clone(), Fields::of(posted).get("id").to_owned());
    let ended = state.vault.call(move |connection| Ok(walls::remove(connection, &id, &by)));
    let outcome = match ended.await {
        Ok(Ok(_)) => Ok(Outcome::Done("wall")),
        Ok(Err(error @ WallError::Missing(_))) => Ok(Outcome::Refused(StatusCode::NOT_FOUND, sentence(&error))),
        Ok(Err(error)) => Err(error.into()),
        Err(error) => Err(error.into()),
    };
    tell(&state, &caller, &headers, outcome).await
}
