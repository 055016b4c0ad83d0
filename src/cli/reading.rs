//! A bar on the terminal while data is read that takes a while.

use std::sync::OnceLock;

use indicatif::{ProgressBar, ProgressStyle};

use super::print::is_watched;
use crate::data::READER;
use crate::data::on_reading;

/// Shows one whenever something is read, where there is a terminal.
pub fn show() {
    if !is_watched() {
        return;
    }
    let bar: OnceLock<ProgressBar> = OnceLock::new();
    on_reading(move |reading| {
        let bar = bar.get_or_init(|| ProgressBar::new(0).with_style(style()));
        if bar.is_finished() {
            bar.reset();
        }
        if reading.of == 0 {
            bar.set_message(format!("{} ({} files)", reading.what, reading.done));
        } else {
            bar.set_message(reading.what);
            bar.set_length(reading.of as u64);
            bar.set_position(reading.done as u64);
        }
        if reading.of > 0 && reading.done >= reading.of {
            bar.finish_and_clear();
        }
    });
}

fn style() -> ProgressStyle {
    let template = "{msg} [{bar:30}] {human_pos} of {human_len}, {eta} left";
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    style.progress_chars("=> ")
}

/// Leaves it to the error to say that a reader gave up: what it says of itself is for programmers.
pub(super) fn quieten_readers() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |about| {
        if std::thread::current().name() != Some(READER) {
            usual(about);
        }
    }));
}
