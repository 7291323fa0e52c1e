//! Any bytes at all in place of a reply: nothing may panic or grow beyond what came in.

use bytes::Bytes;
use proptest::prelude::*;

use testkit::recordings::RECORDINGS;

use crate::{Info, ServersState, StatTable};

/// Reads `reply` as each kind of reply, and every cell of what comes out.
fn read_all(reply: &[u8]) {
    if let Ok(info) = Info::parse(reply) {
        let length: usize = info.iter().map(|(name, value)| name.len() + value.len()).sum();
        // Decoding makes at most three bytes of one.
        assert!(length <= 3 * reply.len());
        for (name, _) in info.iter() {
            info.number(name);
        }
    }
    if let Ok(state) = ServersState::parse(reply) {
        let lines = reply.iter().filter(|byte| **byte == b'\n').count();
        assert!(state.rows().count() <= lines);
    }
    if let Ok(table) = StatTable::parse(Bytes::copy_from_slice(reply)) {
        let mut read = 0;
        table.for_each(|row| {
            for column in 0..=table.columns().len() {
                read += row.bytes(column).len();
                row.text(column);
                row.number(column);
                row.unsigned(column);
            }
        });
        assert!(read <= reply.len());
    }
}

/// A place in a recorded reply and what is put there: each as a share of what there is.
#[derive(Clone, Debug)]
struct Mutation {
    place: prop::sample::Index,
    removed: usize,
    inserted: Vec<u8>,
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let bytes = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..8),
        // What the grammars of the replies are made of.
        prop::collection::vec(prop::sample::select(&b"\",\n :-# \0\xff0"[..]), 0..8),
    ];
    (any::<prop::sample::Index>(), 0..64_usize, bytes).prop_map(|(place, removed, inserted)| Mutation {
        place,
        removed,
        inserted,
    })
}

fn mutated(original: &[u8], mutations: &[Mutation]) -> Vec<u8> {
    let mut reply = original.to_vec();
    for mutation in mutations {
        let start = mutation.place.index(reply.len() + 1);
        let end = (start + mutation.removed).min(reply.len());
        reply.splice(start..end, mutation.inserted.iter().copied());
    }
    // Most would fail for their end alone, and prove nothing of what comes before it.
    reply.extend_from_slice(b"\n\n");
    reply
}

/// What a reply of each kind begins with, lest nearly all be refused for that alone.
const BEGINNINGS: &[&[u8]] = &[
    b"",
    b"# pxname",
    b"Name:",
    b"1\n",
    b"1\n# be_name srv_name srv_op_state srv_admin_state srv_check_state srv_agent_state\n",
];

proptest! {
    #[test]
    fn arbitrary_bytes_are_read_or_refused(
        beginning in prop::sample::select(BEGINNINGS),
        middle in prop::collection::vec(any::<u8>(), 0..2000),
        is_ended: bool,
    ) {
        let end: &[u8] = if is_ended { b"\n\n" } else { b"" };
        read_all(&[beginning, &middle, end].concat());
    }

    #[test]
    fn damaged_replies_are_read_or_refused(
        recording in 0..RECORDINGS.len(),
        mutations in prop::collection::vec(mutation(), 1..6),
    ) {
        let recording = &RECORDINGS[recording];
        for original in [recording.info, recording.stat, recording.servers_state] {
            read_all(&mutated(original, &mutations));
        }
    }
}
