//! The log-in page and its form, and the form that logs out.

use app::pages::login::{LogIn, LogInFailure, log_in as draw};
use axum::{
    Extension, Form,
    extract::{Query, State, rejection::FormRejection},
    http::{HeaderMap, HeaderValue, StatusCode, header::RETRY_AFTER},
    response::{IntoResponse as _, Redirect, Response},
};

use super::{cookies, log_out, try_log_in};
use crate::{
    auth::{AuthMethod, HeaderIdentity, LogInError, Password, Peer, Principal, retry_after},
    web::{
        AppState,
        denial::AlreadyAudited,
        form_fields::sentence,
        problem::ProblemResponse,
        render,
        return_to::{KEPT, ReturnTo},
        route::RouteTable,
    },
};

/// The page. Somebody who is logged in is redirected to where a log-in would lead.
pub(in crate::web) async fn page(
    State(state): State<AppState>,
    principal: Option<Extension<Principal>>,
    peer: Peer,
    headers: HeaderMap,
    Query(query): Query<Vec<(String, String)>>,
) -> Response {
    let return_to = ReturnTo::of_query(&query, &state.routes);
    let has_logged_in = query.iter().any(|(name, _)| name == KEPT);
    // People may log in on a display that shows a wall link.
    let leads_on = |principal: &Principal| has_logged_in || !matches!(principal.method, AuthMethod::WallLink(_));
    if principal.is_some_and(|Extension(principal)| leads_on(&principal)) {
        return Redirect::to(return_to.as_str()).into_response();
    }
    let fault = match state.auth.identity_providers().identify(&headers, peer) {
        HeaderIdentity::Denied(why) => Some(LogInFailure::Other(sentence(&why))),
        _ if has_logged_in => Some(LogInFailure::NoCookie),
        HeaderIdentity::Absent | HeaderIdentity::Untrusted | HeaderIdentity::Identified(_) => None,
    };
    let page = LogIn { next: return_to.as_str().to_owned(), fault, ..LogIn::default() };
    respond(&state, &headers, StatusCode::OK, page).await
}

/// Draws the page, with every way in that there is.
pub(super) async fn respond(state: &AppState, headers: &HeaderMap, status: StatusCode, page: LogIn) -> Response {
    let has_accounts = match state.auth.has_accounts().await {
        Ok(has) => has,
        Err(error) => return ProblemResponse::internal(error).into_response(),
    };
    let elsewhere = state.auth.identity_providers().oidc.as_ref().map(|oidc| {
        let return_to = ReturnTo::parse(&page.next, &state.routes).unwrap_or_default();
        (format!("Log in with {}", oidc.name()), return_to.oidc_log_in())
    });
    let page = LogIn { has_accounts, elsewhere, ..page };
    render::plain(headers, Default::default(), status, "Log in", &|| draw(page.clone()))
}

/// The form with name and password.
pub(in crate::web) async fn post_form(
    State(state): State<AppState>,
    peer: Peer,
    headers: HeaderMap,
    fields: Result<Form<Vec<(String, String)>>, FormRejection>,
) -> Response {
    let Ok(Form(fields)) = fields else {
        // The error's own text may hold the password.
        let fault = Some(LogInFailure::Other("The form can't be read.".to_owned()));
        return respond(&state, &headers, StatusCode::BAD_REQUEST, LogIn { fault, ..LogIn::default() }).await;
    };
    let LogInForm { user, password, return_to } = LogInForm::from_fields(fields, &state.routes);
    let (status, wait, fault) = match try_log_in(&state.auth, &headers, peer, &user, password).await {
        Ok(logged_in) => {
            let cookies = cookies::logged_in(&state.auth, &logged_in);
            return (cookies, Redirect::to(&return_to.after_log_in())).into_response();
        }
        Err(LogInError::Wrong) => (StatusCode::UNAUTHORIZED, None, LogInFailure::Wrong),
        Err(LogInError::Wait(wait)) => {
            (StatusCode::TOO_MANY_REQUESTS, Some(wait), LogInFailure::Wait(retry_after(wait)))
        }
        Err(LogInError::Busy(wait)) => {
            (StatusCode::SERVICE_UNAVAILABLE, Some(wait), LogInFailure::Busy(retry_after(wait)))
        }
        Err(error) => {
            tracing::error!(%error, "a log-in failed");
            (StatusCode::INTERNAL_SERVER_ERROR, None, LogInFailure::Failed)
        }
    };
    let page = LogIn { next: return_to.as_str().to_owned(), user, fault: Some(fault), ..LogIn::default() };
    let mut response = respond(&state, &headers, status, page).await;
    response.extensions_mut().insert(AlreadyAudited);
    if let Some(wait) = wait {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(retry_after(wait)));
    }
    response
}

/// The fields of the form. Of a field that is there twice the last one counts.
struct LogInForm {
    user: String,
    password: Password,
    return_to: ReturnTo,
}

impl LogInForm {
    fn from_fields(fields: Vec<(String, String)>, routes: &RouteTable) -> Self {
        let mut out =
            Self { user: String::new(), password: Password::new(String::new()), return_to: ReturnTo::default() };
        for (name, value) in fields {
            match name.as_str() {
                "user" => out.user = value,
                "password" => out.password = Password::new(value),
                "next" => out.return_to = ReturnTo::parse(&value, routes).unwrap_or_default(),
                _ => {}
            }
        }
        out
    }
}

/// The form that logs out, here or everywhere.
pub(in crate::web) async fn post_log_out(
    State(state): State<AppState>,
    principal: Option<Extension<Principal>>,
    fields: Result<Form<Vec<(String, String)>>, FormRejection>,
) -> Response {
    let everywhere = fields.is_ok_and(|Form(fields)| fields.iter().any(|(n, v)| n == "everywhere" && v == "true"));
    match log_out(&state.auth, principal, everywhere).await {
        Ok(_) => (cookies::clear_session(), Redirect::to("/login")).into_response(),
        Err(error) => ProblemResponse::from(error).into_response(),
    }
}

#[cfg(test)]
mod tests;
