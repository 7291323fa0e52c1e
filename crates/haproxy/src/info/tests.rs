//! Values that HAProxy quotes, and replies that end too early.

use proptest::prelude::*;

use super::*;

fn value(reply: &str, name: &str) -> Option<String> {
    let info = Info::parse(reply.as_bytes()).expect("a whole reply");
    info.get(name).map(str::to_owned)
}

#[test]
fn values_are_unquoted_only_where_haproxy_quoted_them() {
    let reply = concat!(
        "Name: HAProxy\n",
        "description: \"edge, \"\"main\"\" LB; dc1\"\n",
        "node: a\"b\n",
        "Build info: 2.6: x\n",
        "empty:\n",
        "blank: \n",
        "two: \"a\nb: \"\"c\"\"\"\n",
        "open: \"never closed\n",
        "Tainted: 0\n\n",
    );
    for (name, expected) in [
        ("description", Some("edge, \"main\" LB; dc1")),
        ("node", Some("a\"b")),
        ("Build info", Some("2.6: x")),
        ("empty", Some("")),
        ("blank", Some("")),
        ("two", Some("a\nb: \"c\"")),
        ("open", Some("\"never closed")),
        ("Tainted", Some("0")),
        ("b", None),
    ] {
        assert_eq!(value(reply, name).as_deref(), expected, "{name}");
    }
}

#[test]
fn a_reply_without_its_end_is_cut() {
    let received = b"Name: HAProxy\n".len();
    assert_eq!(Info::parse(b"Name: HAProxy\n"), Err(ParseError::Cut { received }));
    let expected = "`Name:`";
    assert_eq!(Info::parse(b"\n\n"), Err(ParseError::Beginning { expected }));
}

proptest! {
    #[test]
    fn what_was_quoted_comes_back(value in "[a\",:\n ]{0,20}") {
        let reply = format!("Name: x\nv: \"{}\"\nlast: 1\n\n", value.replace('"', "\"\""));
        let info = Info::parse(reply.as_bytes()).expect("a whole reply");
        prop_assert_eq!(info.get("v"), Some(value.as_str()));
        prop_assert_eq!(info.number("last"), Some(1));
        prop_assert_eq!(info.iter().len(), 3);
    }
}
