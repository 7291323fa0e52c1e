//! The client against a real HAProxy: every verb with its effect, every refusal that it can give, every level.

use std::time::Duration;

use tokio::{
    io::AsyncReadExt,
    net::{UnixListener, UnixStream},
    time::{sleep, timeout},
};

use super::{
    command,
    process::{client, start},
};
use crate::{Client, CommandReply, Error, Level, Verb};

/// Servers of each kind. Nothing answers behind them but `listen ok`; checks run once, so that none undoes an action.
const PROXIES: &str = "\
listen ok
	bind unix@DIR/ok.sock
	mode http
	http-request return status 200
backend be
	server checked unix@DIR/ok.sock check inter 1h
	server agent unix@DIR/ok.sock agent-check agent-addr 127.0.0.1 agent-port 1 agent-inter 1h
	server plain unix@DIR/ok.sock
backend trackers
	server tracker unix@DIR/ok.sock track be/checked
backend off
	disabled
	server s unix@DIR/ok.sock
listen hold
	bind unix@DIR/hold.sock
	server h unix@DIR/held.sock
";

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

async fn accept(client: &Client, backend: &str, server: &str, verb: Verb) {
    let answer = client.run(&command(backend, server, verb)).await;
    let answer = answer.expect("HAProxy answers");
    assert_eq!(answer, CommandReply::Accepted, "{verb:?} {backend}/{server}");
}

/// The op, admin, check and agent state of a server of `be`.
async fn state(client: &Client, server: &str) -> (u8, u8, u8, u8) {
    let table = client.servers_state().await.expect("the state");
    let row = table.rows().find(|row| (row.backend, row.server) == ("be", server));
    let row = row.expect("the server");
    (row.op_state, row.admin_state, row.check_state, row.agent_state)
}

/// The `status` column of a server of `be`.
async fn status(client: &Client, server: &str) -> String {
    let table = client.stat().await.expect("the table");
    let place = |name| table.column(name).expect("a column");
    let (pxname, svname, status) = (place("pxname"), place("svname"), place("status"));
    let mut found = None;
    table.for_each(|row| {
        if row.bytes(pxname) == b"be" && row.text(svname) == server {
            found = Some(row.text(status).into_owned());
        }
    });
    found.expect("the server")
}

#[tokio::test]
async fn state_verbs_set_the_admin_state() {
    let Some(haproxy) = start(PROXIES).await else {
        return;
    };
    let client = client(&haproxy, "admin");
    for (verb, admin, expected) in
        [(Verb::StateDrain, 8, "DRAIN"), (Verb::StateMaint, 1, "MAINT"), (Verb::StateReady, 0, "no check")]
    {
        accept(&client, "be", "plain", verb).await;
        assert_eq!(state(&client, "plain").await.1, admin, "{verb:?}");
        assert_eq!(status(&client, "plain").await, expected, "{verb:?}");
    }
}

#[tokio::test]
async fn health_verbs_set_the_operational_state_and_the_checks() {
    let Some(haproxy) = start(PROXIES).await else {
        return;
    };
    let client = client(&haproxy, "admin");
    for (verb, op, expected) in
        [(Verb::HealthDown, 0, "DOWN"), (Verb::HealthStopping, 3, "NOLB"), (Verb::HealthUp, 2, "no check")]
    {
        accept(&client, "be", "plain", verb).await;
        assert_eq!(state(&client, "plain").await.0, op, "{verb:?}");
        // Without checks HAProxy 2.6 to 3.5 write the forced state where it isn't UP.
        assert_eq!(status(&client, "plain").await, expected, "{verb:?}");
    }

    const ENABLED: u8 = 4;
    accept(&client, "be", "checked", Verb::DisableHealth).await;
    assert_eq!(state(&client, "checked").await.2 & ENABLED, 0);
    accept(&client, "be", "checked", Verb::EnableHealth).await;
    assert_eq!(state(&client, "checked").await.2 & ENABLED, ENABLED);
}

#[tokio::test]
async fn agent_verbs_set_the_operational_state_and_the_agent() {
    let Some(haproxy) = start(PROXIES).await else {
        return;
    };
    let client = client(&haproxy, "admin");
    accept(&client, "be", "agent", Verb::AgentDown).await;
    assert_eq!(state(&client, "agent").await.0, 0);
    assert_eq!(status(&client, "agent").await, "DOWN (agent)");
    accept(&client, "be", "agent", Verb::AgentUp).await;
    assert_eq!(state(&client, "agent").await.0, 2);

    const ENABLED: u8 = 4;
    accept(&client, "be", "agent", Verb::DisableAgent).await;
    assert_eq!(state(&client, "agent").await.3 & ENABLED, 0);
    accept(&client, "be", "agent", Verb::EnableAgent).await;
    assert_eq!(state(&client, "agent").await.3 & ENABLED, ENABLED);
}

#[tokio::test]
async fn shutdown_sessions_ends_a_session_in_progress() {
    let Some(haproxy) = start(PROXIES).await else {
        return;
    };
    let server = UnixListener::bind(haproxy.path("held.sock")).expect("a server");
    let mut visitor = UnixStream::connect(haproxy.path("hold.sock")).await.expect("a visitor");
    let connected = timeout(PATIENCE, server.accept()).await;
    let _session = connected.expect("in time").expect("a session");

    accept(&client(&haproxy, "admin"), "hold", "h", Verb::ShutdownSessions).await;
    let end = timeout(PATIENCE, visitor.read(&mut [0])).await.expect("in time");
    assert!(matches!(end, Ok(0) | Err(_)), "{end:?}");
}

