//! Replies of HAProxy in, JSON out.

use serde_json::Value;
use testkit::recordings::{NEWEST, RECORDINGS};

use super::*;

fn json(reply: &'static [u8], proxy: Option<&str>) -> Value {
    let table = StatTable::parse(Bytes::from_static(reply)).expect("a whole reply");
    let mut out = vec![b'['];
    rows(&mut out, &table, proxy, None);
    out.push(b']');
    serde_json::from_slice(&out).expect("JSON")
}

#[test]
fn every_cell_of_every_version_is_written_by_its_name() {
    for reply in RECORDINGS.iter().map(|recording| recording.stat) {
        let table = StatTable::parse(Bytes::from_static(reply)).expect("a whole reply");
        let written = json(reply, None);
        let written = written.as_array().expect("rows");
        let mut at = 0;
        table.for_each(|cells| {
            for (place, name) in table.columns().iter().enumerate() {
                let text = cells.text(place);
                let got = match &written[at][name] {
                    Value::Null => String::new(),
                    Value::String(text) => text.clone(),
                    other => other.to_string(),
                };
                assert_eq!(got, if name == "-" { "" } else { &text }, "{name}");
            }
            at += 1;
        });
        assert_eq!(at, written.len());
        assert!(at > 0);
    }
}

#[test]
fn a_numeric_column_is_a_number_and_a_name_never_is() {
    let reply = b"# pxname,svname,scur,lastsess,status,cookie,check_desc,-,new_col,new_text,(null),scur,type,\n\
        2001,1,5,-1,007,1,,-,42,4 2,9,8,,\n\
        other,\"a \"\"b\"\"\n\xff\",,,,,,,,,,,\n\n";
    let expected = serde_json::json!([
        {"pxname": "2001", "svname": "1", "scur": 5, "lastsess": -1, "status": "007", "cookie": "1", "new_col": 42,
         "new_text": "4 2", "(null)": "9"},
        {"pxname": "other", "svname": "a \"b\"\n\u{fffd}"},
    ]);
    assert_eq!(json(reply, None), expected);
    assert_eq!(json(reply, Some("2001")), Value::Array(vec![expected[0].clone()]));
}

#[test]
fn every_column_that_is_text_in_some_version_is_a_known_column_of_text() {
    for reply in RECORDINGS.iter().map(|recording| recording.stat) {
        for row in json(reply, None).as_array().expect("rows") {
            for (name, value) in row.as_object().expect("a row") {
                assert!(value.is_number() || is_text(name), "{name}: {value}");
            }
        }
    }
}

#[tokio::test]
async fn a_large_answer_comes_in_pieces_that_add_up() {
    let table = StatTable::parse(Bytes::from_static(NEWEST.stat)).expect("a whole reply");
    let info = haproxy::Info::parse(b"Name: HAProxy\n\n").expect("a reply");
    let part = |name: &str| NodePart {
        name: name.to_owned(),
        replies: Some(Arc::new(Replies { info: info.clone(), stat: table.clone(), polled: 1 })),
        proxy: None,
        visibility: None,
    };
    let never = NodePart { name: "never".into(), replies: None, proxy: None, visibility: None };
    let parts = (0..9).map(|n| part(&format!("lb{n}"))).chain([never]).collect();
    let pieces: Vec<Bytes> = json_stream(parts).map(|piece| piece.expect("written")).collect().await;
    assert!(pieces.iter().all(|piece| piece.len() <= CHUNK));
    let whole: Value = serde_json::from_slice(&pieces.concat()).expect("JSON");
    let nodes = whole["nodes"].as_array().expect("nodes");
    assert_eq!(nodes.len(), 10);
    assert_eq!(nodes[9], serde_json::json!({"name": "never", "age_ms": null, "rows": []}));
    assert!(nodes[8]["age_ms"].as_u64().is_some_and(|age| age > 0));
}
