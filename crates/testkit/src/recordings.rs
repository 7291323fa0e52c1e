//! Replies recorded from HAProxy 2.0 to 3.2, all of one configuration, for tests of code that reads replies.
//!
//! [`MADE_1_8`] is no recording: it is that of 2.0.0, cut to the columns and lines that 1.8 is known to have.

/// The replies of one version, and what is known of them.
#[derive(Clone, Copy, Debug)]
pub struct Recording {
    /// HAProxy's version.
    pub version: &'static str,
    /// The reply to `show info`.
    pub info: &'static [u8],
    /// The reply to `show stat`.
    pub stat: &'static [u8],
    /// The reply to `show servers state`.
    pub servers_state: &'static [u8],
    /// What the thirteen actions and `show cli level` got, a line each: socket, command, reply with `\n` for a line
    /// feed, with tabs between.
    pub actions: &'static str,
    /// Columns of `show stat`, without the nameless last one.
    pub columns: usize,
    /// Rows of `show stat`: frontends, backends, servers.
    pub kinds: [usize; 3],
}

impl Recording {
    /// The reply to one of the three commands that a poll sends; nothing for another.
    #[must_use]
    pub fn reply(&self, command: &str) -> Option<&'static [u8]> {
        match command {
            "show info" => Some(self.info),
            "show stat" => Some(self.stat),
            "show servers state" => Some(self.servers_state),
            _ => None,
        }
    }

    /// Rows of `show stat`.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.kinds.iter().sum()
    }
}

macro_rules! recording {
    ($folder:literal, $columns:literal, $kinds:expr) => {
        recording!($folder, $columns, $kinds, include_str!(concat!("../recordings/", $folder, "/actions.tsv")))
    };
    ($folder:literal, $columns:literal, $kinds:expr, $actions:expr) => {
        Recording {
            version: $folder,
            info: include_bytes!(concat!("../recordings/", $folder, "/show_info.txt")),
            stat: include_bytes!(concat!("../recordings/", $folder, "/show_stat.txt")),
            servers_state: include_bytes!(concat!("../recordings/", $folder, "/show_servers_state.txt")),
            actions: $actions,
            columns: $columns,
            kinds: $kinds,
        }
    };
}

/// Those of real processes, oldest version first.
pub const RECORDINGS: [Recording; 6] = [
    recording!("2.0.0", 88, [6, 15, 27]),
    recording!("2.4.0", 114, [6, 15, 27]),
    recording!("2.6.12", 128, [6, 16, 29]),
    recording!("2.8.0", 138, [6, 16, 29]),
    recording!("3.0.11", 205, [6, 16, 29]),
    recording!("3.2.26", 207, [6, 16, 29]),
];

/// That of the newest version that is recorded.
pub const NEWEST: &Recording = &RECORDINGS[RECORDINGS.len() - 1];

/// That of the version that Debian 12 has, 2.6.12.
pub const DEBIAN_12: &Recording = &RECORDINGS[2];

/// What 1.8 would answer.
pub const MADE_1_8: Recording = recording!("1.8-made", 83, [6, 15, 27], "");
