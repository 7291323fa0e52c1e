//! Every route of Sluice, said once: method, path, what it needs, handler, and for programs a description.
//!
//! The router, the policy check and `openapi.json` are made from this list, and tests go through it: a route that is
//! not in it can't be reached, and one that is must say what each role is answered.

use std::sync::LazyLock;

use axum::{
    Router,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use model::outcome::{ActionRequest, ActionResponse};

use super::{
    AppState,
    account::{api as account_api, page as account},
    account_pages::{form, page},
    actions, admin, assets, audit, events, info,
    login::{api as login_api, oidc, page as login},
    middleware, monitoring, nodes,
    openapi::{describe, document},
    pages, render,
    route::RouteTable,
    route_list::{ListedRoute, RouteList},
    stats, stream, wall_link,
};
use crate::auth::authz::policy::Permission::{Act, Admin, ManageAccounts, OwnAccount, Public, View, ViewAll, ViewWall};

/// The list.
fn list() -> RouteList {
    RouteList::default()
        // The live pages, which the program in the browser takes over.
        .page("/", View, pages::live)
        .page("/stats", View, pages::live)
        .page("/events", View, pages::live)
        .page("/wall", ViewWall, pages::live)
        .form("/stats", Act, actions::form::act)
        .page("/audit", Admin, audit::page::audit)
        // Logging in and out. A log-out ends what the request itself shows, and nothing else.
        .page("/login", Public, login::page)
        .form("/login", Public, login::post_form)
        .form("/logout", Public, login::post_log_out)
        .page("/login/oidc", Public, oidc::begin)
        .page("/login/oidc/callback", Public, oidc::finish)
        .page("/w/{token}", Public, wall_link::open)
        // One's own account.
        .page("/account", OwnAccount, page::<account::AccountPage>)
        .form("/account/password", OwnAccount, form::<account::AccountPage, _>(account::password))
        .form("/account/sessions/end", OwnAccount, form::<account::AccountPage, _>(account::end_session))
        .form("/account/tokens/add", OwnAccount, form::<account::AccountPage, _>(account::add_token))
        .form("/account/tokens/end", OwnAccount, form::<account::AccountPage, _>(account::end_token))
        // Everybody's accounts, and the wall links.
        .page("/admin", ManageAccounts, page::<admin::AdminPage>)
        .form("/admin/users/add", ManageAccounts, form::<admin::AdminPage, _>(admin::add_user))
        .form("/admin/users/role", ManageAccounts, form::<admin::AdminPage, _>(admin::set_role))
        .form("/admin/users/groups", ManageAccounts, form::<admin::AdminPage, _>(admin::set_groups))
        .form("/admin/users/remove", ManageAccounts, form::<admin::AdminPage, _>(admin::remove_user))
        .form("/admin/sessions/end", ManageAccounts, form::<admin::AdminPage, _>(admin::end_session))
        .form("/admin/sessions/end-all", ManageAccounts, form::<admin::AdminPage, _>(admin::end_sessions))
        .form("/admin/tokens/end", ManageAccounts, form::<admin::AdminPage, _>(admin::end_token))
        .form("/admin/walls/add", ManageAccounts, form::<admin::AdminPage, _>(admin::add_wall))
        .form("/admin/walls/end", ManageAccounts, form::<admin::AdminPage, _>(admin::end_wall))
        // What a program can call.
        .get("/api/v1/nodes", View, nodes::nodes)
        .described(describe("nodes", "The nodes, and how well each answers.").answer::<nodes::Nodes>("Every node"))
        .get("/api/v1/stats", View, stats::api::stats)
        .described(
            describe("stats", "Every row of `show stat`, with every column that HAProxy sent, by HAProxy's name.")
                .details(
                    "A numeric column is a number, an empty one is absent. A column that Sluice does not know is a \
                     number where it reads as a whole number, otherwise text.",
                )
                .query::<stats::api::StatsFilter>()
                .answer::<stats::api::Stats>("The rows asked for")
                .problem(StatusCode::NOT_FOUND, "No such node or proxy"),
        )
        .get("/api/v1/info", View, info::info)
        .described(
            describe("info", "`show info` of each node, by HAProxy's names.")
                .details("A whole number is a number, an empty value is absent.")
                .query::<info::NodeFilter>()
                .answer::<info::Infos>("The nodes asked for")
                .problem(StatusCode::NOT_FOUND, "No such node"),
        )
        .get("/api/v1/events", View, events::events)
        .described(
            describe("events", "What happened lately, newest first.")
                .details("Changes of state, operations, reloads, nodes that stopped answering.")
                .query::<events::EventsFilter>()
                .answer::<events::Events>("The events asked for")
                .problem(StatusCode::NOT_FOUND, "No such node"),
        )
        .post("/api/v1/actions", Act, actions::api::act)
        .described(
            describe(
                "act",
                "Does an action on servers, and says what became of each, from HAProxy's own state read afterwards.",
            )
            .details(
                "A target names a node, or a cluster and means each of its nodes that has the server. With neither it \
                 is taken where only one cluster has that server. When one of the targets is unknown or unclear, \
                 nothing is sent to HAProxy.",
            )
            .body::<ActionRequest>()
            .answer::<ActionResponse>("What became of each target")
            .problem(StatusCode::NOT_FOUND, "No such node, cluster or server")
            .problem(StatusCode::CONFLICT, "More than one cluster has such a server: name the cluster or the node")
            .problem(StatusCode::TOO_MANY_REQUESTS, "Too many actions; `Retry-After` says when to try again"),
        )
        .get("/api/v1/audit", Admin, audit::api::audit)
        .described(
            describe("audit", "The audit log: who did what, and what became of it; and what was denied.")
                .details(
                    "From where, when, why and on which targets. `format=csv` and `format=jsonl` give everything that \
                     fits as a file, oldest first.",
                )
                .query::<audit::query::AuditQuery>()
                .answer::<audit::api::Audit>("The entries asked for")
                .text("The entries asked for", &["text/csv", "application/jsonl"]),
        )
        .post("/api/v1/login", Public, login_api::log_in)
        .described(
            describe("log_in", "Logs in.")
                .details(
                    "The answer sets the session's cookie, `__Host-sluice`, which later requests show. A script does \
                     better with an API token.",
                )
                .body::<login_api::LogInRequest>()
                .answer::<login_api::LogInResponse>("The session's cookie is set")
                .problem(StatusCode::UNAUTHORIZED, "Name or password is wrong")
                .problem(StatusCode::TOO_MANY_REQUESTS, "`Retry-After` says when to try again"),
        )
        .post("/api/v1/logout", Public, login_api::log_out)
        .described(
            describe("log_out", "Logs out: ends the session that the request shows, or every one of its account.")
                .query::<login_api::LogOutQuery>()
                .answer::<login_api::LogOutResponse>("The session's cookie is taken back"),
        )
        .get("/api/v1/me", ViewWall, login_api::me)
        .described(describe("me", "Who asks, as Sluice knows them.").answer::<login_api::Me>("Who asks"))
        .get("/api/v1/sessions", OwnAccount, account_api::sessions)
        .described(
            describe("sessions", "The sessions of the asker's account; for an admin those of any.")
                .query::<account_api::WhoseQuery>()
                .answer::<account_api::Sessions>("The sessions"),
        )
        .delete("/api/v1/sessions", OwnAccount, account_api::end_session)
        .described(
            describe("end_session", "Ends a session of the asker's account; for an admin anybody's.")
                .query::<account_api::WhichQuery>()
                .answer::<account_api::Ended>("It has ended")
                .problem(StatusCode::NOT_FOUND, "There is none"),
        )
        .get("/api/v1/tokens", OwnAccount, account_api::tokens)
        .described(
            describe("tokens", "The tokens of the asker's account; for an admin those of any.")
                .query::<account_api::WhoseQuery>()
                .answer::<account_api::Tokens>("The tokens")
                .problem(StatusCode::NOT_FOUND, "There is no such account"),
        )
        .post("/api/v1/tokens", OwnAccount, account_api::make_token)
        .described(
            describe("make_token", "Makes a token of the asker's local account. The answer holds it this once.")
                .body::<account_api::TokenRequest>()
                .answer::<account_api::TokenResponse>("The token")
                .problem(StatusCode::CONFLICT, "The account has as many tokens as it may"),
        )
        .delete("/api/v1/tokens", OwnAccount, account_api::end_token)
        .described(
            describe("end_token", "Ends a token of the asker's account; for an admin anybody's.")
                .query::<account_api::WhichQuery>()
                .answer::<account_api::Ended>("It has ended")
                .problem(StatusCode::NOT_FOUND, "There is none"),
        )
        .get("/ws", ViewWall, stream::stream)
        .described(
            describe("stream", "The stream, as a WebSocket.")
                .details(
                    "Nothing but a greeting is sent until the viewer says, as JSON text, which topics it shows from \
                     now on: `{\"topics\":[\"fleet\",\"proxy:CLUSTER/NAME\",\"node:NODE/NAME\"]}`. Each topic begins \
                     with a snapshot, and deltas follow, numbered without a gap. The rows of a proxy come in parts: of \
                     a lone node they are its own; of a cluster the first part, whose `node` is null, is merged over \
                     the nodes, each other part tells a node's state, and all figures of that node are in its own \
                     topic.",
                )
                .query::<stream::StreamQuery>()
                .header("Connection", Some("Upgrade"))
                .header("Upgrade", Some("websocket"))
                .header("Sec-WebSocket-Version", Some("13"))
                .header("Sec-WebSocket-Key", None)
                .empty(StatusCode::SWITCHING_PROTOCOLS, "The stream begins")
                .problem(StatusCode::UPGRADE_REQUIRED, "The connection can't be upgraded, as over HTTP/2")
                .problem(StatusCode::TOO_MANY_REQUESTS, "As many streams are open as there may be"),
        )
        .get("/healthz", Public, monitoring::healthz)
        .described(
            describe("healthz", "Whether Sluice serves. It does when its nodes are down, too: they are counted.")
                .answer::<monitoring::Health>("It serves"),
        )
        .get("/metrics", ViewAll, monitoring::metrics)
        .described(
            describe(
                "metrics",
                "Sluice's own figures for Prometheus: in its text format, or in OpenMetrics for who prefers that.",
            )
            .text("The figures", &["text/plain", "application/openmetrics-text"]),
        )
        .get("/api/v1/openapi.json", Public, openapi)
        .described(describe("openapi", "This document.").object("An OpenAPI document"))
        // The files of the site have the paths that the site gives them.
        .assets(assets::paths(), &assets::serve)
}

/// The list, made once.
static LIST: LazyLock<RouteList> = LazyLock::new(list);

/// The document that describes what a program can call.
async fn openapi() -> Response {
    static TEXT: LazyLock<String> = LazyLock::new(openapi_text);
    ([(CONTENT_TYPE, "application/json")], TEXT.as_str()).into_response()
}

/// The same as text.
pub(super) fn openapi_text() -> String {
    let described = LIST.iter().filter_map(|entry| Some((&entry.route, entry.description.as_ref()?)));
    document(described)
}

/// Every route, and what each request passes through.
pub fn router(state: AppState) -> Router {
    layered(routes(), AppState { routes: table(), ..state })
}

/// What each route needs.
pub(super) fn table() -> RouteTable {
    LIST.iter().map(|entry| entry.route.clone()).collect()
}

/// Every route without what stands before it.
pub(super) fn routes() -> Router<AppState> {
    let add = |router: Router<AppState>, entry: &ListedRoute| router.route(&entry.route.path, entry.handler.clone());
    LIST.iter().fold(Router::new(), add).fallback(render::missing)
}

/// Puts what each request passes through before routes.
pub(super) fn layered(routes: Router<AppState>, state: AppState) -> Router {
    middleware::layers(routes, &state).with_state(state)
}
