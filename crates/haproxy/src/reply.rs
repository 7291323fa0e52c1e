//! Short replies: what HAProxy says to an action, or instead of what was asked.

use std::fmt;

use crate::ParseError;

/// The longest text that is kept of a message, in characters: four times the longest that an action gets. What follows
/// is help for a terminal, such as the list of all commands.
const MAX_WORDS: usize = 512;

/// What HAProxy said to an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommandReply {
    /// The empty line: HAProxy took the command. Only the state read afterwards tells whether it had an effect.
    Accepted,
    /// HAProxy's words, `No such server.` for one: on one line, decoded lossily, without control characters and
    /// severity prefix, 512 characters at most.
    Refused(String),
}

/// What a stats socket lets its clients do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Everything, actions included.
    Admin,
    /// All that can be read, and clearing of counters; no action. HAProxy's default.
    Operator,
    /// What isn't sensitive: `show stat` lacks addresses, cookies and algorithms.
    User,
}

impl Level {
    /// The level by HAProxy's name: `admin`, `operator` or `user`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Operator => "operator",
            Self::User => "user",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        [Self::Admin, Self::Operator, Self::User].into_iter().find(|level| level.as_str() == name)
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What a short reply says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Words {
    /// Exactly the empty line, with which most commands succeed.
    Silence,
    /// A message, cleaned as [`CommandReply::Refused`] says.
    Text(String),
}

/// Reads a reply that should be empty or a message.
///
/// Versions up to 2.8 leave the closing empty line out after some messages, so that one line feed at the end is enough.
///
/// # Errors
/// [`ParseError::Cut`] when the last line has no end, [`ParseError::Unintelligible`] when nothing readable is left.
pub(super) fn words(reply: &[u8]) -> Result<Words, ParseError> {
    if reply == b"\n" {
        return Ok(Words::Silence);
    }
    if reply.last() != Some(&b'\n') {
        let received = reply.len();
        return Err(ParseError::Cut { received });
    }
    let text = clean(reply);
    if text.is_empty() {
        return Err(ParseError::Unintelligible);
    }
    Ok(Words::Text(text))
}

/// Makes one bounded line of text of any bytes.
fn clean(reply: &[u8]) -> String {
    // No character takes more than four bytes, and the prefix is short: what lies beyond can't be kept.
    let head = &reply[..reply.len().min(4 * (MAX_WORDS + 64))];
    let text = String::from_utf8_lossy(head);
    let text: String = text
        .split_whitespace()
        .map(|word| word.replace(char::is_control, ""))
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    let text = without_severity(&text);
    match text.char_indices().nth(MAX_WORDS) {
        Some((end, _)) => text[..end].to_owned(),
        None => text.to_owned(),
    }
}

/// Takes off what `severity-output number` (`[3]: `) or `string` (`[err]: `) puts before a message.
fn without_severity(text: &str) -> &str {
    let Some((severity, message)) = text.strip_prefix('[').and_then(|rest| rest.split_once("]: ")) else {
        return text;
    };
    let is_number = severity.len() == 1 && severity.bytes().all(|b| b.is_ascii_digit());
    let is_word = !severity.is_empty() && severity.bytes().all(|b| b.is_ascii_lowercase());
    if is_number || is_word { message } else { text }
}

#[cfg(test)]
mod tests;
