use proptest::{collection::vec, prelude::*, sample::select};

use super::*;
use crate::arbitrary;

const NOW: u64 = 1_000;

fn server(status: &str, nums: &[(Col, u64)]) -> Row {
    let mut row = Row::new(RowKind::Server, "s1");
    row.set_text(Text::Status, status);
    nums.iter().for_each(|(col, value)| row.set(*col, Some(*value)));
    row
}

fn merged(rows: &[Row]) -> Row {
    merge(&rows.iter().collect::<Vec<_>>(), NOW).expect("rows")
}

/// Origin, nature and scope of each column, as HAProxy 3.2.26 tells them in `show stat typed`.
const TAGS: &str = "\
    scur:MGP rate:MRP bin:MCP bout:MCP stot:MCP lbtot:MCP hrsp_2xx:MCP req_tot:MCP lastsess:MAP \
    rtime:MaP ttime:MaP ctime:MaP req_rate:MRP qcur:MGP smax:MMP qtime:MaP qmax:MMP rate_max:MMP \
    hrsp_3xx:MCP hrsp_4xx:MCP hrsp_5xx:MCP ereq:MCP econ:MCP eresp:MCP wretr:MCP wredis:MCP dreq:MCP \
    dresp:MCP cli_abrt:MCP srv_abrt:MCP lastchg:MAP downtime:MCP chkfail:MCP chkdown:MCP weight:MaP \
    act:SGP bck:SGP slim:CLP qlimit:CGS rate_lim:CLP check_code:MOP check_duration:MDP check_rise:CGS \
    check_fall:CGS check_health:CGS";

#[test]
fn every_column_follows_haproxy_s_own_rule() {
    for (name, tags) in TAGS.split(' ').filter_map(|word| word.split_once(':')) {
        let [origin, nature, _] = *tags.as_bytes() else { panic!("{tags}") };
        let want = match (origin, nature) {
            (_, b'L') => MergeRule::Limit,
            // What is configured is the same on every node.
            (b'C', _) | (_, b'O') => MergeRule::Lead,
            (_, b'M' | b'D') => MergeRule::Max,
            (_, b'A') => MergeRule::Latest,
            (_, b'a') if name == "weight" => MergeRule::Mean,
            (_, b'a') => MergeRule::OverRequests,
            (_, b'C') if name == "downtime" => MergeRule::Downtime,
            (_, b'C' | b'G' | b'R') => MergeRule::Sum,
            _ => panic!("{name} has a nature that nobody thought of: {tags}"),
        };
        assert_eq!(rule(Col::from_name(name).expect(name)), want, "{name} {tags}");
    }
}

#[test]
fn every_nature_has_its_rule() {
    let a =
        [(Col::Stot, 10), (Col::Smax, 3), (Col::Lastsess, 900), (Col::Rtime, 20), (Col::Lbtot, 30), (Col::Weight, 1)];
    let b =
        [(Col::Stot, 5), (Col::Smax, 7), (Col::Lastsess, 950), (Col::Rtime, 60), (Col::Lbtot, 10), (Col::Weight, 100)];
    let got = merged(&[server("UP", &a), server("UP", &b), server("UP", &[])]);
    for (col, want) in [
        (Col::Stot, Some(15)),
        (Col::Smax, Some(7)),
        (Col::Lastsess, Some(950)),
        (Col::Rtime, Some(30)), // (20 x 30 + 60 x 10) / 40
        (Col::Lbtot, Some(40)),
        (Col::Weight, Some(51)), // 50.5
        (Col::Bin, None),
    ] {
        assert_eq!(got.num(col), want, "{}", col.name());
    }
}

#[test]
fn a_mean_over_no_requests_is_the_plain_one() {
    let got = merged(&[server("UP", &[(Col::Rtime, 10)]), server("UP", &[(Col::Rtime, 20), (Col::Lbtot, 0)])]);
    assert_eq!(got.num(Col::Rtime), Some(15));
}

#[test]
fn a_limit_that_one_node_lacks_is_none() {
    let limited = server("UP", &[(Col::Slim, 100)]);
    assert_eq!(merged(&[limited.clone(), limited.clone()]).num(Col::Slim), Some(200));
    assert_eq!(merged(&[limited, server("UP", &[])]).num(Col::Slim), None);
}

