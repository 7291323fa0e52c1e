//! What is done with an entry before it is written: nothing in it may deceive a reader, and its hash ties it to the one
//! before it.

use model::{
    audit::{COLUMNS, Content, Entry, Kind},
    text::plain,
};
use ring::digest;

use crate::clock::now;

/// Longest text of an entry that is no list, in characters: nobody fills the disk with one field.
const MAX_TEXT_CHARS: usize = 1_000;

/// The columns of the first version, which are hashed even where they are empty. One that came later is hashed where it has
/// a text, so that entries from before it keep their hash.
const FIRST_COLUMNS: usize = 11;

/// Something that Sluice does by itself now.
#[must_use]
pub fn by_sluice(kind: Kind, action: &str) -> Entry {
    Entry {
        who: "sluice".to_owned(),
        means: "by itself".to_owned(),
        action: action.to_owned(),
        ..Entry::new(now(), kind)
    }
}

/// The entry as it is kept: no text has a character that could move a cursor, end a line or turn its direction, and none
/// but the lists is longer than [`MAX_TEXT_CHARS`].
#[must_use]
pub(super) fn cleaned(mut entry: Entry) -> Entry {
    for (column, text) in entry.texts_mut() {
        *text = match column.content {
            Content::Text => short(text),
            Content::Names | Content::Outcome => plain(text),
        };
    }
    entry
}

fn short(text: &str) -> String {
    match text.char_indices().nth(MAX_TEXT_CHARS) {
        Some((end, _)) => plain(&text[..end]) + "…",
        None => plain(text),
    }
}

/// SHA-256 over the hash of the entry before it and everything that is kept of this one, each with its length before it: no
/// two entries have the same bytes. `texts` are in the order of [`COLUMNS`].
pub(super) fn hash<T: AsRef<[u8]>>(id: i64, before: &[u8], at: i64, texts: &[T; COLUMNS.len()]) -> Vec<u8> {
    hash_columns(id, before, at, COLUMNS.iter().map(|column| column.name).zip(texts))
}

fn hash_columns<'a, T: AsRef<[u8]> + 'a>(
    id: i64,
    before: &[u8],
    at: i64,
    texts: impl Iterator<Item = (&'static str, &'a T)>,
) -> Vec<u8> {
    let mut context = digest::Context::new(&digest::SHA256);
    let mut field = |bytes: &[u8]| {
        context.update(&u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
        context.update(bytes);
    };
    field(before);
    field(&id.to_be_bytes());
    field(&at.to_be_bytes());
    for (place, (name, text)) in texts.enumerate() {
        let (is_first, text) = (place < FIRST_COLUMNS, text.as_ref());
        if !is_first && !text.is_empty() {
            field(name.as_bytes());
        }
        if is_first || !text.is_empty() {
            field(text);
        }
    }
    context.finish().as_ref().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut() {
        assert_eq!(short(&"é".repeat(MAX_TEXT_CHARS)).chars().count(), MAX_TEXT_CHARS);
        assert_eq!(short(&"é".repeat(2 * MAX_TEXT_CHARS)).chars().count(), MAX_TEXT_CHARS + 1);
    }

    #[test]
    fn what_belongs_to_one_field_can_not_be_moved_to_the_next() {
        let texts = |two: [&str; 2]| {
            let mut all = [""; COLUMNS.len()];
            all[..2].copy_from_slice(&two);
            hash(1, &[], 0, &all)
        };
        let empty = [""; COLUMNS.len()];
        assert_ne!(texts(["ab", "c"]), texts(["a", "bc"]));
        assert_ne!(hash(1, &[], 0, &empty), hash(2, &[], 0, &empty));
        assert_ne!(hash(1, &[], 0, &empty), hash(1, &[0], 0, &empty));
    }

    #[test]
    fn a_column_that_comes_later_changes_no_hash_of_an_entry_without_it() {
        let with = |later: &[(&'static str, &str)]| {
            let first = [("first", "text"); FIRST_COLUMNS];
            hash_columns(1, &[], 0, first.iter().chain(later).map(|(name, text)| (*name, text)))
        };
        assert_eq!(with(&[]), with(&[("ticket", ""), ("team", "")]));
        assert_ne!(with(&[]), with(&[("ticket", "T-1")]));
        assert_ne!(with(&[("ticket", "1"), ("team", "")]), with(&[("ticket", ""), ("team", "1")]));
    }
}
