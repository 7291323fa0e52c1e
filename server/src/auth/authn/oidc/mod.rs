//! Log-in by OpenID Connect: the code flow with PKCE, a state bound to the browser, and a nonce.
//!
//! It finds out who somebody is, by the word of one provider. What they may do, `[roles]` decides; their session is
//! made elsewhere. What the provider sends (codes, tokens) is neither kept nor told to anybody.

mod claims;
mod config;
mod failure;
mod pending;
mod wire;

use std::{
    fmt,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::{Duration, Instant},
};

use claims::{Client, IdClaims, InfoClaims};
use failure::{chain, discovery_failure, info_failure, quoted};
use openidconnect::{
    AuthType, AuthenticationFlow, AuthorizationCode, ClaimsVerificationError, ClientId, CsrfToken, IssuerUrl, Nonce,
    OAuth2TokenResponse as _, PkceCodeChallenge, RedirectUrl, RequestTokenError, Scope, SignatureVerificationError,
    TokenResponse as _,
    core::{CoreClientAuthMethod, CoreJwsSigningAlgorithm as Alg, CoreProviderMetadata, CoreResponseType},
};
use pending::{Awaited, Pending};
use tokio::{sync::Semaphore, time::timeout};
use wire::Wire;

use crate::auth::Secret;

pub use claims::Person;
pub use config::{ClientSecret, IssuerError, OidcConfig, PATIENCE, check_issuer};
pub use wire::authorities;

/// How long the provider's description and keys are used before they are read again.
const FRESH: Duration = Duration::from_secs(3600);

/// How long they are used at most while the provider does not give newer ones.
const STALE: Duration = Duration::from_secs(24 * 3600);

/// How long a failure is told again without asking the provider: reloading the page is no flood.
const FAILED: Duration = Duration::from_secs(3);

/// Time between two looks for new keys because a token names one that is not known.
const KEYS: Duration = Duration::from_secs(10);

/// Conversations with the provider at once; whoever is too many is told to try again.
const AT_ONCE: usize = 16;

/// A whole conversation takes at most so many answers' time.
const ANSWERS: u32 = 3;

/// Signatures that nobody can make who can only check them.
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

/// The way to the provider. A clone is cheap and is the same way.
#[derive(Clone)]
pub struct Oidc(Arc<Inner>);

struct Inner {
    config: OidcConfig,
    wire: OnceLock<Wire>,
    pending: Mutex<Pending>,
    known: Mutex<Known>,
    conversations: Semaphore,
}

/// What is known of the provider.
#[derive(Default)]
struct Known {
    /// Its description with its keys, and when it was read.
    metadata: Option<(Instant, Arc<CoreProviderMetadata>)>,
    /// Why it could not be read, and when.
    failed: Option<(Instant, String)>,
    /// When an unknown key was looked for.
    keys: Option<Instant>,
}

/// A log-in that was begun.
#[derive(Clone, PartialEq, Eq)]
pub struct Begun {
    /// Where the browser has to go.
    pub address: String,
    /// What its cookie has to hold when it comes back.
    pub browser: String,
}

/// A log-in that came back well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    /// Who it is.
    pub person: Person,
    /// Where they wanted to go.
    pub next: String,
}

/// What the provider sends back with the browser.
#[derive(Clone, Default, serde::Deserialize)]
pub struct Returned {
    /// What the log-in was begun with.
    #[serde(default)]
    pub state: String,
    /// What a token is given for.
    #[serde(default)]
    pub code: Option<String>,
    /// Why there is no code.
    #[serde(default)]
    pub error: Option<String>,
    /// Who sends it (RFC 9207).
    #[serde(default)]
    pub iss: Option<String>,
}

/// Why a log-in failed. Each message is for the person who tried, and holds nothing secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OidcError {
    /// The provider can't be asked.
    #[error("{name} can't be asked: {why}. Try again in a moment")]
    Down {
        /// The provider's name.
        name: String,
        /// What happened.
        why: String,
    },
    /// Too many at once.
    #[error("Too many people log in at this moment. Try again")]
    Busy,
    /// It was never begun, begun in another browser, too long ago, or is finished.
    #[error("This log-in was not begun in this browser, took longer than ten minutes, or is used up. Begin again")]
    Unknown,
    /// The provider said no.
    #[error("{name} did not log you in: {why}")]
    Denied {
        /// The provider's name.
        name: String,
        /// Its word for it.
        why: String,
    },
    /// What it answered proves nothing.
    #[error("What {name} answered proves nothing: {why}")]
    Unproven {
        /// The provider's name.
        name: String,
        /// What is wrong with it.
        why: String,
    },
}

