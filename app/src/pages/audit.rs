//! The page of the record, drawn on the server alone.

use leptos::prelude::*;
use model::{
    action::Action,
    format::{exact, plural},
    status::State,
};

use crate::components::{account::Account, brand::Brand, nav::Nav, status};

/// Targets that are shown at once; more are folded.
const SHOWN: usize = 3;

/// What was asked for.
#[derive(Clone, Debug, Default)]
pub struct FilterForm {
    /// The filter: fields that are not empty, by their names in the address.
    pub fields: Vec<(&'static str, String)>,
    /// The kinds that there are.
    pub kinds: Vec<&'static str>,
    /// Whether the newest entries are not among these.
    pub is_older: bool,
    /// The address of the export as CSV.
    pub csv: String,
    /// The address of the export as lines of JSON.
    pub jsonl: String,
}

/// One entry.
#[derive(Clone, Debug, Default)]
pub struct Line {
    /// Its number.
    pub id: i64,
    /// When, in UTC: `2026-11-21 13:05:07`.
    pub time: String,
    /// What it tells of.
    pub kind: String,
    /// The account.
    pub who: String,
    /// Its role.
    pub role: String,
    /// How it was known.
    pub means: String,
    /// From where.
    pub address: String,
    /// What.
    pub action: String,
    /// The operation's name.
    pub operation: String,
    /// The address of all that belongs to it.
    pub operation_link: String,
    /// On what; the first of them.
    pub targets: Vec<String>,
    /// How many targets or outcomes there are in all.
    pub all_targets: usize,
    /// Why.
    pub reason: String,
    /// What became of it, in a word.
    pub outcome: String,
    /// What became of each target; the first of them.
    pub outcomes: Vec<TargetLine>,
    /// What else there is to say.
    pub detail: String,
    /// The hash, in hexadecimal digits.
    pub hash: String,
}

/// What became of one target.
#[derive(Clone, Debug, Default)]
pub struct TargetLine {
    /// `NODE/BACKEND/SERVER`.
    pub target: String,
    /// In a word.
    pub outcome: String,
    /// The status before.
    pub before: String,
    /// The status afterwards.
    pub after: String,
    /// HAProxy's words.
    pub message: String,
}

impl FilterForm {
    fn get(&self, name: &str) -> String {
        self.fields.iter().find(|(n, _)| *n == name).map(|(_, value)| value.clone()).unwrap_or_default()
    }
}

/// The page: entries and the address of older ones, or why there are none.
#[must_use]
pub fn audit(asked: FilterForm, found: Result<(Vec<Line>, Option<String>), String>) -> AnyView {
    let body = match found {
        Ok((lines, older)) => list(lines, older, asked.is_older, asked.fields.is_empty()),
        Err(problem) => view! { <p class="notice" role="alert">{problem}</p> }.into_any(),
    };
    frame(
        view! {
            {filter(&asked)}
            <div class="mt-3 mb-2 flex flex-wrap items-center gap-x-4 gap-y-1 text-[13px] text-ink-2">
                <p class="grow">"Times are in UTC. " <code>"sluice audit verify"</code> " checks that nothing was changed."</p>
                <span class="flex gap-2">
                    <a class="btn" href=asked.csv download="sluice-audit.csv">"Export CSV"</a>
                    <a class="btn" href=asked.jsonl download="sluice-audit.jsonl">"JSON Lines"</a>
                </span>
            </div>
            {body}
        }
        .into_any(),
    )
}

fn frame(body: AnyView) -> AnyView {
    view! {
        <header class="flex flex-wrap items-center gap-3 border-b border-line bg-surface px-4 py-2.5">
            <Brand />
            <Nav current="/audit" />
            <Account />
        </header>
        <main class="mx-auto max-w-[1500px] px-4 pt-3 pb-6 max-[520px]:px-2">
            <h1 class="sr-only">"Audit"</h1>
            {body}
        </main>
    }
    .into_any()
}

fn filter(asked: &FilterForm) -> AnyView {
    let text = |name: &'static str, label: &'static str, example: &'static str| {
        let value = asked.get(name);
        view! {
            <label class="text-[12px] text-ink-2">
                {label}
                <input class="field text-[14px] text-ink" name=name value=value placeholder=example autocomplete="off" spellcheck="false" />
            </label>
        }
    };
    let chosen = asked.get("kind");
    let kind = |kind: &'static str| {
        let selected = kind == chosen;
        view! { <option selected=selected>{kind}</option> }
    };
    view! {
        <form method="get" action="/audit" role="search" class="grid items-end gap-x-3 gap-y-2 [grid-template-columns:repeat(auto-fill,minmax(150px,1fr))]">
            {text("from", "From (UTC)", "2026-11-21T08:00")}
            {text("to", "To (UTC)", "2026-11-22")}
            {text("who", "Who", "")}
            {text("address", "Address", "")}
            <label class="text-[12px] text-ink-2">
                "Kind"
                <select class="field text-[14px] text-ink" name="kind">
                    <option value="">"all"</option>
                    {asked.kinds.iter().map(|k| kind(k)).collect::<Vec<_>>()}
                </select>
            </label>
            {text("action", "Action", "drain")}
            {text("target", "Target has", "webservers/web1")}
            {text("outcome", "TargetLine", "refused")}
            {text("operation", "Operation", "")}
            <span class="flex gap-2 pb-0.5">
                <button class="btn btn-primary">"Find"</button>
                {(!asked.fields.is_empty()).then(|| view! { <a class="btn" href="/audit">"Clear"</a> })}
            </span>
        </form>
    }
    .into_any()
}

