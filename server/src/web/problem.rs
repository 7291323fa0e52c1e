//! The one error of the HTTP side: logged once, answered as `application/problem+json` (RFC 9457).

use std::{error::Error, fmt};

use axum::{
    extract::{
        Request,
        rejection::{JsonRejection, QueryRejection},
        ws::rejection::WebSocketUpgradeRejection,
    },
    http::{
        HeaderValue, StatusCode,
        header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
    },
    response::{IntoResponse, Response},
};
use model::outcome::ProblemDetails;

use super::{
    denial::{AlreadyAudited, DenialReason},
    form_fields::capitalised,
};
use crate::{
    auth::{ChangeError, Principal, Revoked, authz::policy::Permission},
    db::DatabaseError,
    operations::RequestError,
};

/// The content type of every error.
const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");

/// Longest path that a title repeats, in characters.
const QUOTED: usize = 80;

/// Why a request is not answered as asked.
#[derive(Debug)]
pub struct ProblemResponse {
    status: StatusCode,
    title: String,
    detail: Option<String>,
    cause: Option<Box<dyn Error + Send + Sync>>,
    wait: Option<u64>,
    is_audited: bool,
    /// Whether a token would help: `WWW-Authenticate` says so.
    takes_token: bool,
}

impl ProblemResponse {
    /// An error with a title that a person understands.
    #[must_use]
    pub fn new(status: StatusCode, title: impl Into<String>) -> Self {
        Self {
            status,
            title: title.into(),
            detail: None,
            cause: None,
            wait: None,
            is_audited: false,
            takes_token: false,
        }
    }

    /// Something that should not happen. The cause goes into the log and not into the answer.
    #[must_use]
    pub fn internal(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        let problem = Self::new(StatusCode::INTERNAL_SERVER_ERROR, "Sluice could not answer");
        Self { cause: Some(cause.into()), ..problem.with_detail("The log of Sluice says why.") }
    }

    /// Adds what to do, or which of several things it was.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Says after how many seconds it may be asked again.
    #[must_use]
    pub fn with_wait(mut self, seconds: u64) -> Self {
        self.wait = Some(seconds);
        self
    }

    /// Says that the audit log has it already.
    #[must_use]
    pub fn audited(mut self) -> Self {
        self.is_audited = true;
        self
    }

    /// The status that it is answered with.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }
}

impl fmt::Display for ProblemResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.detail {
            Some(detail) => write!(f, "{}: {detail}", self.title),
            None => f.write_str(&self.title),
        }
    }
}

impl IntoResponse for ProblemResponse {
    fn into_response(self) -> Response {
        let status = self.status.as_u16();
        // The access log has every answer; who made a mistake reads in the answer which one.
        if let Some(cause) = &self.cause {
            tracing::error!(status, cause, "{self}");
        }
        let details = ProblemDetails { title: self.title, status, detail: self.detail };
        // Three texts and a number always are JSON.
        let body = serde_json::to_vec(&details).unwrap_or_default();
        let mut response = (self.status, [(CONTENT_TYPE, PROBLEM_JSON)], body).into_response();
        response.extensions_mut().insert(DenialReason(details.title));
        if self.is_audited {
            response.extensions_mut().insert(AlreadyAudited);
        }
        if self.takes_token {
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = self.wait {
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        response
    }
}

impl From<RequestError> for ProblemResponse {
    fn from(error: RequestError) -> Self {
        let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::BAD_REQUEST);
        let problem = Self::new(status, capitalised(&error.to_string())).with_detail("Nothing was sent to HAProxy.");
        // Operations write into the audit log what they deny, target by target.
        let problem = problem.audited();
        match error {
            RequestError::Rate { wait } => problem.with_wait(wait),
            _ => problem,
        }
    }
}

impl From<ChangeError> for ProblemResponse {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Revoked(Revoked { now: None, .. }) => not_logged_in(),
            ChangeError::Revoked(Revoked { now: Some(principal), permission }) => not_allowed(permission, &principal),
            ChangeError::Database(error) => error.into(),
        }
    }
}

