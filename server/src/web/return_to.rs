//! The page that a log-in leads to: one of Sluice's own, whatever was asked for.

use axum::http::Uri;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::route::RouteTable;

/// Where a log-in leads when nothing is asked for, or something else than a page of Sluice's.
const DEFAULT: &str = "/stats";

/// The longest address that is accepted, in characters: the filters of a page are shorter.
const LONGEST: usize = 2_000;

/// The parameter of the log-in page that says that somebody has just logged in.
pub(super) const KEPT: &str = "kept";

/// What is encoded in the value of `next`: everything that ends the value, or that a browser could take for something else.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.');

/// The path and query of a page. No other value can be made: no host, no scheme, no path that a browser could take for one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ReturnTo(String);

impl ReturnTo {
    /// Reads an address that came with a request.
    pub(super) fn parse(text: &str, routes: &RouteTable) -> Option<Self> {
        // Browsers read a backslash as a slash, and leave out tabs and line ends.
        let is_plain = |c: char| c.is_ascii_graphic() && c != '\\';
        if text.len() > LONGEST || !text.chars().all(is_plain) {
            return None;
        }
        let path = text.split(['?', '#']).next().unwrap_or_default();
        routes.is_page(path).then(|| Self(text.to_owned()))
    }

    /// The page that the parameter `next` of a query names.
    pub(super) fn of_query(query: &[(String, String)], routes: &RouteTable) -> Self {
        let next = query.iter().find(|(name, _)| name == "next");
        next.and_then(|(_, next)| Self::parse(next, routes)).unwrap_or_default()
    }

    /// The page of a request that was denied.
    pub(super) fn of(uri: &Uri, routes: &RouteTable) -> Self {
        uri.path_and_query().and_then(|path| Self::parse(path.as_str(), routes)).unwrap_or_default()
    }

    /// The address of the log-in page that leads here.
    pub(super) fn log_in(&self) -> String {
        format!("/login?next={}", utf8_percent_encode(&self.0, ENCODED))
    }

    /// The address by which a log-in leads here: the log-in page, which finds out whether the browser kept its cookie.
    pub(super) fn after_log_in(&self) -> String {
        format!("{}&{KEPT}=", self.log_in())
    }

    /// The address that begins a log-in at the OpenID Connect provider, and leads here.
    pub(super) fn oidc_log_in(&self) -> String {
        format!("/login/oidc?next={}", utf8_percent_encode(&self.0, ENCODED))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for ReturnTo {
    fn default() -> Self {
        Self(DEFAULT.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::router;

    #[test]
    fn a_log_in_leads_to_every_page_that_needs_one() {
        let routes = router::table();
        for page in ["/", "/stats", "/events", "/wall", "/account", "/admin", "/audit"] {
            assert_eq!(ReturnTo::parse(page, &routes).expect(page).as_str(), page);
        }
    }

    #[test]
    fn a_log_in_leads_to_pages_of_ours_and_nowhere_else() {
        let routes = router::table();
        for good in ["/", "/stats", "/stats?q=web&show=problems&node=lb1", "/wall", "/events?kind=reload", "/stats#x"] {
            assert_eq!(ReturnTo::parse(good, &routes).expect(good).as_str(), good);
        }
        for bad in [
            "",
            "stats",
            "//evil.example",
            "///evil.example/stats",
            "/\\evil.example",
            "\\\\evil.example",
            "/stats\\",
            "/\t/evil.example",
            "/stats?\n",
            "http://evil.example/stats",
            "https:/stats",
            "javascript:alert(1)",
            "@evil.example/stats",
            "/stats/../../evil",
            "/stats/",
            "/stats@evil.example",
            ".evil.example",
            "/login",
            "/login?next=/login",
            "/logout",
            "/api/v1/stats",
            "/stats?q=\u{e9}",
            " /stats",
            "/%2F/evil.example",
            "/?x=//evil.example\\",
        ] {
            assert_eq!(ReturnTo::parse(bad, &routes), None, "{bad}");
        }
        assert_eq!(ReturnTo::parse(&format!("/stats?q={}", "x".repeat(LONGEST)), &routes), None);
    }

    #[test]
    fn the_way_to_the_log_in_page_keeps_the_page() {
        let routes = router::table();
        let uri: Uri = "http://h/stats?q=a%26b&show=up".parse().expect("an address");
        assert_eq!(ReturnTo::of(&uri, &routes).log_in(), "/login?next=/stats%3Fq%3Da%2526b%26show%3Dup");
        let uri: Uri = "/stats//evil".parse().expect("an address");
        assert_eq!(ReturnTo::of(&uri, &routes), ReturnTo::default());
    }
}
