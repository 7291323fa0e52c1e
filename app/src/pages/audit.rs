//! The page of the audit log, drawn on the server alone.

use leptos::prelude::*;
use model::{
    action::Action,
    audit::{COLUMNS, FILTERS, FilterField, Kind, Placement, StoredEntry, TargetNote},
    format::{exact, plural},
    status::RowState,
};

use crate::components::{account::Account, brand::Brand, nav::Nav, status};

/// Targets that are shown at once; more are folded.
const MAX_UNFOLDED: usize = 3;

/// What was asked for.
#[derive(Clone, Debug, Default)]
pub struct FilterForm {
    /// The filter: fields that are not empty, by their names in the address.
    pub fields: Vec<(&'static str, String)>,
    /// Whether the newest entries are not among these.
    pub is_older: bool,
    /// The address of the export as CSV.
    pub csv: String,
    /// The address of the export as lines of JSON.
    pub jsonl: String,
}

/// One entry.
#[derive(Clone, Debug)]
pub struct EntryLine {
    /// As it is kept.
    pub stored: StoredEntry,
    /// When, in UTC: `2026-11-21 13:05:07`.
    pub time: String,
    /// The address of all that belongs to its operation.
    pub operation_link: String,
    /// On what; the first of them.
    pub targets: Vec<String>,
    /// How many targets or outcomes there are in all.
    pub target_count: usize,
    /// What became of it, in a word.
    pub outcome: String,
    /// What became of each target; the first of them.
    pub outcomes: Vec<TargetNote>,
}

impl FilterForm {
    fn get(&self, name: &str) -> String {
        self.fields.iter().find(|(n, _)| *n == name).map(|(_, value)| value.clone()).unwrap_or_default()
    }
}

/// The page: entries and the address of older ones, or why there are none.
#[must_use]
pub fn audit(form: FilterForm, found: Result<(Vec<EntryLine>, Option<String>), String>) -> AnyView {
    let body = match found {
        Ok((lines, older)) => list(lines, older, form.is_older, form.fields.is_empty()),
        Err(problem) => view! { <p class="notice" role="alert">{problem}</p> }.into_any(),
    };
    frame(
        view! {
            {filter(&form)}
            <div class="mt-3 mb-2 flex flex-wrap items-center gap-x-4 gap-y-1 text-[13px] text-ink-2">
                <p class="grow">"Times are in UTC. " <code>"sluice audit verify"</code> " checks that nothing was changed."</p>
                <span class="flex gap-2">
                    <a class="btn" href=form.csv download="sluice-audit.csv">"Export CSV"</a>
                    <a class="btn" href=form.jsonl download="sluice-audit.jsonl">"JSON Lines"</a>
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

fn filter(form: &FilterForm) -> AnyView {
    let text = |name: &'static str, label: &'static str, example: &'static str| {
        let value = form.get(name);
        view! {
            <label class="text-[12px] text-ink-2">
                {label}
                <input class="field text-[14px] text-ink" name=name value=value placeholder=example autocomplete="off" spellcheck="false" />
            </label>
        }
        .into_any()
    };
    let field = |FilterField { name, label, example, .. }: &'static FilterField| match *name {
        "kind" => kinds(label, &form.get(name)),
        name => text(name, label, example),
    };
    view! {
        <form method="get" action="/audit" role="search" class="grid items-end gap-x-3 gap-y-2 [grid-template-columns:repeat(auto-fill,minmax(150px,1fr))]">
            {text("from", "From (UTC)", "2026-11-21T08:00")}
            {text("to", "To (UTC)", "2026-11-22")}
            {FILTERS.iter().map(field).collect::<Vec<_>>()}
            <span class="flex gap-2 pb-0.5">
                <button class="btn btn-primary">"Find"</button>
                {(!form.fields.is_empty()).then(|| view! { <a class="btn" href="/audit">"Clear"</a> })}
            </span>
        </form>
    }
    .into_any()
}

/// The field to choose a kind.
fn kinds(label: &'static str, chosen: &str) -> AnyView {
    let option = |kind: Kind| {
        let selected = kind.word() == chosen;
        view! { <option selected=selected>{kind.word()}</option> }
    };
    view! {
        <label class="text-[12px] text-ink-2">
            {label}
            <select class="field text-[14px] text-ink" name="kind">
                <option value="">"all"</option>
                {Kind::ALL.map(option).into_iter().collect::<Vec<_>>()}
            </select>
        </label>
    }
    .into_any()
}

fn list(lines: Vec<EntryLine>, older: Option<String>, is_older: bool, is_all: bool) -> AnyView {
    if lines.is_empty() {
        let text = match (is_older, is_all) {
            (true, _) => "There are no older entries that fit.",
            (false, true) => "Nothing was recorded yet.",
            (false, false) => "No entry fits the filter.",
        };
        return view! { <p class="events-none">{text}</p> }.into_any();
    }
    let placement = "px-3 py-2 text-left align-top";
    let head = |name: &'static str| view! { <th scope="col" class=placement>{name}</th> };
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

fn row(line: EntryLine) -> AnyView {
    let placement = "px-3 py-2 align-top wrap-anywhere max-[835px]:block max-[835px]:py-1";
    // Names and reasons break between words; servers' names have none to break at.
    let wide = "min-w-44 max-[835px]:min-w-0";
    let EntryLine {
        stored: StoredEntry { id, entry, hash },
        time,
        operation_link,
        targets,
        target_count,
        outcome,
        outcomes,
    } = line;
    let style = if entry.kind == Kind::Denial.word() || outcome == "refused" { "st st-down" } else { "st st-none" };
    let texts_in = |placement: Placement| {
        let texts = COLUMNS.iter().zip(entry.texts()).filter(move |(column, _)| column.placement == placement);
        texts.map(|(_, text)| text.to_owned())
    };
    let mut who = texts_in(Placement::Who);
    let name = who.next();
    let who = who.filter(|text| !text.is_empty()).collect::<Vec<_>>().join(", ");
    let why = texts_in(Placement::Why).filter(|text| !text.is_empty());
    let why = why.map(|text| view! { <p>{text}</p> }).collect::<Vec<_>>();
    // The action as the pages name it, where it is one of HAProxy's.
    let label = entry.action.parse::<Action>().map_or_else(|_| entry.action.clone(), |a| a.label().to_owned());
    let targets = targets.into_iter().map(|t| view! { <li>{t}</li> }.into_any());
    let notes = targets.chain(outcomes.into_iter().map(note)).collect();
    let number = format!("entry {id}, {hash}");
    view! {
        <tr class="border-t border-line max-[835px]:block max-[835px]:py-1.5" id=format!("e{id}")>
            <td class=placement><time class="whitespace-nowrap text-ink-2" title=number>{time}</time></td>
            <td class=placement><div class=wide><b>{name}</b><br /><span class="text-ink-3">{who}</span></div></td>
            <td class=placement>
                <span class=style>{entry.kind.clone()}</span>
                <span class="ml-1.5">{label}</span>
                {(!entry.operation.is_empty()).then(|| view! { <br /><a class="text-ink-3 underline" href=operation_link>{entry.operation.clone()}</a> })}
            </td>
            <td class=placement>
                {(!outcome.is_empty()).then(|| view! { <span class="font-semibold">{outcome.clone()}</span> })}
                {folded(notes, target_count)}
            </td>
            <td class=placement><div class=wide>{why}</div></td>
        </tr>
    }
    .into_any()
}

fn note(note: TargetNote) -> AnyView {
    let TargetNote { target, outcome, before, after, message } = note;
    let change = if before == after { after } else { format!("{before} → {after}") };
    let words = [change, message].into_iter().filter(|t| !t.is_empty()).collect::<Vec<_>>().join(", ");
    let style = match outcome.as_str() {
        "done" => status::class(RowState::Up),
        "unchanged" => status::class(RowState::Unknown),
        _ => status::class(RowState::Down),
    };
    view! { <li class="mb-0.5">{target} " " <span class=style>{outcome}</span> " " <span class="text-ink-2">{words}</span></li> }.into_any()
}

/// A list, folded where it is long.
fn folded(items: Vec<AnyView>, all: usize) -> AnyView {
    let more = all.saturating_sub(items.len());
    let is_long = items.len() > MAX_UNFOLDED;
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
