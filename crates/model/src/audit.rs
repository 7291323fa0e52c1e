//! An entry of the audit log: its columns, each written once.
//!
//! The list at [`entry!`] makes the type, and [`COLUMNS`] tells everybody else of it: the table, the hash, the exports, the
//! API with its description, and the page all go over it. A new column is a line at the end of that list and a migration
//! that adds it to the table. What entries can be looked for by is [`FILTERS`].

use serde::{Deserialize, Serialize};

/// What an entry tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Somebody logged in, or tried to, or logged out.
    Login,
    /// An operation was asked for; nothing was sent to HAProxy yet.
    Operation,
    /// What became of it.
    Outcome,
    /// Something was asked for and denied.
    Denial,
    /// An account, session, token or wall link was made, changed or ended.
    Account,
    /// Sluice was started with another configuration.
    Configuration,
    /// The oldest entries were dropped.
    Retention,
}

/// The `means` of whoever runs a command on Sluice's machine.
pub const COMMAND_LINE: &str = "command line";

/// A column that holds a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name: in the table, in exports and in the API.
    pub name: &'static str,
    /// What it says, for the API's description.
    pub description: &'static str,
    /// How it is to be read.
    pub content: Content,
    /// Where the page shows it.
    pub placement: Placement,
}

/// How the text of a column is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// As it is; never long.
    Text,
    /// A JSON list of names, however long.
    Names,
    /// A word, or a JSON list of [`TargetNote`], however long.
    Outcome,
}

/// Where the page shows a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placement {
    /// With who it was.
    Who,
    /// With why it was done.
    Why,
    /// In a form of its own, which the page knows.
    Drawn,
}

/// What became of one target.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TargetNote {
    /// `NODE/BACKEND/SERVER`.
    pub target: String,
    /// `done`, `unchanged`, `refused`, `unreachable` or `unverified`.
    pub outcome: String,
    /// The `status` column before.
    pub before: String,
    /// The `status` column afterwards.
    pub after: String,
    /// HAProxy's words, or what is known; may be empty.
    pub message: String,
}

/// An entry as the table has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEntry {
    /// Its number: they count up without a gap.
    pub id: i64,
    /// What it says; the kind as its word, for a file can have any.
    pub entry: Entry<String>,
    /// SHA-256 over it and the hash of the one before it, in hexadecimal digits.
    pub hash: String,
}

