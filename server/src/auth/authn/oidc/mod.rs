//! Log-in by OpenID Connect: the code flow with PKCE, a state bound to the browser, and a nonce.
//!
//! One provider says who somebody is; what they may do, `[roles]` of the configuration decides, and their session begins
//! elsewhere. What the provider sends (codes, tokens) is neither stored nor shown to anybody.

mod claims;
mod config;
mod conversations;
mod failure;
mod http_client;
mod metadata;
mod pending;

use std::{
    fmt,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::{Duration, Instant},
};

use claims::{Client, IdClaims, InfoClaims};
use conversations::Conversations;
use failure::{chain, info_failure, quoted};
use http_client::HttpClient;
use metadata::MetadataCache;
use openidconnect::{
    AuthType, AuthenticationFlow, AuthorizationCode, ClaimsVerificationError, ClientId, CsrfToken, Nonce,
    OAuth2TokenResponse as _, PkceCodeChallenge, RedirectUrl, RequestTokenError, Scope, SignatureVerificationError,
    TokenResponse as _,
    core::{CoreClientAuthMethod, CoreJwsSigningAlgorithm as Alg, CoreProviderMetadata, CoreResponseType},
};
use pending::{LogInProof, PendingLogIns};
use tokio::time::timeout;

use super::throttle::Throttle;
use crate::{
    auth::{Secret, retry_after},
    clock::now,
};

pub use claims::Person;
pub use config::{ClientSecret, IssuerError, OidcConfig, PATIENCE, check_issuer};
pub use http_client::authorities;

/// A whole conversation may take as long as so many responses.
const RESPONSES: u32 = 3;

/// The accepted signatures: those that take a private key to make. With a symmetric one, whoever can verify could sign.
const ALGORITHMS: [Alg; 10] = [
    Alg::RsaSsaPkcs1V15Sha256,
    Alg::RsaSsaPkcs1V15Sha384,
    Alg::RsaSsaPkcs1V15Sha512,
    Alg::RsaSsaPssSha256,
    Alg::RsaSsaPssSha384,
    Alg::RsaSsaPssSha512,
    Alg::EcdsaP256Sha256,
    Alg::EcdsaP384Sha384,
    Alg::EcdsaP521Sha512,
    Alg::EdDsa,
];

/// The provider that people log in at. A clone is cheap and is the same one.
#[derive(Clone)]
pub struct Oidc(Arc<ProviderParts>);

struct ProviderParts {
    config: OidcConfig,
    http: OnceLock<HttpClient>,
    pending: Mutex<PendingLogIns>,
    metadata: MetadataCache,
    conversations: Conversations,
    /// Failed log-ins, by the network that they came from.
    throttle: Mutex<Throttle>,
    started: Instant,
}

/// A log-in that has begun.
#[derive(Clone, PartialEq, Eq)]
pub struct AuthorizationRequest {
    /// Where to send the browser.
    pub address: String,
    /// What its cookie has to hold when it comes back.
    pub browser: String,
}

/// A log-in that the provider confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfirmedLogIn {
    /// Who it is.
    pub person: Person,
    /// The page that the log-in leads to.
    pub return_to: String,
}

/// The query that the provider sends the browser back with.
#[derive(Clone, Default, serde::Deserialize)]
pub struct Callback {
    /// What the log-in began with.
    #[serde(default)]
    pub state: String,
    /// What tokens are given for.
    #[serde(default)]
    pub code: Option<String>,
    /// Why there is no code.
    #[serde(default)]
    pub error: Option<String>,
    /// The provider's issuer (RFC 9207).
    #[serde(default)]
    pub iss: Option<String>,
}

/// Why a log-in failed. Each message is for the person who tried, and holds nothing secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OidcError {
    /// The provider can't be reached.
    #[error("{name} can't be asked: {why}. Try again in a moment")]
    Unavailable {
        /// The provider's name.
        name: String,
        /// What happened.
        why: String,
    },
    /// Too many log-ins at once.
    #[error("Too many people log in at this moment. Try again")]
    Busy,
    /// Too many failed from the same network; the next may come after this time.
    #[error("Too many log-ins from your network failed: wait {} s", retry_after(*.0))]
    Wait(Duration),
    /// The log-in never began, began in another browser or too long ago, or is finished.
    #[error("This log-in was not begun in this browser, took longer than ten minutes, or is used up. Begin again")]
    UnknownState,
    /// The provider said no.
    #[error("{name} did not log you in: {why}")]
    Denied {
        /// The provider's name.
        name: String,
        /// Its word for it.
        why: String,
    },
    /// What it answered does not prove who it is.
    #[error("What {name} answered proves nothing: {why}")]
    Unproven {
        /// The provider's name.
        name: String,
        /// What is wrong with it.
        why: String,
    },
}

