//! How the provider is asked: over verified TLS, no further than it was asked, for a bounded time and amount.

use std::time::Duration;

use futures::{FutureExt as _, future::BoxFuture};
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse, http, url::Url};
use reqwest::{Certificate, Client, redirect::Policy};

use super::config::{OidcConfig, may_ask};

/// The largest answer, in bytes: a provider's keys and its description take a few thousand.
const MAX_ANSWER: usize = 512 * 1024;

/// Time for the connection alone: what does not answer in it is not there.
const CONNECT: Duration = Duration::from_secs(3);

/// Asks the provider.
#[derive(Clone, Debug)]
pub(super) struct Wire {
    client: Client,
    is_local: bool,
}

/// Why the provider could not be asked. No message holds a part of a question or an answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum WireError {
    /// The means to ask could not be made.
    #[error("certificates can't be used: {0}")]
    Setup(#[source] reqwest::Error),
    /// An address that must not be asked.
    #[error("it names the address {0}, which is not encrypted")]
    Insecure(String),
    /// No connection, or it broke.
    #[error("{}", told(.0))]
    Http(#[source] reqwest::Error),
    /// Too much.
    #[error("its answer is longer than {MAX_ANSWER} bytes")]
    TooLong,
    /// It leads elsewhere.
    #[error("it leads elsewhere, with status {0}")]
    Redirect(u16),
    /// No HTTP.
    #[error("its answer can't be read")]
    Malformed(#[from] http::Error),
}

/// Reads the authorities of a PEM file.
///
/// # Errors
/// When it is no PEM.
pub fn authorities(pem: &[u8]) -> Result<Vec<Certificate>, reqwest::Error> {
    Certificate::from_pem_bundle(pem)
}

impl Wire {
    /// The means to ask that provider.
    pub(super) fn new(config: &OidcConfig) -> Result<Self, WireError> {
        let is_local = config.is_local();
        let mut builder = Client::builder()
            .use_rustls_tls()
            .redirect(Policy::none())
            .connect_timeout(CONNECT)
            .timeout(config.patience)
            .user_agent(concat!("sluice/", env!("CARGO_PKG_VERSION")));
        if let Some(pem) = &config.ca {
            builder = builder.tls_built_in_root_certs(false);
            for authority in authorities(pem).map_err(WireError::Setup)? {
                builder = builder.add_root_certificate(authority);
            }
        } else if is_local {
            builder = builder.tls_built_in_root_certs(false);
        }
        if is_local {
            builder = builder.no_proxy();
        }
        Ok(Self { client: builder.build().map_err(WireError::Setup)?, is_local })
    }

    async fn ask(&self, request: HttpRequest) -> Result<HttpResponse, WireError> {
        let address = request.uri().to_string();
        if !Url::parse(&address).is_ok_and(|url| may_ask(&url, self.is_local)) {
            return Err(WireError::Insecure(address));
        }
        let request = request.try_into().map_err(WireError::Http)?;
        let mut answer = self.client.execute(request).await.map_err(WireError::Http)?;
        if answer.status().is_redirection() {
            return Err(WireError::Redirect(answer.status().as_u16()));
        }
        let mut out = http::Response::builder().status(answer.status());
        for (name, value) in answer.headers() {
            out = out.header(name, value);
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(WireError::Http)? {
            if body.len() + chunk.len() > MAX_ANSWER {
                return Err(WireError::TooLong);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(out.body(body)?)
    }
}

impl<'c> AsyncHttpClient<'c> for Wire {
    type Error = WireError;
    type Future = BoxFuture<'c, Result<HttpResponse, WireError>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        self.ask(request).boxed()
    }
}

/// What went wrong, without the address, which the library repeats with all its parts.
fn told(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "it took too long".to_owned();
    }
    let mut text = if error.is_connect() { "no connection" } else { "the connection broke" }.to_owned();
    // The innermost cause is what the system or TLS said.
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    text.push_str(": ");
    text.push_str(&cause.to_string());
    text
}
