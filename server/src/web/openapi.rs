//! `GET /api/v1/openapi.json`: the description of everything that a program can call, made from the code.
//!
//! The types of `app` know nothing of HTTP. Their mirrors here say what is in them, and a test compares those with
//! real answers.
#![expect(dead_code, reason = "mirrors are read by utoipa alone")]

use std::sync::LazyLock;

use axum::{
    http::header::CONTENT_TYPE,
    response::{IntoResponse, Response},
};
use utoipa::{OpenApi, ToSchema};

use super::{
    account::api as account, actions::api as actions, audit::api as audit, events, info, login::api as login,
    monitoring, nodes, stats::api as stats, stream,
};

/// The whole document.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Sluice",
        description = "Real-time dashboard for HAProxy. Names are HAProxy's own wherever it has one.",
        license(name = "MIT", identifier = "MIT")
    ),
    paths(
        nodes::nodes,
        stats::stats,
        info::info,
        events::events,
        actions::act,
        audit::audit,
        login::log_in,
        login::log_out,
        login::me,
        account::sessions,
        account::end_session,
        account::tokens,
        account::make_token,
        account::end_token,
        openapi,
        stream::stream,
        monitoring::healthz,
        monitoring::metrics
    )
)]
struct Api;

/// What is asked for.
#[derive(ToSchema)]
pub(crate) struct ActionRequest {
    /// One of the thirteen actions of HAProxy's stats page.
    action: Action,
    /// On what; at least one.
    #[schema(min_items = 1)]
    targets: Vec<TargetRef>,
    /// Why, in 500 characters at most; goes into the record. Needed where the configuration says so.
    reason: Option<String>,
}

/// The thirteen actions of HAProxy's stats page.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
enum Action {
    Ready,
    Drain,
    Maint,
    Dhlth,
    Ehlth,
    Hrunn,
    Hnolb,
    Hdown,
    Dagent,
    Eagent,
    Arunn,
    Adown,
    Shutdown,
}

/// A server, by node, by cluster (each of its nodes that has it), or by neither.
#[derive(ToSchema)]
struct TargetRef {
    /// The node's name.
    node: Option<String>,
    /// The cluster's name; not together with `node`.
    cluster: Option<String>,
    /// HAProxy's `pxname`.
    backend: String,
    /// HAProxy's `svname`.
    server: String,
}

/// What became of an action.
#[derive(ToSchema)]
pub(crate) struct ActionResponse {
    /// Names the operation in the record.
    operation: String,
    /// Per target, in the order asked for.
    outcomes: Vec<TargetOutcome>,
    /// What else there is to know, as that the outcomes could not be recorded; mostly empty.
    warning: String,
}

/// What became of one target.
#[derive(ToSchema)]
struct TargetOutcome {
    /// The node's name.
    node: String,
    /// HAProxy's `pxname`.
    backend: String,
    /// HAProxy's `svname`.
    server: String,
    /// What became of it.
    outcome: Outcome,
    /// HAProxy's words, or what is known; may be empty.
    message: String,
    /// The `status` column before; empty where it was not read.
    before: String,
    /// The `status` column afterwards; empty where it was not read.
    after: String,
}

/// `done`: the state read afterwards shows it. `unchanged`: the server already was so. `refused`: HAProxy said no.
/// `unreachable`: the command did not get through. `unverified`: it did, and the state does not show it.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
enum Outcome {
    Done,
    Unchanged,
    Refused,
    Unreachable,
    Unverified,
}

/// Why a request is not answered as asked (RFC 9457).
#[derive(ToSchema)]
pub(super) struct ProblemDetails {
    /// What is wrong, for a person.
    title: String,
    /// The HTTP status.
    status: u16,
    /// What to do, or which of several things it was.
    detail: Option<String>,
}

/// This document.
#[utoipa::path(
    get,
    path = "/api/v1/openapi.json",
    responses((status = 200, description = "An OpenAPI document", content_type = "application/json"))
)]
pub(super) async fn openapi() -> Response {
    static TEXT: LazyLock<String> = LazyLock::new(document);
    ([(CONTENT_TYPE, "application/json")], TEXT.as_str()).into_response()
}

/// The document as JSON.
pub(super) fn document() -> String {
    // A document of texts, numbers and lists always is JSON.
    Api::openapi().to_json().unwrap_or_default()
}
