//! Settings, each declared once: its option and the help of that, its key in files, its type, what it usually is, its bounds.
//!
//! ```text
//! settings! {
//!     /// What the table holds.
//!     TrainingConfig, options TrainingOptions, heading "Training", short by fold;
//!
//!     own {
//!         /// The help of the option, which is `--clip-norm` and has the key `clip-norm`
//!         #[arg(value_name = "X")]
//!         clip_norm: f64 => (Bounds::Positive, "1");
//!     }
//!     short {
//!         /// Short for something of another setting
//!         #[arg(value_name = "X")]
//!         beta1: f64;
//!     }
//!     own { … }
//! }
//! ```
//!
//! makes two structs: the settings, which have their usual values by default, and the options, in which all that is not given is
//! `None`. Options are read from the command line and from a table of a file alike, and `lay_over` puts what is given in place of
//! what was. A setting with `= value` usually has that; one without is an `Option`, and usually `None`. Behind `=>` stand the
//! bounds of numbers, and an example for people. What is short for others is no setting; the named method of the options writes it
//! where it belongs, and refuses it where that is given as well ([`set_short`], [`refuse_both`]). `#[of_files(skip)]` in place of `#[arg(…)]` makes no option, and `#[serde(skip)]` no key of what is short.

use crate::catalogue::{Bounds, Spec, Value};
use crate::error::{Error, Result};

