//! The columns that travel to the browser, by HAProxy's own names.
//!
//! Every other column that HAProxy sends stays in the poll's raw reply, where `/api/v1/stats` and a row's details read it.

/// Defines an enum of columns whose discriminant is the index of the cell, and whose name is HAProxy's.
macro_rules! columns {
    ($(#[$meta:meta])* $kind:ident { $($(#[$doc:meta])* $variant:ident = $name:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $kind { $($(#[$doc])* $variant),+ }

        impl $kind {
            /// Every column, in the order of the cells.
            pub const ALL: &[Self] = &[$(Self::$variant),+];
            /// How many there are.
            pub const COUNT: usize = Self::ALL.len();

            /// The column's name in HAProxy's CSV header, or ours where HAProxy has none.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// The column of that name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

columns! {
    /// A numeric column. The first are those that change most, so that a patch's bit mask stays short.
    Col {
        /// Current sessions.
        Scur = "scur",
        /// Sessions (frontends) or requests (servers, backends) over the last second.
        Rate = "rate",
        /// Request bytes a second, over the time between two polls (ours).
        BinRate = "bin_rate",
        /// Response bytes a second, over the time between two polls (ours).
        BoutRate = "bout_rate",
        /// Request bytes since the process started.
        Bin = "bin",
        /// Response bytes since the process started.
        Bout = "bout",
        /// Sessions since the process started.
        Stot = "stot",
        /// Requests routed by load balancing since the process started.
        Lbtot = "lbtot",
        /// Responses with status 200 to 299.
        Hrsp2xx = "hrsp_2xx",
        /// HTTP requests since the process started.
        ReqTot = "req_tot",
        /// The instant of the last session, Unix seconds; HAProxy sends the age.
        Lastsess = "lastsess",
        /// Response time, milliseconds, averaged over the last 1,024 requests.
        Rtime = "rtime",
        /// Total time, milliseconds, averaged over the last 1,024 requests.
        Ttime = "ttime",
        /// Connect time, milliseconds, averaged over the last 1,024 requests.
        Ctime = "ctime",
        /// HTTP requests over the last second (frontends).
        ReqRate = "req_rate",
        /// Queued connections.
        Qcur = "qcur",
        /// Most sessions seen.
        Smax = "smax",
        /// Queue time, milliseconds, averaged over the last 1,024 requests.
        Qtime = "qtime",
        /// Failed connections, invalid requests and responses over the last minute (ours).
        ErrorsMinute = "errors_1m",
        /// Connection retries and redispatches over the last minute (ours).
        RetriesMinute = "retries_1m",
        /// Most queued connections seen.
        Qmax = "qmax",
        /// Highest `rate` seen.
        RateMax = "rate_max",
        /// Responses with status 300 to 399.
        Hrsp3xx = "hrsp_3xx",
        /// Responses with status 400 to 499.
        Hrsp4xx = "hrsp_4xx",
        /// Responses with status 500 to 599.
        Hrsp5xx = "hrsp_5xx",
        /// Invalid requests.
        Ereq = "ereq",
        /// Failed connections to the server.
        Econ = "econ",
        /// Invalid responses.
        Eresp = "eresp",
        /// Connection retries.
        Wretr = "wretr",
        /// Redispatches.
        Wredis = "wredis",
        /// Denied requests.
        Dreq = "dreq",
        /// Denied responses.
        Dresp = "dresp",
        /// Transfers that the client aborted.
        CliAbrt = "cli_abrt",
        /// Transfers that the server aborted.
        SrvAbrt = "srv_abrt",
        /// The instant of the last change of state, Unix seconds; HAProxy sends the age.
        Lastchg = "lastchg",
        /// Seconds DOWN up to `lastchg`: while the row is down, the time since then comes on top.
        Downtime = "downtime",
        /// Failed checks while UP.
        Chkfail = "chkfail",
        /// Changes from UP to DOWN.
        Chkdown = "chkdown",
        /// Effective weight.
        Weight = "weight",
        /// Active servers that are UP.
        Act = "act",
        /// Backup servers that are UP.
        Bck = "bck",
        /// Limit of sessions; empty is unlimited.
        Slim = "slim",
        /// Limit of the queue.
        Qlimit = "qlimit",
        /// Limit of new sessions a second (frontends).
        RateLim = "rate_lim",
        /// Percentage of the weight while in slow start.
        Throttle = "throttle",
        /// Layer 5 to 7 code of the last check.
        CheckCode = "check_code",
        /// Duration of the last check, milliseconds, kept while it stays within [`crate::jitter::CHECK_JITTER_MS`].
        CheckDuration = "check_duration",
        /// Good checks in a row that make the server UP.
        CheckRise = "check_rise",
        /// Failed checks in a row that make the server DOWN.
        CheckFall = "check_fall",
        /// Health level of the check, 0 to rise + fall - 1.
        CheckHealth = "check_health",
        /// `show servers state`: 0 stopped, 1 starting, 2 running, 3 stopping.
        OpState = "srv_op_state",
        /// `show servers state`: administrative bits, see [`crate::row::admin`].
        AdminState = "srv_admin_state",
        /// `show servers state`: bits of the health check, see [`crate::row::check`].
        CheckState = "srv_check_state",
        /// `show servers state`: bits of the agent check, see [`crate::row::check`].
        AgentState = "srv_agent_state",
    }
}

columns! {
    /// A column of text.
    Text {
        /// State, as HAProxy wrote it.
        Status = "status",
        /// Code of the last health check, without the mark of a check in progress.
        CheckStatus = "check_status",
        /// What the last health check got.
        LastChk = "last_chk",
        /// Code of the last agent check.
        AgentStatus = "agent_status",
        /// What the last agent check got.
        LastAgt = "last_agt",
        /// Address and port.
        Addr = "addr",
        /// The server's cookie value, or the backend's cookie name.
        Cookie = "cookie",
        /// `backend/server` that this server follows.
        Tracked = "tracked",
        /// `tcp`, `http`, ...
        Mode = "mode",
        /// Balance algorithm.
        Algo = "algo",
    }
}

// A patch names its columns in the bits of one u64.
const _: () = assert!(Col::COUNT <= 64);
