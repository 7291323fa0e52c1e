//! Rows out of replies: made ones here, recorded ones in `recorded`.

mod fuzz;
mod recorded;

use bytes::Bytes;

use super::*;

const NOW: u64 = 1_000_000;

fn parse(csv: &str) -> Vec<ProxyRows> {
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
    let got = parse("# pxname,svname,type,status,\nweb,FRONTEND,0,,\napi,FRONTEND,0,,\nweb,s1,2,,\nweb,BACKEND,1,,\n");
    let names: Vec<_> = got[0].rows.iter().map(|r| r.name.as_str()).collect();
    assert_eq!((got.len(), names), (2, vec!["FRONTEND", "s1", "BACKEND"]));
}

#[test]
fn what_no_version_says_yet_shows_as_it_is() {
    let got = parse(concat!(
        "# pxname,svname,type,status,check_status,check_code,agent_status,mode,algo,\n",
        "web,s1,2,SIDEWAYS 3/7,* L9NEW,799,L8ODD,quic,telepathy,\n",
    ));
    let row = &got[0].rows[0];
    let texts = [Text::Status, Text::CheckStatus, Text::AgentStatus, Text::Algo].map(|text| row.text(text));
    assert_eq!(texts, ["SIDEWAYS 3/7", "L9NEW", "L8ODD", "telepathy"]);
    assert_eq!(row.num(Col::CheckCode), Some(799));
}
