//! The reply to `show servers state`: a table of words, one line per server, the columns named in its second line.
//!
//! Only this tells which actions make sense on a server, and what the `status` of `show stat` hides.

use crate::ParseError;

/// The whole of one `show servers state` reply.
#[derive(Clone, Debug)]
pub struct ServersState {
    text: String,
    /// For each column of the reply its place in [`COLUMNS`]; `None` for one that this client doesn't know.
    layout: Vec<Option<usize>>,
    /// Where the first row begins in `text`, in bytes.
    rows: usize,
}

/// One server. Its fields carry HAProxy's numbers, for which see `struct server` and `struct check` in its source.
///
/// A field is `None` where this version of HAProxy has no such column, or where it says `-`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerState<'text> {
    /// `be_name`.
    pub backend: &'text str,
    /// `srv_name`.
    pub server: &'text str,
    /// `be_id`.
    pub backend_id: Option<u32>,
    /// `srv_id`.
    pub server_id: Option<u32>,
    /// `srv_op_state`: 0 stopped, 1 starting (slow start), 2 running, 3 stopping (NOLB).
    pub op_state: u8,
    /// `srv_admin_state`, bits: 1 forced maintenance, 2 inherited maintenance, 4 `disabled` in the configuration,
    /// 8 forced drain, 16 inherited drain, 32 maintenance for want of an address, 64 name changed at run time.
    pub admin_state: u8,
    /// `srv_check_state`, bits: 1 in progress, 2 configured, 4 enabled, 8 paused by maintenance.
    pub check_state: u8,
    /// `srv_agent_state`, bits: as for checks, and 16 on every agent.
    pub agent_state: u8,
    /// `srv_check_result`: 0 unknown, 1 neutral, 2 failed, 3 passed, 4 passed on condition.
    pub check_result: Option<u8>,
    /// `srv_check_status`: the index of the latest check's status (8 L4CON, 15 L7OK, ...).
    pub check_status: Option<u8>,
    /// `srv_check_health`: successes or failures that count towards `rise` and `fall`.
    pub check_health: Option<u32>,
    /// `srv_uweight`: the weight as set, 0 to 256.
    pub uweight: Option<u32>,
    /// `srv_iweight`: the weight as configured, 0 to 256.
    pub iweight: Option<u32>,
    /// `srv_time_since_last_change`, in seconds.
    pub time_since_last_change: Option<u64>,
    /// `srv_addr`: an IP address. HAProxy writes none for a server behind a unix socket.
    pub addr: Option<&'text str>,
    /// `srv_port`.
    pub port: Option<u16>,
    /// `srv_fqdn`: the name that is resolved at run time.
    pub fqdn: Option<&'text str>,
    /// `srvrecord`: the DNS record that the server comes from.
    pub srvrecord: Option<&'text str>,
    /// `srv_use_ssl` (2.4 and later).
    pub use_ssl: Option<bool>,
    /// `srv_check_addr` (2.4 and later).
    pub check_addr: Option<&'text str>,
    /// `srv_check_port` (2.4 and later); 0 when it is the server's own.
    pub check_port: Option<u16>,
    /// `srv_agent_addr` (2.4 and later).
    pub agent_addr: Option<&'text str>,
    /// `srv_agent_port` (2.4 and later).
    pub agent_port: Option<u16>,
}

impl ServersState {
    /// Takes a whole reply, with the empty line that ends it. Bytes that aren't UTF-8 become `U+FFFD`.
    ///
    /// # Errors
    /// [`ParseError::Beginning`] when it doesn't begin with a version and a header, [`ParseError::Cut`] when the end is
    /// missing, [`ParseError::MissingColumn`] when the columns that every version has are not there,
    /// [`ParseError::SecondHeader`] when a row is a header.
    pub fn parse(reply: impl Into<Vec<u8>>) -> Result<Self, ParseError> {
        const EXPECTED: ParseError = ParseError::Beginning { expected: "a format version and `# be_id`" };
        let reply = reply.into();
        if !Self::recognises(&reply) {
            return Err(EXPECTED);
        }
        if !reply.ends_with(b"\n\n") {
            return Err(ParseError::Cut { received: reply.len() });
        }
        let text =
            String::from_utf8(reply).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
        let mut lines = text.split_inclusive('\n');
        let (Some(version), Some(header)) = (lines.next(), lines.next()) else {
            return Err(EXPECTED);
        };
        let names = header.strip_prefix("# ").ok_or(EXPECTED)?;
        let layout: Vec<_> =
            names.split_ascii_whitespace().map(|name| COLUMNS.iter().position(|(known, _)| *known == name)).collect();
        for (place, (column, _)) in COLUMNS.iter().enumerate().take(REQUIRED) {
            if !layout.contains(&Some(place)) {
                return Err(ParseError::MissingColumn { column });
            }
        }
        let rows = version.len() + header.len();
        if text[rows - 1..].contains("\n# ") {
            return Err(ParseError::SecondHeader);
        }
        Ok(Self { text, layout, rows })
    }

