//! What went wrong with a provider, in a few words for whoever logs in. None of them repeats a part of a token.

use std::error::Error;

use model::text::is_hidden;

use super::http_client::HttpClientError;

/// The longest text of the provider's that is repeated, in characters.
const LONGEST_QUOTE: usize = 160;

/// Why the provider's metadata could not be read.
pub(super) fn discovery_failure(error: &openidconnect::DiscoveryError<HttpClientError>) -> String {
    use openidconnect::DiscoveryError as E;
    match error {
        E::Request(error) => quoted(&error.to_string()),
        E::Response(status, _, _) => format!("its description has status {status}, or is no JSON"),
        E::Parse(_) => "its description can't be read".to_owned(),
        other => quoted(&chain(other)),
    }
}

/// Why its UserInfo endpoint returned no claims.
pub(super) fn info_failure(error: &openidconnect::UserInfoError<HttpClientError>) -> String {
    match error {
        openidconnect::UserInfoError::Request(error) => quoted(&error.to_string()),
        openidconnect::UserInfoError::ClaimsVerification(error) => chain(error),
        _ => "its answer can't be read".to_owned(),
    }
}

/// An error with all its causes.
pub(super) fn chain(error: &dyn Error) -> String {
    let causes = std::iter::successors(Some(error), |error| (**error).source());
    quoted(&causes.map(ToString::to_string).collect::<Vec<_>>().join(": "))
}

/// The provider's words, short and without characters that could deceive a reader.
pub(super) fn quoted(text: &str) -> String {
    text.chars().map(|c| if is_hidden(c) { ' ' } else { c }).take(LONGEST_QUOTE).collect()
}
