//! Real messages of HAProxy, and what a stranger could put in their place.

use proptest::prelude::*;

use super::*;

fn check(reply: &[u8], expected: &str) {
    let expected = Words::Text(expected.to_owned());
    assert_eq!(words(reply), Ok(expected), "{}", reply.escape_ascii());
}

#[test]
fn only_the_bare_empty_line_is_silence() {
    assert_eq!(words(b"\n"), Ok(Words::Silence));
    for other in [&b"\n\n"[..], b" \n", b"\r\n", b"\0\n", b"\x1b\n"] {
        assert_eq!(words(other), Err(ParseError::Unintelligible), "{other:?}");
    }
}

#[test]
fn nothing_at_all_is_not_silence() {
    assert_eq!(words(b""), Err(ParseError::Cut { received: 0 }));
}

#[test]
fn a_message_without_its_line_end_is_cut() {
    assert_eq!(words(b"No such ser"), Err(ParseError::Cut { received: 11 }));
}

#[test]
fn a_message_is_read_with_and_without_the_closing_empty_line() {
    check(b"No such server.\n\n", "No such server.");
    check(b"No such server.\n", "No such server.");
    check(b"Permission denied\n\n", "Permission denied");
    check(b"'set server <srv> agent' expects 'up' or 'down'.\n\n", "'set server <srv> agent' expects 'up' or 'down'.");
}

#[test]
fn a_severity_prefix_is_taken_off() {
    check(b"[3]: No such server.\n\n", "No such server.");
    check(b"[err]: No such server.\n\n", "No such server.");
    check(b"[6]: admin\n\n", "admin");
    check(b"[::1]: is not it\n\n", "[::1]: is not it");
    check(b"[]: nor this\n\n", "[]: nor this");
    check(b"[33]: nor this\n\n", "[33]: nor this");
}

#[test]
fn several_lines_become_one() {
    check(
        b"Unknown command, but maybe one of:\n  set server\t: change\n  help\n\n",
        "Unknown command, but maybe one of: set server : change help",
    );
}

#[test]
fn control_characters_and_invalid_bytes_do_no_harm() {
    check(b"a\x1b[31mred\x07 \x00 b\xff\xc2\x9b\n\n", "a[31mred b\u{fffd}");
}

#[test]
fn a_long_message_is_kept_in_part() {
    let long = format!("{}\n\n", "é".repeat(100_000));
    check(long.as_bytes(), &"é".repeat(MAX_WORDS));
}

#[test]
fn levels_are_read_by_haproxys_names() {
    for level in [Level::Admin, Level::Operator, Level::User] {
        assert_eq!(Level::from_name(&level.to_string()), Some(level));
    }
    assert_eq!(Level::from_name("Admin"), None);
}

proptest! {
    #[test]
    fn any_bytes_give_one_bounded_printable_line(mut reply: Vec<u8>) {
        reply.push(b'\n');
        if let Ok(Words::Text(text)) = words(&reply) {
            prop_assert!(!text.is_empty());
            prop_assert!(text.chars().count() <= MAX_WORDS);
            prop_assert!(!text.chars().any(char::is_control));
        }
    }
}