/// Makes [`Entry`] and [`COLUMNS`] of one list: a column's description, name, content and placement.
macro_rules! entry {
    ($($(#[doc = $description:literal])+ $name:ident: $content:ident, $placement:ident;)+) => {
        /// An entry, without its number and hash. Texts are empty where they do not apply. One to be written has a
        /// [`Kind`], one that was read the word that stood there.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct Entry<K = Kind> {
            /// When, Unix milliseconds.
            pub at: i64,
            /// What it tells of.
            pub kind: K,
            $($(#[doc = $description])+ pub $name: String,)+
        }

        /// The columns of texts, in the order of the table; the number and the time stand before them, the hash after them.
        pub const COLUMNS: [Column; 1 + [$(stringify!($name)),+].len()] = [
            KIND,
            $(Column {
                name: stringify!($name),
                description: concat!($($description),+).trim_ascii(),
                content: Content::$content,
                placement: Placement::$placement,
            },)+
        ];

        impl<K> Entry<K> {
            /// An entry without texts.
            #[must_use]
            pub fn new(at: i64, kind: K) -> Self {
                Self { at, kind, $($name: String::new(),)+ }
            }

            /// Its texts, with the columns that they stand in; the kind is not among them.
            pub fn texts_mut(&mut self) -> impl Iterator<Item = (&'static Column, &mut String)> {
                COLUMNS[1..].iter().zip([$(&mut self.$name),+])
            }
        }

        impl<K: AsRef<str>> Entry<K> {
            /// Its texts in the order of [`COLUMNS`].
            #[must_use]
            pub fn texts(&self) -> [&str; COLUMNS.len()] {
                [self.kind.as_ref(), $(&self.$name),+]
            }
        }

        impl Entry<String> {
            /// An entry of texts in the order of [`COLUMNS`].
            #[must_use]
            pub fn read(at: i64, texts: [String; COLUMNS.len()]) -> Self {
                let [kind, $($name),+] = texts;
                Self { at, kind, $($name),+ }
            }
        }
    };
}

const KIND: Column = Column {
    name: "kind",
    description: "`login`, `operation`, `outcome`, `refusal`, `account`, `configuration` or `retention`.",
    content: Content::Text,
    placement: Placement::Drawn,
};

entry! {
    /// The account's name.
    who: Text, Who;
    /// Its role at that time.
    role: Text, Who;
    /// How it was known.
    means: Text, Who;
    /// Where it asked from.
    address: Text, Who;
    /// What: an action's short name, or what else was done.
    action: Text, Drawn;
    /// The operation that it belongs to, as `POST /api/v1/actions` named it.
    operation: Text, Drawn;
    /// On what: `NODE/BACKEND/SERVER` each, or an account's name.
    targets: Names, Drawn;
    /// Why, in the caller's words.
    reason: Text, Why;
    /// What became of it, in a word; empty where `outcomes` tell it.
    outcome: Outcome, Drawn;
    /// What else there is to say, for a person.
    detail: Text, Why;
}

/// Something that entries can be looked for by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FilterField {
    /// Its name in an address.
    pub name: &'static str,
    /// The column that it looks at.
    pub column: Column,
    /// What it does, for the API's description.
    pub description: &'static str,
    /// What the page calls it.
    pub label: &'static str,
    /// What the page shows while nothing is written there.
    pub example: &'static str,
}

/// What entries can be looked for by besides the time, in the order of the page's form.
pub const FILTERS: [FilterField; 7] = [
    FilterField {
        name: "who",
        column: column("who"),
        description: "Only those by this account.",
        label: "Who",
        example: "",
    },
    FilterField {
        name: "address",
        column: column("address"),
        description: "Only those from this address.",
        label: "Address",
        example: "",
    },
    FilterField {
        name: "kind",
        column: KIND,
        description: "Only this kind: `login`, `operation`, `outcome`, `refusal`, `account`, `configuration` or `retention`.",
        label: "Kind",
        example: "",
    },
    FilterField {
        name: "action",
        column: column("action"),
        description: "Only those about this action.",
        label: "Action",
        example: "drain",
    },
    FilterField {
        name: "target",
        column: column("targets"),
        description: "Only those with this in the name of a target.",
        label: "Target has",
        example: "webservers/web1",
    },
    FilterField {
        name: "outcome",
        column: column("outcome"),
        description: "Only those with this outcome, of the entry or of one of its targets.",
        label: "Outcome",
        example: "refused",
    },
    FilterField {
        name: "operation",
        column: column("operation"),
        description: "Only those of this operation.",
        label: "Operation",
        example: "",
    },
];

/// The column of that name; a name that is none does not compile.
const fn column(name: &str) -> Column {
    let mut place = 0;
    while !is_same(COLUMNS[place].name.as_bytes(), name.as_bytes()) {
        place += 1;
    }
    COLUMNS[place]
}

/// Whether two texts are the same; `==` can't be asked while compiling.
const fn is_same(one: &[u8], other: &[u8]) -> bool {
    let mut place = 0;
    while place < one.len() && place < other.len() && one[place] == other[place] {
        place += 1;
    }
    place == one.len() && place == other.len()
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::Login,
        Self::Operation,
        Self::Outcome,
        Self::Denial,
        Self::Account,
        Self::Configuration,
        Self::Retention,
    ];

    /// Its word in the table, in an address and in the API.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Operation => "operation",
            Self::Outcome => "outcome",
            // What entries hold is hashed: the word stays what it was from the first of them on.
            Self::Denial => "refusal",
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

impl AsRef<str> for Kind {
    fn as_ref(&self) -> &str {
        self.word()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_of_an_entry_stands_in_its_own_column() {
        let mut entry = Entry::new(7, Kind::Login);
        for (column, text) in entry.texts_mut() {
            column.name.clone_into(text);
        }
        assert_eq!((entry.who.as_str(), entry.detail.as_str()), ("who", "detail"));
        let names = COLUMNS.map(|column| column.name);
        assert_eq!(entry.texts()[0], "login");
        assert_eq!(entry.texts()[1..], names[1..]);
        let read = Entry::read(7, entry.texts().map(str::to_owned));
        assert_eq!(read.texts(), entry.texts());
    }

    #[test]
    fn what_is_said_of_kinds_names_every_kind() {
        let filter = FILTERS.iter().find(|filter| filter.column == KIND).expect("a filter");
        for kind in Kind::ALL {
            assert_eq!(Kind::from_word(kind.word()), Some(kind));
            for description in [KIND.description, filter.description] {
                assert!(description.contains(&format!("`{}`", kind.word())), "{description}");
            }
        }
    }
}
