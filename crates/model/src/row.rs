//! One line of `show stat`, joined with its line of `show servers state`.

use serde::{Deserialize, Serialize};

use crate::col::{Col, Text};

/// Bits of `srv_admin_state` (HAProxy: `include/haproxy/server-t.h`).
pub mod admin {
    /// Set to MAINT by an operator.
    pub const FORCED_MAINT: u64 = 0x01;
    /// In MAINT because the tracked server is.
    pub const INHERITED_MAINT: u64 = 0x02;
    /// `disabled` in the configuration; it stays set when an operator makes the server ready.
    pub const CONFIGURED_MAINT: u64 = 0x04;
    /// Set to DRAIN by an operator or the agent.
    pub const FORCED_DRAIN: u64 = 0x08;
    /// In DRAIN because the tracked server is.
    pub const INHERITED_DRAIN: u64 = 0x10;
    /// In MAINT because its name does not resolve.
    pub const RESOLUTION_MAINT: u64 = 0x20;
    /// Any of the three kinds of MAINT.
    pub const MAINT: u64 = FORCED_MAINT | INHERITED_MAINT | RESOLUTION_MAINT;
    /// Any of the two kinds of DRAIN.
    pub const DRAIN: u64 = FORCED_DRAIN | INHERITED_DRAIN;
}

/// Bits of `srv_check_state` and `srv_agent_state` (HAProxy: `include/haproxy/check-t.h`).
pub mod check {
    /// A check is under way right now.
    pub const IN_PROGRESS: u64 = 0x01;
    /// The configuration has such a check.
    pub const CONFIGURED: u64 = 0x02;
    /// It is switched on.
    pub const ENABLED: u64 = 0x04;
}

/// Values of `srv_op_state`.
pub mod op {
    /// DOWN or in MAINT.
    pub const STOPPED: u64 = 0;
    /// UP, in slow start.
    pub const STARTING: u64 = 1;
    /// UP.
    pub const RUNNING: u64 = 2;
    /// NOLB: finishes what it has.
    pub const STOPPING: u64 = 3;
}

/// What a row describes; HAProxy's `type` column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RowKind {
    /// `type` 0.
    Frontend,
    /// `type` 1, the summary row.
    Backend,
    /// `type` 2.
    Server,
    /// `type` 3, only with `option socket-stats`.
    Listener,
}

impl RowKind {
    /// The kind behind HAProxy's number, or nothing for one that a later version may add.
    #[must_use]
    pub fn from_type(number: u64) -> Option<Self> {
        match number {
            0 => Some(Self::Frontend),
            1 => Some(Self::Backend),
            2 => Some(Self::Server),
            3 => Some(Self::Listener),
            _ => None,
        }
    }
}

/// A numeric cell: a number, or empty. Held as number + 1, so that the difference of two cells is one integer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Number(u64);

/// One row. Cells are read by [`Row::num`] and [`Row::text`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Wire", into = "Wire")]
pub struct Row {
    /// What it describes.
    pub kind: RowKind,
    /// HAProxy's `svname`: the server's name, `FRONTEND` or `BACKEND`.
    pub name: String,
    num: [Number; Col::COUNT],
    text: [String; Text::COUNT],
}

impl Row {
    /// A row whose cells are all empty.
    #[must_use]
    pub fn new(kind: RowKind, name: impl Into<String>) -> Self {
        Self { kind, name: name.into(), num: [Number(0); Col::COUNT], text: Default::default() }
    }

    /// The number in a cell; nothing where HAProxy left it empty.
    #[must_use]
    pub fn num(&self, col: Col) -> Option<u64> {
        self.num[col as usize].0.checked_sub(1)
    }

    /// The number in a cell, 0 where it is empty.
    #[must_use]
    pub fn get(&self, col: Col) -> u64 {
        self.num(col).unwrap_or(0)
    }

    /// Writes a cell. The largest number, which HAProxy never sends, is taken one lower.
    pub fn set(&mut self, col: Col, value: Option<u64>) {
        self.num[col as usize] = Number(value.map_or(0, |v| v.saturating_add(1)));
    }

    /// The text of a cell, empty where HAProxy left it empty.
    #[must_use]
    pub fn text(&self, text: Text) -> &str {
        &self.text[text as usize]
    }

    /// Writes a cell of text.
    pub fn set_text(&mut self, text: Text, value: impl Into<String>) {
        self.text[text as usize] = value.into();
    }

    /// Whether both stand for the same object: `svname` and `type` name a row within its proxy.
    #[must_use]
    pub fn same_object(&self, other: &Self) -> bool {
        self.kind == other.kind && self.name == other.name
    }

    /// What has to be added to `self`'s cell to get `other`'s.
    pub(super) fn distance(&self, other: &Self, col: Col) -> i64 {
        other.num[col as usize].0.wrapping_sub(self.num[col as usize].0).cast_signed()
    }

    /// Adds a difference that [`Row::distance`] measured.
    pub(super) fn shift(&mut self, col: Col, by: i64) {
        let cell = &mut self.num[col as usize];
        cell.0 = cell.0.wrapping_add_signed(by);
    }
}

/// Names what is set, and only that.
impl std::fmt::Debug for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut out = f.debug_struct("Row");
        out.field("kind", &self.kind).field("name", &self.name);
        for col in Col::ALL {
            if let Some(value) = self.num(*col) {
                out.field(col.name(), &value);
            }
        }
        for text in Text::ALL.iter().filter(|t| !self.text(**t).is_empty()) {
            out.field(text.name(), &self.text(*text));
        }
        out.finish()
    }
}

/// A row as it travels: only the cells that hold something.
#[derive(Serialize, Deserialize)]
struct Wire {
    kind: RowKind,
    name: String,
    mask: u64,
    num: Vec<u64>,
    text: Vec<(Text, String)>,
}

impl From<Row> for Wire {
    fn from(row: Row) -> Self {
        let set = Col::ALL.iter().filter(|c| row.num(**c).is_some());
        let mask = set.clone().fold(0, |mask, c| mask | 1 << *c as u64);
        let num = set.map(|c| row.get(*c)).collect();
        let text = Text::ALL.iter().copied().zip(row.text).filter(|(_, t)| !t.is_empty()).collect();
        Self { kind: row.kind, name: row.name, mask, num, text }
    }
}

impl From<Wire> for Row {
    fn from(wire: Wire) -> Self {
        let mut row = Self::new(wire.kind, wire.name);
        let set = Col::ALL.iter().filter(|c| wire.mask & (1 << **c as u64) != 0);
        for (col, value) in set.zip(wire.num) {
            row.set(*col, Some(value));
        }
        for (text, value) in wire.text {
            row.set_text(text, value);
        }
        row
    }
}
