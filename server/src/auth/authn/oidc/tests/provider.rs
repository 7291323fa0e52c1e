//! A small OpenID Connect provider on loopback, with one user. It checks what a provider must: the client, its secret,
//! the redirect address, the PKCE verifier, and that a code is used once.

mod fault;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use axum::{
    Form, Json, Router,
    body::Body,
    extract::{Query, Request, State},
    http::{HeaderMap, StatusCode, header},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD as URL64},
};
use openidconnect::url::Url;
use ring::{
    digest, hmac,
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
        RsaPublicKeyComponents,
    },
};
use serde_json::{Map, Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

pub(crate) use fault::Fault;

use crate::auth::authn::oidc::Callback;

pub(crate) const CLIENT: &str = "sluice";
pub(crate) const SECRET: &str = "s3cret/of:the client";
pub(crate) const REDIRECT: &str = "http://127.0.0.1:8080/login/oidc/callback";

/// An RSA key made for these tests alone.
const RSA: &[u8] = include_bytes!("rsa.der");

/// The provider; it ends with this.
pub(crate) struct Provider {
    pub(crate) issuer: String,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

struct Shared {
    issuer: String,
    inner: Mutex<Inner>,
}

struct Inner {
    fault: Fault,
    key: Arc<EcdsaKeyPair>,
    key_id: u32,
    codes: HashMap<String, Granted>,
    asked: Vec<String>,
    secrets: Vec<String>,
}

/// What belongs to a code.
struct Granted {
    challenge: String,
    nonce: String,
}

impl Provider {
    pub(crate) async fn start(fault: Fault) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let issuer = format!("http://{}", listener.local_addr().expect("an address"));
        let inner =
            Inner { fault, key: new_key(), key_id: 1, codes: HashMap::new(), asked: Vec::new(), secrets: Vec::new() };
        let shared = Arc::new(Shared { issuer: issuer.clone(), inner: Mutex::new(inner) });
        let routes = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/jwks", get(jwks))
            .route("/authorize", get(authorize))
            .route("/token", post(token))
            .route("/userinfo", get(user_info))
            .layer(from_fn_with_state(shared.clone(), note))
            .with_state(shared.clone());
        let task = tokio::spawn(async move { axum::serve(listener, routes).await.expect("serves") });
        Self { issuer, shared, task }
    }

    /// The address of a provider that nobody listens at.
    pub(crate) async fn nobody() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        format!("http://{}", listener.local_addr().expect("an address"))
    }

    pub(crate) fn set(&self, fault: Fault) {
        self.shared.lock().fault = fault;
    }

    /// Signs with another key from now on, and names that one alone.
    pub(crate) fn exchange_key(&self) {
        let mut inner = self.shared.lock();
        (inner.key, inner.key_id) = (new_key(), inner.key_id + 1);
    }

    /// How often a path was asked for.
    pub(crate) fn asked(&self, path: &str) -> usize {
        self.shared.lock().asked.iter().filter(|asked| *asked == path).count()
    }

    /// Codes, tokens and the client's secret.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let mut secrets = self.shared.lock().secrets.clone();
        secrets.push(SECRET.to_owned());
        secrets
    }

    /// What a browser does: goes there, and brings back what it is sent back with.
    pub(crate) async fn log_in(&self, address: &str) -> Callback {
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build();
        let answer = client.expect("a client").get(address).send().await.expect("an answer");
        if answer.status() != StatusCode::SEE_OTHER.as_u16() {
            let error = Some(answer.text().await.expect("a text"));
            return Callback { error, ..Callback::default() };
        }
        let back = answer.headers()["location"].to_str().expect("text").parse::<Url>().expect("an address");
        assert!(back.as_str().starts_with(REDIRECT), "{back}");
        let mut query: HashMap<String, String> = back.query_pairs().into_owned().collect();
        Callback {
            state: query.remove("state").expect("a state"),
            code: query.remove("code"),
            error: query.remove("error"),
            iss: query.remove("iss"),
        }
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fault(&self) -> Fault {
        self.lock().fault
    }

    fn secret(&self) -> String {
        let secret = URL64.encode(ring::rand::generate::<[u8; 24]>(&SystemRandom::new()).expect("random").expose());
        self.lock().secrets.push(secret.clone());
        secret
    }
}

type Shares = State<Arc<Shared>>;

async fn note(State(shared): Shares, request: Request, next: Next) -> Response {
    shared.lock().asked.push(request.uri().path().to_owned());
    next.run(request).await
}