#[tokio::test]
async fn refusals_carry_haproxys_words() {
    let Some(haproxy) = start(PROXIES).await else {
        return;
    };
    let tracking = "cannot change health on a tracking server.";
    let no_check = "Health check was not configured on this server, cannot enable.";
    let no_agent = "Agent was not configured on this server, cannot enable.";
    let agent_off = "agent checks are not enabled on this server.";
    let cases = [
        ("trackers", "tracker", Verb::HealthUp, tracking),
        ("trackers", "tracker", Verb::HealthStopping, tracking),
        ("trackers", "tracker", Verb::HealthDown, tracking),
        ("be", "plain", Verb::EnableHealth, no_check),
        ("trackers", "tracker", Verb::EnableHealth, no_check),
        ("be", "plain", Verb::EnableAgent, no_agent),
        ("be", "plain", Verb::AgentUp, agent_off),
        ("be", "plain", Verb::AgentDown, agent_off),
    ];
    // `severity.sock` puts `[3]: ` before each message.
    for socket in ["admin", "severity"] {
        let client = client(&haproxy, socket);
        for (backend, server, verb, words) in cases {
            let answer = client.run(&command(backend, server, verb)).await;
            assert_eq!(answer.expect("an answer"), CommandReply::Refused(words.to_owned()), "{verb:?}");
        }
        for verb in Verb::ALL {
            for (backend, server, words) in [
                ("nope", "s", "No such backend."),
                ("be", "nope", "No such server."),
                ("off", "s", "Proxy is disabled."),
            ] {
                let answer = client.run(&command(backend, server, verb)).await;
                assert_eq!(answer.expect("an answer"), CommandReply::Refused(words.to_owned()), "{verb:?}");
            }
        }
    }
}

#[tokio::test]
async fn verbs_without_effect_are_accepted_in_silence() {
    let Some(haproxy) = start(PROXIES).await else {
        return;
    };
    let client = client(&haproxy, "admin");
    let before = state(&client, "plain").await;
    for verb in [Verb::DisableHealth, Verb::DisableAgent, Verb::StateReady, Verb::ShutdownSessions] {
        accept(&client, "be", "plain", verb).await;
    }
    assert_eq!(state(&client, "plain").await, before);
}

#[tokio::test]
async fn only_level_admin_may_act() {
    let Some(haproxy) = start(PROXIES).await else {
        return;
    };
    for socket in ["operator", "user"] {
        for verb in Verb::ALL {
            let answer = client(&haproxy, socket).run(&command("be", "plain", verb)).await;
            let denied = CommandReply::Refused("Permission denied".to_owned());
            assert_eq!(answer.expect("an answer"), denied, "{socket} {verb:?}");
        }
    }
}

#[tokio::test]
async fn every_level_may_read() {
    let Some(haproxy) = start(PROXIES).await else {
        return;
    };
    for (socket, level, sees_addresses) in [
        ("admin", Level::Admin, true),
        ("severity", Level::Admin, true),
        ("operator", Level::Operator, true),
        ("user", Level::User, false),
    ] {
        let client = client(&haproxy, socket);
        assert_eq!(client.level().await.expect("a level"), level, "{socket}");
        let info = client.info().await.expect("the info");
        assert_eq!(info.get("Name"), Some("HAProxy"));
        assert!(info.number("Pid").is_some());
        assert_eq!(client.servers_state().await.expect("the state").rows().count(), 6);
        let table = client.stat().await.expect("the table");
        let addr = table.column("addr").expect("addr");
        let mut addresses = 0;
        table.for_each(|row| addresses += usize::from(!row.bytes(addr).is_empty()));
        assert_eq!(addresses > 0, sees_addresses, "{socket}");
    }
}

#[tokio::test]
async fn a_stopped_haproxy_is_told_from_a_missing_one() {
    let Some(mut haproxy) = start(PROXIES).await else {
        return;
    };
    let client = client(&haproxy, "admin");
    client.info().await.expect("it runs");
    haproxy.stop();
    // HAProxy leaves its socket behind.
    let error = client.info().await.expect_err("stopped");
    assert!(error.to_string().contains("HAProxy is stopped"), "{error}");
    drop(haproxy);
    let error = client.info().await.expect_err("gone");
    assert!(error.to_string().contains("no such socket"), "{error}");
    assert!(matches!(error, Error::Connect { .. }));
}

/// Checks run at the start; this one proves that the table of a running HAProxy follows them.
#[tokio::test]
async fn a_check_of_a_running_haproxy_shows_in_the_table() {
    let Some(haproxy) = start(PROXIES).await else {
        return;
    };
    let client = client(&haproxy, "admin");
    let passed = async {
        loop {
            let table = client.servers_state().await.expect("the state");
            let checked = table.rows().find(|row| row.server == "checked").expect("the server");
            if (checked.op_state, checked.check_result) == (2, Some(3)) {
                break;
            }
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, passed).await.expect("the check passes");
    assert_eq!(status(&client, "checked").await, "UP");
}
