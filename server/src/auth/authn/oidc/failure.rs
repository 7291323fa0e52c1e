//! What a provider did wrong, in a few words for whoever logs in; nothing of its tokens is in them.

use std::error::Error;

use super::wire::WireError;

/// The longest word of the provider's that is repeated, in characters.
const QUOTED: usize = 160;

/// Why a provider could not be asked for its description.
pub(super) fn discovery_failure(error: &openidconnect::DiscoveryError<WireError>) -> String {
    use openidconnect::DiscoveryError as E;
    match error {
        E::Request(error) => quoted(&error.to_string()),
        E::Response(status, _, _) => format!("its description has status {status}, or is no JSON"),
        E::Parse(_) => "its description can't be read".to_owned(),
        other => quoted(&chain(other)),
    }
}

/// Why it did not tell more of somebody.
pub(super) fn info_failure(error: &openidconnect::UserInfoError<WireError>) -> String {
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

/// A stranger's words, short and without controls.
pub(super) fn quoted(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(QUOTED).collect()
}
