//! From HAProxy's replies to rows. Plain functions: no input or output, the clock comes as a number.

use std::{borrow::Cow, collections::HashMap};

use app::model::{
    col::{Col, Text},
    row::{Kind, Row, check},
};

use crate::haproxy::{ServersState, StatRow, StatTable};

/// The mark that HAProxy puts before the code of a check while the next one runs.
const CHECK_RUNNING: &str = "* ";

/// One proxy's rows, in HAProxy's order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Proxy {
    pub(super) name: String,
    pub(super) rows: Vec<Row>,
}

/// Reads a reply to `show stat`, polled at `now` (Unix seconds), joined with the newest `show servers state`.
///
/// Rows of a kind that is not known, or of a proxy without a name, are left out: they are in the raw reply.
pub(super) fn read(table: &StatTable, states: Option<&ServersState>, now: u64) -> Vec<Proxy> {
    let columns = Columns::of(table);
    let bits = states.map(bits_by_name).unwrap_or_default();
    let mut out: Vec<Proxy> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    table.for_each(|line| {
        let Some(mut row) = columns.read(line, now) else { return };
        let proxy = printable(line.text(columns.pxname));
        if proxy.is_empty() {
            return;
        }
        if row.kind == Kind::Server
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
                out.push(Proxy { name: proxy.into_owned(), rows: Vec::new() });
                out.len() - 1
            }),
        };
        out[place].rows.push(row);
    });
    out
}

type Bits = [(Col, u64); 4];

fn bits_by_name(states: &ServersState) -> HashMap<(&str, &str), Bits> {
    let bits = |s: &crate::haproxy::ServerState<'_>| {
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
        let kind = Kind::from_type(line.unsigned(self.kind)?)?;
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

/// What HAProxy repeats, a check's or an agent's words above all, is a stranger's: control characters, those that turn the direction of text among them, are shown as a mark.
fn printable(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.bytes().all(|b| matches!(b, b' '..=b'~')) {
        return text;
    }
    let is_odd = |c: char| {
        c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|c| if is_odd(c) { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    const NOW: u64 = 1_000_000;

    fn parse(csv: &str) -> Vec<Proxy> {
        let table = StatTable::parse(Bytes::from(format!("{csv}\n"))).expect("a table");
        read(&table, None, NOW)
    }

    #[test]
    fn columns_are_found_by_name_and_unknown_ones_are_no_error() {
        let got = parse(concat!(
            "# pxname,svname,later,scur,type,status,check_status,lastchg,lastsess,downtime,last_chk,\n",
            "web,FRONTEND,x,5,0,OPEN,,,,,,\n",
            "web,s1,,7,2,DOWN,* L4CON,30,-1,40,\"a,\"\"b\"\"\u{1b}[31m\",\n",
            "web,what,,,9,,,,,,,\n",
            "api,BACKEND,,,1,SIDEWAYS,,,,,,\n",
            ",s1,,7,2,UP,,,,,,\n",
            "a\u{202e}b,s\0\u{e9},,,2,UP,,,,,,\n",
        ));
        assert_eq!(
            got.iter().map(|p| (p.name.as_str(), p.rows.len())).collect::<Vec<_>>(),
            [("web", 2), ("api", 1), ("a\u{fffd}b", 1)]
        );
        let server = &got[0].rows[1];
        assert_eq!(server.num(Col::Scur), Some(7));
        assert_eq!(server.num(Col::Lastchg), Some(NOW - 30));
        assert_eq!(server.num(Col::Lastsess), None);
        assert_eq!(server.num(Col::Downtime), Some(10));
        assert_eq!(server.text(Text::CheckStatus), "L4CON");
        assert_eq!(server.text(Text::LastChk), "a,\"b\"\u{fffd}[31m");
        assert_eq!(got[1].rows[0].text(Text::Status), "SIDEWAYS");
        assert_eq!(got[2].rows[0].name, "s\u{fffd}\u{e9}");
    }

    #[test]
    fn a_frontend_and_a_backend_of_one_name_are_one_proxy() {
        let got =
            parse("# pxname,svname,type,status,\nweb,FRONTEND,0,,\napi,FRONTEND,0,,\nweb,s1,2,,\nweb,BACKEND,1,,\n");
        let names: Vec<_> = got[0].rows.iter().map(|r| r.name.as_str()).collect();
        assert_eq!((got.len(), names), (2, vec!["FRONTEND", "s1", "BACKEND"]));
    }
}
