//! The name and the groups that a verified ID token has for a person.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use openidconnect::{
    AdditionalClaims, Client as AnyClient, EmptyExtraTokenFields, EndpointMaybeSet, EndpointNotSet, EndpointSet,
    IdTokenClaims, IdTokenFields, StandardErrorResponse, StandardTokenResponse, UserInfoClaims,
    core::{
        CoreAuthDisplay, CoreAuthPrompt, CoreErrorResponseType, CoreGenderClaim, CoreJsonWebKey,
        CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreRevocableToken, CoreRevocationErrorResponse,
        CoreTokenIntrospectionResponse, CoreTokenType,
    },
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::config::OidcConfig;

/// The claims that may hold the name where the configuration does not say, in this order.
const NAMES: [&str; 3] = ["preferred_username", "email", "sub"];

/// Claims that are not standard ones.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct OtherClaims(BTreeMap<String, Value>);

impl AdditionalClaims for OtherClaims {}

/// The claims of a verified ID token.
pub(super) type IdClaims = IdTokenClaims<OtherClaims, CoreGenderClaim>;

/// The claims that the provider's UserInfo endpoint returns.
pub(super) type InfoClaims = UserInfoClaims<OtherClaims, CoreGenderClaim>;

type TokenFields = IdTokenFields<
    OtherClaims,
    EmptyExtraTokenFields,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;

/// Sluice as the provider's client.
pub(super) type Client = AnyClient<
    OtherClaims,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    StandardTokenResponse<TokenFields, CoreTokenType>,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// Who somebody is, as the provider says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Their name there, as it came.
    pub name: String,
    /// Their identifier there, which stays when the name changes.
    pub subject: String,
    /// Their groups.
    pub groups: Vec<String>,
}

/// Every claim of a token, by its name.
pub(super) fn all(claims: &IdClaims) -> Map<String, Value> {
    object(serde_json::to_value(claims))
}

/// Adds the claims that only the UserInfo endpoint has; those of the token stay as they are.
pub(super) fn add_missing(claims: &mut Map<String, Value>, info: &InfoClaims) {
    for (name, value) in object(serde_json::to_value(info)) {
        if claims.get(&name).is_none_or(Value::is_null) {
            claims.insert(name, value);
        }
    }
}

fn object(value: Result<Value, serde_json::Error>) -> Map<String, Value> {
    match value {
        Ok(Value::Object(map)) => map,
        _ => Map::new(),
    }
}

/// How far the provider's clock may be from ours, in seconds.
const LEEWAY: i64 = 60;

/// The time by which an ID token must not have expired.
pub(super) fn expiry_clock() -> DateTime<Utc> {
    Utc::now() - TimeDelta::seconds(LEEWAY)
}

/// Checks what the crate does not: for whom a verified token was issued, and from when on it is good. `now` is in Unix
/// seconds.
///
/// # Errors
/// With what is wrong.
pub(super) fn check(config: &OidcConfig, claims: &Map<String, Value>, now: i64) -> Result<(), String> {
    let is_ours = |party: &Value| party.as_str() == Some(config.client_id.as_str());
    if claims.get("azp").is_some_and(|party| !party.is_null() && !is_ours(party)) {
        return Err("it was issued to another program".to_owned());
    }
    for (name, told) in [("nbf", "it is not valid yet"), ("iat", "it was issued in the future")] {
        let is_later = |time: &Value| !time.is_null() && time.as_f64().is_none_or(|time| time > (now + LEEWAY) as f64);
        if claims.get(name).is_some_and(is_later) {
            return Err(format!("{told}: the clocks of the provider and of this machine differ, or it is forged"));
        }
    }
    Ok(())
}

/// Whether a claim that is needed is missing.
pub(super) fn lacks_any(config: &OidcConfig, claims: &Map<String, Value>) -> bool {
    let name = config.user_claim.as_deref().unwrap_or(NAMES[0]);
    let lacks = |name: &str| find(claims, name).is_none();
    lacks(name) || lacks(&config.groups_claim) || name == "email" && lacks("email_verified")
}

/// The person whom the claims are about; otherwise what is wrong with them.
pub(super) fn person(config: &OidcConfig, claims: &Map<String, Value>) -> Result<Person, String> {
    let text = |name: &str| find(claims, name).and_then(Value::as_str).filter(|text| !text.trim().is_empty());
    let verified = claims.get("email_verified").and_then(Value::as_bool);
    let name = match config.user_claim.as_deref() {
        // An address that nobody verified may be anybody's.
        Some("email") if verified != Some(true) => return Err("the address of mail is not verified".to_owned()),
        Some(claim) => text(claim).ok_or_else(|| format!("the claim `{claim}` is missing, or is no text"))?,
        None => NAMES
            .into_iter()
            .filter(|name| *name != "email" || verified == Some(true))
            .find_map(text)
            .ok_or("there is no name in it")?,
    };
    let groups = match find(claims, &config.groups_claim) {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::String(one)) => vec![one.clone()],
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Some(_) => return Err(format!("the claim `{}` is neither text nor a list", config.groups_claim)),
    };
    let subject = text("sub").unwrap_or_default().to_owned();
    Ok(Person { name: name.to_owned(), subject, groups })
}

