//! The reply to `show info`: one `Name: value` a line.

use crate::ParseError;

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
            return Err(ParseError::Beginning { expected: "`Name:`" });
        }
        if !reply.ends_with(b"\n\n") {
            return Err(ParseError::Cut { received: reply.len() });
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
        self.entries.iter().map(|(name, value)| (name.as_str(), value.as_str()))
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
mod tests;
