//! Any bytes at all, and recorded replies with some damage, as replies; any text as an address or a name.

use bolero::check;
use bytes::Bytes;
use testkit::damage::{AT_MOST, Damage, INPUTS, lines};

use testkit::recordings::RECORDINGS;

use crate::{
    Address, Info, Level, ProxyName, ServerCommand, ServerName, ServersState, StatTable, Verb,
    reply::{Words, words},
};

/// The longest message that is kept, in characters.
const LONGEST: usize = 512;

fn read_info(reply: &[u8]) {
    let Ok(info) = Info::parse(reply) else { return };
    assert!(info.iter().len() < lines(reply));
    for (name, _) in info.iter() {
        assert!(!name.contains(['\n', ':']) && info.get(name).is_some());
    }
}

fn read_stat(reply: &[u8]) {
    let Ok(table) = StatTable::parse(Bytes::copy_from_slice(reply)) else { return };
    assert_eq!(table.raw(), reply);
    let width = table.columns().len();
    let mut rows = 0;
    table.for_each(|row| {
        rows += 1;
        for column in 0..=width {
            match row.unsigned(column) {
                Some(count) => assert_eq!(row.number(column), i64::try_from(count).ok()),
                None => assert!(row.number(column).is_none() || row.bytes(column).starts_with(b"-")),
            }
        }
    });
    assert!(rows < lines(reply));
}

fn read_servers_state(reply: &[u8]) {
    let Ok(states) = ServersState::parse(reply) else { return };
    for row in states.rows() {
        for name in [row.backend, row.server] {
            assert!(!name.is_empty() && !name.contains([' ', '\n']));
        }
    }
    assert!(states.rows().count() < lines(reply));
}

fn read_words(reply: &[u8]) {
    match words(reply) {
        Ok(Words::Silence) => assert_eq!(reply, b"\n"),
        Ok(Words::Text(text)) => {
            assert!(!text.is_empty() && text.chars().count() <= LONGEST && !text.contains(char::is_control));
            if let Some(level) = Level::from_name(&text) {
                assert_eq!(level.as_str(), text);
            }
        }
        Err(_) => {}
    }
}

#[test]
fn fuzz_bytes_as_any_reply() {
    check!().with_iterations(INPUTS).with_test_time(AT_MOST).for_each(|reply: &[u8]| {
        // The ways to begin and to end are known: most bytes would be refused by the first of them.
        for (begin, read) in [
            ("Name:", read_info as fn(&[u8])),
            ("# pxname,", read_stat),
            (
                "1\n# be_name srv_name srv_op_state srv_admin_state srv_check_state srv_agent_state\n",
                read_servers_state,
            ),
            ("", read_words),
        ] {
            read(reply);
            read(&[begin.as_bytes(), reply, b"\n\n"].concat());
        }
    });
}

#[test]
fn fuzz_damaged_info() {
    let seeds = RECORDINGS.each_ref().map(|r| r.info);
    check!()
        .with_iterations(INPUTS)
        .with_test_time(AT_MOST)
        .with_type::<Damage>()
        .for_each(|d| read_info(&d.to(&seeds)));
}

#[test]
fn fuzz_damaged_stat() {
    let seeds = RECORDINGS.each_ref().map(|r| r.stat);
    check!()
        .with_iterations(INPUTS)
        .with_test_time(AT_MOST)
        .with_type::<Damage>()
        .for_each(|d| read_stat(&d.to(&seeds)));
}

#[test]
fn fuzz_damaged_servers_state() {
    let seeds = RECORDINGS.each_ref().map(|r| r.servers_state);
    let read = |damage: &Damage| read_servers_state(&damage.to(&seeds));
    check!().with_iterations(INPUTS).with_test_time(AT_MOST).with_type::<Damage>().for_each(read);
}

#[test]
fn fuzz_damaged_answers() {
    let replies: Vec<String> = RECORDINGS
        .iter()
        .flat_map(|r| r.actions.lines())
        .filter_map(|line| Some(line.rsplit_once('\t')?.1.replace("\\n", "\n")))
        .chain(["[3]: No such server.\n\n", "[err]: admin\n\n"].map(str::to_owned))
        .collect();
    let seeds: Vec<&[u8]> = replies.iter().map(String::as_bytes).collect();
    check!()
        .with_iterations(INPUTS)
        .with_test_time(AT_MOST)
        .with_type::<Damage>()
        .for_each(|d| read_words(&d.to(&seeds)));
}

#[test]
fn fuzz_addresses() {
    let seeds = ["/run/haproxy/admin.sock", "unix:/run/a.sock", "tcp://10.0.0.1:9999", "tls://[::1]:9999", "abns@lb1"];
    let seeds = seeds.map(str::as_bytes);
    check!().with_iterations(INPUTS).with_test_time(AT_MOST).with_type::<Damage>().for_each(|damage| {
        let text = String::from_utf8_lossy(&damage.to(&seeds)).into_owned();
        if let Ok(address) = text.parse::<Address>() {
            // Two paths that differ in a slash are equal: the texts tell more.
            let again = address.to_string().parse::<Address>().map(|again| again.to_string());
            assert_eq!(again, Ok(address.to_string()), "{text:?}");
        }
    });
}

/// However a name is made, the line that is sent is one line, and one command.
#[test]
fn fuzz_names() {
    let seeds = ["be_http/s1", "be_odd.name:with_all-chars_1/s.1:a_b-c", "b/s;show info", "b/s\nshow info"];
    let seeds = seeds.map(str::as_bytes);
    check!().with_iterations(INPUTS).with_test_time(AT_MOST).with_type::<Damage>().for_each(|damage| {
        let text = String::from_utf8_lossy(&damage.to(&seeds)).into_owned();
        let Some((backend, server)) = text.split_once('/') else { return };
        let (Ok(backend), Ok(server)) = (ProxyName::try_from(backend), ServerName::try_from(server)) else { return };
        for verb in Verb::ALL {
            let line = ServerCommand { backend: backend.clone(), server: server.clone(), verb }.to_string();
            assert!(line.len() < 4096 && line.matches('/').count() == 1 && line.contains(&text), "{line:?}");
            assert!(line.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.:-/ ".contains(&b)), "{line:?}");
        }
    });
}
