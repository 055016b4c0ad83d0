//! What to type. The library speaks of settings by the keys that they have in a configuration, `like-this`; the command line says which
//! option gives each.

use crate::error::Error;

/// An error with the option behind every setting that it names, where the command has one and the message does not name it itself:
/// `batch` (--batch). What is wrong with a file is left as it is: there, a key is typed as it stands.
pub(super) fn with_options(error: Error, options: &[(String, String)]) -> Error {
    let explained = |message: String| explained(&message, options);
    match error {
        Error::Invalid(message) => Error::Invalid(explained(message)),
        Error::Device(message) => Error::Device(explained(message)),
        Error::Diverged(message) => Error::Diverged(explained(message)),
        Error::Io { .. } | Error::Malformed { .. } | Error::Busy(_) | Error::Interrupted(_) | Error::Elsewhere(_) => {
            error
        }
    }
}

/// A message with the option behind every setting that it names.
pub(super) fn explained(message: &str, options: &[(String, String)]) -> String {
    let parts: Vec<&str> = message.split('`').collect();
    let mut out = parts[0].to_string();
    for (i, part) in parts.iter().enumerate().skip(1) {
        out.push('`');
        // Behind the second of a pair of quotes, what stands between them.
        let quoted = i.is_multiple_of(2).then(|| parts[i - 1]);
        let option = quoted.and_then(|key| options.iter().find(|(known, _)| known == key)).map(|(_, option)| option);
        if let Some(option) = option.filter(|option| !message.contains(*option) && !out.contains(*option)) {
            out += &format!(" ({option})");
        }
        out += part;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::explained;
    use crate::cli::args::options_of;

    #[test]
    fn settings_are_followed_by_their_options() {
        let train = options_of("train");
        for (message, expected) in [
            ("`batch` is 0: give more", "`batch` (--batch) is 0: give more"),
            ("a smaller `batch`", "a smaller `batch` (--batch)"),
            ("`source` is empty, and `kind` ae", "`source` (--data) is empty, and `kind` (--model) ae"),
            ("`beta` twice, `beta`", "`beta` (--beta) twice, `beta`"),
            ("as `first-stage` anew", "as `first-stage` (--second-stage) anew"),
            ("`kl-warmup-epochs`", "`kl-warmup-epochs` (--kl-warmup-epochs)"),
            // Named already, no setting, and quotes that are no pair.
            ("`batch`: give --batch 5", "`batch`: give --batch 5"),
            ("see `elbo models`", "see `elbo models`"),
            ("it's 5 o`clock, or batch", "it's 5 o`clock, or batch"),
            ("", ""),
        ] {
            assert_eq!(explained(message, &train), expected);
        }
        // Another command has other options.
        assert_eq!(explained("a smaller `batch`", &options_of("sample")), "a smaller `batch`");
        assert_eq!(explained("the `device` cpu", &options_of("sample")), "the `device` (--device) cpu");
    }
}
