//! The reply to `show info`: one `Name: value` a line.

use super::ParseError;

/// The whole of one `show info` reply: what HAProxy says about its process.
///
/// The names are HAProxy's own, some with spaces (`Unstoppable Jobs`, `Build info`). Which of them there are depends on
/// its version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Info {
    entries: Vec<(String, String)>,
}

impl Info {
    /// Reads a whole reply, with the empty line that ends it. Bytes that aren't UTF-8 become `U+FFFD`.
    ///
    /// # Errors
    /// [`ParseError::Beginning`] when it doesn't begin with `Name:`, [`ParseError::Cut`] when the end is missing.
    pub fn parse(reply: &[u8]) -> Result<Self, ParseError> {
        if !Self::recognises(reply) {
            return Err(ParseError::Beginning {
                expected: "`Name:`",
            });
        }
        if !reply.ends_with(b"\n\n") {
            return Err(ParseError::Cut {
                received: reply.len(),
            });
        }
        let text = String::from_utf8_lossy(reply);
        let mut rest = &*text;
        let mut entries = Vec::new();
        while !rest.is_empty() {
            let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
            let Some((name, value)) = line.split_once(':') else {
                rest = after;
                continue;
            };
            let value = value.strip_prefix(' ').unwrap_or(value);
            let start = text.len() - rest.len() + (line.len() - value.len());
            let (value, length) = match unquoted(&text[start..]) {
                Some((value, length)) => (value, length),
                None => (value.to_owned(), value.len()),
            };
            entries.push((name.to_owned(), value));
            rest = text[start + length..].split_once('\n').map_or("", |(_, after)| after);
        }
        Ok(Self { entries })
    }

    /// Whether a reply is this one, or a part of it, rather than a message.
    pub(super) fn recognises(reply: &[u8]) -> bool {
        reply.starts_with(b"Name:")
    }

    /// The value of a name, without the quotes of CSV that HAProxy puts around some.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(n, _)| *n == name).map(|(_, value)| value)
    }

    /// The value as a number; `None` when the name is missing or its value is no whole number.
    pub fn number(&self, name: &str) -> Option<u64> {
        self.get(name)?.parse().ok()
    }

    /// All names and values in HAProxy's order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.entries
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// The value of the quoted cell that `text` begins with, and its length with both quotes, in bytes.
///
/// `None` when `text` doesn't begin with a quote or the closing one is missing. A quoted value may span lines: a
/// `description` can hold a line feed.
fn unquoted(text: &str) -> Option<(String, usize)> {
    let inner = text.strip_prefix('"')?;
    let mut value = String::new();
    let mut read = 0;
    loop {
        let quote = inner[read..].find('"')?;
        value.push_str(&inner[read..read + quote]);
        read += quote + 1;
        if !inner[read..].starts_with('"') {
            return Some((value, read + 1));
        }
        value.push('"');
        read += 1;
    }
}

#[cfg(test)]
mod tests {
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
}
