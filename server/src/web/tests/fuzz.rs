//! What a stranger says over HTTP and the stream, with some damage: read or turned away, and told the same way again.

use bolero::check;
use model::{
    frame::{Frame, Seq, Subscribe},
    outcome::{ActionRequest, Target},
    row::{Row, RowKind},
    topic::{Section, Sections, TopicId},
};

use testkit::damage::{AT_MOST, Damage, INPUTS};

const ACTIONS: [&str; 2] = [
    r#"{"action":"maint","targets":[{"node":"lb1","backend":"web","server":"s1"},{"cluster":"edge","backend":"b","server":"s"}],"reason":"disk"}"#,
    r#"{"targets":[{"backend":"w\u00e9b","server":"\ud83d\ude00"}],"action":"shutdown"}"#,
];
const SUBSCRIPTIONS: [&str; 2] =
    [r#"{"topics":["fleet","proxy:edge/web.1_a-b:c"]}"#, r#"{"topics":["proxy:edge/a\"b\\c","proxy:\u0041/\u00e9"]}"#];
const NAMES: [&str; 5] = ["fleet", "proxy:edge/web", "proxy:edge/../x y", "lb1/web/s1", "a/b/c/d"];

#[test]
fn fuzz_damaged_action_requests() {
    let seeds = ACTIONS.map(str::as_bytes);
    check!().with_iterations(INPUTS).with_test_time(AT_MOST).with_type::<Damage>().for_each(|damage| {
        if let Ok(request) = serde_json::from_slice::<ActionRequest>(&damage.to(&seeds)) {
            let text = serde_json::to_vec(&request).expect("JSON");
            assert_eq!(serde_json::from_slice::<ActionRequest>(&text).expect("read back"), request);
        }
    });
}

#[test]
fn fuzz_damaged_subscriptions() {
    let seeds = SUBSCRIPTIONS.map(str::as_bytes);
    check!().with_iterations(INPUTS).with_test_time(AT_MOST).with_type::<Damage>().for_each(|damage| {
        let Ok(said) = serde_json::from_slice::<Subscribe>(&damage.to(&seeds)) else { return };
        let has_control = said.topics.iter().any(|topic| topic.to_string().contains(char::is_control));
        let text = Subscribe::text(&said.topics);
        // The browser's half has no escape for control characters, and names from a collector have none.
        assert!(has_control || serde_json::from_str::<Subscribe>(&text).expect("read back") == said, "{text}");
    });
}

#[test]
fn fuzz_damaged_names_of_topics_and_targets() {
    let seeds = NAMES.map(str::as_bytes);
    check!().with_iterations(INPUTS).with_test_time(AT_MOST).with_type::<Damage>().for_each(|damage| {
        let text = String::from_utf8_lossy(&damage.to(&seeds)).into_owned();
        if let Ok(topic) = text.parse::<TopicId>() {
            assert_eq!(topic.to_string(), text);
        }
        if let Ok(target) = text.parse::<Target>() {
            assert_eq!(target.to_string(), text);
        }
    });
}

#[test]
fn fuzz_damaged_frames() {
    let rows = vec![Row::new(RowKind::Frontend, "FRONTEND"), Row::new(RowKind::Server, "s1")].into();
    let sections = Sections(vec![Section { node: "lb1".into(), rows, sparks: Default::default() }]);
    let frames = [
        Frame::Hello { build: "0.1.0".into() },
        Frame::Fleet(Seq(1), Box::default()),
        Frame::Proxy(7, Seq(300), TopicId::proxy("edge", "web"), sections),
    ];
    let bytes = frames.map(|frame| frame.encode().expect("encodes"));
    let seeds = bytes.each_ref().map(Vec::as_slice);
    check!().with_iterations(INPUTS).with_test_time(AT_MOST).with_type::<Damage>().for_each(|damage| {
        if let Ok(frame) = Frame::decode(&damage.to(&seeds)) {
            assert_eq!(Frame::decode(&frame.encode().expect("encodes")).expect("read back"), frame);
        }
    });
}
