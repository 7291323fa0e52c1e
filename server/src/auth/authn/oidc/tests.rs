//! Log-ins at a provider that follows the rules of OpenID Connect, and breaks one where a test says so.

pub(crate) mod provider;

use std::time::Duration;

use provider::{Fault, Provider, SECRET};

use super::{metadata::FAILED, *};

/// Sluice as the client of a provider at `issuer`.
pub(crate) fn config(issuer: &str) -> OidcConfig {
    OidcConfig {
        issuer: issuer.to_owned(),
        client_id: provider::CLIENT.to_owned(),
        client_secret: Some(ClientSecret(SECRET.to_owned())),
        name: "Example ID".to_owned(),
        scopes: ["openid", "profile", "groups"].map(str::to_owned).to_vec(),
        user_claim: None,
        groups_claim: "groups".to_owned(),
        ca: None,
        redirect: provider::REDIRECT.to_owned(),
        patience: Duration::from_secs(2),
    }
}

const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

/// A provider with that fault, and Sluice's end of it.
async fn started(fault: Fault) -> (Provider, Oidc) {
    let provider = Provider::start(fault).await;
    let oidc = Oidc::new(config(&provider.issuer));
    (provider, oidc)
}

/// A log-in from its beginning to its end.
async fn log_in(provider: &Provider, oidc: &Oidc) -> Result<ConfirmedLogIn, OidcError> {
    let request = oidc.begin("/events", None, HERE).await?;
    let callback = provider.log_in(&request.address).await;
    oidc.finish(callback, Some(&request.browser), HERE).await
}

/// What a person is told whose log-in fails with that fault; it holds nothing secret.
async fn denial(fault: Fault) -> String {
    let (provider, oidc) = started(fault).await;
    let error = log_in(&provider, &oidc).await.expect_err("refused");
    let told = format!("{error} {error:?}");
    for secret in provider.secrets() {
        assert!(!told.contains(&secret), "{fault:?}: {told}");
    }
    error.to_string()
}

#[tokio::test]
async fn a_good_log_in_tells_name_and_groups_and_leads_on() {
    for fault in [
        Fault::None,
        Fault::Rs256,
        Fault::SecretInBody,
        Fault::GroupsByUserInfo,
        Fault::ExpiredAMomentAgo,
        Fault::ClockAhead,
    ] {
        let (provider, oidc) = started(fault).await;
        let finished = log_in(&provider, &oidc).await.unwrap_or_else(|error| panic!("{fault:?}: {error}"));
        let groups = ["staff", "ops"].map(str::to_owned).to_vec();
        let person = Person { name: "anna".to_owned(), subject: "248289761001".to_owned(), groups };
        assert_eq!(finished, ConfirmedLogIn { person, return_to: "/events".to_owned() }, "{fault:?}");
        // The description and the keys are read once.
        log_in(&provider, &oidc).await.expect("again");
        assert_eq!(provider.asked("/.well-known/openid-configuration"), 1);
    }
}

#[tokio::test]
async fn a_log_in_comes_back_once_and_to_the_browser_that_began_it() {
    let (provider, oidc) = started(Fault::None).await;
    let begin = || oidc.begin("/", None, HERE);
    let (anna, ben) = (begin().await.expect("begun"), begin().await.expect("begun"));
    assert_ne!(anna.browser, ben.browser);
    let callback = provider.log_in(&anna.address).await;
    let finish = |callback: &Callback, browser| oidc.finish(callback.clone(), browser, HERE);
    let wrong = Callback { state: "x".repeat(43), ..callback.clone() };
    assert_eq!(
        finish(&wrong, Some(&anna.browser)).await,
        Err(OidcError::UnknownState),
        "a state that nobody was given"
    );
    let none = Callback { state: String::new(), ..callback.clone() };
    assert_eq!(finish(&none, Some(&anna.browser)).await, Err(OidcError::UnknownState), "no state");
    finish(&callback, Some(&anna.browser)).await.expect("well");
    assert_eq!(finish(&callback, Some(&anna.browser)).await, Err(OidcError::UnknownState), "replayed");
    let callback = provider.log_in(&ben.address).await;
    assert_eq!(finish(&callback, Some(&anna.browser)).await, Err(OidcError::UnknownState), "another browser's");
    let callback = provider.log_in(&begin().await.expect("begun").address).await;
    assert_eq!(finish(&callback, None).await, Err(OidcError::UnknownState), "no cookie");
    assert_eq!(provider.asked("/token"), 1, "no code is spent for a stranger");
}