    /// Whether a reply is this table, or a part of it, rather than a message: its first line is a number.
    pub(super) fn recognises(reply: &[u8]) -> bool {
        let digits = reply.iter().take_while(|byte| byte.is_ascii_digit()).count();
        digits > 0 && reply.get(digits) == Some(&b'\n')
    }

    /// The servers in HAProxy's order.
    ///
    /// A line without one of the names or states that every version writes identifies no server, and is left out.
    pub fn rows(&self) -> impl Iterator<Item = ServerState<'_>> {
        self.text[self.rows..].lines().filter_map(|line| self.row(line))
    }

    fn row<'text>(&self, line: &'text str) -> Option<ServerState<'text>> {
        let mut row = ServerState::default();
        let mut filled = [false; REQUIRED];
        // HAProxy writes exactly one space between two cells, and none is empty.
        for (cell, place) in line.split(' ').zip(&self.layout) {
            let Some(place) = *place else { continue };
            let (_, fill) = COLUMNS[place];
            let is_filled = fill(&mut row, cell).is_some();
            if let Some(required) = filled.get_mut(place) {
                *required = is_filled;
            }
        }
        filled.iter().all(|filled| *filled).then_some(row)
    }
}

/// Writes a cell into its field; `None` when it can't be read.
type Fill = for<'text> fn(&mut ServerState<'text>, &'text str) -> Option<()>;

/// How many of [`COLUMNS`], from the first, every version of HAProxy since 1.8 writes.
const REQUIRED: usize = 6;

/// The columns that this client knows, by HAProxy's names (`SRV_STATE_FILE_FIELD_NAMES` in its `server-t.h`).
const COLUMNS: [(&str, Fill); 23] = [
    ("be_name", |row, cell| name(cell).map(|v| row.backend = v)),
    ("srv_name", |row, cell| name(cell).map(|v| row.server = v)),
    ("srv_op_state", |row, cell| bits(cell).map(|v| row.op_state = v)),
    ("srv_admin_state", |row, cell| bits(cell).map(|v| row.admin_state = v)),
    ("srv_check_state", |row, cell| bits(cell).map(|v| row.check_state = v)),
    ("srv_agent_state", |row, cell| bits(cell).map(|v| row.agent_state = v)),
    ("be_id", |row, cell| set(&mut row.backend_id, cell.parse())),
    ("srv_id", |row, cell| set(&mut row.server_id, cell.parse())),
    ("srv_check_result", |row, cell| set(&mut row.check_result, cell.parse())),
    ("srv_check_status", |row, cell| set(&mut row.check_status, cell.parse())),
    ("srv_check_health", |row, cell| set(&mut row.check_health, cell.parse())),
    ("srv_uweight", |row, cell| set(&mut row.uweight, cell.parse())),
    ("srv_iweight", |row, cell| set(&mut row.iweight, cell.parse())),
    ("srv_time_since_last_change", |row, cell| set(&mut row.time_since_last_change, cell.parse())),
    ("srv_addr", |row, cell| word(&mut row.addr, cell)),
    ("srv_port", |row, cell| set(&mut row.port, cell.parse())),
    ("srv_fqdn", |row, cell| word(&mut row.fqdn, cell)),
    ("srvrecord", |row, cell| word(&mut row.srvrecord, cell)),
    ("srv_use_ssl", |row, cell| set(&mut row.use_ssl, cell.parse().map(|v: u8| v != 0))),
    ("srv_check_addr", |row, cell| word(&mut row.check_addr, cell)),
    ("srv_check_port", |row, cell| set(&mut row.check_port, cell.parse())),
    ("srv_agent_addr", |row, cell| word(&mut row.agent_addr, cell)),
    ("srv_agent_port", |row, cell| set(&mut row.agent_port, cell.parse())),
];

/// The low eight bits of a state, in which all that HAProxy writes lies.
fn bits(cell: &str) -> Option<u8> {
    u8::try_from(cell.parse::<u32>().ok()? & 0xff).ok()
}

fn name(cell: &str) -> Option<&str> {
    (!cell.is_empty()).then_some(cell)
}

fn word<'text>(field: &mut Option<&'text str>, cell: &'text str) -> Option<()> {
    *field = (!cell.is_empty() && cell != "-").then_some(cell);
    field.map(|_| ())
}

fn set<T, E>(field: &mut Option<T>, value: Result<T, E>) -> Option<()> {
    let is_read = value.is_ok();
    *field = value.ok();
    is_read.then_some(())
}

#[cfg(test)]
mod tests;
