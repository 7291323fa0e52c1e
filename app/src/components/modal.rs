//! A native dialog that is open while there is something in it.

use leptos::{html, prelude::*};

/// The dialog. Esc and whatever else closes it comes to `on_close`.
#[component]
pub(crate) fn Modal(
    /// Whether it is open.
    #[prop(into)]
    is_open: Signal<bool>,
    /// Told when it was closed.
    on_close: Callback<()>,
    /// Its look.
    class: &'static str,
    /// The id of its heading.
    labelled_by: &'static str,
    children: Children,
) -> impl IntoView {
    let dialog = NodeRef::<html::Dialog>::new();
    Effect::new(move || {
        let Some(dialog) = dialog.get() else { return };
        match (is_open.get(), dialog.open()) {
            (true, false) => {
                let _: Result<(), _> = dialog.show_modal();
            }
            (false, true) => dialog.close(),
            _ => {}
        }
    });
    view! {
        <dialog node_ref=dialog class=class aria-labelledby=labelled_by on:close=move |_| on_close.run(())>
            {children()}
        </dialog>
    }
}