/// Whoever asks has nothing that lets them in.
pub(super) fn not_logged_in() -> ProblemResponse {
    let problem = ProblemResponse::new(StatusCode::UNAUTHORIZED, "You are not logged in")
        .with_detail("Log in, or send an API token as `Authorization: Bearer TOKEN`.");
    ProblemResponse { takes_token: true, ..problem }
}

/// Whoever asks does not have a permission.
pub(super) fn not_allowed(permission: Permission, principal: &Principal) -> ProblemResponse {
    ProblemResponse::new(StatusCode::FORBIDDEN, "You may not do this").with_detail(permission.denial_reason(principal))
}

impl From<DatabaseError> for ProblemResponse {
    fn from(error: DatabaseError) -> Self {
        let problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, "The database can't be read or written");
        Self { cause: Some(error.into()), ..problem.with_detail("The log of Sluice says why.") }
    }
}

impl From<JsonRejection> for ProblemResponse {
    fn from(rejection: JsonRejection) -> Self {
        let title = match &rejection {
            JsonRejection::JsonDataError(_) => "The body is not what this call takes",
            JsonRejection::JsonSyntaxError(_) => "The body is not JSON",
            JsonRejection::MissingJsonContentType(_) => "The body must be sent as `Content-Type: application/json`",
            _ => "The body can't be read",
        };
        Self::new(rejection.status(), title).with_detail(rejection.body_text())
    }
}

impl From<QueryRejection> for ProblemResponse {
    fn from(rejection: QueryRejection) -> Self {
        Self::new(rejection.status(), "The query of the address is not what this call takes")
            .with_detail(rejection.body_text())
    }
}

impl From<WebSocketUpgradeRejection> for ProblemResponse {
    fn from(rejection: WebSocketUpgradeRejection) -> Self {
        Self::new(rejection.status(), "This address is a stream: open it as a WebSocket")
            .with_detail(rejection.body_text())
    }
}

/// For a path that nothing is at.
pub(super) async fn unknown_path(request: Request) -> ProblemResponse {
    let path: String = request.uri().path().chars().take(QUOTED).collect();
    ProblemResponse::new(StatusCode::NOT_FOUND, format!("There is nothing at {path}"))
        .with_detail("/api/v1/openapi.json lists what a program can call.")
}

/// For a method that a path doesn't take; axum adds `Allow`.
pub(super) async fn wrong_method(request: Request) -> ProblemResponse {
    ProblemResponse::new(StatusCode::METHOD_NOT_ALLOWED, format!("This address does not take {}", request.method()))
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;

    use super::*;

    async fn told(problem: ProblemResponse) -> (u16, String, String) {
        let response = problem.into_response();
        let kind = response.headers()[CONTENT_TYPE].to_str().expect("ascii").to_owned();
        let status = response.status().as_u16();
        let body = to_bytes(response.into_body(), usize::MAX).await.expect("a body");
        (status, kind, String::from_utf8(body.to_vec()).expect("text"))
    }

    #[tokio::test]
    async fn a_problem_is_answered_as_its_details_and_its_cause_stays_inside() {
        let (status, kind, body) = told(ProblemResponse::internal("disk on fire")).await;
        assert_eq!((status, kind.as_str()), (500, "application/problem+json"));
        assert_eq!(body, r#"{"title":"Sluice could not answer","status":500,"detail":"The log of Sluice says why."}"#);
        let (_, _, body) = told(ProblemResponse::new(StatusCode::NOT_FOUND, "No \"x\"")).await;
        assert_eq!(body, r#"{"title":"No \"x\"","status":404}"#);
    }

    #[tokio::test]
    async fn a_denied_action_says_that_nothing_was_sent() {
        let (status, _, body) = told(RequestError::Empty.into()).await;
        assert_eq!(status, 400);
        assert_eq!(body, r#"{"title":"No target is named","status":400,"detail":"Nothing was sent to HAProxy."}"#);
    }
}
