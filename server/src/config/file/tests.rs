//! Files as people write them, and the mistakes that are reported.

use super::*;

mod fuzz;
mod listener;

const NODE: &str = "[[node]]\nname = \"lb1\"\naddress = \"/run/h.sock\"\n";

/// Exactly these mistakes must be reported, in this order and at these positions; `...` is for the rest of a message.
fn check(text: &str, expected: &[&str]) {
    let mistakes = match parse(text) {
        Ok(_) => Vec::new(),
        Err(mistakes) => mistakes,
    };
    let reported: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    let fits = |(reported, expected): (&String, &&str)| match expected.strip_suffix("...") {
        Some(start) => reported.starts_with(start),
        None => reported == expected,
    };
    assert!(
        reported.len() == expected.len() && reported.iter().zip(expected).all(fits),
        "{text}\nreported: {reported:#?}\nexpected: {expected:#?}"
    );
}

#[test]
fn a_whole_file_is_read() {
    let config = parse(
        "listen = \"[::1]:9000\"\n[log]\nformat = \"json\"\n\
         [[node]]\nname = \"lb1\"\ncluster = \"edge\"\naddress = \"unix:/run/a.sock\"\npoll = \"500ms\"\n\
         [[node]]\nname = \"lb2\"\naddress = \"/run/b.sock\"\n",
    )
    .expect("a good file");
    let node = |name: &str, cluster: &str, path: &str, poll| NodeConfig {
        name: name.to_owned(),
        cluster: cluster.to_owned(),
        connector: path.parse::<Address>().expect("a path").into(),
        poll: Duration::from_millis(poll),
    };
    assert_eq!(config.listen.to_string(), "[::1]:9000");
    assert_eq!(config.log, LogFormat::Json);
    assert_eq!(config.nodes, [node("lb1", "edge", "/run/a.sock", 500), node("lb2", "lb2", "/run/b.sock", 1000)]);
}

#[test]
fn an_unknown_key_is_named_with_the_nearest_known_one() {
    check(&format!("lisen = \"127.0.0.1:1\"\n{NODE}"), &["1:1: unknown key `lisen`: did you mean `listen`?"]);
    check(&format!("{NODE}adress = \"/x\""), &["4:1: unknown key `adress`: did you mean `address`?"]);
    check(&format!("{NODE}  Pol = 1"), &["4:3: unknown key `Pol`: did you mean `poll`?"]);
    check(
        &format!("{NODE}weight = 1"),
        &["4:1: unknown key `weight`: there is `name`, `cluster`, `address`, `poll`..."],
    );
    check(&format!("{NODE}[log]\nformt = 1"), &["5:1: unknown key `formt`: did you mean `format`?"]);
    check(
        &NODE.replace("[[node]]", "[[nodes]]"),
        &["1:1: there is no node: write...", "1:3: unknown key `nodes`: did you mean `node`?"],
    );
}

#[test]
fn every_problem_is_told_in_one_run() {
    check(
        "listen = \"0.0.0.0:80\"\n[[node]]\nname = \"a b\"\naddress = \"x\"\npoll = \"2h\"\n[[node]]\n",
        &[
            "1:10: 0.0.0.0:80 can be reached from other machines, and nothing would encrypt...",
            "3:8: \"a b\" can't be a name: take letters, digits, `_`, `.`, `:` and `-` alone",
            "4:11: `x` is not the address of a stats socket...",
            "5:8: `poll` is 2h: write a time from 100ms to 1h",
            "6:1: this node has no `name`: write name = \"lb1\"",
            "6:1: this node has no `address`: write address = \"unix:/run/haproxy/admin.sock\"",
        ],
    );
}

