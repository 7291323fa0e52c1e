//! HAProxy 1.8: read, shown, and never told to do anything. Its replies are made of those of 2.0.0, not recorded.

use model::{action::Action, availability::refused, fleet::Level, outcome::Outcome};
use testkit::recordings::MADE_1_8;

use crate::harness::{
    fake::Fake,
    sluice::{Sluice, row},
};

const UNKNOWN: &[u8] =
    b"Unknown command. Please enter one of the following commands only :\n  help           : this message\n\n";
const REASON: &str = "lb1: HAProxy 1.8 is supported for reading only";

fn made(line: &str) -> Vec<u8> {
    let reply: &[u8] = match line {
        // Nothing tells 1.8 what it is not asked: any other command would be taken.
        "show cli level" => UNKNOWN,
        line => MADE_1_8.reply(line).unwrap_or(b"\n"),
    };
    reply.to_vec()
}

#[tokio::test]
async fn an_old_version_is_read_and_told_nothing() {
    let fake = Fake::start(|line| Some(made(line)));
    let sluice = Sluice::watching(&[("lb1", "edge", &fake.socket())]).await;
    let world = sluice.hub.world();
    let node = &world.fleet.nodes[0];
    assert_eq!((node.version.as_str(), node.level), ("1.8.0", Level::Unknown));
    for action in Action::ALL {
        let greyed = refused(action, row(&world, "lb1/be_http/s1").expect("a server"), Some(node));
        assert_eq!(greyed.as_deref(), Some(REASON), "{action}");
        let got = sluice.act(action, "lb1/be_http/s1").await;
        assert_eq!((got.outcome, got.message), (Outcome::Refused, format!("{REASON}; nothing was sent")), "{action}");
    }
    assert_eq!(fake.told(), Vec::<String>::new());
    // Thirteen orders polled it as often, and one process has one level.
    assert_eq!(fake.times("show cli level"), 1);
}
