//! A way to set up a model.

use std::{fmt, str::FromStr};

use serde_json::{Value, json};

/// How a model is set up; what is not said stays as the model's repository says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variant {
    /// Instances of each of the model's groups.
    pub instances: Option<u32>,
    /// How requests are put together.
    pub batching: Option<Batching>,
}

/// How a server puts requests together into a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Batching {
    /// Not at all.
    Off,
    /// Those that wait go together; a request is held back for others at most that long,
    /// microseconds.
    Delay(u32),
}

impl FromStr for Batching {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "off" {
            return Ok(Self::Off);
        }
        let delay = text.strip_suffix("us").unwrap_or(text).parse();
        delay.map(Self::Delay).map_err(|_| {
            "either `off`, or the longest delay in microseconds, for example `500`".to_owned()
        })
    }
}

impl fmt::Display for Batching {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("off"),
            Self::Delay(micros) => write!(f, "{micros}us"),
        }
    }
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let instances = self.instances.map(|count| format!("instances={count}"));
        let batching = self.batching.map(|it| format!("batching={it}"));
        let said: Vec<String> = instances.into_iter().chain(batching).collect();
        f.write_str(&said.join(" "))
    }
}

impl Variant {
    /// The model's configuration (`ModelConfig` as JSON), set up in this way.
    pub(crate) fn of(&self, config: &Value) -> Value {
        let mut config = config.clone();
        let groups = config.get_mut("instance_group");
        if let (Some(count), Some(groups)) = (self.instances, groups.and_then(Value::as_array_mut))
        {
            for group in groups {
                group["count"] = json!(count);
            }
        }
        match self.batching {
            None => {}
            Some(Batching::Off) => {
                if let Some(fields) = config.as_object_mut() {
                    fields.remove("dynamic_batching");
                }
            }
            Some(Batching::Delay(micros)) => {
                config["dynamic_batching"]["max_queue_delay_microseconds"] = json!(micros);
            }
        }
        config
    }
}

/// Every way to take one of each; without any, the one that changes nothing.
pub fn variants(instances: &[u32], batching: &[Batching]) -> Vec<Variant> {
    fn each<T: Copy>(all: &[T]) -> Vec<Option<T>> {
        if all.is_empty() {
            return vec![None];
        }
        all.iter().copied().map(Some).collect()
    }
    let batching = each(batching);
    let with = |instances| {
        let batching = batching.iter().copied();
        batching.map(move |batching| Variant {
            instances,
            batching,
        })
    };
    each(instances).into_iter().flat_map(with).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_is_told_and_no_way_twice() {
        let ways = variants(&[1, 2], &[Batching::Off, Batching::Delay(500)]);
        let words: Vec<String> = ways.iter().map(Variant::to_string).collect();
        assert_eq!(
            words,
            [
                "instances=1 batching=off",
                "instances=1 batching=500us",
                "instances=2 batching=off",
                "instances=2 batching=500us",
            ]
        );
        assert_eq!(variants(&[], &[Batching::Off]).len(), 1);
    }

    #[test]
    fn only_what_is_said_is_set() {
        let config = json!({
            "name": "digits",
            "max_batch_size": 256,
            "instance_group": [{"kind": "KIND_CPU", "count": 1}],
            "dynamic_batching": {"preferred_batch_size": [8]},
        });
        let set = |instances, batching| {
            Variant {
                instances,
                batching,
            }
            .of(&config)
        };
        assert_eq!(set(None, None), config);
        let more = set(Some(3), Some(Batching::Delay(200)));
        assert_eq!(
            more["instance_group"],
            json!([{"kind": "KIND_CPU", "count": 3}])
        );
        assert_eq!(
            more["dynamic_batching"],
            json!({"preferred_batch_size": [8], "max_queue_delay_microseconds": 200})
        );
        assert_eq!(set(None, Some(Batching::Off)).get("dynamic_batching"), None);
    }

    #[test]
    fn a_delay_is_microseconds() {
        assert_eq!("500".parse(), Ok(Batching::Delay(500)));
        assert_eq!("500us".parse(), Ok(Batching::Delay(500)));
        assert_eq!("off".parse(), Ok(Batching::Off));
        assert!("5ms".parse::<Batching>().is_err());
    }
}
