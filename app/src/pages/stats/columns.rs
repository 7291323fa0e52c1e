//! The columns of HAProxy's stats page that are hidden until asked for.

use leptos::prelude::*;
use model::{
    col::Col,
    format::{bytes, count, exact, span},
    row::{Row, RowKind},
};

/// How a figure is written.
#[derive(Clone, Copy)]
enum Unit {
    Count,
    Bytes,
    Seconds,
    Ago,
    Percent,
}

/// A column.
pub(super) struct Extra {
    pub(super) head: &'static str,
    pub(super) title: &'static str,
    col: Col,
    unit: Unit,
}

/// The stats page's own groups of columns.
pub(super) struct Group {
    pub(super) id: &'static str,
    pub(super) label: &'static str,
    pub(super) columns: &'static [Extra],
}

const fn extra(head: &'static str, title: &'static str, col: Col, unit: Unit) -> Extra {
    Extra { head, title, col, unit }
}

/// Every group, in the order of the stats page.
pub(super) const GROUPS: [Group; 8] = [
    Group {
        id: "queue",
        label: "Queue",
        columns: &[
            extra("Max", "Most queued connections", Col::Qmax, Unit::Count),
            extra("Limit", "Limit of the queue", Col::Qlimit, Unit::Count),
        ],
    },
    Group {
        id: "rate",
        label: "Session rate",
        columns: &[
            extra("Max", "Highest session rate", Col::RateMax, Unit::Count),
            extra("Limit", "Limit of the session rate", Col::RateLim, Unit::Count),
        ],
    },
    Group {
        id: "sessions",
        label: "Sessions",
        columns: &[
            extra("Total", "Sessions since the process started", Col::Stot, Unit::Count),
            extra("LbTot", "Times a server was chosen", Col::Lbtot, Unit::Count),
            extra("Last", "Time since the last session", Col::Lastsess, Unit::Ago),
        ],
    },
    Group {
        id: "bytes",
        label: "Bytes",
        columns: &[
            extra("In", "Bytes in since the process started", Col::Bin, Unit::Bytes),
            extra("Out", "Bytes out since the process started", Col::Bout, Unit::Bytes),
        ],
    },
    Group {
        id: "denied",
        label: "Denied",
        columns: &[
            extra("Req", "Denied requests", Col::Dreq, Unit::Count),
            extra("Resp", "Denied responses", Col::Dresp, Unit::Count),
        ],
    },
    Group {
        id: "errors",
        label: "Errors",
        columns: &[
            extra("Req", "Invalid requests", Col::Ereq, Unit::Count),
            extra("Conn", "Failed connections to the server", Col::Econ, Unit::Count),
            extra("Resp", "Invalid responses", Col::Eresp, Unit::Count),
        ],
    },
    Group {
        id: "warnings",
        label: "Warnings",
        columns: &[
            extra("Retr", "Connection retries", Col::Wretr, Unit::Count),
            extra("Redis", "Redispatches", Col::Wredis, Unit::Count),
        ],
    },
    Group {
        id: "server",
        label: "Server",
        columns: &[
            extra("Act", "Active servers that are UP", Col::Act, Unit::Count),
            extra("Bck", "Backup servers that are UP", Col::Bck, Unit::Count),
            extra("Chk", "Failed checks while UP", Col::Chkfail, Unit::Count),
            extra("Dwn", "Changes from UP to DOWN", Col::Chkdown, Unit::Count),
            extra("Dwntme", "Time spent DOWN", Col::Downtime, Unit::Seconds),
            extra("Thrtle", "Share of the weight while in slow start", Col::Throttle, Unit::Percent),
        ],
    },
];

/// Which groups are shown: a bit per group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ShownColumns(u8);

/// Where the browser keeps the choice.
const KEPT: &str = "sluice-columns";

impl ShownColumns {
    pub(super) fn has(self, group: usize) -> bool {
        self.0 & (1 << group) != 0
    }

    pub(super) fn toggled(self, group: usize) -> Self {
        Self(self.0 ^ (1 << group))
    }

    /// The groups that are shown.
    pub(super) fn groups(self) -> impl Iterator<Item = &'static Group> {
        GROUPS.iter().enumerate().filter(move |(at, _)| self.has(*at)).map(|(_, group)| group)
    }

    /// Their columns.
    pub(super) fn columns(self) -> impl Iterator<Item = &'static Extra> {
        self.groups().flat_map(|g| g.columns)
    }

    /// What was chosen in this browser.
    pub(super) fn kept() -> Self {
        let kept = window().local_storage().ok().flatten().and_then(|s| s.get_item(KEPT).ok().flatten());
        let ids = kept.unwrap_or_default();
        let is_kept = |group: &Group| ids.split(',').any(|id| id == group.id);
        Self(GROUPS.iter().enumerate().filter(|(_, g)| is_kept(g)).fold(0, |bits, (at, _)| bits | 1 << at))
    }

    /// Keeps the choice in this browser.
    pub(super) fn keep(self) {
        let ids: Vec<_> = self.groups().map(|g| g.id).collect();
        if let Ok(Some(storage)) = window().local_storage() {
            let _: Result<(), _> = storage.set_item(KEPT, &ids.join(","));
        }
    }
}

impl Extra {
    /// The cell as it is written, and the exact figure behind it. `now` is in Unix seconds.
    pub(super) fn figure(&self, row: &Row, now: u64) -> Figure {
        let Some(n) = row.num(self.col) else { return Figure::default() };
        match self.unit {
            // HAProxy sends a 0 in the columns of a server that make sense for a backend only.
            Unit::Count if matches!(self.col, Col::Act | Col::Bck) && row.kind == RowKind::Server => {
                Figure::new(n, if n == 0 { "–".to_owned() } else { "yes".to_owned() })
            }
            Unit::Count => Figure::count(n),
            Unit::Bytes => Figure::new(n, bytes(n)),
            Unit::Seconds => {
                let n = if row.is_stopped() { n + now.saturating_sub(row.get(Col::Lastchg)) } else { n };
                Figure::new(n, span(n))
            }
            Unit::Ago => {
                let n = now.saturating_sub(n);
                Figure::new(n, span(n))
            }
            Unit::Percent => Figure::new(n, format!("{n} %")),
        }
    }
}

/// A figure: short, and exact.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Figure {
    pub(super) short: String,
    pub(super) exact: String,
    pub(super) is_zero: bool,
}

impl Figure {
    fn new(n: u64, short: String) -> Self {
        Self { short, exact: exact(n), is_zero: n == 0 }
    }

    /// A count.
    pub(super) fn count(n: u64) -> Self {
        Self::new(n, count(n))
    }

    /// Bytes a second.
    pub(super) fn rate(n: u64) -> Self {
        Self::new(n, bytes(n))
    }
}
