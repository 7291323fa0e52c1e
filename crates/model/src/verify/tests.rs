use super::*;
use crate::row::RowKind;

fn server(status: &str, cells: &[(Col, u64)]) -> Row {
    let mut row = Row::new(RowKind::Server, "s1");
    row.set_text(Text::Status, status);
    for (col, value) in [(Col::OpState, 2), (Col::AdminState, 0), (Col::CheckState, 6), (Col::AgentState, 22)] {
        row.set(col, Some(value));
    }
    cells.iter().for_each(|(col, value)| row.set(*col, Some(*value)));
    row
}

#[test]
fn nothing_is_sent_when_nothing_is_left_to_do() {
    let up = server("UP", &[(Col::Scur, 0)]);
    let drained = server("DRAIN", &[(Col::AdminState, 8)]);
    let maint = server("MAINT", &[(Col::AdminState, 1), (Col::OpState, 0)]);
    let was_disabled = server("UP", &[(Col::AdminState, 4)]);
    let failing = server("UP 1/3", &[]);
    let bare = server("no check", &[(Col::CheckState, 0), (Col::AgentState, 0)]);
    let off = server("no check", &[(Col::CheckState, 2), (Col::AgentState, 18)]);
    for (action, row, nothing_to_do) in [
        (Action::Ready, &up, true),
        (Action::Ready, &was_disabled, true),
        (Action::Ready, &drained, false),
        (Action::Drain, &drained, true),
        (Action::Drain, &maint, false),
        (Action::Maint, &maint, true),
        (Action::Maint, &drained, false),
        (Action::Dhlth, &up, false),
        (Action::Dhlth, &off, true),
        (Action::Dhlth, &bare, true),
        (Action::Ehlth, &up, true),
        (Action::Ehlth, &off, false),
        (Action::Ehlth, &bare, false),
        (Action::Dagent, &bare, true),
        (Action::Eagent, &bare, false),
        (Action::Eagent, &off, false),
        (Action::Hrunn, &up, true),
        (Action::Hrunn, &failing, false),
        (Action::Hdown, &maint, false),
        (Action::Hdown, &up, false),
        (Action::Arunn, &up, false),
        (Action::Shutdown, &up, true),
    ] {
        assert_eq!(already(action, row).is_some(), nothing_to_do, "{action} on {row:?}");
    }
}

#[test]
fn before_the_state_was_read_nothing_is_known_and_nothing_is_done() {
    let unread = Row::new(RowKind::Server, "s1");
    for action in Action::ALL {
        assert_eq!(already(action, &unread), None, "{action}");
        assert_eq!(shows(action, &unread, &unread), None, "{action}");
    }
}

#[test]
fn an_action_is_done_when_the_state_shows_it() {
    let before = server("UP", &[(Col::Scur, 5), (Col::Stot, 100)]);
    let after = |cells: &[(Col, u64)]| server("?", cells);
    for (action, after, done) in [
        (Action::Ready, after(&[]), true),
        (Action::Ready, after(&[(Col::AdminState, 4)]), true),
        (Action::Ready, after(&[(Col::AdminState, 2)]), false),
        (Action::Ready, after(&[(Col::AdminState, 32)]), false),
        (Action::Drain, after(&[(Col::AdminState, 8)]), true),
        (Action::Drain, after(&[]), false),
        (Action::Maint, after(&[(Col::AdminState, 1)]), true),
        (Action::Maint, after(&[(Col::AdminState, 2)]), false),
        (Action::Dhlth, after(&[(Col::CheckState, 2)]), true),
        (Action::Dhlth, after(&[]), false),
        (Action::Ehlth, after(&[]), true),
        // HAProxy 2.4 sets the flag on a check that was never configured.
        (Action::Ehlth, after(&[(Col::CheckState, 4)]), false),
        (Action::Dagent, after(&[(Col::AgentState, 18)]), true),
        (Action::Eagent, after(&[(Col::AgentState, 18)]), false),
        (Action::Hrunn, after(&[(Col::OpState, 1)]), true),
        (Action::Hnolb, after(&[(Col::OpState, 3)]), true),
        (Action::Hnolb, after(&[]), false),
        (Action::Hdown, after(&[(Col::OpState, 0)]), true),
        (Action::Hdown, after(&[(Col::OpState, 0), (Col::AdminState, 1)]), false),
        (Action::Arunn, after(&[]), true),
        (Action::Adown, after(&[]), false),
        (Action::Shutdown, after(&[(Col::Scur, 0), (Col::Stot, 100)]), true),
        (Action::Shutdown, after(&[(Col::Scur, 2), (Col::Stot, 102)]), true),
        (Action::Shutdown, after(&[(Col::Scur, 2), (Col::Stot, 101)]), false),
        (Action::Shutdown, after(&[(Col::Scur, 2), (Col::Stot, 7)]), false),
    ] {
        assert_eq!(shows(action, &before, &after).is_some(), done, "{action}: {after:?}");
    }
}