#[test]
fn a_value_of_the_wrong_kind_says_what_to_write() {
    check(
        &format!("listen = 8080\n{NODE}"),
        &["1:10: `listen` is a number: write text, as listen = \"127.0.0.1:8080\""],
    );
    check(&format!("listen = \"localhost:80\"\n{NODE}"), &["1:10: `localhost:80` is no address to listen on..."]);
    check(&format!("{NODE}poll = 1"), &["4:8: `poll` is a number: write text, as poll = \"1s\""]);
    check(&format!("{NODE}poll = \"1\""), &["4:8: `poll` is no time: \"1\"; write a number and its unit..."]);
    check(&format!("{NODE}poll = \"50ms\""), &["4:8: `poll` is 50ms: write a time from 100ms to 1h"]);
    check(&format!("{NODE}cluster = \"a/b\""), &["4:11: \"a/b\" can't be a name..."]);
    check(&format!("{NODE}cluster = \"\""), &["4:11: `cluster` is empty: write a name, as cluster = \"edge\""]);
    check(&format!("log = \"json\"\n{NODE}"), &["1:7: `log` is text: write a table..."]);
    check(
        &format!("log.format = \"xml\"\n{NODE}"),
        &["1:14: there is no log format \"xml\": write \"human\" or \"json\""],
    );
    check("node = []", &["1:8: `node` is an empty list: write..."]);
    check("node = [1]", &["1:9: a node is a table: write..."]);
    check("[node]\nname = \"lb1\"", &["1:1: `node` is a table: write..."]);
    check("", &["1:1: there is no node: write..."]);
}

#[test]
fn two_nodes_share_neither_name_nor_address() {
    check(
        &format!("{NODE}{NODE}"),
        &[
            "5:8: there are two nodes `lb1`: give each a name of its own",
            "6:11: this is the address of node `lb1` too...",
        ],
    );
}

#[test]
fn what_is_no_toml_is_told_at_its_place() {
    check("listen = \n", &["1:10: ..."]);
    check(&format!("{NODE}name = \"again\""), &["4:1: duplicate key"]);
    check("\"é\" = 1 1", &["1:7: ..."]);
}

#[test]
fn a_missing_file_is_named() {
    let error = load(Path::new("/nonexistent/sluice.toml")).expect_err("no such file").to_string();
    assert!(error.contains("/nonexistent/sluice.toml: No such file"), "{error}");
}

#[test]
fn the_audit_log_s_settings_are_read_and_mistakes_in_them_reported() {
    let audit = |keys: &str| format!("{NODE}[audit]\n{keys}");
    let text = "reason = \"required\"\nkeep = \"30d\"\nmax_size = \"64MiB\"\nsyslog = \"udp://log.example:514\"\n";
    let settings = parse(&audit(text)).expect("a good file").audit;
    assert!(settings.needs_reason);
    assert_eq!((settings.keep.age.as_secs(), settings.keep.size), (30 * 86_400, 64 << 20));
    assert_eq!(settings.syslog.map(|s| s.to_string()).as_deref(), Some("udp://log.example:514"));
    let settings = parse(NODE).expect("a good file").audit;
    assert_eq!(
        (settings.needs_reason, settings.keep.age.as_secs(), settings.keep.size),
        (false, 400 * 86_400, 1 << 30)
    );
    for (keys, told) in [
        ("reason = \"yes\"", "5:10: `reason` is \"yes\": write \"required\" or \"optional\""),
        ("reason = true", "5:10: `reason` is a boolean..."),
        ("keep = \"1h\"", "5:8: `keep` is 1h: write a time of a day at least"),
        ("keep = \"400\"", "5:8: `keep` is no time: \"400\"; write a number and its unit, as \"400d\""),
        ("max_size = \"1\"", "5:12: `max_size` is no size: \"1\"; write a number and its unit..."),
        ("max_size = \"1MiB\"", "5:12: `max_size` is 1MiB: write 16MiB at least"),
        ("syslog = \"/dev/log\"", "5:10: \"/dev/log\" is no syslog: write \"unix:/dev/log\"..."),
        ("syslog = \"udp://host\"", "5:10: \"udp://host\" is no syslog..."),
        ("resaon = 1", "5:1: unknown key `resaon`: did you mean `reason`?"),
    ] {
        check(&audit(keys), &[told]);
    }
    check(&format!("audit = 1\n{NODE}"), &["1:9: `audit` is a number: write a table..."]);
}
