//! Where it is computed: the table `[device]`.

use std::fmt;
use std::str::FromStr;

use serde::de::{Deserializer, Error as _, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use crate::error::Result;
use crate::settings::settings;

/// More than there are in any machine.
const MOST_DEVICES: usize = 64;

settings! {
    /// Where it is computed.
    DeviceConfig, options DeviceOptions, heading "Device", short by settle;

    own {
        /// Where to compute: auto, cpu, cpu-exact, gpu, or a number or part of a name from `elbo devices`
        #[arg(value_name = "DEVICE")]
        device: DeviceChoice = DeviceChoice::Auto;
        /// Devices that share the training, such as 0,1 or cpu,cpu: each has a part of every batch [default: --device alone]
        ///
        /// Losses and weights are what one device comes to, but for rounding. `elbo devices` tells numbers.
        #[arg(value_name = "DEVICE,...", value_parser = DeviceList::from_str, conflicts_with = "device")]
        devices: DeviceList;
        /// Never choose kernels by timing them, so that a seed gives the same bits again
        #[arg(value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
        deterministic: bool = false;
    }
}

impl DeviceOptions {
    /// One device takes the place of several that were named before, and several that of one.
    fn settle(&self, config: &mut DeviceConfig) -> Result<()> {
        match (&self.device, &self.devices) {
            (Some(_), None) => config.devices = None,
            (None, Some(devices)) => config.device = devices.choices().first().cloned().unwrap_or_default(),
            // A run's own file has both.
            (Some(_), Some(_)) | (None, None) => {}
        }
        Ok(())
    }
}

/// Several devices. Written as one word with commas, on the command line and in TOML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceList(Vec<DeviceChoice>);

impl DeviceList {
    /// Which they are; one or more.
    pub fn choices(&self) -> &[DeviceChoice] {
        &self.0
    }
}

impl FromStr for DeviceList {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let all: Vec<DeviceChoice> = text.split(',').map(str::parse).collect::<std::result::Result<_, _>>()?;
        for (place, choice) in all.iter().enumerate() {
            let is_cpu = matches!(choice, DeviceChoice::Cpu | DeviceChoice::CpuExact);
            if !is_cpu && all[..place].contains(choice) {
                return Err(format!(
                    "`{choice}` is named twice: a device that computes two parts takes as long as for the whole. Name each once, by its number"
                ));
            }
            if [DeviceChoice::Auto, DeviceChoice::Gpu].contains(choice) && all.len() > 1 {
                return Err(format!(
                    "{choice} is one device, and which is not known beforehand: name each by its number in `elbo devices`"
                ));
            }
        }
        if all.len() > MOST_DEVICES {
            return Err(format!("{} devices are named: at most {MOST_DEVICES}", all.len()));
        }
        Ok(DeviceList(all))
    }
}

impl fmt::Display for DeviceList {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let all: Vec<String> = self.0.iter().map(DeviceChoice::to_string).collect();
        f.write_str(&all.join(","))
    }
}

impl Serialize for DeviceList {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for DeviceList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
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

    fn from_str(text: &str) -> std::result::Result<Self, String> {
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
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for DeviceChoice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Word;
        impl Visitor<'_> for Word {
            type Value = DeviceChoice;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("auto, cpu, cpu-exact, gpu, a number or a name")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> std::result::Result<DeviceChoice, E> {
                text.parse().map_err(E::custom)
            }

            fn visit_i64<E: serde::de::Error>(self, index: i64) -> std::result::Result<DeviceChoice, E> {
                let index = usize::try_from(index);
                index.map(DeviceChoice::Index).map_err(|_| E::custom("devices are numbered from 0"))
            }

            fn visit_u64<E: serde::de::Error>(self, index: u64) -> std::result::Result<DeviceChoice, E> {
                let index = usize::try_from(index);
                index.map(DeviceChoice::Index).map_err(|_| E::custom("no machine has that many devices"))
            }
        }
        // A bare number is natural in TOML, so both it and a word are taken.
        deserializer.deserialize_any(Word).map_err(D::Error::custom)
    }
}
