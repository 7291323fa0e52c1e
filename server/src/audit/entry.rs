//! One entry of the record.

use ring::digest;

use crate::clock::now;

/// Texts of an entry.
pub(super) const TEXTS: usize = 11;

/// Longest text of an entry that is no list, in characters: nobody fills the disk with one field.
const LONGEST_TEXT: usize = 1_000;

/// What an entry tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Somebody logged in, or tried to, or logged out.
    Login,
    /// An operation was asked for; nothing was sent to HAProxy yet.
    Operation,
    /// What became of it.
    Outcome,
    /// Something was asked for and not done.
    Refusal,
    /// An account, session, token or wall link was made, changed or ended.
    Account,
    /// Sluice was started with another configuration.
    Configuration,
    /// The oldest entries were dropped.
    Retention,
}

/// An entry, not yet numbered. Texts are empty where they do not apply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When, Unix milliseconds.
    pub at: i64,
    /// What it tells of.
    pub kind: Kind,
    /// The account's name.
    pub who: String,
    /// Its role at that time.
    pub role: String,
    /// How it was known.
    pub means: String,
    /// Where it asked from.
    pub address: String,
    /// What: an action's short name, or `log-in`, `user.add`, ...
    pub action: String,
    /// The operation's name.
    pub operation: String,
    /// On what: `NODE/BACKEND/SERVER` each, or an account's name; a JSON list.
    pub targets: String,
    /// Why, in the caller's words.
    pub reason: String,
    /// What became of it, in a word or a JSON list, target by target.
    pub outcome: String,
    /// What else there is to say, for a person.
    pub detail: String,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::Login,
        Self::Operation,
        Self::Outcome,
        Self::Refusal,
        Self::Account,
        Self::Configuration,
        Self::Retention,
    ];

    /// Its word in the record, in an address and in the API.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Operation => "operation",
            Self::Outcome => "outcome",
            Self::Refusal => "refusal",
            Self::Account => "account",
            Self::Configuration => "configuration",
            Self::Retention => "retention",
        }
    }

    /// The kind of a word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

impl Entry {
    /// Something that Sluice does by itself now.
    #[must_use]
    pub fn by_itself(kind: Kind, action: &str) -> Self {
        Self {
            at: now(),
            kind,
            who: "sluice".to_owned(),
            role: String::new(),
            means: "by itself".to_owned(),
            address: String::new(),
            action: action.to_owned(),
            operation: String::new(),
            targets: String::new(),
            reason: String::new(),
            outcome: String::new(),
            detail: String::new(),
        }
    }

    /// The entry as the record keeps it: no text has a character that could move a cursor, end a line or turn its
    /// direction, and none but the lists is longer than [`LONGEST_TEXT`].
    #[must_use]
    pub(super) fn clean(&self) -> Self {
        Self {
            at: self.at,
            kind: self.kind,
            who: short(&self.who),
            role: short(&self.role),
            means: short(&self.means),
            address: short(&self.address),
            action: short(&self.action),
            operation: short(&self.operation),
            targets: plain(&self.targets),
            reason: short(&self.reason),
            outcome: plain(&self.outcome),
            detail: short(&self.detail),
        }
    }

    /// Its texts in the order of the table.
    pub(super) fn texts(&self) -> [&str; TEXTS] {
        let Self { at: _, kind, who, role, means, address, action, operation, targets, reason, outcome, detail } = self;
        [kind.word(), who, role, means, address, action, operation, targets, reason, outcome, detail]
    }
}

/// A text in which nothing is left that a terminal, a log or a reader could be deceived with. What parted words still
/// does; of everything else it is shown that something stood there.
#[must_use]
pub(crate) fn plain(text: &str) -> String {
    let harmless = |c: char| match c {
        '\t' | '\n' | '\r' | '\u{2028}' | '\u{2029}' => ' ',
        c if is_hidden(c) => '\u{fffd}',
        c => c,
    };
    text.chars().map(harmless).collect()
}

/// Controls, and the marks that change the direction of text or take no room: a reader does not see that they are there.
#[must_use]
pub(crate) fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

fn short(text: &str) -> String {
    match text.char_indices().nth(LONGEST_TEXT) {
        Some((end, _)) => plain(&text[..end]) + "…",
        None => plain(text),
    }
}

/// SHA-256 over the entry before it and everything that the record keeps of this one, each with its length before it:
/// no two entries have the same bytes.
pub(super) fn hash<T: AsRef<[u8]>>(id: i64, before: &[u8], at: i64, texts: &[T; TEXTS]) -> Vec<u8> {
    let mut context = digest::Context::new(&digest::SHA256);
    let mut field = |bytes: &[u8]| {
        context.update(&u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
        context.update(bytes);
    };
    field(before);
    field(&id.to_be_bytes());
    field(&at.to_be_bytes());
    for text in texts {
        field(text.as_ref());
    }
    context.finish().as_ref().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_deceive_a_reader_is_replaced_and_everything_else_kept() {
        for (text, kept) in [
            (
                "plain, é 漢 🦀 \"quoted\" <b>; DROP TABLE record; --",
                "plain, é 漢 🦀 \"quoted\" <b>; DROP TABLE record; --",
            ),
            ("two\nlines\r\tand tab", "two lines  and tab"),
            ("\u{1b}[31mred\u{7}\0", "\u{fffd}[31mred\u{fffd}\u{fffd}"),
            ("c1 \u{9b}31m", "c1 \u{fffd}31m"),
            ("txt.\u{202e}exe \u{2066}x\u{feff}", "txt.\u{fffd}exe \u{fffd}x\u{fffd}"),
            ("so\u{ad}ft \u{61c}x", "so\u{fffd}ft \u{fffd}x"),
        ] {
            assert_eq!(plain(text), kept);
        }
        assert_eq!(short(&"é".repeat(LONGEST_TEXT)).chars().count(), LONGEST_TEXT);
        assert_eq!(short(&"é".repeat(2 * LONGEST_TEXT)).chars().count(), LONGEST_TEXT + 1);
    }

    #[test]
    fn what_belongs_to_one_field_can_not_be_moved_to_the_next() {
        let texts = |two: [&str; 2]| {
            let mut all = [""; TEXTS];
            all[..2].copy_from_slice(&two);
            hash(1, &[], 0, &all)
        };
        assert_ne!(texts(["ab", "c"]), texts(["a", "bc"]));
        assert_ne!(hash(1, &[], 0, &[""; TEXTS]), hash(2, &[], 0, &[""; TEXTS]));
        assert_ne!(hash(1, &[], 0, &[""; TEXTS]), hash(1, &[0], 0, &[""; TEXTS]));
    }
}
