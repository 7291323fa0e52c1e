//! The page that a log-in leads on to: one of ours, whatever was asked for.

use axum::http::Uri;

use super::middleware::authorize::{self, Audience};
use crate::auth::authz::policy::Permission;

/// Where a log-in leads when nobody says, or says something else than a page of ours.
const USUAL: &str = "/stats";

/// The longest address that is gone on to, in characters: the page's own filters are shorter.
const LONGEST: usize = 2_000;

/// The path and query of a page of ours. There is no way to make another: no host, no scheme, no path that a browser
/// could take for one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ReturnTo(String);

impl ReturnTo {
    /// Reads what came with a request.
    pub(super) fn parse(text: &str) -> Option<Self> {
        // Browsers take a backslash for a slash, and leave out tabs and line ends.
        let is_plain = |c: char| c.is_ascii_graphic() && c != '\\';
        if text.len() > LONGEST || !text.chars().all(is_plain) {
            return None;
        }
        let path = text.split(['?', '#']).next().unwrap_or_default();
        authorize::ROUTES.iter().find(|row| {
            row.kind == Audience::Browser && row.method == "GET" && row.path == path && row.need != Permission::Nothing
        })?;
        Some(Self(text.to_owned()))
    }

    /// The page of a request that was refused.
    pub(super) fn of(uri: &Uri) -> Self {
        uri.path_and_query().and_then(|path| Self::parse(path.as_str())).unwrap_or_default()
    }

    /// The log-in page that leads here.
    pub(super) fn log_in(&self) -> String {
        let mut out = "/login?next=".to_owned();
        for byte in self.0.bytes() {
            if byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_' | b'.') {
                out.push(char::from(byte));
            } else {
                out.push_str(&format!("%{byte:02X}"));
            }
        }
        out
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for ReturnTo {
    fn default() -> Self {
        Self(USUAL.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_in_leads_to_pages_of_ours_and_nowhere_else() {
        for good in ["/", "/stats", "/stats?q=web&show=problems&node=lb1", "/wall", "/events?kind=reload", "/stats#x"] {
            assert_eq!(ReturnTo::parse(good).expect(good).as_str(), good);
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
            assert_eq!(ReturnTo::parse(bad), None, "{bad}");
        }
        assert_eq!(ReturnTo::parse(&format!("/stats?q={}", "x".repeat(LONGEST))), None);
    }

    #[test]
    fn the_way_to_the_log_in_page_keeps_the_page() {
        let uri: Uri = "http://h/stats?q=a%26b&show=up".parse().expect("an address");
        assert_eq!(ReturnTo::of(&uri).log_in(), "/login?next=/stats%3Fq%3Da%2526b%26show%3Dup");
        let uri: Uri = "/stats//evil".parse().expect("an address");
        assert_eq!(ReturnTo::of(&uri), ReturnTo::default());
    }
}
