//! The cookies of a loopback listener without TLS, as through an SSH tunnel; not those under an encrypted `url`, whose reverse
//! proxy may be what connects.
//!
//! WebKit (Safari's engine) keeps no `Secure` cookie there, and no `__Host-` one without it. So such a listener's cookies
//! have names of their own and lack both; `HttpOnly` and `SameSite` stay. Everything further in knows the one kind of
//! cookie: they are renamed here, on the way in and on the way out. What a browser kept from an encrypted listener is not
//! taken, nor the other way round.

use axum::{
    extract::{Request, State},
    http::{
        HeaderMap, HeaderValue,
        header::{COOKIE, SET_COOKIE},
    },
    middleware::Next,
    response::Response,
};

use crate::{auth::Peer, config::PublicUrl, web::AppState};

/// What the names of Sluice's cookies begin with.
const PREFIX: &str = "__Host-";

/// The beginning that all of them share after that.
const OURS: &str = "sluice";

/// Renames the cookies of requests and answers, where the listener is such a one.
pub(in crate::web) async fn rename_cookies(
    State(state): State<AppState>,
    mut request: Request,
    next: Next,
) -> Response {
    let settings = &state.listener_settings;
    let is_encrypted_url = settings.config.url.as_ref().is_some_and(PublicUrl::is_secure);
    let is_encrypted = is_encrypted_url && Peer::of_request(&request).is_by_url;
    if !settings.has_plain_cookies || is_encrypted {
        return next.run(request).await;
    }
    rename_received(request.headers_mut());
    let mut response = next.run(request).await;
    rename_set(response.headers_mut());
    response
}

/// Gives the cookies of a request their names further in.
fn rename_received(headers: &mut HeaderMap) {
    let texts = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = texts.flat_map(|text| text.split(';')).map(|pair| pair.trim_matches(' '));
    let kept = pairs.filter(|pair| !pair.starts_with(&format!("{PREFIX}{OURS}")));
    let renamed = kept.map(|pair| match is_ours(pair) {
        true => format!("{PREFIX}{pair}"),
        false => pair.to_owned(),
    });
    let text = renamed.collect::<Vec<_>>().join("; ");
    headers.remove(COOKIE);
    if let Some(mut value) = HeaderValue::try_from(text).ok().filter(|value| !value.is_empty()) {
        value.set_sensitive(true);
        headers.insert(COOKIE, value);
    }
}

/// Gives the cookies of an answer their names outside.
fn rename_set(headers: &mut HeaderMap) {
    let values: Vec<HeaderValue> = headers.get_all(SET_COOKIE).iter().map(renamed_set).collect();
    headers.remove(SET_COOKIE);
    for value in values {
        headers.append(SET_COOKIE, value);
    }
}

fn renamed_set(value: &HeaderValue) -> HeaderValue {
    let text = value.to_str().ok().and_then(|text| text.strip_prefix(PREFIX)).filter(|text| is_ours(text));
    let renamed = text.and_then(|text| HeaderValue::try_from(text.replacen("; Secure", "", 1)).ok());
    let mut renamed = renamed.unwrap_or_else(|| value.clone());
    renamed.set_sensitive(value.is_sensitive());
    renamed
}

/// Whether a cookie with its value is one of Sluice's secrets, without the prefix; another of that page's is `sluice-theme`.
fn is_ours(pair: &str) -> bool {
    let name = pair.split('=').next().unwrap_or_default();
    ["", "-device", "-wall", "-oidc"].iter().any(|ending| name.strip_prefix(OURS) == Some(ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_have_other_names_outside_and_one_kind_is_taken() {
        for (sent, taken) in [
            ("sluice=a", "__Host-sluice=a"),
            ("theme=dark; sluice=a; sluice-device=b", "theme=dark; __Host-sluice=a; __Host-sluice-device=b"),
            ("__Host-sluice=a; x=y", "x=y"),
            ("__Host-sluice-wall=a; sluice-wall=b", "__Host-sluice-wall=b"),
            ("sluice=a; sluice=b", "__Host-sluice=a; __Host-sluice=b"),
            ("sluice-oidc=a", "__Host-sluice-oidc=a"),
            ("sluicegate=a", "sluicegate=a"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(COOKIE, sent.parse().expect("a value"));
            rename_received(&mut headers);
            assert_eq!(headers[COOKIE], taken);
        }
        let mut headers = HeaderMap::new();
        headers.insert(COOKIE, "__Host-sluice=a".parse().expect("a value"));
        rename_received(&mut headers);
        assert!(!headers.contains_key(COOKIE));
    }

    #[test]
    fn what_is_set_lacks_prefix_and_secure_alone() {
        let mut headers = HeaderMap::new();
        headers.append(SET_COOKIE, "__Host-sluice=a; HttpOnly; SameSite=Lax; Secure; Path=/".parse().expect("a value"));
        headers.append(SET_COOKIE, "theme=dark; Secure".parse().expect("a value"));
        rename_set(&mut headers);
        let set: Vec<_> = headers.get_all(SET_COOKIE).iter().collect();
        assert_eq!(set, ["sluice=a; HttpOnly; SameSite=Lax; Path=/", "theme=dark; Secure"]);
    }
}
