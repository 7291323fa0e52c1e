//! Frames as JSON, for programs: rows are objects with HAProxy's column names, and a delta names the columns that changed.

use std::collections::BTreeMap;

use model::{
    change::Change,
    col::{Col, Text},
    event::Event,
    frame::{Frame, Seq},
    row::Row,
    topic::{Delta, Section},
};
use serde_json::{Map, Value, json};

use super::state::HubState;

/// A frame as JSON. `state` is the state that the frame leads to: a delta gives its columns with their new values.
pub(super) fn frame(frame: &Frame, state: &HubState) -> Value {
    match frame {
        Frame::Hello { build } => json!({ "type": "hello", "build": build }),
        Frame::Fleet(seq, fleet) => json!({ "type": "snapshot", "topic": "fleet", "seq": seq, "fleet": fleet }),
        Frame::FleetDelta(seq, delta) => json!({ "type": "delta", "topic": "fleet", "seq": seq, "fleet": delta }),
        Frame::Events(seq, events) => json!({ "type": "snapshot", "topic": "events", "seq": seq, "events": events }),
        Frame::EventsNew(seq, events) => json!({ "type": "delta", "topic": "events", "seq": seq, "events": events }),
        Frame::AccountEvents(seq, events) => account_events(*seq, events),
        Frame::Proxy(_, seq, id, sections) => {
            let nodes: Vec<_> = sections.0.iter().map(section).collect();
            json!({ "type": "snapshot", "topic": id, "seq": seq, "nodes": nodes })
        }
        Frame::ProxyDelta(handle, seq, deltas) => {
            let part = |d: &Delta| delta(d, state.rows(*handle, &d.node).unwrap_or_default());
            let nodes: Vec<_> =
                (1..).zip(deltas).filter(|(next, d)| still_counts(d, &deltas[*next..])).map(|(_, d)| part(d)).collect();
            json!({ "type": "delta", "topic": state.topics().get(*handle).map(|topic| &topic.id), "seq": seq, "nodes": nodes })
        }
    }
}

/// The whole of `accounts`.
pub(super) fn account_events(seq: Seq, events: &[Event]) -> Value {
    json!({ "type": "snapshot", "topic": "accounts", "seq": seq, "events": events })
}

/// Whether a change still counts after those that follow it in the frame. Once a section's rows were replaced or taken away,
/// a patch of the old ones says nothing: the rows that it names are gone.
fn still_counts(delta: &Delta, later: &[Delta]) -> bool {
    !later.iter().any(|l| l.node == delta.node && !matches!(l.change, Some(Change::Patch(_))))
}

/// The name of a node; null for the rows merged over a cluster's nodes.
fn node(name: &str) -> Value {
    if name == Section::MERGED { Value::Null } else { name.into() }
}

fn section(section: &Section) -> Value {
    json!({ "node": node(&section.node), "rows": section.rows.iter().map(row).collect::<Vec<_>>() })
}

fn delta(delta: &Delta, rows: &[Row]) -> Map<String, Value> {
    let mut out = Map::new();
    out.insert("node".into(), node(&delta.node));
    match &delta.change {
        None => out.insert("gone".into(), true.into()),
        Some(Change::Rows(rows)) => {
            out.insert("replaces".into(), true.into());
            out.insert("rows".into(), rows.iter().map(row).collect::<Vec<_>>().into())
        }
        Some(Change::Patch(patch)) => {
            let mut changed: BTreeMap<usize, Map<String, Value>> = BTreeMap::new();
            let mut put = |at: usize, column: &str, value: Value| {
                let row = changed.entry(at).or_insert_with(|| rows.get(at).map(named).unwrap_or_default());
                row.insert(column.to_owned(), value);
            };
            for (at, row) in patch.rows() {
                for col in row.columns() {
                    put(at, col.name(), rows.get(at).and_then(|r| r.num(col)).into());
                }
            }
            for (at, text, value) in &patch.texts {
                put(*at as usize, text.name(), value.as_str().into());
            }
            out.insert("rows".into(), changed.into_values().map(Value::Object).collect::<Vec<_>>().into())
        }
    };
    out
}

/// What names a row.
fn named(row: &Row) -> Map<String, Value> {
    Map::from_iter([("svname".into(), row.name.as_str().into()), ("kind".into(), json!(row.kind))])
}

fn row(row: &Row) -> Value {
    let mut out = named(row);
    let numbers = Col::ALL.iter().filter_map(|c| Some((c.name().to_owned(), row.num(*c)?.into())));
    out.extend(numbers);
    let texts = Text::ALL.iter().map(|t| (t.name(), row.text(*t))).filter(|(_, text)| !text.is_empty());
    out.extend(texts.map(|(name, text)| (name.to_owned(), text.into())));
    Value::Object(out)
}
