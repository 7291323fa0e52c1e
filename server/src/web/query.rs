//! What the queries of several routes have in common: their filters by name, and values within bounds.

use axum::http::StatusCode;
use serde::{Deserialize, Deserializer, de};
use utoipa::{
    PartialSchema,
    openapi::{KnownFormat, ObjectBuilder, SchemaFormat, Type, schema::OneOfBuilder},
};

use super::problem::ProblemResponse;
use crate::{clock::unix_ms, hub::World};

/// Longest name out of a query that a denial repeats, in characters.
pub(super) const QUOTED: usize = 80;

/// A whole number up to a bound; a larger one is denied, and the bound is in the description.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct AtMost<const MOST: u64>(pub(super) u64);

impl<'de, const MOST: u64> Deserialize<'de> for AtMost<MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u64::deserialize(deserializer)? {
            value if value > MOST => Err(de::Error::custom(format_args!("{value} is too much, {MOST} is the most"))),
            value => Ok(Self(value)),
        }
    }
}

impl<const MOST: u64> AtMost<MOST> {
    /// Describes it.
    pub(super) fn schema() -> ObjectBuilder {
        let number = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0_u64)).maximum(Some(MOST));
        number.format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
    }
}

/// Describes a text that is one of `T`'s words, or empty: an empty filter filters nothing.
pub(super) fn or_empty<T: PartialSchema>() -> OneOfBuilder {
    let empty = ObjectBuilder::new().schema_type(Type::String).enum_values(Some([""]));
    OneOfBuilder::new().item(T::schema()).item(empty)
}

/// The places in the configuration of the nodes that are asked for.
///
/// # Errors
/// 404 when there is none of that name.
pub(super) fn selected(world: &World, node: Option<&str>) -> Result<Vec<usize>, ProblemResponse> {
    let nodes = world.fleet.nodes.iter().enumerate();
    let Some(name) = wanted(node) else { return Ok(nodes.map(|(place, _)| place).collect()) };
    let found: Vec<usize> = nodes.filter(|(_, node)| node.name == name).map(|(place, _)| place).collect();
    if found.is_empty() { Err(unknown("node", name)) } else { Ok(found) }
}

/// A filter's value; an empty one filters nothing.
pub(super) fn wanted(filter: Option<&str>) -> Option<&str> {
    filter.filter(|name| !name.is_empty())
}

/// Denies a name out of a query that nothing has.
pub(super) fn unknown(what: &str, name: &str) -> ProblemResponse {
    let short: String = name.chars().take(QUOTED).collect();
    ProblemResponse::new(StatusCode::NOT_FOUND, format!("There is no {what} {short:?}"))
}

/// How long ago a node answered last, in milliseconds; nothing when it never did.
pub(super) fn age_ms(polled: u64) -> Option<u64> {
    (polled > 0).then(|| unix_ms().saturating_sub(polled))
}

#[cfg(test)]
mod tests {
    use axum::extract::Query;

    use super::*;

    #[derive(Deserialize)]
    struct Asked {
        limit: Option<AtMost<10>>,
    }

    #[test]
    fn a_number_beyond_its_bound_is_refused() {
        let read = |query: &str| Query::<Asked>::try_from_uri(&format!("/?{query}").parse().expect("an address"));
        for (query, limit) in [("", None), ("limit=0", Some(AtMost(0))), ("limit=10", Some(AtMost(10)))] {
            assert_eq!(read(query).expect(query).limit, limit, "{query}");
        }
        for bad in ["limit=11", "limit=-1", "limit=", "limit=18446744073709551616"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
