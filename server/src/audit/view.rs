//! An entry as programs and people read it: in words, with its lists read.

use model::{
    audit::{COLUMNS, Content, StoredEntry, TargetNote},
    text::plain,
};
use serde::{Serialize, Serializer, ser::SerializeMap as _};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        Array, ObjectBuilder, Ref, RefOr,
        schema::{KnownFormat, Schema, SchemaFormat, Type},
    },
};

use super::time;

/// What the API says of what is no column of texts.
const ID: &str = "Counts up without a gap.";
const AT: &str = "When it was written, Unix milliseconds.";
const TIME: &str = "The same in words: `2026-11-21T13:05:07.250Z`.";
const OUTCOMES: &str = "What became of each target.";
const HASH: &str = "SHA-256 over this entry and the hash of the one before it, in hexadecimal digits.";

/// An entry as programs and people read it. As JSON it has every column by its name, and besides them the time in words and
/// the outcomes of targets as a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryView {
    /// As it is kept.
    pub stored: StoredEntry,
    /// When it was written, in words: `2026-11-21T13:05:07.250Z`.
    pub time: String,
    /// On what.
    pub targets: Vec<String>,
    /// What became of it, in a word; empty where `outcomes` tell it.
    pub outcome: String,
    /// What became of each target.
    pub outcomes: Vec<TargetNote>,
}

impl From<StoredEntry> for EntryView {
    fn from(stored: StoredEntry) -> Self {
        let entry = &stored.entry;
        // In JSON a character that could harm a reader stands as its number, and comes back when it is read.
        let targets = match serde_json::from_str::<Vec<String>>(&entry.targets) {
            Ok(targets) => targets.iter().map(|target| plain(target)).collect(),
            Err(_) if entry.targets.is_empty() => Vec::new(),
            Err(_) => vec![entry.targets.clone()],
        };
        let note = |TargetNote { target, outcome, before, after, message }| {
            let [target, outcome, before, after, message] =
                [target, outcome, before, after, message].map(|text| plain(&text));
            TargetNote { target, outcome, before, after, message }
        };
        let (outcome, outcomes) = match serde_json::from_str::<Vec<TargetNote>>(&entry.outcome) {
            Ok(notes) => (String::new(), notes.into_iter().map(note).collect()),
            Err(_) => (entry.outcome.clone(), Vec::new()),
        };
        Self { time: time::format(entry.at), targets, outcome, outcomes, stored }
    }
}

impl Serialize for EntryView {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let StoredEntry { id, entry, hash } = &self.stored;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", id)?;
        map.serialize_entry("at", &entry.at)?;
        map.serialize_entry("time", &self.time)?;
        for (column, text) in COLUMNS.iter().zip(entry.texts()) {
            match column.content {
                Content::Text => map.serialize_entry(column.name, text)?,
                Content::Names => map.serialize_entry(column.name, &self.targets)?,
                Content::Outcome => {
                    map.serialize_entry(column.name, &self.outcome)?;
                    map.serialize_entry("outcomes", &self.outcomes)?;
                }
            }
        }
        map.serialize_entry("hash", hash)?;
        map.end()
    }
}

impl PartialSchema for EntryView {
    fn schema() -> RefOr<Schema> {
        let of_type = |kind, description| ObjectBuilder::new().schema_type(kind).description(Some(description));
        let text = |description| of_type(Type::String, description);
        let number = |description| {
            of_type(Type::Integer, description).format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
        };
        let mut fields: Vec<(&str, RefOr<Schema>)> =
            vec![("id", number(ID).into()), ("at", number(AT).into()), ("time", text(TIME).into())];
        for column in &COLUMNS {
            let field = match column.content {
                Content::Text | Content::Outcome => text(column.description).into(),
                Content::Names => list(ObjectBuilder::new().schema_type(Type::String), column.description),
            };
            fields.push((column.name, field));
            if column.content == Content::Outcome {
                fields.push(("outcomes", list(Ref::from_schema_name(TargetNote::name()), OUTCOMES)));
            }
        }
        fields.push(("hash", text(HASH).into()));
        let object = ObjectBuilder::new().description(Some("An entry as programs and people read it."));
        let object =
            fields.into_iter().fold(object, |object, (name, field)| object.property(name, field).required(name));
        object.into()
    }
}

impl ToSchema for EntryView {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((TargetNote::name().into_owned(), TargetNote::schema()));
    }
}

fn list(items: impl Into<RefOr<Schema>>, description: &str) -> RefOr<Schema> {
    let mut array = Array::new(items);
    array.description = Some(description.to_owned());
    Schema::Array(array).into()
}
