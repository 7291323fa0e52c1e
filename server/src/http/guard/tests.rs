//! Headers as browsers, programs and strangers send them.

use super::*;

/// `request` is a method, a path, and headers: `POST /x host=localhost origin=null`.
fn check_line(request: &str) -> u16 {
    let mut words = request.split(' ');
    let method = words.next().expect("a method").parse().expect("a method");
    let uri = words.next().expect("a path").parse().expect("a path");
    let mut headers = HeaderMap::new();
    for (name, value) in words.map(|word| word.split_once('=').expect("a header")) {
        headers.append(name.parse::<HeaderName>().expect("a name"), value.parse().expect("a value"));
    }
    match check(&method, &uri, &headers) {
        Ok(()) => 200,
        Err(problem) => problem.status().as_u16(),
    }
}

#[test]
fn only_this_machine_s_own_names_are_answered() {
    for (host, expected) in [
        ("localhost", 200),
        ("LocalHost:8080", 200),
        ("127.0.0.1:8080", 200),
        ("127.9.9.9", 200),
        ("[::1]:8080", 200),
        ("evil.example", 421),
        ("evil.example:8080", 421),
        ("localhost.evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("localhost.", 421),
        ("x@localhost", 421),
        ("localhost/x", 421),
        ("localhost:8080:1", 421),
        ("10.0.0.1:8080", 421),
        ("0.0.0.0", 421),
        ("[::ffff:127.0.0.1]", 421),
        ("2130706433", 421),
        ("", 421),
    ] {
        for path in ["/", "/api/v1/nodes", "/ws", "/metrics", "/pkg/sluice.js"] {
            assert_eq!(check_line(&format!("GET {path} host={host}")), expected, "{host} {path}");
        }
    }
    assert_eq!(check_line("GET /"), 421);
    assert_eq!(check_line("GET / host=localhost host=localhost"), 400);
    assert_eq!(check_line("GET http://evil.example/ host=localhost"), 421);
    assert_eq!(check_line("GET http://localhost:1/ host=localhost:1"), 200);
}

#[test]
fn what_acts_or_streams_comes_from_our_own_page_or_from_a_program() {
    // Headers, then what the API, the stream and the form answer.
    for (headers, api, stream, form) in [
        ("", 200, 200, 403),
        ("origin=http://localhost:8080", 200, 200, 200),
        ("origin=HTTP://LOCALHOST:8080", 200, 200, 200),
        ("origin=http://localhost:8080 sec-fetch-site=same-origin", 200, 200, 200),
        ("origin=http://localhost", 403, 403, 403),
        ("origin=http://localhost:3000", 403, 403, 403),
        ("origin=http://127.0.0.1:8080", 403, 403, 403),
        ("origin=https://localhost:8080", 403, 403, 403),
        ("origin=http://evil.example", 403, 403, 403),
        ("origin=http://evil.example sec-fetch-site=same-origin", 403, 403, 403),
        ("origin=null", 403, 403, 403),
        ("origin=null sec-fetch-site=same-origin", 200, 200, 200),
        ("origin=null sec-fetch-site=same-site", 403, 403, 403),
        ("origin=null sec-fetch-site=cross-site", 403, 403, 403),
        ("origin=null sec-fetch-site=none", 403, 403, 403),
        ("origin=http://localhost:8080 origin=http://evil.example", 400, 400, 400),
        ("sec-fetch-site=same-origin", 200, 200, 200),
        ("sec-fetch-site=none", 200, 200, 200),
        ("sec-fetch-site=same-site", 403, 403, 403),
        ("sec-fetch-site=cross-site", 403, 403, 403),
        ("sec-fetch-site=new-word", 403, 403, 403),
    ] {
        for (request, expected) in [
            ("POST /api/v1/actions", api),
            ("DELETE /api/v1/actions", api),
            ("GET /ws", stream),
            ("POST /stats", form),
            ("POST /", form),
            ("POST /apix", form),
        ] {
            let line = format!("{request} host=localhost:8080 {headers}");
            assert_eq!(check_line(line.trim_end()), expected, "{line}");
        }
    }
}

#[test]
fn what_only_reads_may_be_opened_from_anywhere() {
    for path in ["/", "/stats", "/api/v1/stats", "/healthz"] {
        let line = format!("GET {path} host=localhost origin=http://evil.example sec-fetch-site=cross-site");
        assert_eq!(check_line(&line), 200);
    }
}
