//! The log-in page: the form, and what was wrong with the last attempt. Drawn by the server alone.

use leptos::prelude::*;

use crate::components::brand::Brand;

/// What the page shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogIn {
    /// The page that a log-in leads to.
    pub next: String,
    /// The name that was typed, where the log-in failed.
    pub user: String,
    /// What was wrong.
    pub fault: Option<LogInFailure>,
    /// The link to an OpenID Connect provider: its text and its address.
    pub elsewhere: Option<(String, String)>,
    /// Whether there are local accounts.
    pub has_accounts: bool,
}

/// Why the last attempt let nobody in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogInFailure {
    /// Name or password.
    Wrong,
    /// The password was right, and the browser kept no cookie.
    NoCookie,
    /// Too many attempts failed; so many seconds.
    Wait(u64),
    /// Too many people log in; so many seconds.
    Busy(u64),
    /// Sluice itself failed.
    Failed,
    /// Something else, in words.
    Other(String),
}

impl LogInFailure {
    /// The sentence on the page.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Wrong => "Name or password is wrong.".to_owned(),
            Self::Wait(seconds) => format!("Too many attempts failed. Wait {}, then try again.", time(*seconds)),
            Self::Busy(seconds) => format!("Too many people log in. Try again in {}.", time(*seconds)),
            Self::NoCookie => {
                "Your browser kept no cookie, so that you are not logged in. Allow cookies for this address, and log in again; \
                 if this page came by http from another machine, open it by https."
                    .to_owned()
            }
            Self::Failed => "Sluice could not log you in. Its log says why.".to_owned(),
            Self::Other(text) => text.clone(),
        }
    }
}

/// `90 s`, and minutes from two on.
fn time(seconds: u64) -> String {
    if seconds < 120 { format!("{seconds} s") } else { format!("{} min", seconds.div_ceil(60)) }
}

/// The page.
#[must_use]
pub fn log_in(page: LogIn) -> AnyView {
    let LogIn { next, user, fault, elsewhere, has_accounts } = page;
    // The focus is on the first field that is still empty.
    let (name_first, has_fault) = (user.is_empty(), fault.is_some());
    let form = view! {
        <form method="post" action="/login" class="mt-4">
            <input type="hidden" name="next" value=next />
            <label class="block text-ink-2">
                "Name"
                <input class="field text-[16px] text-ink" name="user" value=user autocomplete="username" autocapitalize="none" spellcheck="false" maxlength="64" required autofocus=name_first />
            </label>
            <label class="mt-3 block text-ink-2">
                "Password"
                <input class="field text-[16px] text-ink" type="password" name="password" autocomplete="current-password" maxlength="1024" required autofocus=!name_first aria-describedby=has_fault.then_some("fault") />
            </label>
            <button type="submit" class="btn btn-primary mt-5 min-h-11 w-full">"Log in"</button>
        </form>
    };
    let elsewhere = elsewhere.map(|(text, address)| {
        view! { <a class="btn mt-3 min-h-11 w-full" href=address>{text}</a> }
    });
    let none = view! {
        <p class="mt-3 text-ink-2">
            "There are no accounts yet. On the machine that runs Sluice, as the user that it runs as, make the first one:"
        </p>
        <pre class="mt-2 overflow-x-auto rounded-lg border border-line bg-bg px-3 py-2 text-[13px]">"sluice user add NAME --role admin --password-stdin"</pre>
    };
    let has_elsewhere = elsewhere.is_some();
    view! {
        <main class="mx-auto flex min-h-dvh max-w-sm flex-col justify-center p-4">
            <div class="card p-6">
                <Brand />
                <h1 class="mt-4 text-[17px] font-semibold">"Log in"</h1>
                {fault.map(|fault| view! { <p id="fault" class="notice" role="alert">{fault.text()}</p> })}
                {has_accounts.then_some(form)}
                {(!has_accounts && !has_elsewhere).then_some(none)}
                {elsewhere}
            </div>
        </main>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(page: LogIn) -> String {
        Owner::new().with(|| log_in(page).to_html())
    }

    #[test]
    fn what_was_typed_is_text_and_the_password_never_comes_back() {
        let html = drawn(LogIn {
            next: "/stats?q=\"><script>".to_owned(),
            user: "\"><script>alert(1)</script>".to_owned(),
            fault: Some(LogInFailure::Wait(240)),
            has_accounts: true,
            ..LogIn::default()
        });
        assert!(!html.contains("<script>"), "{html}");
        assert!(html.contains("Wait 4 min") && html.contains("role=\"alert\""), "{html}");
        assert!(html.contains("autocomplete=\"current-password\"") && html.contains("autocomplete=\"username\""));
        assert_eq!(html.matches("autofocus").count(), 1, "{html}");
    }

    #[test]
    fn without_accounts_it_says_how_to_make_one_and_with_a_provider_it_leads_there() {
        let html = drawn(LogIn::default());
        assert!(html.contains("sluice user add") && !html.contains("<form"), "{html}");
        let elsewhere = Some(("Log in with Example".to_owned(), "/login/oidc?next=/stats".to_owned()));
        let html = drawn(LogIn { elsewhere, ..LogIn::default() });
        assert!(
            html.contains("Log in with Example") && !html.contains("<form") && !html.contains("user add"),
            "{html}"
        );
    }

    #[test]
    fn a_wait_is_told_in_seconds_and_then_in_minutes() {
        for (seconds, told) in [(1, "1 s"), (119, "119 s"), (120, "2 min"), (121, "3 min"), (900, "15 min")] {
            assert_eq!(time(seconds), told);
        }
    }
}
