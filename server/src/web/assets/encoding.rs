//! Which form of a file a browser takes: `Accept-Encoding` (RFC 9110, 12.5.3).

use axum::http::HeaderValue;

use crate::web::quality;

/// A form that a file of the site may be there in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    /// Brotli, the smallest.
    Br,
    /// Gzip, for everybody else.
    Gzip,
    /// As it is.
    Identity,
}

impl Coding {
    /// All of them, the smallest first.
    pub(super) const ALL: [Self; 3] = [Self::Br, Self::Gzip, Self::Identity];

    /// What `scripts/site.mjs` puts after the name of a file in this form.
    pub(super) fn suffix(self) -> &'static str {
        match self {
            Self::Br => ".br",
            Self::Gzip => ".gz",
            Self::Identity => "",
        }
    }

    /// Its name in `Content-Encoding`, which the plain form does not have.
    pub(super) fn token(self) -> Option<&'static str> {
        match self {
            Self::Br => Some("br"),
            Self::Gzip => Some("gzip"),
            Self::Identity => None,
        }
    }
}

/// The forms that the headers allow, the one to prefer first. Of forms that are as welcome the smaller comes first.
pub(super) fn preferred<'h>(headers: impl IntoIterator<Item = &'h HeaderValue>) -> Vec<Coding> {
    let listed = quality::entries(headers);
    let weight = |name: &str| listed.iter().find(|(listed, _)| listed == name).map(|(_, weight)| *weight);
    let of = |coding: Coding| match coding.token() {
        Some(token) => weight(token).or(weight("*")).unwrap_or(0),
        // Always there and welcome unless refused; what compresses goes before it.
        None => weight("identity").or(weight("*").filter(|weight| *weight == 0)).unwrap_or(1),
    };
    let mut codings: Vec<Coding> = Coding::ALL.into_iter().filter(|coding| of(*coding) > 0).collect();
    codings.sort_by_key(|coding| std::cmp::Reverse(of(*coding)));
    codings
}