async fn discovery(State(shared): Shares) -> Response {
    let (issuer, fault) = (&shared.issuer, shared.fault());
    let mut found = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/jwks"),
        "userinfo_endpoint": format!("{issuer}/userinfo"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256", "RS256", "HS256", "none"],
    });
    match fault {
        Fault::SlowDiscovery => tokio::time::sleep(Duration::from_secs(60)).await,
        Fault::HugeDiscovery => found["more"] = "x".repeat(8 * 1024 * 1024).into(),
        Fault::EndlessDiscovery => {
            let chunks = futures::stream::repeat_with(|| Ok::<_, std::io::Error>(vec![b' '; 64 * 1024]));
            return Body::from_stream(chunks).into_response();
        }
        Fault::NoDiscovery => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Fault::Redirects => return (StatusCode::FOUND, [(header::LOCATION, "http://127.0.0.1:1/")]).into_response(),
        Fault::OtherIssuerInDiscovery => found["issuer"] = "https://id.example.org".into(),
        Fault::InsecureToken => found["token_endpoint"] = "http://192.0.2.1/token".into(),
        Fault::InsecureAuthorize => found["authorization_endpoint"] = "http://192.0.2.1/authorize".into(),
        Fault::SecretInBody => found["token_endpoint_auth_methods_supported"] = json!(["client_secret_post"]),
        _ => {}
    }
    Json(found).into_response()
}

async fn jwks(State(shared): Shares) -> Json<Value> {
    let fault = shared.fault();
    let (key, id) = {
        let inner = shared.lock();
        (inner.key.clone(), inner.key_id)
    };
    let rsa = RsaPublicKeyComponents::<Vec<u8>>::from(rsa_key().public_key());
    let (_, point) = key.public_key().as_ref().split_at(1);
    let (x, y) = point.split_at(32);
    let mut keys = json!({"keys": [
        {"kty": "EC", "crv": "P-256", "use": "sig", "kid": format!("ec{id}"), "x": URL64.encode(x), "y": URL64.encode(y)},
        {"kty": "RSA", "use": "sig", "kid": "rsa", "n": URL64.encode(rsa.n), "e": URL64.encode(rsa.e)},
    ]});
    if fault == Fault::HugeJwks {
        keys["more"] = "x".repeat(1024 * 1024).into();
    }
    Json(keys)
}

async fn authorize(State(shared): Shares, Query(asked): Query<HashMap<String, String>>) -> Response {
    let is = |name: &str, value: &str| asked.get(name).is_some_and(|asked| asked == value);
    if !is("client_id", CLIENT) || !is("redirect_uri", REDIRECT) {
        return (StatusCode::BAD_REQUEST, "invalid redirect").into_response();
    }
    let scope = asked.get("scope").expect("a scope");
    assert_eq!(scope, "openid profile groups");
    assert!(is("response_type", "code") && is("code_challenge_method", "S256"), "{asked:?}");
    let code = shared.secret();
    let granted = Granted { challenge: asked["code_challenge"].clone(), nonce: asked["nonce"].clone() };
    shared.lock().codes.insert(code.clone(), granted);
    let mut back: Url = REDIRECT.parse().expect("an address");
    let mut query = back.query_pairs_mut();
    query.append_pair("state", &asked["state"]);
    match shared.fault() {
        Fault::Denied => query.append_pair("error", "access_denied"),
        Fault::OddError => query.append_pair("error", &format!("<b>odd\u{1b}[31m{}", "x".repeat(500))),
        Fault::OtherIss => query.append_pair("code", &code).append_pair("iss", "https://id.example.org"),
        Fault::NoCode => &mut query,
        _ => query.append_pair("code", &code).append_pair("iss", &shared.issuer),
    };
    drop(query);
    Redirect::to(back.as_str()).into_response()
}

async fn token(State(shared): Shares, headers: HeaderMap, Form(asked): Form<HashMap<String, String>>) -> Response {
    let refuse = |status, word: &str| (status, Json(json!({"error": word}))).into_response();
    let fault = shared.fault();
    let is = |name: &str, value: &str| asked.get(name).is_some_and(|asked| asked == value);
    let knows_client = if fault == Fault::SecretInBody {
        is("client_id", CLIENT) && is("client_secret", SECRET)
    } else {
        // RFC 6749, 2.3.1: both are form-encoded before they are joined.
        let encode =
            |text: &str| openidconnect::url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let basic = format!("Basic {}", BASE64_STANDARD.encode(format!("{}:{}", encode(CLIENT), encode(SECRET))));
        headers.get(header::AUTHORIZATION).is_some_and(|value| value == basic.as_str())
    };
    if !knows_client {
        return refuse(StatusCode::UNAUTHORIZED, "invalid_client");
    }
    let granted = asked.get("code").and_then(|code| shared.lock().codes.remove(code));
    let challenge = |verifier: &String| URL64.encode(digest::digest(&digest::SHA256, verifier.as_bytes()));
    let proof = asked.get("code_verifier").map(challenge);
    let granted = granted.filter(|granted| proof.as_ref() == Some(&granted.challenge));
    let Some(granted) = granted.filter(|_| is("grant_type", "authorization_code") && is("redirect_uri", REDIRECT))
    else {
        return refuse(StatusCode::BAD_REQUEST, "invalid_grant");
    };
    let mut response = json!({"access_token": shared.secret(), "token_type": "Bearer", "expires_in": 300});
    match fault {
        Fault::SlowToken => tokio::time::sleep(Duration::from_secs(60)).await,
        Fault::HugeToken => response["more"] = "x".repeat(1024 * 1024).into(),
        _ => {}
    }
    let id_token = id_token(&shared, &granted.nonce);
    shared.lock().secrets.push(id_token.clone());
    match fault {
        Fault::NoIdToken => {}
        Fault::BrokenIdToken => response["id_token"] = id_token.replace('.', "_").into(),
        _ => response["id_token"] = id_token.into(),
    }
    Json(response).into_response()
}

