//! Files as browsers ask for them.

use axum::body::to_bytes;

use super::*;

/// A site of three files, the first two in all forms.
fn site(path: &str) -> Option<File> {
    let (content, kind): (&'static [u8], _) = match path {
        "pkg/sluice.wasm" => (b"plain", "application/wasm"),
        "pkg/sluice.wasm.br" => (b"brotli", "application/octet-stream"),
        "pkg/sluice.wasm.gz" => (b"gzip", "application/gzip"),
        "pkg/sluice.js" => (b"script", "text/javascript"),
        "pkg/sluice.js.gz" => (b"zipped", "application/gzip"),
        "favicon.svg" => (b"<svg/>", "image/svg+xml"),
        _ => return None,
    };
    let mut hash = [0; 32];
    hash[..content.len()].copy_from_slice(content);
    Some(File { content: Cow::Borrowed(content), hash, kind: kind.to_owned() })
}

fn ask(path: &str, headers: &[(axum::http::HeaderName, &str)]) -> Response {
    let headers = headers.iter().map(|(name, value)| (name.clone(), value.parse().expect("a value"))).collect();
    answer(site, "1.2.3-abc", path, &headers)
}

async fn body(response: Response) -> Vec<u8> {
    to_bytes(response.into_body(), usize::MAX).await.expect("a body").to_vec()
}

#[tokio::test]
async fn the_smallest_form_that_is_taken_is_served() {
    for (accepted, expected) in [
        ("", "plain"),
        ("br", "brotli"),
        ("gzip, deflate, br, zstd", "brotli"),
        ("gzip", "gzip"),
        ("GZIP;q=1", "gzip"),
        ("br;q=0, gzip", "gzip"),
        ("br;q=0.2, gzip;q=0.8", "gzip"),
        ("br;q=0.001", "brotli"),
        ("br;q=0.5, identity;q=0.8", "plain"),
        ("*", "brotli"),
        ("br;q=0, *", "gzip"),
        ("*;q=0", "plain"),
        ("identity", "plain"),
        ("identity;q=0, gzip;q=0.5", "gzip"),
        ("deflate", "plain"),
        ("br;q=x", "plain"),
        (";;,,", "plain"),
    ] {
        let response = ask("/pkg/sluice.wasm", &[(ACCEPT_ENCODING, accepted)]);
        let coding = response.headers().get(CONTENT_ENCODING).map(|coding| coding.to_str().expect("ascii").to_owned());
        let form = match expected {
            "brotli" => Some("br"),
            "gzip" => Some("gzip"),
            _ => None,
        };
        assert_eq!(coding.as_deref(), form, "{accepted}");
        assert_eq!(response.headers()[CONTENT_TYPE], "application/wasm");
        assert_eq!(response.headers()[VARY], "accept-encoding");
        assert_eq!(response.headers()[CACHE_CONTROL], "no-cache");
        assert_eq!(body(response).await, expected.as_bytes(), "{accepted}");
    }
    assert_eq!(body(ask("/pkg/sluice.js", &[(ACCEPT_ENCODING, "br, gzip")])).await, b"zipped");
    assert_eq!(body(ask("/favicon.svg", &[(ACCEPT_ENCODING, "br, gzip")])).await, b"<svg/>");
}

#[tokio::test]
async fn what_the_browser_has_is_not_sent_again() {
    let first = ask("/pkg/sluice.wasm", &[(ACCEPT_ENCODING, "br")]);
    let tag = first.headers()[ETAG].to_str().expect("ascii").to_owned();
    let plain = ask("/pkg/sluice.wasm", &[]).headers()[ETAG].to_str().expect("ascii").to_owned();
    assert!(tag.starts_with('"') && tag != plain, "{tag} {plain}");
    for (known, expected) in [
        (tag.clone(), 304),
        (format!("W/{tag}"), 304),
        (format!("\"x\", {tag}"), 304),
        ("*".to_owned(), 304),
        (plain, 200),
        ("\"x\"".to_owned(), 200),
    ] {
        let response = ask("/pkg/sluice.wasm", &[(ACCEPT_ENCODING, "br"), (IF_NONE_MATCH, &known)]);
        assert_eq!(response.status().as_u16(), expected, "{known}");
        assert_eq!(response.headers()[ETAG], tag);
        assert_eq!(body(response).await.is_empty(), expected == 304);
    }
}

#[tokio::test]
async fn what_has_its_build_in_its_address_is_kept_and_nothing_of_another_build_is_served() {
    for (path, expected) in [
        ("/pkg/1.2.3-abc/sluice.wasm", Some("public, max-age=31536000, immutable")),
        ("/pkg/1.2.3-abc/sluice.js", Some("public, max-age=31536000, immutable")),
        ("/pkg/1.2.3-abc/nope.wasm", None),
        ("/pkg/1.2.3-abcd/sluice.wasm", None),
        ("/pkg/1.2.3-ab/sluice.wasm", None),
        ("/pkg/1.2.3/sluice.wasm", None),
        ("/pkg//sluice.wasm", None),
        ("/pkg/1.2.3-abc/../favicon.svg", None),
        ("/1.2.3-abc/favicon.svg", None),
    ] {
        let response = ask(path, &[]);
        assert_eq!(response.headers().get(CACHE_CONTROL).map(|kept| kept.to_str().expect("ascii")), expected, "{path}");
        assert_eq!(response.status() == StatusCode::OK, expected.is_some(), "{path}");
    }
    assert_eq!(body(ask("/pkg/1.2.3-abc/sluice.js", &[])).await, b"script");
    let other = ask("/pkg/0.0.1-fff/sluice.js", &[]);
    assert_eq!(other.headers()[CONTENT_TYPE], "text/javascript");
    assert_eq!(body(other).await, RELOAD.as_bytes());
}

#[test]
fn what_is_not_there_and_compressed_forms_by_name_are_not_found() {
    for path in ["/pkg/nope.js", "/pkg/sluice.wasm.br", "/pkg/sluice.js.gz", "/pkg/../favicon.svg", "/pkg/", "/"] {
        assert_eq!(ask(path, &[]).status(), StatusCode::NOT_FOUND, "{path}");
    }
}

#[test]
fn text_has_its_character_set_and_the_build_its_version() {
    assert_eq!(ask("/pkg/sluice.js", &[]).headers()[CONTENT_TYPE], "text/javascript; charset=utf-8");
    assert_eq!(ask("/favicon.svg", &[]).headers()[CONTENT_TYPE], "image/svg+xml");
    assert!(build().starts_with(env!("CARGO_PKG_VERSION")));
    assert_eq!(build(), build());
    assert_eq!(fnv(FNV_OFFSET, b"foobar"), 0x8594_4171_f739_67e8);
}
