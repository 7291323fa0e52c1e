//! A backend's servers as a bar: a piece per server, coloured by state.

use leptos::prelude::*;
use model::status::RowState;

/// Above this many servers the pieces are shares instead of servers.
const MOST_PIECES: u32 = 24;

/// The order of the pieces: what is well first, then ever worse, so that the bar's end tells.
const ORDER: [RowState; 9] = [
    RowState::Up,
    RowState::NoCheck,
    RowState::Unknown,
    RowState::Full,
    RowState::Failing,
    RowState::Recovering,
    RowState::Drain,
    RowState::Maint,
    RowState::Down,
];

/// A bar over the counts of [`RowState::ALL`].
#[component]
pub(crate) fn Segments(#[prop(into)] counts: Signal<[u32; RowState::ALL.len()]>) -> impl IntoView {
    let pieces = Memo::new(move |_| pieces(&counts.get()));
    view! {
        <svg class="segments" viewBox="0 0 1200 80" preserveAspectRatio="none" aria-hidden="true">
            {move || {
                pieces
                    .get()
                    .into_iter()
                    .map(|(x, width, state)| {
                        view! { <rect x=x width=width y="0" height="80" rx="14" class=fill(state) /> }.into_any()
                    })
                    .collect_view()
            }}
        </svg>
    }
}

fn fill(state: RowState) -> &'static str {
    match state {
        RowState::Up => "seg-up",
        RowState::Failing | RowState::Full => "seg-going",
        RowState::Down | RowState::Recovering => "seg-down",
        RowState::Drain => "seg-drain",
        RowState::Maint => "seg-maint",
        RowState::NoCheck | RowState::Unknown => "seg-none",
    }
}

/// Left edge, width and state of every piece, over a width of 1,200.
fn pieces(counts: &[u32; RowState::ALL.len()]) -> Vec<(u32, u32, RowState)> {
    const WIDTH: u64 = 1_200;
    const GAP: u32 = 20;
    let total: u32 = counts.iter().sum();
    let of = |state| RowState::ALL.iter().position(|s| *s == state).map_or(0, |at| counts[at]);
    let spans: Vec<(u32, RowState)> = if total <= MOST_PIECES {
        ORDER.into_iter().flat_map(|s| (0..of(s)).map(move |_| (1, s))).collect()
    } else {
        ORDER.into_iter().map(|s| (of(s), s)).filter(|(n, _)| *n > 0).collect()
    };
    let mut before = 0_u32;
    spans
        .into_iter()
        .map(|(n, state)| {
            let at = |n: u32| u32::try_from(u64::from(n) * WIDTH / u64::from(total.max(1))).unwrap_or(0);
            let (left, right) = (at(before), at(before + n));
            before += n;
            // A share of one server in thousands is still seen.
            (left, (right - left).saturating_sub(GAP).max(10), state)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_servers_are_pieces_and_many_are_shares() {
        let mut counts = [0; RowState::ALL.len()];
        counts[0] = 1; // down
        counts[7] = 2; // up
        assert_eq!(pieces(&counts), [(0, 380, RowState::Up), (400, 380, RowState::Up), (800, 380, RowState::Down)]);
        counts[7] = 2_999;
        assert_eq!(pieces(&counts), [(0, 1_179, RowState::Up), (1_199, 10, RowState::Down)]);
        assert!(pieces(&[0; RowState::ALL.len()]).is_empty());
    }
}