impl Oidc {
    /// The way to that provider; nobody is asked yet.
    #[must_use]
    pub fn new(config: OidcConfig) -> Self {
        Self(Arc::new(Inner {
            config,
            wire: OnceLock::new(),
            pending: Mutex::default(),
            known: Mutex::default(),
            conversations: Semaphore::new(AT_ONCE),
        }))
    }

    /// What stands on the button.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.config.name
    }

    /// Begins a log-in that shall lead to `next`. `browser` is what the cookie holds, should there be one.
    ///
    /// # Errors
    /// When the provider can't be asked.
    pub async fn begin(&self, next: &str, browser: Option<&str>, address: IpAddr) -> Result<Begun, OidcError> {
        let metadata = self.converse(self.metadata(None)).await?.1;
        let secret = || Secret::random().map_err(|error| self.down(&error.to_string()));
        // Two log-ins in one browser share its cookie: neither spoils the other.
        let kept = browser.and_then(Secret::parse).filter(|browser| lock(&self.0.pending).knows(*browser));
        let browser = kept.map_or_else(secret, Ok)?;
        let (state, nonce) = (secret()?, Nonce::new(secret()?.reveal()));
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let client = self.client(&metadata)?;
        let (said_state, said_nonce) = (CsrfToken::new(state.reveal()), nonce.clone());
        let (address_there, _, _) = client
            .authorize_url(AuthenticationFlow::<CoreResponseType>::AuthorizationCode, || said_state, || said_nonce)
            // The crate asks for `openid` itself.
            .add_scopes(self.0.config.scopes.iter().filter(|s| *s != "openid").cloned().map(Scope::new))
            .set_pkce_challenge(challenge)
            .url();
        if !config::may_ask(&address_there, self.0.config.is_local()) {
            return Err(self.down("it names an address for the log-in that is not encrypted"));
        }
        let awaited = Awaited { nonce, verifier, next: next.to_owned() };
        lock(&self.0.pending).keep(state, browser, address, awaited, Instant::now());
        Ok(Begun { address: address_there.into(), browser: browser.reveal() })
    }

    /// Finishes a log-in with what came back; `browser` is what the cookie holds.
    ///
    /// # Errors
    /// When it was not begun so, or the provider does not prove who it is.
    pub async fn finish(&self, returned: Returned, browser: Option<&str>) -> Result<Finished, OidcError> {
        let Returned { state, code, error, iss } = returned;
        let (state, browser) = (Secret::parse(&state), browser.and_then(Secret::parse));
        let awaited = state.and_then(|state| lock(&self.0.pending).take(state, browser, Instant::now()));
        let Awaited { nonce, verifier, next } = awaited.ok_or(OidcError::Unknown)?;
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
        let person = self.converse(self.identify(code, &nonce, verifier)).await?;
        Ok(Finished { person, next })
    }

    /// Exchanges the code, and reads who it is for.
    async fn identify(
        &self,
        code: String,
        nonce: &Nonce,
        verifier: openidconnect::PkceCodeVerifier,
    ) -> Result<Person, OidcError> {
        let (read, metadata) = self.metadata(None).await?;
        let client = self.client(&metadata)?;
        let wire = self.wire()?;
        let exchange = client.exchange_code(AuthorizationCode::new(code));
        let request = exchange.map_err(|_| self.down("it names no address for tokens"))?.set_pkce_verifier(verifier);
        let response = request.request_async(wire).await.map_err(|error| match error {
            RequestTokenError::Request(error) => self.down(&error.to_string()),
            RequestTokenError::ServerResponse(answer) => {
                self.unproven(&format!("it refused the code ({})", quoted(answer.error().as_ref())))
            }
            // The library's own words could repeat a part of the tokens.
            _ => self.unproven("its answer to the code can't be read"),
        })?;
        let token = response.id_token().ok_or_else(|| self.unproven("there is no ID token"))?;
        let verified = |client: &Client| -> Result<IdClaims, ClaimsVerificationError> {
            token.claims(&client.id_token_verifier().set_allowed_algs(ALGORITHMS), nonce).cloned()
        };
        let is_unknown_key = |error: &ClaimsVerificationError| {
            matches!(error, ClaimsVerificationError::SignatureVerification(SignatureVerificationError::NoMatchingKey))
        };
        let claims = match verified(&client) {
            Err(error) if is_unknown_key(&error) && self.may_look_for_keys() => {
                let (_, newer) = self.metadata(Some(read)).await?;
                verified(&self.client(&newer)?)
            }
            first => first,
        };
        let claims = claims.map_err(|error| self.unproven(&chain(&error)))?;
        let config = &self.0.config;
        let mut all = claims::all(&claims);
        // Many providers tell groups and names at that address alone.
        if claims::lacks(config, &all)
            && let Ok(request) = client.user_info(response.access_token().clone(), Some(claims.subject().clone()))
        {
            match request.request_async::<_, _, _>(wire).await {
                Ok(info) => {
                    let info: InfoClaims = info;
                    claims::complete(&mut all, &info);
                }
                Err(error) => tracing::warn!(provider = self.name(), why = %info_failure(&error), "no user info"),
            }
        }
        claims::person(config, &all).map_err(|why| self.unproven(&why))
    }

    /// The provider's description, and when it was read: a kept one, unless it is as old as `than` or too old.
    async fn metadata(&self, than: Option<Instant>) -> Result<(Instant, Arc<CoreProviderMetadata>), OidcError> {
        let kept = {
            let known = lock(&self.0.known);
            let kept = known.metadata.clone();
            if let Some((read, metadata)) = &kept
                && than.is_none_or(|than| *read > than)
                && read.elapsed() < FRESH
            {
                return Ok((*read, metadata.clone()));
            }
            if let Some((_, why)) = known.failed.as_ref().filter(|(at, _)| at.elapsed() < FAILED) {
                return kept.filter(|(read, _)| read.elapsed() < STALE).ok_or_else(|| self.down(why));
            }
            kept
        };
        let issuer =
            IssuerUrl::new(self.0.config.issuer.clone()).map_err(|_| self.down("its address can't be read"))?;
        let found = CoreProviderMetadata::discover_async(issuer, self.wire()?).await;
        let mut known = lock(&self.0.known);
        match found {
            Ok(metadata) => {
                known.failed = None;
                let found = (Instant::now(), Arc::new(metadata));
                known.metadata = Some(found.clone());
                Ok(found)
            }
            Err(error) => {
                let why = discovery_failure(&error);
                tracing::warn!(provider = self.name(), %why, "the provider can't be asked");
                known.failed = Some((Instant::now(), why.clone()));
                kept.filter(|(read, _)| read.elapsed() < STALE).ok_or_else(|| self.down(&why))
            }
        }
    }

    /// Whether new keys may be looked for now.
    fn may_look_for_keys(&self) -> bool {
        let mut known = lock(&self.0.known);
        let may = known.keys.is_none_or(|at| at.elapsed() >= KEYS);
        if may {
            known.keys = Some(Instant::now());
        }
        may
    }

    fn client(&self, metadata: &CoreProviderMetadata) -> Result<Client, OidcError> {
        let config = &self.0.config;
        let redirect = RedirectUrl::new(config.redirect.clone()).map_err(|_| self.down("`url` can't be read"))?;
        let secret = config.client_secret.as_ref().map(|secret| openidconnect::ClientSecret::new(secret.0.clone()));
        let methods = metadata.token_endpoint_auth_methods_supported();
        let takes = |method| methods.is_none_or(|all| all.contains(&method));
        let in_body = !takes(CoreClientAuthMethod::ClientSecretBasic) && takes(CoreClientAuthMethod::ClientSecretPost);
        let auth = if in_body { AuthType::RequestBody } else { AuthType::BasicAuth };
        let id = ClientId::new(config.client_id.clone());
        Ok(Client::from_provider_metadata(metadata.clone(), id, secret).set_redirect_uri(redirect).set_auth_type(auth))
    }

    fn wire(&self) -> Result<&Wire, OidcError> {
        if let Some(wire) = self.0.wire.get() {
            return Ok(wire);
        }
        let wire = Wire::new(&self.0.config).map_err(|error| self.down(&error.to_string()))?;
        Ok(self.0.wire.get_or_init(|| wire))
    }

    /// Talks with the provider, within the bounds.
    async fn converse<T>(&self, talk: impl Future<Output = Result<T, OidcError>>) -> Result<T, OidcError> {
        let _turn = self.0.conversations.try_acquire().map_err(|_| OidcError::Busy)?;
        match timeout(self.0.config.patience * ANSWERS, talk).await {
            Ok(result) => result,
            Err(_) => Err(self.down("it took too long")),
        }
    }

    fn down(&self, why: &str) -> OidcError {
        OidcError::Down { name: self.name().to_owned(), why: why.to_owned() }
    }

    fn unproven(&self, why: &str) -> OidcError {
        OidcError::Unproven { name: self.name().to_owned(), why: why.to_owned() }
    }
}

impl fmt::Debug for Oidc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Oidc").field(&self.0.config.issuer).finish()
    }
}

/// Nothing is held over an await, so nobody can have left it half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
pub(crate) mod tests;