/// Declares the settings of a table, see the [module](self).
macro_rules! settings {
    (@type $type:ty) => { Option<$type> };
    (@type $type:ty, $default:expr) => { $type };
    (@default) => { None };
    (@default $default:expr) => { $default };
    (@key $short:ident) => { Some(stringify!($short)) };
    (@key $short:ident, skip) => { None };
    (@first $first:expr, $second:expr) => { $first };
    (@option $name:ident) => { None };
    (@option $name:ident, long = $long:literal $($rest:tt)*) => { Some($long) };
    (@option $name:ident, $($rest:tt)*) => { Some(stringify!($name)) };
    (@text = $text:literal) => { $text };
    (@set $setting:expr, $given:expr) => {
        if $given.is_some() {
            $setting.clone_from(&$given);
        }
    };
    (@set $setting:expr, $given:expr, $default:expr) => {
        if let Some(value) = &$given {
            $setting.clone_from(value);
        }
    };
    (
        $(#[doc $($about:tt)*])*
        $config:ident, options $options:ident, heading $heading:literal $(, short by $fold:ident)?;
        $(
            own {
                $(
                    $(#[doc $($doc:tt)*])*
                    $(#[arg($($arg:tt)*)])?
                    $(#[of_files($of_files:ident)])?
                    $name:ident: $type:ty $(= $default:expr)? $(=> ($bounds:expr $(, $example:literal)?))?;
                )*
            }
            $(short {
                $(
                    $(#[doc $($short_doc:tt)*])*
                    #[arg($($short_arg:tt)*)]
                    $(#[serde($of_options:ident)])?
                    $short:ident: $short_type:ty;
                )*
            })?
        )*
    ) => {
        $(#[doc $($about)*])*
        #[derive(Debug, Clone, PartialEq, serde::Serialize)]
        #[serde(rename_all = "kebab-case")]
        pub struct $config {
            $($($(#[doc $($doc)*])* pub $name: settings!(@type $type $(, $default)?),)*)*
        }

        impl Default for $config {
            fn default() -> Self {
                $config { $($($name: settings!(@default $($default)?),)*)* }
            }
        }

        impl $config {
            /// What is out of its bounds, a sentence each.
            pub(crate) fn out_of_bounds(&self) -> Vec<String> {
                let all: Vec<Option<String>> = vec![
                    $($($(crate::settings::problem(stringify!($name), &self.$name, $bounds, &[$($example)?]),)?)*)*
                ];
                all.into_iter().flatten().collect()
            }
        }

        #[doc = concat!("What is given of [`", stringify!($config), "`], on the command line or in a file; the rest is `None`.")]
        #[derive(Debug, Clone, Default, PartialEq, serde::Deserialize)]
        #[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
        #[cfg_attr(feature = "cli", derive(clap::Args), command(next_help_heading = $heading))]
        pub struct $options {
            $(
                $(
                    $(#[doc $($doc)*])*
                    $(#[cfg_attr(feature = "cli", arg(long, $($arg)*))])?
                    $(#[cfg_attr(feature = "cli", arg($of_files))])?
                    pub $name: Option<$type>,
                )*
                $($(
                    $(#[doc $($short_doc)*])*
                    #[cfg_attr(feature = "cli", arg(long, $($short_arg)*))]
                    $(#[serde($of_options)])?
                    pub $short: Option<$short_type>,
                )*)?
            )*
        }

        impl $options {
            /// The settings that have bounds, by the names of their fields.
            #[cfg(test)]
            pub(crate) const BOUNDED: &[&str] = &[$($($(settings!(@first stringify!($name), $bounds),)?)*)*];

            /// The options that are short for others, by the names of their fields.
            #[cfg(test)]
            pub(crate) const SHORT: &[&str] = &[$($($(stringify!($short),)*)?)*];

            /// The keys of files that are read, by the names of their fields; `None` is of options only.
            pub(crate) const KEYS: &[Option<&str>] = &[$(
                $(Some(stringify!($name)),)*
                $($(settings!(@key $short $(, $of_options)?),)*)?
            )*];

            /// All of them, as they are declared.
            pub(crate) const DECLARED: &[crate::settings::Declared] = &[$(
                $(crate::settings::Declared {
                    field: stringify!($name),
                    option: settings!(@option $name $(, $($arg)*)?),
                    of: stringify!($type),
                    help: &[$(settings!(@text $($doc)*)),*],
                },)*
                $($(crate::settings::Declared {
                    field: stringify!($short),
                    option: settings!(@option $short, $($short_arg)*),
                    of: stringify!($short_type),
                    help: &[$(settings!(@text $($short_doc)*)),*],
                },)*)?
            )*];

            /// Puts what is given in place of what was.
            ///
            /// # Errors
            /// If something is given, and what is short for it as well.
            pub fn lay_over(&self, config: &mut $config) -> $crate::error::Result<()> {
                $($(settings!(@set config.$name, self.$name $(, $default)?);)*)*
                $(self.$fold(config)?;)?
                Ok(())
            }
        }
    };
}

pub(crate) use settings;

/// A setting, or what is short for one, as its table declares it.
pub(crate) struct Declared {
    /// Its field, which is its key with `_` for `-`.
    pub field: &'static str,
    /// The name of its option, likewise; `None` where it has none.
    pub option: Option<&'static str>,
    /// The type of its value, as it is written.
    pub of: &'static str,
    /// The lines of its help.
    pub help: &'static [&'static str],
}

/// Writes the setting `name` of a piece that has an option of its own, also called `name`: `value` is what that says, `piece` the
/// option of the whole piece and what that says.
///
/// # Errors
/// If both say what the setting is.
pub(crate) fn set_short(
    name: &str,
    value: Option<impl Into<Value>>,
    piece: (&str, &Option<Spec>),
    into: &mut Spec,
) -> Result<()> {
    let (Some(value), (option, given)) = (value, piece) else { return Ok(()) };
    if given.as_ref().is_some_and(|spec| spec.settings.contains_key(name)) {
        return Err(given_twice(name, &format!("the setting of that name of `{option}`")));
    }
    into.settings.insert(name.to_string(), value.into());
    Ok(())
}

/// Says so if an option is given and the one that it is short for as well.
///
/// # Errors
/// If they are.
pub(crate) fn refuse_both(short: &str, is_given: bool, whole: &str, is_whole_given: bool) -> Result<()> {
    if is_given && is_whole_given { Err(given_twice(short, &format!("`{whole}`"))) } else { Ok(()) }
}

fn given_twice(short: &str, whole: &str) -> Error {
    Error::invalid(format!("`{short}` is short for {whole}, which is given as well: leave one of the two out"))
}

/// What is wrong with a setting of this field if it is out of its bounds, with an example of one that is not.
pub(crate) fn problem(field: &str, value: &impl Bounded, bounds: Bounds, example: &[&str]) -> Option<String> {
    let key = field.replace('_', "-");
    let example: String = example.iter().map(|example| format!(", such as {example}")).collect();
    (!value.lies_in(bounds)).then(|| format!("`{key}` is {}: give {bounds}{example}", value.typed()))
}

/// A whole number; `20_000` is one too, as in TOML.
#[cfg(feature = "cli")]
pub(crate) fn whole(text: &str) -> std::result::Result<usize, String> {
    let digits = text.trim().replace('_', "");
    digits.parse().map_err(|_| "give a whole number, 0 or more".to_owned())
}

/// What bounds are about.
pub trait Bounded {
    /// Whether it lies within bounds.
    fn lies_in(&self, bounds: Bounds) -> bool;

    /// As it is typed.
    fn typed(&self) -> String;
}

impl Bounded for f64 {
    fn lies_in(&self, bounds: Bounds) -> bool {
        bounds.allow(*self)
    }

    fn typed(&self) -> String {
        self.to_string()
    }
}

impl Bounded for u64 {
    fn lies_in(&self, bounds: Bounds) -> bool {
        match bounds {
            // Exact, where numbers in 64 bits with a fraction are not.
            Bounds::Whole(least, most) => (least..=most).contains(self),
            bounds => bounds.allow(*self as f64),
        }
    }

    fn typed(&self) -> String {
        self.to_string()
    }
}

impl Bounded for usize {
    fn lies_in(&self, bounds: Bounds) -> bool {
        (*self as u64).lies_in(bounds)
    }

    fn typed(&self) -> String {
        self.to_string()
    }
}

impl Bounded for Vec<usize> {
    fn lies_in(&self, bounds: Bounds) -> bool {
        bounds.allow(&self[..])
    }

    fn typed(&self) -> String {
        Value::from(&self[..]).to_string()
    }
}

/// What is not given is within any bounds.
impl<T: Bounded> Bounded for Option<T> {
    fn lies_in(&self, bounds: Bounds) -> bool {
        self.as_ref().is_none_or(|value| value.lies_in(bounds))
    }

    fn typed(&self) -> String {
        self.as_ref().map_or_else(String::new, T::typed)
    }
}
