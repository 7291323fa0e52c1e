//! The form of the Stats page as browsers without JavaScript post it: the same checks, the same question for
//! confirmation, the same way to HAProxy as for the API.

use std::collections::HashSet;

use app::pages::answer;
use axum::{
    Extension, Form,
    extract::{State, rejection::FormRejection},
    http::{HeaderMap, StatusCode, header},
    response::Response,
};
use leptos::tachys::view::any_view::AnyView;
use model::{
    action::Action,
    impact::{impact, names_to_type, needs_confirmation},
    outcome::{ActionRequest, Target, TargetRef},
};

use crate::{
    auth::Principal,
    operations::RequestError,
    web::{AppState, denial::AlreadyAudited, render},
};

/// The fields of the form, repeated ones gathered.
#[derive(Debug, Default)]
struct ActionForm {
    /// The button that was pressed: an action, or `apply` for the one chosen in the list.
    button: String,
    /// The action that is chosen in the list.
    action: String,
    /// The checked servers, `NODE/BACKEND/SERVER` or `@CLUSTER/BACKEND/SERVER`.
    servers: Vec<String>,
    /// Whether the question for confirmation was answered.
    confirmed: bool,
    /// The names typed in answer.
    typed: Vec<String>,
    /// Why.
    reason: String,
}

impl ActionForm {
    fn from_fields(fields: Vec<(String, String)>) -> Self {
        let mut out = Self::default();
        for (name, value) in fields {
            match name.as_str() {
                "do" => out.button = value,
                "action" => out.action = value,
                "s" => out.servers.push(value),
                "confirmed" => out.confirmed = value == "yes",
                "typed" => out.typed.push(value.trim().to_owned()),
                // A page may have the field twice: one of them is left empty.
                "reason" if out.reason.is_empty() => value.trim().clone_into(&mut out.reason),
                _ => {}
            }
        }
        out
    }

    fn action(&self) -> Option<Action> {
        let id = if self.button == "apply" { &self.action } else { &self.button };
        id.parse().ok()
    }

    fn targets(&self) -> Option<Vec<TargetRef>> {
        self.servers.iter().map(|s| s.parse().ok()).collect()
    }
}

