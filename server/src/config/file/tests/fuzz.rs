//! Damaged configurations: each is right, or has mistakes whose positions are in the text.

use std::collections::HashSet;

use bolero::check;

use crate::config::{SocketArg, file::parse, node::is_name};
use testkit::damage::{AT_MOST, Damage, INPUTS, lines};

const FILES: [&str; 3] = [
    "listen = \"[::1]:9000\"\n[log]\nformat = \"json\"\n[[node]]\nname = \"lb1\"\ncluster = \"edge\"\n\
     address = \"unix:/run/a.sock\"\npoll = \"500ms\"\n[[node]]\nname = \"lb2\"\naddress = \"/run/b.sock\"\n",
    "node = [{ name = 'a', address = '/1' }, { name = 'b', address = '/2', pol = '1s' }]\n",
    "[[node]]\nname = \"\u{e9}\u{1f600}\"\naddress = 7\n[log]\nformat = \"\"\"\nx\"\"\"\n",
];

const ARGUMENTS: [&str; 5] = ["/run/a.sock", "lb1=/run/a.sock", "unix:/run/a=b.sock", "x=tls://h:1", "a b=./h.sock"];

#[test]
fn fuzz_damaged_files() {
    let seeds = FILES.map(str::as_bytes);
    check!().with_iterations(INPUTS).with_test_time(AT_MOST).with_type::<Damage>().for_each(|damage| {
        let text = String::from_utf8_lossy(&damage.to(&seeds)).into_owned();
        match parse(&text) {
            Ok(config) => {
                let names: HashSet<_> = config.nodes.iter().map(|node| node.name.as_str()).collect();
                assert_eq!(names.len(), config.nodes.len());
                assert!(config.nodes.iter().all(|node| is_name(&node.name) && is_name(&node.cluster)));
            }
            Err(mistakes) => {
                assert!(!mistakes.is_empty());
                for mistake in mistakes {
                    assert!(!mistake.message.is_empty(), "{mistake}");
                    assert!(
                        (1..=lines(text.as_bytes())).contains(&mistake.line) && mistake.column > 0,
                        "{mistake}: {text:?}"
                    );
                }
            }
        }
    });
}

#[test]
fn fuzz_damaged_arguments() {
    let seeds = ARGUMENTS.map(str::as_bytes);
    check!().with_iterations(INPUTS).with_test_time(AT_MOST).with_type::<Damage>().for_each(|damage| {
        let text = String::from_utf8_lossy(&damage.to(&seeds)).into_owned();
        if let Ok(argument) = text.parse::<SocketArg>() {
            assert!(argument.name.as_deref().is_none_or(is_name), "{text:?}");
        }
    });
}