fn list(lines: Vec<Line>, older: Option<String>, is_older: bool, is_all: bool) -> AnyView {
    if lines.is_empty() {
        let text = match (is_older, is_all) {
            (true, _) => "There are no older entries that fit.",
            (false, true) => "Nothing was recorded yet.",
            (false, false) => "No entry fits the filter.",
        };
        return view! { <p class="events-none">{text}</p> }.into_any();
    }
    let cell = "px-3 py-2 text-left align-top";
    let head = |name: &'static str| view! { <th scope="col" class=cell>{name}</th> };
    view! {
        <div class="card mb-0">
            <table class="w-full border-collapse text-[13px] max-[835px]:block" aria-label="Entries, newest first">
                <thead class="text-[12px] text-ink-3 max-[835px]:hidden">
                    <tr>{head("When")} {head("Who")} {head("What")} {head("On what, and what became of it")} {head("Why")}</tr>
                </thead>
                <tbody class="max-[835px]:block">{lines.into_iter().map(row).collect::<Vec<_>>()}</tbody>
            </table>
        </div>
        {older.map(|address| view! { <p class="mt-3 flex justify-center"><a class="btn" rel="next" href=address>"Older entries"</a></p> })}
    }
    .into_any()
}

fn row(line: Line) -> AnyView {
    let cell = "px-3 py-2 align-top wrap-anywhere max-[835px]:block max-[835px]:py-1";
    // Names and reasons break between words; servers' names have none to break at.
    let wide = "min-w-44 max-[835px]:min-w-0";
    let look = if line.kind == "refusal" || line.outcome == "refused" { "st st-down" } else { "st st-none" };
    let who =
        [line.role, line.means, line.address].into_iter().filter(|t| !t.is_empty()).collect::<Vec<_>>().join(", ");
    // The action as the pages name it, where it is one of HAProxy's.
    let label = line.action.parse::<Action>().map_or(line.action, |action| action.label().to_owned());
    let parts = [line.reason, line.detail].into_iter().filter(|t| !t.is_empty());
    let target_count = line.all_targets;
    let targets = line.targets.into_iter().map(|t| view! { <li>{t}</li> }.into_any());
    let notes = targets.chain(line.outcomes.into_iter().map(note)).collect();
    let number = format!("entry {}, {}", line.id, line.hash);
    view! {
        <tr class="border-t border-line max-[835px]:block max-[835px]:py-1.5" id=format!("e{}", line.id)>
            <td class=cell><time class="whitespace-nowrap text-ink-2" title=number>{line.time}</time></td>
            <td class=cell><div class=wide><b>{line.who}</b><br /><span class="text-ink-3">{who}</span></div></td>
            <td class=cell>
                <span class=look>{line.kind}</span>
                <span class="ml-1.5">{label}</span>
                {(!line.operation.is_empty()).then(|| view! { <br /><a class="text-ink-3 underline" href=line.operation_link>{line.operation.clone()}</a> })}
            </td>
            <td class=cell>
                {(!line.outcome.is_empty()).then(|| view! { <span class="font-semibold">{line.outcome.clone()}</span> })}
                {folded(notes, target_count)}
            </td>
            <td class=cell><div class=wide>{parts.map(|text| view! { <p>{text}</p> }).collect::<Vec<_>>()}</div></td>
        </tr>
    }
    .into_any()
}

fn note(note: TargetLine) -> AnyView {
    let TargetLine { target, outcome, before, after, message } = note;
    let change = if before == after { after } else { format!("{before} → {after}") };
    let said = [change, message].into_iter().filter(|t| !t.is_empty()).collect::<Vec<_>>().join(", ");
    let look = match outcome.as_str() {
        "done" => status::class(State::Up),
        "unchanged" => status::class(State::Unknown),
        _ => status::class(State::Down),
    };
    view! { <li class="mb-0.5">{target} " " <span class=look>{outcome}</span> " " <span class="text-ink-2">{said}</span></li> }.into_any()
}

/// A list, folded where it is long.
fn folded(items: Vec<AnyView>, all: usize) -> AnyView {
    let more = all.saturating_sub(items.len());
    let is_long = items.len() > SHOWN;
    let rest = (more > 0).then(
        || view! { <li class="text-ink-3">{format!("and {} more: the export has them", exact(more as u64))}</li> },
    );
    let list = view! { <ul>{items}{rest}</ul> };
    if is_long {
        view! {
            <details>
                <summary class="cursor-pointer text-accent max-[835px]:py-3">{plural(all, "server")}</summary>
                {list}
            </details>
        }
        .into_any()
    } else {
        list.into_any()
    }
}
