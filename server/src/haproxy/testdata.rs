//! Replies recorded from HAProxy 2.0 to 3.2, all of one configuration, for the tests of whoever reads replies.
//!
//! [`MADE_1_8`] is no recording: it is that of 2.0.0, cut to the columns and lines that 1.8 is known to have.

/// The replies of one version, and what is known of them.
pub(crate) struct Recording {
    pub(crate) version: &'static str,
    pub(crate) info: &'static [u8],
    pub(crate) stat: &'static [u8],
    pub(crate) servers_state: &'static [u8],
    /// What the thirteen actions and `show cli level` got, a line each: socket, command, reply with `\n` for a line
    /// feed, with tabs between.
    pub(crate) actions: &'static str,
    /// Columns of `show stat`, without the nameless last one.
    pub(crate) columns: usize,
    /// Rows of `show stat`: frontends, backends, servers.
    pub(crate) kinds: [usize; 3],
}

impl Recording {
    /// Rows of `show stat`.
    pub(crate) fn rows(&self) -> usize {
        self.kinds.iter().sum()
    }
}

macro_rules! recording {
    ($folder:literal, $columns:literal, $kinds:expr) => {
        recording!($folder, $columns, $kinds, include_str!(concat!("testdata/", $folder, "/actions.tsv")))
    };
    ($folder:literal, $columns:literal, $kinds:expr, $actions:expr) => {
        Recording {
            version: $folder,
            info: include_bytes!(concat!("testdata/", $folder, "/show_info.txt")),
            stat: include_bytes!(concat!("testdata/", $folder, "/show_stat.txt")),
            servers_state: include_bytes!(concat!("testdata/", $folder, "/show_servers_state.txt")),
            actions: $actions,
            columns: $columns,
            kinds: $kinds,
        }
    };
}

pub(crate) const RECORDINGS: [Recording; 6] = [
    recording!("2.0.0", 88, [6, 15, 27]),
    recording!("2.4.0", 114, [6, 15, 27]),
    recording!("2.6.12", 128, [6, 16, 29]),
    recording!("2.8.0", 138, [6, 16, 29]),
    recording!("3.0.11", 205, [6, 16, 29]),
    recording!("3.2.26", 207, [6, 16, 29]),
];

pub(crate) const MADE_1_8: Recording = recording!("1.8-made", 83, [6, 15, 27], "");
