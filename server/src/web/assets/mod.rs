//! The site inside the program: script, WebAssembly, style, icons.
//!
//! The address of the program in the browser names the build, `/pkg/BUILD/sluice.wasm`: a browser keeps what is there,
//! and a page never gets parts of another build than its own. Everything else has one name whatever its content, so that
//! a browser asks each time and is answered "not modified".

mod encoding;

use std::{borrow::Cow, sync::LazyLock};

use axum::{
    body::Body,
    extract::Request,
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY},
    },
    response::{IntoResponse, Response},
};
use encoding::Coding;
use rust_embed::RustEmbed;

use super::problem::ProblemResponse;

/// What `scripts/site.mjs` builds. `build.rs` sees to it that the folder exists, and that the program is built again when
/// something in it changes.
#[derive(RustEmbed)]
#[folder = "../target/site"]
struct Site;

/// How much of a hash names a build or a version of a file, in bytes: two of a trillion would have to meet.
const SHORT_HASH: usize = 8;

/// How long a browser keeps what has its build in its address.
const KEPT: &str = "public, max-age=31536000, immutable";

/// What has one name whatever its content is asked for each time.
const ASKED_FOR_EACH_TIME: &str = "no-cache";

/// How the address of the program's script ends, whatever its build.
const SCRIPT: &str = "/sluice.js";

/// What stands in for the script of another build: that page was drawn just before this program was started, and is
/// loaded anew. After a second, so that no page hurries in a circle while two builds serve one address.
const RELOAD: &str = "setTimeout(() => location.reload(), 1000);\nexport default () => new Promise(() => {});\n";

/// One file.
#[derive(Clone, Debug)]
struct File {
    content: Cow<'static, [u8]>,
    hash: [u8; 32],
    kind: String,
}

/// Finds a file by its path in the site.
type Lookup = fn(&str) -> Option<File>;

fn embedded(path: &str) -> Option<File> {
    let file = Site::get(path)?;
    Some(File { hash: file.metadata.sha256_hash(), kind: file.metadata.mimetype().to_owned(), content: file.data })
}

/// The paths of the site: all below `/pkg`, and each file beside it.
pub(super) fn paths() -> impl Iterator<Item = String> {
    let is_beside = |path: &str| !path.starts_with("pkg/") && is_original(path) && !path.contains(['{', '}']);
    let beside = Site::iter().filter(move |path| is_beside(path)).map(|path| format!("/{path}"));
    std::iter::once("/pkg/{*path}".to_owned()).chain(beside)
}

static BUILD: LazyLock<String> = LazyLock::new(named);

/// Names the program and the site inside it: its version, and a hash over the names and contents of all files.
#[must_use]
pub fn build() -> &'static str {
    &BUILD
}

/// Where the program in the browser is, for whoever draws a page.
pub(super) fn folder() -> String {
    format!("pkg/{}", build())
}

fn named() -> String {
    let mut paths: Vec<_> = Site::iter().filter(|path| is_original(path)).collect();
    paths.sort();
    let mut hash = FNV_OFFSET;
    for path in paths {
        let content = embedded(&path).map(|file| file.hash).unwrap_or_default();
        hash = fnv(fnv(hash, path.as_bytes()), &content);
    }
    format!("{}-{hash:016x}", env!("CARGO_PKG_VERSION"))
}

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0000_0100_0000_01b3;

/// FNV-1a: the same on every machine and compiler, and nobody gains by a collision.
fn fnv(hash: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(hash, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(FNV_PRIME))
}

/// Whether a path names a file itself rather than a compressed form of it.
fn is_original(path: &str) -> bool {
    Coding::ALL.iter().all(|coding| coding.suffix().is_empty() || !path.ends_with(coding.suffix()))
}

/// Answers with the file that a request's path names.
pub(super) async fn serve(request: Request) -> Response {
    answer(embedded, build(), request.uri().path(), request.headers())
}

/// The answer for a path, in the best form that the browser takes.
fn answer(lookup: Lookup, build: &str, path: &str, headers: &HeaderMap) -> Response {
    let path = path.trim_start_matches('/');
    let own = path.strip_prefix("pkg/").and_then(|rest| rest.strip_prefix(build)?.strip_prefix('/'));
    let (name, kept) = match own {
        Some(file) => (Cow::from(format!("pkg/{file}")), KEPT),
        None => (Cow::from(path), ASKED_FOR_EACH_TIME),
    };
    let Some(original) = Some(&name).filter(|name| is_original(name)).and_then(|name| lookup(name)) else {
        if own.is_none() && path.ends_with(SCRIPT) {
            return ([(CONTENT_TYPE, "text/javascript")], RELOAD).into_response();
        }
        return ProblemResponse::new(StatusCode::NOT_FOUND, "There is no such file in the site").into_response();
    };
    let kind = content_type(&original.kind);
    let forms = encoding::preferred(headers.get_all(ACCEPT_ENCODING));
    let compressed = |coding: &Coding| Some((*coding, lookup(&format!("{name}{}", coding.suffix()))?));
    let (coding, file) = forms.iter().find_map(compressed).unwrap_or((Coding::Identity, original));
    let tag = tag(&file.hash);
    let is_known = headers.get_all(IF_NONE_MATCH).iter().any(|known| names(known, &tag));
    let mut response = if is_known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let body = match file.content {
            Cow::Borrowed(content) => Body::from(content),
            Cow::Owned(content) => Body::from(content),
        };
        ([(CONTENT_TYPE, kind)], body).into_response()
    };
    let out = response.headers_mut();
    out.insert(CACHE_CONTROL, HeaderValue::from_static(kept));
    out.insert(VARY, HeaderValue::from_static("accept-encoding"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        out.insert(ETAG, tag);
    }
    if let (Some(token), false) = (coding.token(), is_known) {
        out.insert(CONTENT_ENCODING, HeaderValue::from_static(token));
    }
    response
}

/// The strong tag of one form of a file.
fn tag(hash: &[u8; 32]) -> String {
    let hex: String = hash[..SHORT_HASH].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("\"{hex}\"")
}

/// Whether an `If-None-Match` names the tag. It is compared weakly (RFC 9110, 13.1.2).
fn names(known: &HeaderValue, tag: &str) -> bool {
    let known = known.to_str().unwrap_or_default();
    known.split(',').map(str::trim).any(|one| one == "*" || one.strip_prefix("W/").unwrap_or(one) == tag)
}

/// The type with its character set, where it is text: every file of the site is UTF-8.
fn content_type(kind: &str) -> HeaderValue {
    let full = if kind.starts_with("text/") { format!("{kind}; charset=utf-8") } else { kind.to_owned() };
    HeaderValue::from_str(&full).unwrap_or(HeaderValue::from_static("application/octet-stream"))
}

#[cfg(test)]
mod tests;
