//! From HAProxy's replies to rows. Plain functions: no input or output, the clock comes as a number.

use std::{borrow::Cow, collections::HashMap};

use haproxy::{ServersState, StatRow, StatTable};
use model::{
    col::{Col, Text},
    row::{Row, RowKind, check},
    text::is_hidden,
};

/// The mark that HAProxy puts before the code of a check while the next one runs.
const CHECK_RUNNING: &str = "* ";

/// One proxy's rows, in HAProxy's order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ProxyRows {
    pub(super) name: String,
    pub(super) rows: Vec<Row>,
}

/// Reads a reply to `show stat`, polled at `now` (Unix seconds), joined with the newest `show servers state`.
///
/// Rows of a kind that is not known, or of a proxy without a name, are left out: they are in the raw reply.
pub(super) fn read(table: &StatTable, states: Option<&ServersState>, now: u64) -> Vec<ProxyRows> {
    let columns = Columns::of(table);
    let bits = states.map(bits_by_name).unwrap_or_default();
    let mut out: Vec<ProxyRows> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    table.for_each(|line| {
        let Some(mut row) = columns.read(line, now) else { return };
        let proxy = printable(line.text(columns.pxname));
        if proxy.is_empty() {
            return;
        }
        if row.kind == RowKind::Server
            && let Some(bits) = bits.get(&(&*proxy, row.name.as_str())).copied()
        {
            for (col, value) in bits {
                row.set(col, Some(value));
            }
        }
        // A proxy's lines stand together but for a frontend and a backend of one name.
        let last = out.len().wrapping_sub(1);
        let place = match out.last() {
            Some(last_proxy) if last_proxy.name == proxy => last,
            _ => *places.entry(proxy.clone().into_owned()).or_insert_with(|| {
                out.push(ProxyRows { name: proxy.into_owned(), rows: Vec::new() });
                out.len() - 1
            }),
        };
        out[place].rows.push(row);
    });
    out
}

type Bits = [(Col, u64); 4];

fn bits_by_name(states: &ServersState) -> HashMap<(&str, &str), Bits> {
    let bits = |s: &haproxy::ServerState<'_>| {
        [
            (Col::OpState, u64::from(s.op_state)),
            (Col::AdminState, u64::from(s.admin_state)),
            (Col::CheckState, u64::from(s.check_state) & !check::IN_PROGRESS),
            (Col::AgentState, u64::from(s.agent_state) & !check::IN_PROGRESS),
        ]
    };
    states.rows().map(|s| ((s.backend, s.server), bits(&s))).collect()
}

/// Where the columns stand in this reply.
struct Columns {
    pxname: usize,
    svname: usize,
    kind: usize,
    numbers: Vec<(usize, Col)>,
    texts: Vec<(usize, Text)>,
}

impl Columns {
    fn of(table: &StatTable) -> Self {
        // A column that is not there reads as an empty one.
        let at = |name| table.column(name).unwrap_or(usize::MAX);
        Self {
            pxname: at("pxname"),
            svname: at("svname"),
            kind: at("type"),
            numbers: Col::ALL.iter().filter_map(|c| Some((table.column(c.name())?, *c))).collect(),
            texts: Text::ALL.iter().filter_map(|t| Some((table.column(t.name())?, *t))).collect(),
        }
    }

    fn read(&self, line: StatRow<'_>, now: u64) -> Option<Row> {
        let kind = RowKind::from_type(line.unsigned(self.kind)?)?;
        let mut row = Row::new(kind, printable(line.text(self.svname)));
        for (at, col) in &self.numbers {
            // -1 (`lastsess`: never) reads as empty.
            row.set(*col, line.unsigned(*at));
        }
        for (at, text) in &self.texts {
            let value = line.text(*at);
            if !value.is_empty() {
                let value = printable(value);
                let value = match text {
                    Text::CheckStatus | Text::AgentStatus => value.strip_prefix(CHECK_RUNNING).unwrap_or(&value),
                    _ => &value,
                };
                row.set_text(*text, value);
            }
        }
        // While a row is down its downtime grows with the age of the change: kept is what came before.
        if row.is_stopped()
            && let (Some(downtime), Some(age)) = (row.num(Col::Downtime), row.num(Col::Lastchg))
        {
            row.set(Col::Downtime, Some(downtime.saturating_sub(age)));
        }
        for age in [Col::Lastchg, Col::Lastsess] {
            row.set(age, row.num(age).map(|age| now.saturating_sub(age)));
        }
        Some(row)
    }
}

/// HAProxy repeats what others wrote, the words of checks and agents above all. Control characters, and characters that break
/// a line, turn the direction of text or can't be seen, are replaced by a mark.
fn printable(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.bytes().all(|b| matches!(b, b' '..=b'~')) {
        return text;
    }
    text.chars().map(|c| if is_hidden(c) { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests;