#[test]
fn the_worst_node_tells_the_state() {
    let mut down = server("DOWN", &[(Col::AdminState, 0), (Col::CheckCode, 503)]);
    down.set_text(Text::LastChk, "Service Unavailable");
    let got = merged(&[server("UP", &[(Col::AdminState, 4)]), down, server("MAINT", &[(Col::AdminState, 1)])]);
    assert_eq!(got.state(), RowState::Down);
    assert_eq!((got.num(Col::AdminState), got.num(Col::CheckCode)), (Some(0), Some(503)));
    assert_eq!(got.text(Text::LastChk), "Service Unavailable");
}

#[test]
fn a_downtime_runs_on_every_node_that_is_down() {
    // Down for 100 s and for 40 s, after 7 and 0 s of earlier downtime; the third is up again after 50 s.
    let nodes = [
        server("DOWN", &[(Col::Lastchg, 900), (Col::Downtime, 7)]),
        server("DOWN", &[(Col::Lastchg, 960), (Col::Downtime, 0)]),
        server("UP", &[(Col::Lastchg, 980), (Col::Downtime, 50)]),
    ];
    let got = merged(&nodes);
    let shown = got.get(Col::Downtime) + (NOW - got.get(Col::Lastchg));
    assert_eq!(shown, 100 + 7 + 40 + 50);
}

#[test]
fn rows_that_only_one_node_has_stand_where_haproxy_lists_them() {
    let rows = |names: &[&str]| -> Vec<Row> {
        let kind = |name: &str| if name == "BACKEND" { RowKind::Backend } else { RowKind::Server };
        names.iter().map(|n| Row::new(kind(n), *n)).collect()
    };
    let (a, b) = (rows(&["s1", "s2", "BACKEND"]), rows(&["s3", "s1", "BACKEND"]));
    let got: Vec<String> = merge_rows(&[&a, &b], NOW).into_iter().map(|r| r.name).collect();
    assert_eq!(got, ["s1", "s2", "s3", "BACKEND"]);
    assert!(merge_rows(&[], NOW).is_empty());
}

/// Rows of one object on some nodes.
fn nodes() -> impl Strategy<Value = Vec<Row>> {
    let status = select(vec!["UP", "UP 1/3", "DOWN", "DOWN 1/2", "MAINT", "DRAIN", "NOLB", "no check", "", "SIDEWAYS"]);
    vec((arbitrary::rows(), status), 1..5).prop_map(|nodes| {
        nodes
            .into_iter()
            .map(|(rows, status)| {
                let mut row = rows.into_iter().next().unwrap_or_else(|| Row::new(RowKind::Server, "s"));
                row.kind = RowKind::Server;
                row.name = "s".to_owned();
                row.set_text(Text::Status, status);
                row
            })
            .collect()
    })
}

proptest! {
    #[test]
    fn the_order_of_nodes_does_not_matter(rows in nodes(), by in any::<prop::sample::Index>()) {
        let mut turned = rows.clone();
        turned.rotate_left(by.index(rows.len()));
        prop_assert_eq!(merged(&turned), merged(&rows));
        turned.reverse();
        prop_assert_eq!(merged(&turned), merged(&rows));
    }

    #[test]
    fn one_node_merges_to_itself(rows in arbitrary::rows()) {
        for row in &rows {
            prop_assert_eq!(&merge(&[row], NOW).expect("a row"), row);
        }
    }

    #[test]
    fn sums_are_sums(rows in nodes()) {
        let got = merged(&rows);
        for col in Col::ALL.iter().filter(|c| rule(**c) == MergeRule::Sum) {
            let sum = rows.iter().filter_map(|r| r.num(*col)).reduce(u64::saturating_add).map(|n| n.min(u64::MAX - 1));
            prop_assert_eq!(got.num(*col), sum, "{}", col.name());
        }
    }

    #[test]
    fn a_mean_lies_between_its_parts(rows in nodes()) {
        let got = merged(&rows);
        for col in [Col::Rtime, Col::Qtime, Col::Weight] {
            let known: Vec<u64> = rows.iter().filter_map(|r| r.num(col)).collect();
            match (known.iter().min(), known.iter().max(), got.num(col)) {
                (Some(least), Some(most), Some(mean)) => prop_assert!((*least..=*most).contains(&mean)),
                (least, _, mean) => prop_assert_eq!(least.is_some(), mean.is_some()),
            }
        }
    }
}
