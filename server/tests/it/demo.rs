//! `sluice demo`, which is a program of its own now.

use std::process::Command;

#[test]
fn the_demo_says_where_it_went_and_is_no_success() {
    for args in [&["demo"][..], &["demo", "--lab-only", "--dir", "/nowhere"], &["demo", "--help"]] {
        let said = Command::new(env!("CARGO_BIN_EXE_sluice")).args(args).output().expect("it runs");
        let words = String::from_utf8(said.stderr).expect("text");
        assert_eq!((said.status.code(), said.stdout.as_slice()), (Some(2), &b""[..]), "{args:?}");
        for word in ["make demo", "sluice-lab", "sluice serve --config DIR/sluice.toml"] {
            assert!(words.contains(word), "{args:?}: {words}");
        }
    }
}
