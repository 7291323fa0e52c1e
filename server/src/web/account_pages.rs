//! What the pages `/account` and `/admin` have in common: who asks for what, and what a form is answered.

use std::sync::Arc;

use app::pages::managed::{Notice, RevealedSecret, SessionLine, TokenLine};
use axum::{
    Form,
    extract::{FromRequest, FromRequestParts as _, Request},
    http::{
        HeaderMap, StatusCode,
        header::{HOST, ORIGIN},
    },
    response::{IntoResponse as _, Redirect, Response},
    routing::{MethodRouter, get, post},
};

use super::{
    AppState,
    form_fields::{Fields, ago, moment},
    middleware::audit::AlreadyAudited,
    problem::Problem,
};
use crate::{
    auth::{Peer, Principal, Session, authn::tokens::Token},
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

/// What became of a form.
pub(super) enum FormOutcome {
    /// It was done: a word of [`ServerPage::done`], which the page is opened anew with.
    Done(&'static str),
    /// Something was made that is shown once.
    RevealedSecret(RevealedSecret),
    /// It was not done, and why.
    Refused(StatusCode, String),
    /// The same, and the record has been told of it.
    RefusedAndRecorded(StatusCode, String),
    /// Another answer than the page.
    Other(Response),
}

/// Why Sluice itself failed.
pub(super) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What a form comes to.
pub(super) type Answered = Result<FormOutcome, Failure>;

/// What a page shows beside its own matter.
#[derive(Default)]
pub(super) struct PageState {
    pub(super) status: StatusCode,
    pub(super) notice: Option<Notice>,
    pub(super) made: Option<RevealedSecret>,
}

/// One of the two pages.
pub(super) trait ServerPage: 'static {
    /// Its path.
    const PATH: &'static str;

    /// What the address says of a form that was carried out: a word, and here the sentence.
    fn done(word: &str) -> Option<&'static str>;

    /// Draws it.
    fn drawn(asked: &PageRequest, said: PageState) -> impl Future<Output = Result<Response, Failure>> + Send;
}

impl FromRequest<AppState> for PageRequest {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let principal = parts.extensions.get().cloned();
        // These routes are reached by somebody alone: what they need is a person.
        let principal = principal.ok_or_else(|| Problem::internal("a route of accounts was reached by nobody"))?;
        let peer = match Peer::from_request_parts(&mut parts, state).await {
            Ok(peer) => peer,
            Err(never) => match never {},
        };
        let headers = parts.headers.clone();
        let fields = Fields::of(Form::from_request(Request::from_parts(parts, body), state).await);
        Ok(Self { state: state.clone(), principal, peer, headers, fields })
    }
}

/// The route of a page.
pub(super) fn page<P: ServerPage>() -> MethodRouter<AppState> {
    get(async |asked: PageRequest| {
        let notice = P::done(asked.fields.get("done")).map(|text| Notice::Done(text.to_owned()));
        draw::<P>(&asked, PageState { notice, ..PageState::default() }).await
    })
}

/// The route of a form of that page, which `work` carries out.
pub(super) fn form<P: ServerPage, W>(
    work: impl Fn(Arc<PageRequest>) -> W + Clone + Send + Sync + 'static,
) -> MethodRouter<AppState>
where
    W: Future<Output = Answered> + Send + 'static,
{
    post(async move |asked: PageRequest| {
        let asked = Arc::new(asked);
        match work(asked.clone()).await {
            Ok(FormOutcome::Done(word)) => Redirect::to(&format!("{}?done={word}", P::PATH)).into_response(),
            Ok(FormOutcome::RevealedSecret(made)) => {
                draw::<P>(&asked, PageState { made: Some(made), ..PageState::default() }).await
            }
            Ok(FormOutcome::Refused(status, text)) => draw::<P>(&asked, refusal(status, text)).await,
            Ok(FormOutcome::RefusedAndRecorded(status, text)) => {
                let mut response = draw::<P>(&asked, refusal(status, text)).await;
                response.extensions_mut().insert(AlreadyAudited);
                response
            }
            Ok(FormOutcome::Other(response)) => response,
            Err(error) => Problem::internal(error).into_response(),
        }
    })
}

fn refusal(status: StatusCode, text: String) -> PageState {
    PageState { status, notice: Some(Notice::Refused(text)), made: None }
}

async fn draw<P: ServerPage>(asked: &PageRequest, said: PageState) -> Response {
    P::drawn(asked, said).await.unwrap_or_else(|error| Problem::internal(error).into_response())
}

/// A session in words.
pub(super) fn session_line(session: Session, this: Option<&str>) -> SessionLine {
    let Session { id, user, created, seen, address, agent, .. } = session;
    let times = format!("since {}, used {}", moment(created), ago(seen, now()));
    SessionLine { is_this: this == Some(id.as_str()), id, user, address, agent, times }
}

/// A token in words.
pub(super) fn token_line(token: Token) -> TokenLine {
    let Token { id, user, scope, note, expires, used, .. } = token;
    let used = used.map_or_else(|| "never used".to_owned(), |used| format!("used {}", ago(used, now())));
    let times = format!("until {}, {used}", moment(expires));
    TokenLine { id, user: user.to_string(), scope: scope.to_string(), note, times, is_over: expires <= now() }
}

/// The address that this browser has Sluice under; the guard has looked at its name.
pub(super) fn origin(headers: &HeaderMap) -> String {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let host = text(HOST).unwrap_or("localhost");
    // A form says by which scheme its page came; every browser sends one of the two.
    match text(ORIGIN)
        .filter(|origin| origin.split_once("://").is_some_and(|(_, named)| named.eq_ignore_ascii_case(host)))
    {
        Some(origin) => origin.to_owned(),
        None => format!("https://{host}"),
    }
}
