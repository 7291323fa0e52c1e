//! What the pages `/account` and `/admin` have in common: how a page is drawn, and how a form is answered.

use std::sync::Arc;

use app::pages::account_pages::{Notice, RevealedSecret, SessionLine, TokenLine};
use axum::{
    Form,
    extract::{FromRequest, FromRequestParts as _, Request},
    http::{
        HeaderMap, Method, StatusCode, Uri,
        header::{HOST, ORIGIN},
    },
    response::{IntoResponse as _, Redirect, Response},
};
use futures::future::BoxFuture;

use super::{
    AppState,
    account::self_service::REMEMBERED,
    denial::AlreadyAudited,
    form_fields::{Fields, ago, moment},
    middleware::authorize::denial,
    problem::ProblemResponse,
    route::Audience,
};
use crate::{
    auth::{ChangeError, Peer, Principal, Session, authn::tokens::Token},
    clock::now,
};

/// A page that somebody asks for, or a form that they posted.
pub(super) struct PageRequest {
    pub(super) state: AppState,
    pub(super) principal: Principal,
    pub(super) peer: Peer,
    pub(super) headers: HeaderMap,
    /// Of a page those of its address; of a form its own.
    pub(super) fields: Fields,
}

/// How a form ended.
pub(super) enum FormOutcome {
    /// It was carried out; the browser is redirected to the page, with a word of [`ServerPage::done`] in the address.
    Done(&'static str),
    /// Something was made whose secret the page shows this once.
    RevealedSecret(RevealedSecret),
    /// It was carried out, and can't be written yet.
    Remembered,
    /// It was not carried out, and why.
    Denied(StatusCode, String),
    /// The same, and the audit log has an entry of it already.
    DeniedAndAudited(StatusCode, String),
    /// Another response than the page.
    Other(Response),
}

/// Why Sluice itself failed.
pub(super) type PageError = Box<dyn std::error::Error + Send + Sync>;

/// What carrying a form out returns.
pub(super) type FormResult = Result<FormOutcome, PageError>;

/// What a page shows besides its own content.
#[derive(Default)]
pub(super) struct PageState {
    pub(super) status: StatusCode,
    pub(super) notice: Option<Notice>,
    pub(super) revealed: Option<RevealedSecret>,
}

/// One of the two pages.
pub(super) trait ServerPage: 'static {
    /// Its path.
    const PATH: &'static str;

    /// The sentence for a form that was carried out, by the word in the address.
    fn done(word: &str) -> Option<&'static str>;

    /// Draws it.
    fn draw(request: &PageRequest, state: PageState) -> impl Future<Output = Result<Response, PageError>> + Send;
}

impl FromRequest<AppState> for PageRequest {
    type Rejection = ProblemResponse;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, ProblemResponse> {
        let (mut parts, body) = request.into_parts();
        let principal = parts.extensions.get().cloned();
        // The permissions of these routes let nobody in without a principal.
        let principal =
            principal.ok_or_else(|| ProblemResponse::internal("a route of accounts was reached by nobody"))?;
        let peer = match Peer::from_request_parts(&mut parts, state).await {
            Ok(peer) => peer,
            Err(never) => match never {},
        };
        let headers = parts.headers.clone();
        let fields = Fields::of(Form::from_request(Request::from_parts(parts, body), state).await);
        Ok(Self { state: state.clone(), principal, peer, headers, fields })
    }
}

/// Answers a request for a page.
pub(super) async fn page<P: ServerPage>(request: PageRequest) -> Response {
    let notice = P::done(request.fields.get("done")).map(|text| Notice::Done(text.to_owned()));
    draw::<P>(&request, PageState { notice, ..PageState::default() }).await
}

/// The handler of a form of that page, which `carry_out` does.
pub(super) fn form<P: ServerPage, W>(
    carry_out: impl Fn(Arc<PageRequest>) -> W + Clone + Send + Sync + 'static,
) -> impl Fn(PageRequest) -> BoxFuture<'static, Response> + Clone + Send + Sync + 'static
where
    W: Future<Output = FormResult> + Send + 'static,
{
    move |request| {
        let request = Arc::new(request);
        let outcome = carry_out(request.clone());
        Box::pin(async move {
            match outcome.await {
                Ok(FormOutcome::Done(word)) => Redirect::to(&format!("{}?done={word}", P::PATH)).into_response(),
                Ok(FormOutcome::RevealedSecret(secret)) => {
                    draw::<P>(&request, PageState { revealed: Some(secret), ..PageState::default() }).await
                }
                Ok(FormOutcome::Remembered) => {
                    let notice = Some(Notice::Done(REMEMBERED.to_owned()));
                    draw::<P>(&request, PageState { notice, ..PageState::default() }).await
                }
                Ok(FormOutcome::Denied(status, text)) => draw::<P>(&request, denied(status, text)).await,
                Ok(FormOutcome::DeniedAndAudited(status, text)) => {
                    let mut response = draw::<P>(&request, denied(status, text)).await;
                    response.extensions_mut().insert(AlreadyAudited);
                    response
                }
                Ok(FormOutcome::Other(response)) => response,
                Err(error) => match error.downcast::<ChangeError>() {
                    Ok(error) => not_tried::<P>(&request, *error),
                    Err(error) => ProblemResponse::internal(error).into_response(),
                },
            }
        })
    }
}

/// Answers a form that was not tried: whoever posted it may not do it any more, or the database failed.
fn not_tried<P: ServerPage>(request: &PageRequest, error: ChangeError) -> Response {
    let PageRequest { state, headers, .. } = request;
    match error {
        ChangeError::Revoked(revoked) => {
            let uri = Uri::from_static(P::PATH);
            denial(state, &Method::POST, Audience::Browser, revoked.permission, revoked.now.as_ref(), &uri, headers)
        }
        ChangeError::Database(error) => ProblemResponse::from(error).into_response(),
    }
}

fn denied(status: StatusCode, text: String) -> PageState {
    PageState { status, notice: Some(Notice::Denied(text)), revealed: None }
}

async fn draw<P: ServerPage>(request: &PageRequest, state: PageState) -> Response {
    P::draw(request, state).await.unwrap_or_else(|error| ProblemResponse::internal(error).into_response())
}

/// A session as pages list it.
pub(super) fn session_line(session: Session, this: Option<&str>) -> SessionLine {
    let Session { id, user, created, seen, address, agent, .. } = session;
    let times = format!("since {}, used {}", moment(created), ago(seen, now()));
    SessionLine { is_this: this == Some(id.as_str()), id, user, address, agent, times }
}

/// A token as pages list it.
pub(super) fn token_line(token: Token) -> TokenLine {
    let Token { id, user, scope, note, expires, used, .. } = token;
    let used = used.map_or_else(|| "never used".to_owned(), |used| format!("used {}", ago(used, now())));
    let times = format!("until {}, {used}", moment(expires));
    TokenLine { id, user: user.to_string(), scope: scope.to_string(), note, times, is_expired: expires <= now() }
}

/// The address that this browser has opened Sluice at; the middleware `origin` has checked its host.
pub(super) fn own_address(headers: &HeaderMap) -> String {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let host = text(HOST).unwrap_or("localhost");
    // `Host` has no scheme. Where the page's own `Origin` names the same host, its scheme is the one of the page.
    match text(ORIGIN)
        .filter(|origin| origin.split_once("://").is_some_and(|(_, named)| named.eq_ignore_ascii_case(host)))
    {
        Some(origin) => origin.to_owned(),
        None => format!("https://{host}"),
    }
}