impl Oidc {
    /// The provider of that configuration; nothing is sent to it yet.
    #[must_use]
    pub fn new(config: OidcConfig) -> Self {
        Self(Arc::new(ProviderParts {
            config,
            http: OnceLock::new(),
            pending: Mutex::default(),
            metadata: MetadataCache::default(),
            conversations: Conversations::default(),
            throttle: Mutex::default(),
            started: Instant::now(),
        }))
    }

    /// Its name, for the button.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.config.name
    }

    /// Begins a log-in that leads to the page `return_to`. `browser` is what the cookie holds, where there is one.
    ///
    /// # Errors
    /// When the provider can't be reached.
    pub async fn begin(
        &self,
        return_to: &str,
        browser: Option<&str>,
        address: IpAddr,
    ) -> Result<AuthorizationRequest, OidcError> {
        let metadata = self.converse(address, self.metadata(None)).await?.1;
        let secret = || Secret::random().map_err(|error| self.unavailable(&error.to_string()));
        // Two log-ins in one browser share its cookie, so that neither invalidates the other.
        let known = browser.and_then(Secret::parse).filter(|browser| self.pending().has_browser(*browser));
        let browser = known.map_or_else(secret, Ok)?;
        let (state, nonce) = (secret()?, Nonce::new(secret()?.reveal()));
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let client = self.client(&metadata)?;
        let (sent_state, sent_nonce) = (CsrfToken::new(state.reveal()), nonce.clone());
        let (authorize_url, _, _) = client
            .authorize_url(AuthenticationFlow::<CoreResponseType>::AuthorizationCode, || sent_state, || sent_nonce)
            // The crate asks for `openid` itself.
            .add_scopes(self.0.config.scopes.iter().filter(|s| *s != "openid").cloned().map(Scope::new))
            .set_pkce_challenge(challenge)
            .url();
        if !config::is_allowed(&authorize_url, self.0.config.is_local()) {
            return Err(self.unavailable("it names an address for the log-in that is not encrypted"));
        }
        let proof = LogInProof { nonce, verifier, return_to: return_to.to_owned() };
        self.pending().insert(state, browser, address, proof, Instant::now());
        Ok(AuthorizationRequest { address: authorize_url.into(), browser: browser.reveal() })
    }

    /// Finishes a log-in with the query that the browser came back with; `browser` is what its cookie holds.
    ///
    /// # Errors
    /// When it did not begin in this browser, the provider does not prove who it is, or too many from there failed.
    pub async fn finish(
        &self,
        callback: Callback,
        browser: Option<&str>,
        address: IpAddr,
    ) -> Result<ConfirmedLogIn, OidcError> {
        let now = u64::try_from(self.0.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let admitted = lock(&self.0.throttle).admit_network(address, now).map_err(OidcError::Wait)?;
        let finished = self.finish_admitted(callback, browser, address).await;
        match &finished {
            // What the provider proves, and what is not the client's fault.
            Ok(_) | Err(OidcError::Unavailable { .. } | OidcError::Busy) => lock(&self.0.throttle).untried(admitted),
            Err(_) => {}
        }
        finished
    }

    async fn finish_admitted(
        &self,
        callback: Callback,
        browser: Option<&str>,
        address: IpAddr,
    ) -> Result<ConfirmedLogIn, OidcError> {
        let Callback { state, code, error, iss } = callback;
        let (state, browser) = (Secret::parse(&state), browser.and_then(Secret::parse));
        let proof = state.and_then(|state| self.pending().take(state, browser, Instant::now()));
        let LogInProof { nonce, verifier, return_to } = proof.ok_or(OidcError::UnknownState)?;
        if iss.is_some_and(|iss| iss != self.0.config.issuer) {
            return Err(self.unproven("it comes from another provider"));
        }
        if let Some(error) = error {
            let why = match error.as_str() {
                "access_denied" => "access was denied".to_owned(),
                other => quoted(other),
            };
            return Err(OidcError::Denied { name: self.name().to_owned(), why });
        }
        let code = code.ok_or_else(|| self.unproven("there is no code"))?;
        let person = self.converse(address, self.identify(code, &nonce, verifier)).await?;
        Ok(ConfirmedLogIn { person, return_to })
    }

    /// Exchanges the code for tokens, and reads whom they are for.
    async fn identify(
        &self,
        code: String,
        nonce: &Nonce,
        verifier: openidconnect::PkceCodeVerifier,
    ) -> Result<Person, OidcError> {
        let (read, metadata) = self.metadata(None).await?;
        let client = self.client(&metadata)?;
        let http = self.http()?;
        let exchange = client.exchange_code(AuthorizationCode::new(code));
        let request =
            exchange.map_err(|_| self.unavailable("it names no address for tokens"))?.set_pkce_verifier(verifier);
        let response = request.request_async(http).await.map_err(|error| match error {
            RequestTokenError::Request(error) => self.unavailable(&error.to_string()),
            RequestTokenError::ServerResponse(answer) => {
                self.unproven(&format!("it refused the code ({})", quoted(answer.error().as_ref())))
            }
            // The library's own text could repeat a part of the tokens.
            _ => self.unproven("its answer to the code can't be read"),
        })?;
        let token = response.id_token().ok_or_else(|| self.unproven("there is no ID token"))?;
        let verified = |client: &Client| -> Result<IdClaims, ClaimsVerificationError> {
            let verifier = client.id_token_verifier().set_allowed_algs(ALGORITHMS).set_time_fn(claims::expiry_clock);
            token.claims(&verifier, nonce).cloned()
        };
        let is_unknown_key = |error: &ClaimsVerificationError| {
            matches!(error, ClaimsVerificationError::SignatureVerification(SignatureVerificationError::NoMatchingKey))
        };
        let claims = match verified(&client) {
            Err(error) if is_unknown_key(&error) && self.0.metadata.may_refresh_keys() => {
                let (_, newer) = self.metadata(Some(read)).await?;
                verified(&self.client(&newer)?)
            }
            first => first,
        };
        let claims = claims.map_err(|error| self.unproven(&chain(&error)))?;
        let config = &self.0.config;
        let mut all = claims::all(&claims);
        claims::check(config, &all, now() / 1_000).map_err(|why| self.unproven(&why))?;
        // Many providers have groups and names at their UserInfo endpoint alone.
        if claims::lacks_any(config, &all)
            && let Ok(request) = client.user_info(response.access_token().clone(), Some(claims.subject().clone()))
        {
            match request.request_async::<_, _, _>(http).await {
                Ok(info) => {
                    let info: InfoClaims = info;
                    claims::add_missing(&mut all, &info);
                }
                Err(error) => tracing::warn!(provider = self.name(), why = %info_failure(&error), "no user info"),
            }
        }
        claims::person(config, &all).map_err(|why| self.unproven(&why))
    }

    fn client(&self, metadata: &CoreProviderMetadata) -> Result<Client, OidcError> {
        let config = &self.0.config;
        let redirect =
            RedirectUrl::new(config.redirect.clone()).map_err(|_| self.unavailable("`url` can't be read"))?;
        let secret = config.client_secret.as_ref().map(|secret| openidconnect::ClientSecret::new(secret.0.clone()));
        let methods = metadata.token_endpoint_auth_methods_supported();
        let takes = |method| methods.is_none_or(|all| all.contains(&method));
        let in_body = !takes(CoreClientAuthMethod::ClientSecretBasic) && takes(CoreClientAuthMethod::ClientSecretPost);
        let auth = if in_body { AuthType::RequestBody } else { AuthType::BasicAuth };
        let id = ClientId::new(config.client_id.clone());
        Ok(Client::from_provider_metadata(metadata.clone(), id, secret).set_redirect_uri(redirect).set_auth_type(auth))
    }

    /// The provider's metadata, and when it was read; with `than`, newer than that.
    async fn metadata(&self, than: Option<Instant>) -> Result<(Instant, Arc<CoreProviderMetadata>), OidcError> {
        let metadata = self.0.metadata.get(&self.0.config, self.http()?, than).await;
        metadata.map_err(|why| self.unavailable(&why))
    }

    /// Built when it is first needed: reading the system's certificates takes a moment.
    fn http(&self) -> Result<&HttpClient, OidcError> {
        if let Some(http) = self.0.http.get() {
            return Ok(http);
        }
        let http = HttpClient::new(&self.0.config).map_err(|error| self.unavailable(&error.to_string()))?;
        Ok(self.0.http.get_or_init(|| http))
    }

    /// Talks with the provider for somebody there, within the bounds on number and time.
    async fn converse<T>(
        &self,
        address: IpAddr,
        conversation: impl Future<Output = Result<T, OidcError>>,
    ) -> Result<T, OidcError> {
        let _conversation = self.0.conversations.begin(address, self.0.config.patience).await.ok_or(OidcError::Busy)?;
        match timeout(self.0.config.patience * RESPONSES, conversation).await {
            Ok(result) => result,
            Err(_) => Err(self.unavailable("it took too long")),
        }
    }

    /// They are not locked across an await, and can't be left half changed.
    fn pending(&self) -> MutexGuard<'_, PendingLogIns> {
        lock(&self.0.pending)
    }

    fn unavailable(&self, why: &str) -> OidcError {
        OidcError::Unavailable { name: self.name().to_owned(), why: why.to_owned() }
    }

    fn unproven(&self, why: &str) -> OidcError {
        OidcError::Unproven { name: self.name().to_owned(), why: why.to_owned() }
    }
}

/// Nothing behind these locks is ever half changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Oidc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Oidc").field(&self.0.config.issuer).finish()
    }
}

#[cfg(test)]
pub(crate) mod tests;
