//! A way to set up a model.

use std::{fmt, str::FromStr};

use serde_json::{Value, json};

/// How a model is served and asked; what is not said stays as it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Variant {
    /// Servers that have the model.
    pub replicas: Option<u32>,
    /// Inferences in each request.
    pub batch_size: Option<u32>,
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
        let said = [
            self.replicas.map(|count| format!("replicas={count}")),
            self.batch_size.map(|size| format!("batch-size={size}")),
            self.instances.map(|count| format!("instances={count}")),
            self.batching.map(|it| format!("batching={it}")),
        ];
        let said: Vec<String> = said.into_iter().flatten().collect();
        f.write_str(&said.join(" "))
    }
}

/// The parameter of a model's configuration that holds what it was before a sweep.
const BEFORE: &str = "lab_before_sweep";

/// A model's configuration as it was before a sweep that never came to its end; as it is
/// where there was none.
pub(crate) fn as_it_was(config: Value) -> Value {
    let before = config["parameters"][BEFORE]["string_value"].as_str();
    let before = before.and_then(|before| serde_json::from_str(before).ok());
    before.unwrap_or(config)
}

impl Variant {
    /// The model's configuration (`ModelConfig` as JSON), set up in this way. It keeps what
    /// it was: a sweep may be killed.
    pub(crate) fn of(&self, before: &Value) -> Value {
        let mut config = before.clone();
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
        if config != *before {
            config["parameters"][BEFORE] = json!({"string_value": before.to_string()});
        }
        config
    }
}

/// What is varied, each with the values it takes; what has none is not varied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Axes {
    /// See [`Variant`].
    pub replicas: Vec<u32>,
    /// See [`Variant`].
    pub batch_sizes: Vec<u32>,
    /// See [`Variant`].
    pub instances: Vec<u32>,
    /// See [`Variant`].
    pub batching: Vec<Batching>,
}

impl Axes {
    /// Every way to take one of each, the last one changing fastest.
    pub fn variants(&self) -> Vec<Variant> {
        let mut all = vec![Variant::default()];
        all = each(&all, &self.replicas, |it| &mut it.replicas);
        all = each(&all, &self.batch_sizes, |it| &mut it.batch_size);
        all = each(&all, &self.instances, |it| &mut it.instances);
        each(&all, &self.batching, |it| &mut it.batching)
    }
}

/// Each of the ways with each of the values, where there are any.
fn each<T: Copy>(
    ways: &[Variant],
    values: &[T],
    axis: impl Fn(&mut Variant) -> &mut Option<T>,
) -> Vec<Variant> {
    if values.is_empty() {
        return ways.to_vec();
    }
    let with = |way: &Variant, value: T| {
        let mut way = *way;
        *axis(&mut way) = Some(value);
        way
    };
    ways.iter()
        .flat_map(|way| {
            values
                .iter()
                .map(|value| with(way, *value))
                .collect::<Vec<_>>()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_is_told_and_no_way_twice() {
        let axes = Axes {
            instances: vec![1, 2],
            batching: vec![Batching::Off, Batching::Delay(500)],
            ..Axes::default()
        };
        let ways = axes.variants();
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
        let wide = Axes {
            replicas: vec![1, 2, 4],
            batch_sizes: vec![8],
            ..axes
        };
        assert_eq!(wide.variants().len(), 12);
        assert_eq!(
            wide.variants()[11].to_string(),
            "replicas=4 batch-size=8 instances=2 batching=500us"
        );
        assert_eq!(Axes::default().variants(), [Variant::default()]);
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
                ..Variant::default()
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
        assert_eq!(as_it_was(more), config);
        assert_eq!(as_it_was(config.clone()), config);
    }

    #[test]
    fn a_delay_is_microseconds() {
        assert_eq!("500".parse(), Ok(Batching::Delay(500)));
        assert_eq!("500us".parse(), Ok(Batching::Delay(500)));
        assert_eq!("off".parse(), Ok(Batching::Off));
        assert!("5ms".parse::<Batching>().is_err());
    }
}
