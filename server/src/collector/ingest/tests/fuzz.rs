//! Recorded polls with some damage: no row is made up, none is lost, and nothing that could harm a page comes through.

use bolero::check;
use bytes::Bytes;
use testkit::recordings::RECORDINGS;

use super::*;
use testkit::damage::{AT_MOST, Damage, INPUTS};

const NOW: u64 = 1_800_000_000;

#[test]
fn fuzz_damaged_polls() {
    let stats = RECORDINGS.each_ref().map(|r| r.stat);
    let states = RECORDINGS.each_ref().map(|r| r.servers_state);
    check!().with_iterations(INPUTS).with_test_time(AT_MOST).with_type::<(Damage, Damage)>().for_each(
        |(stat, state)| {
            let Ok(table) = StatTable::parse(Bytes::from(stat.to(&stats))) else { return };
            let states = ServersState::parse(state.to(&states)).ok();
            let proxies = read(&table, states.as_ref(), NOW);

            let place = |name| table.column(name).unwrap_or(usize::MAX);
            let (pxname, kind) = (place("pxname"), place("type"));
            let mut known = 0;
            table.for_each(|line| {
                let has_kind = line.unsigned(kind).and_then(RowKind::from_type).is_some();
                known += usize::from(has_kind && !line.bytes(pxname).is_empty());
            });
            assert_eq!(proxies.iter().map(|p| p.rows.len()).sum::<usize>(), known);

            for ProxyRows { name, rows } in &proxies {
                assert!(!name.is_empty() && !rows.is_empty());
                let texts =
                    rows.iter().flat_map(|row| Text::ALL.iter().map(|text| row.text(*text)).chain([row.name.as_str()]));
                for text in texts.chain([name.as_str()]) {
                    assert!(!text.contains(is_hidden), "{text:?}");
                }
            }
            assert_eq!(read(&table, states.as_ref(), NOW), proxies);
        },
    );
}