async fn user_info(headers: HeaderMap) -> Response {
    if !headers.get(header::AUTHORIZATION).is_some_and(|value| value.as_bytes().starts_with(b"Bearer ")) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    Json(json!({"sub": "248289761001", "preferred_username": "anna", "groups": ["staff", "ops"]})).into_response()
}

fn id_token(shared: &Shared, nonce: &str) -> String {
    let fault = shared.fault();
    let (key, id) = {
        let inner = shared.lock();
        (inner.key.clone(), inner.key_id)
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    let mut claims: Map<String, Value> = Map::new();
    let mut set = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    set("iss", shared.issuer.clone().into());
    set("sub", "248289761001".into());
    set("aud", CLIENT.into());
    set("iat", now.into());
    set("exp", (now + 300).into());
    set("nonce", nonce.into());
    if fault != Fault::GroupsByUserInfo {
        set("preferred_username", "anna".into());
        set("groups", json!(["staff", "ops"]));
    }
    match fault {
        Fault::Nonce => _ = set("nonce", "another".into()),
        Fault::NoNonce => _ = claims.remove("nonce"),
        Fault::Audience => _ = set("aud", "another".into()),
        Fault::SecondAudience => _ = set("aud", json!([CLIENT, "another"])),
        Fault::Issuer => _ = set("iss", "https://id.example.org".into()),
        Fault::Expired => _ = set("exp", (now - 90).into()),
        Fault::ExpiredAMomentAgo => _ = set("exp", (now - 10).into()),
        Fault::AuthorizedParty => _ = set("azp", "another".into()),
        Fault::NotYet => _ = set("nbf", (now + 86_400).into()),
        Fault::IssuedNextYear => _ = set("iat", (now + 365 * 86_400).into()),
        Fault::ClockAhead => {
            set("azp", CLIENT.into());
            set("iat", (now + 30).into());
            set("nbf", (now + 30).into());
        }
        _ => {}
    }
    let part = |value: &Value| URL64.encode(value.to_string());
    let signed = |header: Value, sign: &dyn Fn(&[u8]) -> Vec<u8>| {
        let text = format!("{}.{}", part(&header), part(&Value::Object(claims.clone())));
        let signature = URL64.encode(sign(text.as_bytes()));
        format!("{text}.{signature}")
    };
    let by = |key: &EcdsaKeyPair, text: &[u8]| key.sign(&SystemRandom::new(), text).expect("signs").as_ref().to_vec();
    let es256 = json!({"alg": "ES256", "kid": format!("ec{id}")});
    let hs256 = |key: &[u8]| {
        let key = hmac::Key::new(hmac::HMAC_SHA256, key);
        signed(json!({"alg": "HS256", "kid": format!("ec{id}")}), &|text| hmac::sign(&key, text).as_ref().to_vec())
    };
    match fault {
        Fault::AlgNone => signed(json!({"alg": "none"}), &|_| Vec::new()),
        Fault::HmacWithPublicKey => hs256(key.public_key().as_ref()),
        Fault::HmacWithSecret => hs256(SECRET.as_bytes()),
        Fault::UnknownKey => signed(json!({"alg": "ES256", "kid": "unknown"}), &|text| by(&new_key(), text)),
        Fault::Rs256 => signed(json!({"alg": "RS256", "kid": "rsa"}), &|text| {
            let rsa = rsa_key();
            let mut out = vec![0; rsa.public().modulus_len()];
            rsa.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text, &mut out).expect("signs");
            out
        }),
        Fault::ChangedAfterwards => {
            let token = signed(es256, &|text| by(&key, text));
            let mut parts = token.split('.').map(str::to_owned).collect::<Vec<_>>();
            claims.insert("groups".to_owned(), json!(["sluice-admins"]));
            parts[1] = part(&Value::Object(claims));
            parts.join(".")
        }
        _ => signed(es256, &|text| by(&key, text)),
    }
}

fn new_key() -> Arc<EcdsaKeyPair> {
    let random = SystemRandom::new();
    let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).expect("a key");
    Arc::new(EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).expect("a key"))
}

fn rsa_key() -> RsaKeyPair {
    RsaKeyPair::from_der(RSA).expect("a key")
}
