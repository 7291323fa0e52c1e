//! Why a row is as it is, in plain words.

use super::{
    col::{Col, Text},
    row::{Kind, Row, admin},
    status::State,
};

/// Why a row that is not well is not well, without a full stop; empty for one that is.
#[must_use]
pub fn cause(row: &Row) -> String {
    match (row.kind, row.state()) {
        (Kind::Backend, State::Down) if row.text(Text::Mode) == "http" => "its requests get 503".to_owned(),
        (Kind::Backend, State::Down) => "its connections are closed".to_owned(),
        (Kind::Frontend, State::Maint) => "stopped on HAProxy's side: it takes no connections".to_owned(),
        (_, State::Full) => "as many connections as its limit allows".to_owned(),
        (Kind::Server, State::Drain) => drain(row),
        (Kind::Server, State::Maint) => maint(row),
        (Kind::Server, State::Down | State::Failing | State::Recovering) => check(row),
        _ => String::new(),
    }
}

fn drain(row: &Row) -> String {
    let left = match row.get(Col::Scur) {
        0 => "no session left".to_owned(),
        1 => "1 session left".to_owned(),
        n => format!("{n} sessions left"),
    };
    match row.text(Text::Tracked) {
        tracked if row.get(Col::AdminState) & admin::INHERITED_DRAIN != 0 => format!("follows {tracked}, {left}"),
        _ => left,
    }
}

fn maint(row: &Row) -> String {
    let bits = row.get(Col::AdminState);
    if bits & admin::RESOLUTION_MAINT != 0 {
        "its name does not resolve".to_owned()
    } else if bits & admin::INHERITED_MAINT != 0 {
        format!("follows {}", row.text(Text::Tracked))
    } else if bits & admin::CONFIGURED_MAINT != 0 {
        "disabled, by configuration or operator".to_owned()
    } else if row.text(Text::AgentStatus).is_empty() {
        "set by an operator".to_owned()
    } else {
        "set by an operator or its agent".to_owned()
    }
}

fn check(row: &Row) -> String {
    if row.text(Text::Status).contains("agent") {
        return match row.text(Text::LastAgt) {
            "" => "its agent says so".to_owned(),
            said => format!("its agent says: {said}"),
        };
    }
    if !row.text(Text::Tracked).is_empty() {
        return format!("follows {}", row.text(Text::Tracked));
    }
    let code = row.text(Text::CheckStatus);
    let mut text = failure(code, row);
    if !matches!(row.text(Text::LastChk), "" | "Connection refused") && !code.is_empty() {
        text = format!("{text} ({})", row.text(Text::LastChk));
    }
    let health = row.get(Col::CheckHealth);
    match row.state() {
        State::Failing if health >= row.get(Col::CheckRise) && row.get(Col::CheckFall) > 0 => {
            let left = health + 1 - row.get(Col::CheckRise);
            format!("{text}, down after {left} more")
        }
        State::Recovering if row.get(Col::CheckRise) > health => {
            format!("{text}, up after {} more good checks", row.get(Col::CheckRise) - health)
        }
        _ => text,
    }
}

/// What a check's code means. The codes are those of HAProxy's manual, section 9.1 of `management.txt`.
fn failure(code: &str, row: &Row) -> String {
    let addr = row.text(Text::Addr);
    let at = if addr.is_empty() { String::new() } else { format!(" on {addr}") };
    let http = row.num(Col::CheckCode).map(|c| format!(" {c}")).unwrap_or_default();
    match code {
        "L4CON" if row.text(Text::LastChk).contains("refused") => format!("connection refused{at}"),
        "L4CON" => format!("connection failed{at}"),
        "L4TOUT" => format!("no connection in time{at}"),
        "L6TOUT" => format!("no TLS handshake in time{at}"),
        "L6RSP" => format!("TLS handshake failed{at}"),
        "L7TOUT" => format!("no answer in time{at}"),
        "L7RSP" => format!("an answer that is not understood{at}"),
        "L7STS" => format!("answers with an error{http}{at}"),
        "SOCKERR" => "HAProxy could not open a socket for the check".to_owned(),
        "PROCERR" => "the external check failed".to_owned(),
        "PROCTOUT" => "the external check took too long".to_owned(),
        "HANA" => "too many errors in its traffic".to_owned(),
        "L4OK" | "L6OK" | "L7OK" | "L7OKC" | "PROCOK" => format!("the last check passed{at}"),
        "INI" | "UNK" => "not checked yet".to_owned(),
        "" => "forced, or unchecked".to_owned(),
        other => format!("check says {other}{http}{at}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cause_says_what_where_and_what_next() {
        let server = |status: &str, check: &str, last: &str, nums: &[(Col, u64)]| {
            let mut row = Row::new(Kind::Server, "web3");
            row.set_text(Text::Status, status);
            row.set_text(Text::CheckStatus, check);
            row.set_text(Text::LastChk, last);
            row.set_text(Text::Addr, "10.0.0.13:80");
            nums.iter().for_each(|(col, value)| row.set(*col, Some(*value)));
            cause(&row)
        };
        let counts = [(Col::CheckRise, 2), (Col::CheckFall, 3), (Col::CheckHealth, 2)];
        for (got, want) in [
            (server("DOWN", "L4CON", "Connection refused", &[]), "connection refused on 10.0.0.13:80"),
            (
                server("DOWN", "L7STS", "Oops", &[(Col::CheckCode, 503)]),
                "answers with an error 503 on 10.0.0.13:80 (Oops)",
            ),
            (server("UP 1/3", "L7TOUT", "", &counts), "no answer in time on 10.0.0.13:80, down after 1 more"),
            (server("DRAIN", "L7OK", "", &[(Col::Scur, 17)]), "17 sessions left"),
            (server("MAINT", "", "", &[(Col::AdminState, 1)]), "set by an operator"),
            (server("UP", "L7OK", "", &[]), ""),
            (server("DOWN", "L9NEW", "x", &[]), "check says L9NEW on 10.0.0.13:80 (x)"),
        ] {
            assert_eq!(got, want);
        }
    }
}
