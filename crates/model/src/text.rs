//! Text that a stranger wrote, made fit for a terminal, a log, a page and a reader.

/// The text without anything that a terminal, a log or a reader could be deceived with. What separates words becomes a
/// space; a replacement character shows where anything else was.
#[must_use]
pub fn plain(text: &str) -> String {
    let harmless = |c: char| match c {
        '\t' | '\n' | '\r' | '\u{2028}' | '\u{2029}' => ' ',
        c if is_hidden(c) => '\u{fffd}',
        c => c,
    };
    text.chars().map(harmless).collect()
}

/// Whether a reader does not see that a character is there: controls, and the marks that change the direction of text or
/// take no room.
#[must_use]
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_deceive_a_reader_is_replaced_and_everything_else_kept() {
        for (text, kept) in [
            (
                "plain, é 漢 🦀 \"quoted\" <b>; DROP TABLE record; --",
                "plain, é 漢 🦀 \"quoted\" <b>; DROP TABLE record; --",
            ),
            ("two\nlines\r\tand tab", "two lines  and tab"),
            ("\u{1b}[31mred\u{7}\0", "\u{fffd}[31mred\u{fffd}\u{fffd}"),
            ("c1 \u{9b}31m", "c1 \u{fffd}31m"),
            ("txt.\u{202e}exe \u{2066}x\u{feff}", "txt.\u{fffd}exe \u{fffd}x\u{fffd}"),
            ("so\u{ad}ft \u{61c}x", "so\u{fffd}ft \u{fffd}x"),
        ] {
            assert_eq!(plain(text), kept);
        }
    }
}
