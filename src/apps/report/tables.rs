//! Small tables of a page.

use maud::{Markup, html};

/// A table whose rows have names, in a frame of its own that scrolls where it is too wide.
pub fn numbers(caption: &str, corner: &str, heads: &[String], rows: &[(String, Vec<String>)]) -> Markup {
    framed(
        caption,
        html! {
            thead { tr { th scope="col" { (corner) } @for head in heads { th scope="col" class="number" { (head) } } } }
            tbody {
                @for (name, cells) in rows {
                    tr { th scope="row" { (name) } @for cell in cells { td class="number" { (cell) } } }
                }
            }
        },
    )
}

/// A table in a frame of its own.
pub fn framed(caption: &str, content: Markup) -> Markup {
    html! {
        div class="frame" tabindex="0" role="region" aria-label=(caption) { table { caption { (caption) } (content) } }
    }
}