/// Answers the form: with a question when capacity goes down, with the outcomes otherwise.
pub(in crate::web) async fn act(
    State(state): State<AppState>,
    Extension(principal): Extension<Principal>,
    headers: HeaderMap,
    fields: Result<Form<Vec<(String, String)>>, FormRejection>,
) -> Response {
    let answer = |status, title: &str, body: &dyn Fn() -> AnyView| {
        render::plain(&headers, state.who(&principal), status, title, body)
    };
    let deny = |status, text: String| answer(status, "Nothing was done", &|| answer::denied(text.clone()));
    let deny_request = |error: &RequestError| {
        let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::BAD_REQUEST);
        let mut response = deny(status, format!("{error}."));
        // The audit log has it already, target by target.
        response.extensions_mut().insert(AlreadyAudited);
        if let RequestError::Rate { wait } = error {
            response.headers_mut().insert(header::RETRY_AFTER, (*wait).into());
        }
        response
    };
    let posted = match fields {
        Ok(Form(fields)) => ActionForm::from_fields(fields),
        Err(rejection) => return deny(rejection.status(), format!("{}.", rejection.body_text())),
    };
    let Some(action) = posted.action() else {
        return deny(StatusCode::BAD_REQUEST, "No action was chosen. Go back, choose one, and apply it.".to_owned());
    };
    let Some(targets) = posted.targets() else {
        return deny(StatusCode::BAD_REQUEST, "A server's name can't be read.".to_owned());
    };
    if targets.is_empty() {
        return deny(StatusCode::BAD_REQUEST, "No server was checked. Go back and check the servers first.".to_owned());
    }
    let request = ActionRequest { action, targets, reason: None };
    let targets = match state.operations.targets(&request, &principal).await {
        Ok(targets) => targets,
        Err(error) => return deny_request(&error),
    };
    let world = state.hub.world();
    let named: HashSet<Target> = targets.iter().cloned().collect();
    let sections = world.proxies.iter().flat_map(|p| p.sections.0.iter().map(|s| (p.proxy.as_str(), s)));
    let impacts = impact(action, &named, sections);
    let names = names_to_type(&impacts);
    let is_typed = names.iter().all(|name| posted.typed.contains(name));
    let reason = answer::Reason { text: posted.reason, is_needed: state.operations.needs_reason() };
    let is_confirmed = !needs_confirmation(action, &impacts) || posted.confirmed && is_typed;
    if !is_confirmed || reason.is_missing() {
        let missed = posted.confirmed && !is_typed;
        return answer(StatusCode::OK, "Confirm", &|| answer::question(action, &targets, &impacts, missed, &reason));
    }
    let why = reason.text.clone();
    let reason = Some(reason.text).filter(|reason| !reason.is_empty());
    let targets = targets.into_iter().map(Into::into).collect();
    let request = ActionRequest { action, targets, reason };
    let (operations, asker) = (state.operations.clone(), principal.clone());
    // Like the API's: an operation goes on when whoever asked for it leaves.
    let run = state.tracker.spawn(async move { operations.run(request, &asker).await });
    match run.await {
        Ok(Ok(response)) => answer(StatusCode::OK, "Outcome", &|| answer::outcomes(action, response.clone(), &why)),
        Ok(Err(error)) => deny_request(&error),
        Err(error) => {
            tracing::error!(%error, "an operation failed");
            deny(
                StatusCode::INTERNAL_SERVER_ERROR,
                "Sluice failed. Look at the servers before you try again.".to_owned(),
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn posted(fields: &[(&str, &str)]) -> ActionForm {
        ActionForm::from_fields(fields.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect())
    }

    #[test]
    fn the_button_decides_and_apply_takes_the_list_s_action() {
        assert_eq!(posted(&[("do", "apply"), ("action", "drain")]).action(), Some(Action::Drain));
        assert_eq!(posted(&[("do", "maint"), ("action", "drain")]).action(), Some(Action::Maint));
        assert_eq!(posted(&[("do", "apply"), ("action", "")]).action(), None);
        assert_eq!(posted(&[("do", "reboot")]).action(), None);
        assert_eq!(posted(&[("s", "lb1/web/s1"), ("s", "lb2/web/s1")]).targets().map(|t| t.len()), Some(2));
        let of_cluster = posted(&[("s", "@edge/web/s1")]).targets().expect("a target");
        assert_eq!((of_cluster[0].node.as_deref(), of_cluster[0].cluster.as_deref()), (None, Some("edge")));
        assert_eq!(posted(&[("s", "lb1/web")]).targets(), None);
    }

    #[test]
    fn fuzz_damaged_bodies() {
        use axum::{body::Body, extract::FromRequest as _, http::Request};
        use futures::FutureExt as _;

        let seeds: [&[u8]; 2] = [
            b"reason=a+kernel&do=apply&action=maint&s=lb1%2Fweb%2Fs1&s=lb2/web/s%31&confirmed=yes&typed=+web+",
            b"do=shutdown&s=@lb1/web/s1&typed=%C3%A9%FF&&=&s",
        ];
        let (inputs, time) = (testkit::damage::INPUTS, testkit::damage::AT_MOST);
        let target = bolero::check!().with_iterations(inputs).with_test_time(time);
        target.with_type::<testkit::damage::Damage>().for_each(|damage| {
            let request = Request::post("/stats").header("content-type", "application/x-www-form-urlencoded");
            let request = request.body(Body::from(damage.to(&seeds))).expect("a request");
            let fields = Form::<Vec<(String, String)>>::from_request(request, &()).now_or_never().expect("at once");
            let Ok(Form(fields)) = fields else { return };
            let posted = ActionForm::from_fields(fields);
            if let Some(targets) = posted.targets() {
                let name = |t: &TargetRef| {
                    let place =
                        t.node.clone().or(t.cluster.as_ref().map(|c| format!("{}{c}", TargetRef::CLUSTER_MARK)));
                    format!("{}/{}/{}", place.expect("a place"), t.backend, t.server)
                };
                assert_eq!(targets.iter().map(name).collect::<Vec<_>>(), posted.servers);
            }
            if let Some(action) = posted.action() {
                assert!([&posted.button, &posted.action].into_iter().any(|id| id == action.id()));
            }
        });
    }
}
