//! One row of what several nodes say of the same object.
//!
//! Each column follows HAProxy's own rule for adding processes up, which `show stat typed` names per column: its nature
//! (`doc/management.txt`, section 9.2). Counters, gauges and rates are summed, maxima and durations are the largest,
//! ages the youngest, averages weighted by what they are averages of. State is that of the node that is worst off.

use crate::{
    col::{Col, Text},
    row::{Row, RowKind},
    status::RowState,
};

/// How the cells of a column become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MergeRule {
    /// Natures C, G and R: their sum.
    Sum,
    /// Natures M and D: the largest. The true maximum lies between it and the sum.
    Max,
    /// Nature A: the latest instant, which is the smallest age.
    Latest,
    /// Nature a, over requests: weighted by `lbtot`, the requests of each node.
    OverRequests,
    /// Nature a, of weights: the plain mean.
    Mean,
    /// Nature L: a limit of each process, and of all of them together their sum; none where one of them has none.
    Limit,
    /// Nature C, of a clock that may run on several nodes.
    Downtime,
    /// Nature O, states and what is configured: those of the node that is worst off.
    Lead,
}

fn rule(col: Col) -> MergeRule {
    match col {
        Col::Smax | Col::Qmax | Col::RateMax | Col::CheckDuration => MergeRule::Max,
        Col::Lastsess | Col::Lastchg => MergeRule::Latest,
        Col::Qtime | Col::Ctime | Col::Rtime | Col::Ttime => MergeRule::OverRequests,
        Col::Weight => MergeRule::Mean,
        Col::Slim | Col::RateLim => MergeRule::Limit,
        Col::Downtime => MergeRule::Downtime,
        Col::Qlimit
        | Col::Throttle
        | Col::CheckCode
        | Col::CheckRise
        | Col::CheckFall
        | Col::CheckHealth
        | Col::OpState
        | Col::AdminState
        | Col::CheckState
        | Col::AgentState => MergeRule::Lead,
        _ => MergeRule::Sum,
    }
}

/// The columns that the worst node tells.
fn lead_columns() -> impl Iterator<Item = Col> {
    Col::ALL.iter().copied().filter(|c| rule(*c) == MergeRule::Lead)
}

/// The same row on several nodes as one; nothing of no rows. The order of the nodes does not matter, and one node's row
/// merges to itself. `now` is Unix seconds.
#[must_use]
pub fn merge(rows: &[&Row], now: u64) -> Option<Row> {
    let lead = rows.iter().min_by(|a, b| worse(a, b))?;
    let mut out = Row::new(lead.kind, lead.name.as_str());
    for text in Text::ALL {
        out.set_text(*text, lead.text(*text));
    }
    for col in Col::ALL.iter().copied() {
        out.set(col, cell(rows, lead, col));
    }
    out.set(Col::Downtime, downtime(rows, &out, now));
    Some(out)
}

/// Which node is worse off. What is equal in state is ordered by all that the worst one tells: any two orders of the same
/// nodes agree.
fn worse(a: &Row, b: &Row) -> std::cmp::Ordering {
    let rank = |row: &Row| RowState::ALL.iter().position(|s| *s == row.state());
    let texts = || Text::ALL.iter().map(|t| a.text(*t)).cmp(Text::ALL.iter().map(|t| b.text(*t)));
    let numbers = || lead_columns().map(|c| a.num(c)).cmp(lead_columns().map(|c| b.num(c)));
    rank(a).cmp(&rank(b)).then_with(texts).then_with(numbers)
}

fn cell(rows: &[&Row], lead: &Row, col: Col) -> Option<u64> {
    let known = rows.iter().filter_map(|r| r.num(col));
    match rule(col) {
        // The downtime is written over, once the rest is known.
        MergeRule::Lead | MergeRule::Downtime => lead.num(col),
        MergeRule::Max | MergeRule::Latest => known.max(),
        MergeRule::Sum => known.reduce(u64::saturating_add),
        // An empty limit is none.
        MergeRule::Limit if known.clone().count() < rows.len() => None,
        MergeRule::Limit => known.reduce(u64::saturating_add),
        MergeRule::Mean => mean(rows, col, |_| 1),
        MergeRule::OverRequests => mean(rows, col, |r| r.get(Col::Lbtot)).or_else(|| mean(rows, col, |_| 1)),
    }
}

/// The weighted mean of those that have the cell; nothing where they weigh nothing.
fn mean(rows: &[&Row], col: Col, weight: impl Fn(&Row) -> u64) -> Option<u64> {
    let (mut sum, mut weights) = (0_u128, 0_u128);
    for (row, value) in rows.iter().filter_map(|r| Some((r, r.num(col)?))) {
        // No sum of these overflows: a share of 2^32 is weight enough for a mean.
        let weight = u128::from(weight(row).min(1 << 32));
        sum += u128::from(value) * weight;
        weights += weight;
    }
    // Rounded to the nearest.
    (weights > 0).then(|| u64::try_from((sum + weights / 2) / weights).unwrap_or(u64::MAX))
}

/// The sum of all downtimes until now, written like a row's own: without the time since `lastchg` while it is stopped.
fn downtime(rows: &[&Row], out: &Row, now: u64) -> Option<u64> {
    let running = |row: &Row| match row.num(Col::Lastchg) {
        Some(at) if row.is_stopped() => now.saturating_sub(at),
        _ => 0,
    };
    let total = |row: &&Row| Some(row.num(Col::Downtime)?.saturating_add(running(row)));
    match rows {
        // Nothing to add up, and nothing that rounding `now` could move.
        [only] => only.num(Col::Downtime),
        _ => rows.iter().filter_map(total).reduce(u64::saturating_add).map(|all| all.saturating_sub(running(out))),
    }
}

/// The rows of one proxy on several nodes, merged: those of the first node in its order, and what only others have where
/// HAProxy would list it.
#[must_use]
pub fn merge_rows(nodes: &[&[Row]], now: u64) -> Vec<Row> {
    let order = |kind| match kind {
        RowKind::Frontend => 0,
        RowKind::Listener => 1,
        RowKind::Server => 2,
        RowKind::Backend => 3,
    };
    let mut objects: Vec<&Row> = Vec::new();
    for (at, rows) in nodes.iter().enumerate() {
        // Nodes of a cluster mostly have the same rows in the same places.
        let is_same = at > 0 && rows.len() == objects.len() && rows.iter().zip(&objects).all(|(a, b)| a.same_object(b));
        if !is_same {
            let known = objects.clone();
            objects.extend(rows.iter().filter(|row| !known.iter().any(|k| k.same_object(row))));
        }
    }
    objects.sort_by_key(|row| order(row.kind));
    let of = |at: usize, object: &Row, rows: &'_ [Row]| {
        let here = rows.get(at).filter(|r| r.same_object(object));
        here.map(|_| at).or_else(|| rows.iter().position(|r| r.same_object(object)))
    };
    objects
        .iter()
        .enumerate()
        .filter_map(|(at, object)| {
            let same: Vec<&Row> = nodes.iter().filter_map(|rows| rows.get(of(at, object, rows)?)).collect();
            merge(&same, now)
        })
        .collect()
}

#[cfg(test)]
mod tests;