#[tokio::test]
async fn two_log_ins_in_one_browser_do_not_spoil_each_other() {
    let (provider, oidc) = started(Fault::None).await;
    let one = oidc.begin("/", Some("made up"), HERE).await.expect("begun");
    assert_ne!(one.browser, "made up", "only what Sluice made is kept");
    let two = oidc.begin("/wall", Some(&one.browser), HERE).await.expect("begun");
    assert_eq!(one.browser, two.browser);
    for request in [two, one] {
        let callback = provider.log_in(&request.address).await;
        oidc.finish(callback, Some(&request.browser), HERE).await.expect("well");
    }
}

#[tokio::test]
async fn what_proves_nothing_lets_nobody_in() {
    for (fault, told) in [
        (Fault::Nonce, "Invalid nonce"),
        (Fault::NoNonce, "Invalid nonce"),
        (Fault::Audience, "Invalid audiences"),
        (Fault::SecondAudience, "Invalid audiences"),
        (Fault::Issuer, "Invalid issuer"),
        (Fault::Expired, "Expired"),
        (Fault::AuthorizedParty, "it was issued to another program"),
        (Fault::NotYet, "it is not valid yet"),
        (Fault::IssuedNextYear, "it was issued in the future"),
        (Fault::AlgNone, "No signature found"),
        (Fault::HmacWithPublicKey, "Disallowed signature algorithm"),
        (Fault::HmacWithSecret, "Disallowed signature algorithm"),
        (Fault::ChangedAfterwards, "Crypto error"),
        (Fault::UnknownKey, "No matching key"),
        (Fault::NoIdToken, "there is no ID token"),
        (Fault::BrokenIdToken, "its answer to the code can't be read"),
        (Fault::OtherIss, "it comes from another provider"),
        (Fault::NoCode, "there is no code"),
    ] {
        let got = denial(fault).await;
        assert!(got.starts_with("What Example ID answered proves nothing") && got.contains(told), "{fault:?}: {got}");
    }
}

#[tokio::test]
async fn a_code_is_good_once_and_for_who_asked_for_it() {
    let (provider, oidc) = started(Fault::None).await;
    let anna = oidc.begin("/", None, HERE).await.expect("begun");
    let mallory = oidc.begin("/", None, HERE).await.expect("begun");
    let stolen = provider.log_in(&anna.address).await.code;
    // A code of another log-in fails by its verifier.
    let callback = Callback { code: stolen, ..provider.log_in(&mallory.address).await };
    let got = oidc.finish(callback, Some(&mallory.browser), HERE).await.expect_err("refused").to_string();
    assert!(got.contains("it refused the code (invalid_grant)"), "{got}");
    let spent = oidc.begin("/", None, HERE).await.expect("begun");
    let first = provider.log_in(&spent.address).await;
    let code = first.code.clone();
    oidc.finish(first, Some(&spent.browser), HERE).await.expect("well");
    let again = oidc.begin("/", None, HERE).await.expect("begun");
    let callback = Callback { code, ..provider.log_in(&again.address).await };
    let got = oidc.finish(callback, Some(&again.browser), HERE).await.expect_err("refused").to_string();
    assert!(got.contains("invalid_grant"), "{got}");
    let wrong = OidcConfig { client_secret: Some(ClientSecret("guess".to_owned())), ..config(&provider.issuer) };
    let got = log_in(&provider, &Oidc::new(wrong)).await.expect_err("refused").to_string();
    assert!(got.contains("invalid_client"), "{got}");
    let elsewhere = OidcConfig { redirect: "http://127.0.0.1:1/else".to_owned(), ..config(&provider.issuer) };
    let request = Oidc::new(elsewhere).begin("/", None, HERE).await.expect("begun");
    assert_eq!(provider.log_in(&request.address).await.error.as_deref(), Some("invalid redirect"));
}

