//! Which entries of the audit log are asked for: the query of the API and of the page. Its filters are those of
//! [`model::audit::FILTERS`].

use std::{collections::BTreeSet, fmt};

use axum::http::StatusCode;
use model::audit::{FILTERS, Kind};
use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, Visitor},
};
use utoipa::{
    IntoParams,
    openapi::{
        ObjectBuilder, Schema, Type,
        path::{Parameter, ParameterBuilder, ParameterIn},
    },
};

use crate::{
    audit::{
        Filter,
        query::FilterTexts,
        time::{self, TimeError},
    },
    web::{
        problem::ProblemResponse,
        query::{AtMost, QUOTED},
    },
};

const FROM: &str =
    "Only those written at or after this: `2026-11-21`, `2026-11-21T13:05`, `2026-11-21T13:05:07Z`; always UTC.";
const TO: &str = "Only those written before this.";
const BEFORE: &str = "Only those before the entry of this number, as `next` told it; for JSON.";
const LIMIT: &str = "How many at most: 100 where nothing is said, 1,000 at most; for JSON.";
const FORMAT: &str = "`json`, or `csv` or `jsonl` for an export of all that fit, oldest first.";

/// A time as the description has it: a day since 1970, with the time of day or without; or nothing. It leaves out the 29th
/// of February, which is taken in the years that have it.
const TIME_PATTERN: &str = "^((19[7-9][0-9]|2[0-9]{3})-\
    ((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))\
    (T([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]Z)?)?)?$";

/// The number of an entry: those of a database go no further.
type EntryNumber = AtMost<{ i64::MAX as u64 }>;

/// A count of entries; no more are given than the API gives at once.
type Limit = AtMost<1_000_000>;

/// Which entries, and how they are written. An empty value filters nothing.
#[derive(Clone, Debug, Default)]
pub(in crate::web) struct AuditQuery {
    /// The earliest, as somebody wrote it.
    pub(super) from: String,
    /// The first that is too late, as somebody wrote it.
    pub(super) to: String,
    /// What columns have to say.
    pub(super) texts: FilterTexts,
    /// Only entries before the one of this number.
    pub(super) before: Option<i64>,
    /// How many at most.
    pub(super) limit: Option<usize>,
    /// How they are written.
    pub(super) format: String,
}

impl AuditQuery {
    /// The filter that it says.
    ///
    /// # Errors
    /// When a time or a kind can't be read.
    pub(super) fn filter(&self) -> Result<Filter, ProblemResponse> {
        let time = |name: &str, text: &str| match text {
            "" => Ok(None),
            text => time::parse(text).map(Some).map_err(|error: TimeError| {
                ProblemResponse::new(StatusCode::BAD_REQUEST, format!("`{name}` is no time: {error}"))
            }),
        };
        let kind = self.texts.get("kind");
        if !kind.is_empty() && Kind::from_word(kind).is_none() {
            let short: String = kind.chars().take(QUOTED).collect();
            let kinds = Kind::ALL.map(Kind::word).join(", ");
            return Err(ProblemResponse::new(StatusCode::BAD_REQUEST, format!("There is no kind of entry {short:?}"))
                .with_detail(format!("A kind is one of {kinds}.")));
        }
        Ok(Filter { from: time("from", &self.from)?, to: time("to", &self.to)?, texts: self.texts.clone() })
    }

    /// What filters, by the names in an address; without what is empty.
    pub(super) fn filters(&self) -> Vec<(&'static str, String)> {
        let times = [("from", &self.from), ("to", &self.to)];
        let texts = self.texts.iter().map(|(field, text)| (field.name, text));
        let given = times.into_iter().chain(texts).filter(|(_, text)| !text.is_empty());
        given.map(|(name, text)| (name, text.clone())).collect()
    }
}

impl<'de> Deserialize<'de> for AuditQuery {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(AuditQueryVisitor)
    }
}

struct AuditQueryVisitor;

impl<'de> Visitor<'de> for AuditQueryVisitor {
    type Value = AuditQuery;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the filters of the audit log")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<AuditQuery, A::Error> {
        let (mut query, mut seen) = (AuditQuery::default(), BTreeSet::new());
        while let Some(name) = map.next_key::<String>()? {
            let short = || name.chars().take(QUOTED).collect::<String>();
            if !seen.insert(name.clone()) {
                return Err(A::Error::custom(format_args!("duplicate field `{}`", short())));
            }
            match name.as_str() {
                "from" => query.from = map.next_value()?,
                "to" => query.to = map.next_value()?,
                "before" => query.before = i64::try_from(map.next_value::<EntryNumber>()?.0).ok(),
                "limit" => query.limit = usize::try_from(map.next_value::<Limit>()?.0).ok(),
                "format" => query.format = map.next_value()?,
                name if !query.texts.set(name, &map.next_value::<String>()?) => {
                    let known = ["from", "to"].into_iter().chain(FILTERS.iter().map(|field| field.name));
                    let known: Vec<String> =
                        known.chain(["before", "limit", "format"]).map(|name| format!("`{name}`")).collect();
                    let known = known.join(", ");
                    return Err(A::Error::custom(format_args!("unknown field `{}`, expected one of {known}", short())));
                }
                _ => {}
            }
        }
        Ok(query)
    }
}

impl IntoParams for AuditQuery {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let parameter = |name: &str, description: &str, schema: Schema| {
            let parameter = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Query);
            parameter.description(Some(description)).schema(Some(schema)).build()
        };
        let text = || ObjectBuilder::new().schema_type(Type::String);
        let words = |words: &[&str]| text().enum_values(Some([""].iter().chain(words).copied()));
        let filters = FILTERS.iter().map(|field| match field.name {
            "kind" => parameter(field.name, field.description, words(&Kind::ALL.map(Kind::word)).into()),
            _ => parameter(field.name, field.description, text().into()),
        });
        let times = [("from", FROM), ("to", TO)].map(|(name, description)| {
            let time = text().pattern(Some(TIME_PATTERN));
            parameter(name, description, time.into())
        });
        let others = [
            parameter("before", BEFORE, EntryNumber::schema().into()),
            parameter("limit", LIMIT, Limit::schema().into()),
            parameter("format", FORMAT, words(&["json", "csv", "jsonl"]).into()),
        ];
        times.into_iter().chain(filters).chain(others).collect()
    }
}
