//! Where it is computed: the table `[device]`.

use std::fmt;
use std::str::FromStr;

use serde::de::{Deserializer, Error as _, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use crate::settings::settings;

settings! {
    /// Where it is computed.
    DeviceConfig, options DeviceOptions, heading "Device";

    own {
        /// Where to compute: auto, cpu, cpu-exact, gpu, or a number or part of a name from `elbo devices`
        #[arg(value_name = "DEVICE")]
        device: DeviceChoice = DeviceChoice::Auto;
        /// Never choose kernels by timing them, so that a seed gives the same bits again
        #[arg(value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
        deterministic: bool = false;
    }
}

/// Which device to compute on. Written as one word, on the command line and in TOML.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum DeviceChoice {
    /// `auto`: the best graphics processor there is, else the processor.
    #[default]
    Auto,
    /// `cpu`: the processor, without any driver.
    Cpu,
    /// `cpu-exact`: the processor, with the same bits as any other processor; see [`crate::cpu`].
    CpuExact,
    /// `gpu`: the best graphics processor there is, or an error.
    Gpu,
    /// A number: a row of the list that `elbo devices` prints.
    Index(usize),
    /// Any other word: a part of a device's name, upper and lower case being the same.
    Name(String),
}

impl FromStr for DeviceChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        match text.to_lowercase().as_str() {
            "" => Err("give auto, cpu, cpu-exact, gpu, a number or a part of a name from `elbo devices`".to_owned()),
            "auto" => Ok(DeviceChoice::Auto),
            "cpu" => Ok(DeviceChoice::Cpu),
            "cpu-exact" => Ok(DeviceChoice::CpuExact),
            word if word == "exact" || word.ends_with("-exact") => {
                Err(format!("`{word}`: only the processor gives the same bits everywhere, not a GPU: give cpu-exact"))
            }
            "gpu" => Ok(DeviceChoice::Gpu),
            word => Ok(word.parse().map_or_else(|_| DeviceChoice::Name(text.to_owned()), DeviceChoice::Index)),
        }
    }
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            DeviceChoice::Auto => f.write_str("auto"),
            DeviceChoice::Cpu => f.write_str("cpu"),
            DeviceChoice::CpuExact => f.write_str("cpu-exact"),
            DeviceChoice::Gpu => f.write_str("gpu"),
            DeviceChoice::Index(index) => write!(f, "{index}"),
            DeviceChoice::Name(name) => f.write_str(name),
        }
    }
}

impl Serialize for DeviceChoice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for DeviceChoice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Word;
        impl Visitor<'_> for Word {
            type Value = DeviceChoice;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("auto, cpu, cpu-exact, gpu, a number or a name")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<DeviceChoice, E> {
                text.parse().map_err(E::custom)
            }

            fn visit_i64<E: serde::de::Error>(self, index: i64) -> Result<DeviceChoice, E> {
                let index = usize::try_from(index);
                index.map(DeviceChoice::Index).map_err(|_| E::custom("devices are numbered from 0"))
            }

            fn visit_u64<E: serde::de::Error>(self, index: u64) -> Result<DeviceChoice, E> {
                let index = usize::try_from(index);
                index.map(DeviceChoice::Index).map_err(|_| E::custom("no machine has that many devices"))
            }
        }
        // A bare number is natural in TOML, so both it and a word are taken.
        deserializer.deserialize_any(Word).map_err(D::Error::custom)
    }
}