#[tokio::test]
async fn keys_that_were_exchanged_are_read_again_but_not_at_will() {
    let (provider, oidc) = started(Fault::None).await;
    log_in(&provider, &oidc).await.expect("the first key");
    provider.exchange_key();
    log_in(&provider, &oidc).await.expect("the second key");
    assert_eq!(provider.asked("/jwks"), 2);
    provider.set(Fault::UnknownKey);
    for _ in 0..3 {
        log_in(&provider, &oidc).await.expect_err("refused");
    }
    assert_eq!(provider.asked("/jwks"), 2);
}

#[tokio::test]
async fn who_is_denied_is_told_so() {
    assert_eq!(denial(Fault::Denied).await, "Example ID did not log you in: access was denied");
    let odd = denial(Fault::OddError).await;
    assert!(odd.starts_with("Example ID did not log you in: <b>odd [31m") && odd.len() < 250, "{odd}");
}

#[tokio::test]
async fn a_provider_that_is_down_slow_or_floods_is_told_and_tried_again() {
    for (fault, told) in [
        (Fault::SlowDiscovery, "it took too long"),
        (Fault::HugeDiscovery, "its answer is longer than"),
        (Fault::EndlessDiscovery, "its answer is longer than"),
        (Fault::NoDiscovery, "its description has status 500"),
        (Fault::Redirects, "it leads elsewhere, with status 302"),
        (Fault::OtherIssuerInDiscovery, "Validation error"),
        (Fault::InsecureToken, "which is not encrypted"),
        (Fault::InsecureAuthorize, "an address for the log-in that is not encrypted"),
        (Fault::SlowToken, "it took too long"),
        (Fault::HugeToken, "its answer is longer than"),
        (Fault::HugeJwks, "its answer is longer than"),
    ] {
        let got = denial(fault).await;
        assert!(got.starts_with("Example ID can't be asked: ") && got.contains(told), "{fault:?}: {got}");
    }
    // For a moment a failure is reported again without asking the provider, then it is asked again.
    let (provider, oidc) = started(Fault::NoDiscovery).await;
    for _ in 0..5 {
        log_in(&provider, &oidc).await.expect_err("down");
    }
    assert_eq!(provider.asked("/.well-known/openid-configuration"), 1);
    provider.set(Fault::None);
    tokio::time::sleep(FAILED).await;
    log_in(&provider, &oidc).await.expect("up again");
    let nobody = Oidc::new(config(&Provider::nobody().await));
    let got = nobody.begin("/", None, HERE).await.err().expect("down").to_string();
    assert!(got.starts_with("Example ID can't be asked: no connection"), "{got}");
}

#[tokio::test]
async fn nothing_secret_is_shown_by_debug() {
    let (_provider, oidc) = started(Fault::None).await;
    let told = format!("{oidc:?} {:?}", oidc.0.config);
    assert!(!told.contains(SECRET), "{told}");
}

#[tokio::test]
async fn a_flood_of_false_codes_from_one_network_keeps_nobody_else_out() {
    let (provider, oidc) = started(Fault::None).await;
    let (provider, oidc) = (&provider, &oidc);
    let from = |n: u8| IpAddr::from([10, 0, n, 1]);
    let flood = futures::future::join_all((0..40).map(|_| async move {
        let mut told = Vec::new();
        for _ in 0..10 {
            let Ok(request) = oidc.begin("/", None, HERE).await else { continue };
            let callback = provider.log_in(&request.address).await;
            let false_code = Callback { code: Some("made up".to_owned()), ..callback };
            told.push(oidc.finish(false_code, Some(&request.browser), HERE).await.expect_err("false"));
        }
        told
    }));
    let honest = futures::future::join_all((0..20).map(|n| async move {
        let request = oidc.begin("/", None, from(n)).await?;
        let callback = provider.log_in(&request.address).await;
        oidc.finish(callback, Some(&request.browser), from(n)).await
    }));
    let (flood, honest) = tokio::join!(flood, honest);
    let failed: Vec<_> = honest.iter().filter_map(|log_in| log_in.as_ref().err()).collect();
    assert!(failed.is_empty(), "{failed:?}");
    let told: Vec<_> = flood.into_iter().flatten().collect();
    let asked = told.iter().filter(|error| matches!(error, OidcError::Unproven { .. })).count();
    let delayed = told.iter().filter(|error| matches!(error, OidcError::Wait(_))).count();
    // Twenty failures are free; with each further one the next has to wait for longer.
    assert!(asked <= 30 && delayed > 0, "{asked} asked, {delayed} delayed");
}
