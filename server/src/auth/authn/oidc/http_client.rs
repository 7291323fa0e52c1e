//! The HTTP client for requests to the provider: TLS is verified, no redirect is followed, time and size are bounded.

use std::time::Duration;

use futures::{FutureExt as _, future::BoxFuture};
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse, http, url::Url};
use reqwest::{Certificate, Client, redirect::Policy};

use super::config::{OidcConfig, is_allowed};

/// The largest response, in bytes: a provider's keys and its metadata take a few thousand.
const MAX_RESPONSE: usize = 512 * 1024;

/// Time for connecting alone: a provider that does not answer within it is not there.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// Sends requests to the provider.
#[derive(Clone, Debug)]
pub(super) struct HttpClient {
    client: Client,
    is_local: bool,
}

/// Why a request failed. No message holds a part of a request or a response.
#[derive(Debug, thiserror::Error)]
pub(super) enum HttpClientError {
    /// The client could not be built.
    #[error("certificates can't be used: {0}")]
    Setup(#[source] reqwest::Error),
    /// The address must not be asked.
    #[error("it names the address {0}, which is not encrypted")]
    Insecure(String),
    /// There is no connection, or it broke.
    #[error("{}", without_address(.0))]
    Http(#[source] reqwest::Error),
    /// The response is too long.
    #[error("its answer is longer than {MAX_RESPONSE} bytes")]
    TooLong,
    /// It is a redirect.
    #[error("it leads elsewhere, with status {0}")]
    Redirect(u16),
    /// It is not HTTP.
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

impl HttpClient {
    /// A client for that provider.
    pub(super) fn new(config: &OidcConfig) -> Result<Self, HttpClientError> {
        let is_local = config.is_local();
        let mut builder = Client::builder()
            .use_rustls_tls()
            .redirect(Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(config.patience)
            .user_agent(concat!("sluice/", env!("CARGO_PKG_VERSION")));
        if let Some(pem) = &config.ca {
            builder = builder.tls_built_in_root_certs(false);
            for authority in authorities(pem).map_err(HttpClientError::Setup)? {
                builder = builder.add_root_certificate(authority);
            }
        } else if is_local {
            builder = builder.tls_built_in_root_certs(false);
        }
        if is_local {
            builder = builder.no_proxy();
        }
        Ok(Self { client: builder.build().map_err(HttpClientError::Setup)?, is_local })
    }

    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpClientError> {
        let address = request.uri().to_string();
        if !Url::parse(&address).is_ok_and(|url| is_allowed(&url, self.is_local)) {
            return Err(HttpClientError::Insecure(address));
        }
        let request = request.try_into().map_err(HttpClientError::Http)?;
        let mut response = self.client.execute(request).await.map_err(HttpClientError::Http)?;
        if response.status().is_redirection() {
            return Err(HttpClientError::Redirect(response.status().as_u16()));
        }
        let mut out = http::Response::builder().status(response.status());
        for (name, value) in response.headers() {
            out = out.header(name, value);
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(HttpClientError::Http)? {
            if body.len() + chunk.len() > MAX_RESPONSE {
                return Err(HttpClientError::TooLong);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(out.body(body)?)
    }
}

impl<'c> AsyncHttpClient<'c> for HttpClient {
    type Error = HttpClientError;
    type Future = BoxFuture<'c, Result<HttpResponse, HttpClientError>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        self.send(request).boxed()
    }
}

/// An error of the library without the address, which its own text repeats with every part.
fn without_address(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "it took too long".to_owned();
    }
    let mut text = if error.is_connect() { "no connection" } else { "the connection broke" }.to_owned();
    // The innermost cause is what the system or TLS reported.
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    text.push_str(": ");
    text.push_str(&cause.to_string());
    text
}
