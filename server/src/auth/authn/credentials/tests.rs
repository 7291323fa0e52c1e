//! Headers as they come, and with some damage.

use axum::http::HeaderValue;
use bolero::check;

use super::*;
use testkit::damage::{AT_MOST, Damage, INPUTS};

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let mut out = HeaderMap::new();
    for (name, value) in pairs {
        out.append(*name, value.parse().expect("a value"));
    }
    out
}

#[test]
fn one_cookie_of_a_name_counts_and_two_do_not() {
    let secret = Secret::random().expect("random bytes");
    let text = secret.reveal();
    let found = |lines: &[String]| {
        let pairs: Vec<_> = lines.iter().map(|line| ("cookie", line.as_str())).collect();
        super::secret(&headers(&pairs), SESSION_COOKIE)
    };
    assert_eq!(found(&[format!("__Host-sluice={text}")]), Some(secret));
    assert_eq!(found(&[format!("theme=dark; __Host-sluice={text}; x=\"y\"")]), Some(secret));
    assert_eq!(
        found(&["theme=dark".to_owned(), format!("__Host-sluice={text}")]),
        Some(secret),
        "as HTTP/2 sends them"
    );
    for bad in [
        vec![],
        vec![format!("__Host-sluice={text}; __Host-sluice={text}")],
        vec![format!("__Host-sluice={text}"), "__Host-sluice=".to_owned()],
        vec![format!("sluice={text}")],
        vec![format!("__host-sluice={text}")],
        vec![format!("__Host-sluice-device={text}")],
        vec![format!("__Host-sluice=\"{text}\"")],
        vec![format!("__Host-sluice={text}x")],
        vec!["__Host-sluice".to_owned()],
    ] {
        assert_eq!(found(&bad), None, "{bad:?}");
    }
}

#[test]
fn a_bearer_s_token_counts_and_anything_like_it_makes_nobody() {
    assert_eq!(bearer(&headers(&[])), Bearer::Absent);
    assert_eq!(bearer(&headers(&[("authorization", "Basic YTpi")])), Bearer::Absent);
    assert_eq!(bearer(&headers(&[("authorization", "Bearer slt_a-b")])), Bearer::Token("slt_a-b"));
    assert_eq!(bearer(&headers(&[("authorization", "bearer  slt_a ")])), Bearer::Token("slt_a"));
    let long = format!("Bearer {}", "x".repeat(LONGEST_TOKEN + 1));
    for bad in ["Bearer", "Bearer ", "Bearer a b", "Bearer a,b", "Bearer \"a\"", &long] {
        assert_eq!(bearer(&headers(&[("authorization", bad)])), Bearer::Malformed, "{bad}");
    }
    let two = headers(&[("authorization", "Bearer a"), ("authorization", "Basic b")]);
    assert_eq!(bearer(&two), Bearer::Malformed);
    assert_eq!(format!("{:?}", Bearer::Token("slt_a")), "Token(..)");
}

#[test]
fn fuzz_damaged_headers() {
    let text = Secret::parse(&"A".repeat(43)).expect("a secret").reveal();
    let cookies =
        [format!("a=b; __Host-sluice={text}; c=d"), format!("__Host-sluice={text};__Host-sluice-device={text}")];
    let seeds: Vec<&[u8]> = cookies.iter().map(String::as_bytes).chain([b"Bearer slt_AbC-_9".as_slice()]).collect();
    check!().with_iterations(INPUTS).with_test_time(AT_MOST).with_type::<Damage>().for_each(|damage| {
        let Ok(value) = HeaderValue::from_bytes(&damage.to(&seeds)) else { return };
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, value.clone());
        headers.append(AUTHORIZATION, value.clone());
        for name in [SESSION_COOKIE, DEVICE_COOKIE] {
            if let Some(found) = secret(&headers, name) {
                // What was read is in the header, once, in the one form that it can have.
                let pair = format!("{name}={}", found.reveal());
                assert!(String::from_utf8_lossy(value.as_bytes()).contains(&pair));
            }
        }
        if let Bearer::Token(token) = bearer(&headers) {
            assert!(!token.is_empty() && token.len() <= LONGEST_TOKEN && !token.contains([' ', '"', ',']));
        }
        headers.append(COOKIE, value);
        assert!(secret(&headers, SESSION_COOKIE).is_none() && bearer(&headers) != Bearer::Token(""));
    });
}