/// A claim by its name; where there is none of that name, a dot leads to a member of a claim.
fn find<'c>(claims: &'c Map<String, Value>, name: &str) -> Option<&'c Value> {
    claims.get(name).or_else(|| {
        let (outer, inner) = name.split_once('.')?;
        find(claims.get(outer)?.as_object()?, inner)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::auth::authn::oidc::tests::config;

    fn expect(user: Option<&str>, groups: &str, claims: &Value, want: Result<(&str, &[&str]), &str>) {
        let config = OidcConfig {
            user_claim: user.map(str::to_owned),
            groups_claim: groups.to_owned(),
            ..config("https://id.example.org")
        };
        let got = person(&config, claims.as_object().expect("an object"));
        let got = got.as_ref().map(|p| (p.name.as_str(), p.groups.iter().map(String::as_str).collect::<Vec<_>>()));
        assert_eq!(got.map_err(String::as_str), want.map(|(name, groups)| (name, groups.to_vec())), "{claims}");
    }

    #[test]
    fn a_name_comes_from_the_claim_that_is_configured_or_the_first_usual_one() {
        let none: &[&str] = &[];
        let full = json!({"sub": "7", "preferred_username": "anna", "email": "a@b.c", "email_verified": true, "x": 1});
        expect(None, "groups", &full, Ok(("anna", none)));
        expect(Some("email"), "groups", &full, Ok(("a@b.c", none)));
        expect(Some("sub"), "groups", &full, Ok(("7", none)));
        expect(Some("x"), "groups", &full, Err("the claim `x` is missing, or is no text"));
        expect(None, "groups", &json!({"sub": "7", "email": "a@b.c", "email_verified": true}), Ok(("a@b.c", none)));
        expect(None, "groups", &json!({"sub": "7", "email": "a@b.c"}), Ok(("7", none)));
        expect(None, "groups", &json!({"sub": "7", "preferred_username": " "}), Ok(("7", none)));
        let unverified = json!({"sub": "7", "email": "a@b.c", "email_verified": false});
        expect(Some("email"), "groups", &unverified, Err("the address of mail is not verified"));
        expect(
            Some("email"),
            "groups",
            &json!({"sub": "7", "email": "a@b.c"}),
            Err("the address of mail is not verified"),
        );
    }

    #[test]
    fn a_token_of_another_program_or_another_time_is_none() {
        const NOW: i64 = 1_800_000_000;
        for (claims, is_good) in [
            (json!({}), true),
            (json!({"azp": "sluice", "iat": NOW, "nbf": NOW}), true),
            (json!({"azp": null, "nbf": null}), true),
            (json!({"azp": "another"}), false),
            (json!({"azp": ["sluice"]}), false),
            (json!({"nbf": NOW + 60}), true),
            (json!({"nbf": NOW + 61}), false),
            (json!({"nbf": "tomorrow"}), false),
            (json!({"iat": NOW + 60}), true),
            (json!({"iat": NOW + 365 * 86_400}), false),
        ] {
            let config = OidcConfig { client_id: "sluice".to_owned(), ..config("https://id.example.org") };
            let checked = check(&config, claims.as_object().expect("an object"), NOW);
            assert_eq!(checked.is_ok(), is_good, "{claims}: {checked:?}");
        }
    }

    #[test]
    fn groups_are_a_text_a_list_or_inside_another_claim() {
        for (claim, claims, groups) in [
            ("groups", json!({"sub": "7", "groups": ["a", "b", 3]}), &["a", "b"][..]),
            ("groups", json!({"sub": "7", "groups": "a, b"}), &["a, b"]),
            ("groups", json!({"sub": "7", "groups": null}), &[]),
            ("realm_access.roles", json!({"sub": "7", "realm_access": {"roles": ["a"]}}), &["a"]),
            ("https://x.org/groups", json!({"sub": "7", "https://x.org/groups": ["a"]}), &["a"]),
            ("realm_access.roles", json!({"sub": "7", "realm_access": "a"}), &[]),
        ] {
            expect(None, claim, &claims, Ok(("7", groups)));
        }
        expect(None, "groups", &json!({"sub": "7", "groups": 7}), Err("the claim `groups` is neither text nor a list"));
    }
}
