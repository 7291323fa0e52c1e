//! Headers as browsers, programs and strangers send them.

use super::*;

/// As on a loopback address.
const LOCAL: RequestContext<'static> = RequestContext {
    is_exposed: false,
    is_local: true,
    is_secure: false,
    url: None,
    is_behind_proxy: false,
    is_certified: false,
};

fn url() -> PublicUrl {
    "https://sluice.example.org".parse().expect("an address")
}

/// `request` is a method, a path, and headers: `POST /x host=localhost origin=null`.
fn check_on(context: RequestContext<'_>, request: &str) -> u16 {
    let mut words = request.split(' ');
    let method = words.next().expect("a method").parse().expect("a method");
    let uri = words.next().expect("a path").parse().expect("a path");
    let mut headers = HeaderMap::new();
    for (name, value) in words.map(|word| word.split_once('=').expect("a header")) {
        headers.append(name.parse::<HeaderName>().expect("a name"), value.parse().expect("a value"));
    }
    match check(&method, &uri, &headers, context) {
        Ok(()) => 200,
        Err(problem) => problem.status().as_u16(),
    }
}

fn check_line(request: &str) -> u16 {
    check_on(LOCAL, request)
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

#[test]
fn one_of_our_names_is_asked_and_the_same_one_everywhere() {
    let url = url();
    let behind = RequestContext { is_behind_proxy: true, is_secure: true, is_local: false, ..LOCAL };
    let (named, certified) =
        (RequestContext { url: Some(&url), ..LOCAL }, RequestContext { is_certified: true, ..LOCAL });
    let behind_named = RequestContext { url: Some(&url), ..behind };
    // What is answered on a loopback address, with `url`, with a certificate for the host, behind a proxy, and that with `url`.
    for (request, expected) in [
        ("GET / host=sluice.example.org", [421, 200, 200, 200, 200]),
        ("GET / host=Sluice.Example.org:8443", [421, 200, 200, 200, 200]),
        ("GET / host=localhost:8080", [200, 200, 200, 200, 421]),
        ("GET / host=10.0.0.1:8080", [421, 421, 200, 200, 421]),
        ("GET / host=evil.example", [421, 421, 200, 200, 421]),
        ("GET / host=sluice.example.org.evil.example", [421, 421, 200, 200, 421]),
        // HTTP/2 names the host in the address, and may repeat it.
        ("GET https://sluice.example.org/", [421, 200, 200, 200, 200]),
        ("GET https://sluice.example.org/ host=Sluice.Example.org", [421, 200, 200, 200, 200]),
        ("GET https://sluice.example.org/ host=evil.example", [421; 5]),
        ("GET /", [421; 5]),
        ("GET / host=", [421; 5]),
        ("GET / host=x@sluice.example.org", [421; 5]),
        ("GET / host=sluice.example.org/x", [421; 5]),
        ("GET / host=a host=b", [400; 5]),
        // A load balancer asks by address, and so may a Prometheus that has a token.
        ("GET /healthz host=10.0.0.1:8080", [200; 5]),
        ("GET /metrics host=10.0.0.1 authorization=Bearer_x", [421, 421, 200, 200, 421]),
        (
            "POST /login host=evil.example origin=http://evil.example sec-fetch-site=same-origin",
            [421, 421, 200, 403, 421],
        ),
    ] {
        let contexts = [LOCAL, named, certified, behind, behind_named];
        assert_eq!(contexts.map(|context| check_on(context, request)), expected, "{request}");
    }
    assert_eq!(check_line("GET https://localhost:8443/"), 200);
    assert_eq!(check_line("GET https://localhost:8443/ host=evil.example"), 421);
    let mut headers = HeaderMap::new();
    headers.insert("host", "10.0.0.1".parse().expect("a value"));
    for (value, expected) in [("Bearer slt_x", true), ("Basic x", false), ("Bearer", false)] {
        headers.insert("authorization", value.parse().expect("a value"));
        let answered = check(&Method::GET, &Uri::from_static("/metrics"), &headers, LOCAL).is_ok();
        assert_eq!(answered, expected, "{value}");
    }
}

#[test]
fn nobody_comes_from_elsewhere_without_encryption_where_everybody_is_to_use_it() {
    let url = url();
    let plain = RequestContext { url: Some(&url), is_behind_proxy: true, is_local: false, ..LOCAL };
    for (context, expected) in [
        (plain, 403),
        (RequestContext { is_secure: true, ..plain }, 200),
        (RequestContext { is_local: true, ..plain }, 200),
        (RequestContext { url: None, ..plain }, 200),
    ] {
        for request in ["GET /login", "GET /stats", "GET /api/v1/nodes", "GET /ws"] {
            assert_eq!(check_on(context, &format!("{request} host=sluice.example.org")), expected, "{request}");
        }
        assert_eq!(check_on(context, "GET /healthz host=10.0.0.1"), 200);
    }
}

#[test]
fn our_own_page_is_known_by_scheme_and_name_or_by_the_configured_address() {
    let url = url();
    let tls = RequestContext { is_certified: true, is_secure: true, ..LOCAL };
    let clear = RequestContext { is_behind_proxy: true, ..LOCAL };
    let named = RequestContext { url: Some(&url), ..clear };
    for (context, request, expected) in [
        (tls, "host=sluice.example.org origin=https://sluice.example.org", 200),
        (tls, "host=sluice.example.org:443 origin=https://sluice.example.org", 200),
        (tls, "host=sluice.example.org origin=https://SLUICE.example.org", 200),
        (tls, "host=sluice.example.org:8443 origin=https://sluice.example.org:8443", 200),
        (tls, "host=sluice.example.org:8443 origin=https://sluice.example.org", 403),
        (tls, "host=sluice.example.org origin=http://sluice.example.org", 403),
        (tls, "host=sluice.example.org origin=https://evil.example", 403),
        (tls, "host=sluice.example.org origin=https://sluice.example.org.evil.example", 403),
        (tls, "host=sluice.example.org origin=null", 403),
        (tls, "host=sluice.example.org sec-fetch-site=same-site", 403),
        (clear, "host=sluice.example.org origin=http://sluice.example.org", 200),
        (clear, "host=sluice.example.org:80 origin=http://sluice.example.org", 200),
        (clear, "host=sluice.example.org origin=https://sluice.example.org", 403),
        // A reverse proxy that does not pass the scheme on, and one that does not pass the name on.
        (named, "host=sluice.example.org origin=https://sluice.example.org", 200),
        (named, "host=sluice.example.org origin=https://evil.example", 403),
        (named, "host=127.0.0.1:8080 origin=https://sluice.example.org", 421),
    ] {
        for what in ["POST /api/v1/actions", "GET /ws", "POST /stats"] {
            assert_eq!(check_on(context, &format!("{what} {request}")), expected, "{what} {request}");
        }
    }
    let h2 = "POST https://sluice.example.org/stats origin=https://sluice.example.org";
    assert_eq!(check_on(tls, h2), 200);
    assert_eq!(check_on(tls, "POST https://sluice.example.org/stats origin=https://evil.example"), 403);
}

#[test]
fn nothing_is_answered_in_clear_text_to_other_machines() {
    let exposed = RequestContext { is_exposed: true, is_behind_proxy: true, ..LOCAL };
    for request in ["GET / host=x", "GET /healthz host=x", "POST /api/v1/actions host=x", "GET /ws host=x"] {
        assert_eq!(check_on(exposed, request), 403, "{request}");
    }
    let proxies = Some(vec!["10.0.0.0/8".parse().expect("a network")]);
    let config = crate::config::ListenerConfig { proxies, url: None };
    let listener_settings = ListenerSettings { config, ..ListenerSettings::default() };
    for (connection, is_secure, is_exposed) in [
        ("127.0.0.1", false, false),
        ("::1", false, false),
        ("10.9.9.9", false, false),
        ("192.0.2.1", false, true),
        ("192.0.2.1", true, false),
    ] {
        let connection = connection.parse().expect("an address");
        let mut request = Request::new(axum::body::Body::empty());
        request.extensions_mut().insert(Peer { address: connection, connection, is_secure, ..Peer::LOOPBACK });
        let context = RequestContext::of(&listener_settings, &request);
        assert_eq!(context.is_exposed, is_exposed, "{connection}");
    }
}
