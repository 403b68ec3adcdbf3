//! What the engine keeps of a conversation: the keys that expressions read by bare names, in the shapes that flows of
//! the drag-and-drop editor know. Times are ISO 8601 in UTC with milliseconds.

mod history;
mod key;
mod record;

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{IgnoredAny, MapAccess, Visitor},
    ser::SerializeMap,
};
use serde_json::{Map, Value};

pub(crate) use history::History;
pub(crate) use key::{Key, Shape};
pub(crate) use record::{Selection, record_aside, record_inbound, record_outbound};

/// Whether conversations read something of the engine's by this name.
#[must_use]
pub fn is_context_key(name: &str) -> bool {
    Key::find(name).is_some()
}

/// A session's context. Stored as the JSON object of its keys.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Context {
    /// By the key's number; shorter where the last keys were never set.
    values: Vec<Option<Value>>,
    /// `inputHistory`.
    inputs: History,
    /// `_meta.history`.
    history: History,
}

/// `_meta`, which holds nothing but the history.
#[derive(Serialize, Deserialize)]
struct Meta<H> {
    history: H,
}

impl Context {
    /// What a key holds, if it was ever set.
    pub fn get(&self, key: Key) -> Option<Cow<'_, Value>> {
        match key {
            Key::InputHistory if self.inputs.is_empty() => None,
            Key::InputHistory => Some(Cow::Owned(self.inputs.value())),
            Key::Meta if self.history.is_empty() => None,
            Key::Meta => {
                let history = Map::from_iter([("history".to_owned(), self.history.value())]);
                Some(Cow::Owned(Value::Object(history)))
            }
            _ => self.values.get(key as usize)?.as_ref().map(Cow::Borrowed),
        }
    }

    /// Sets a key that is no history.
    pub fn set(&mut self, key: Key, value: impl Into<Value>) {
        if self.values.is_empty() {
            self.values.resize(Key::ALL.len(), None);
        }
        if let Some(slot) = self.values.get_mut(key as usize) {
            *slot = Some(value.into());
        }
    }
}

impl Serialize for Context {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for key in Key::ALL {
            match key {
                Key::InputHistory if !self.inputs.is_empty() => map.serialize_entry(key.name(), &self.inputs)?,
                Key::Meta if !self.history.is_empty() => {
                    map.serialize_entry(key.name(), &Meta { history: &self.history })?;
                }
                _ => {
                    if let Some(Some(value)) = self.values.get(*key as usize) {
                        map.serialize_entry(key.name(), value)?;
                    }
                }
            }
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Context {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Keys;

        impl<'de> Visitor<'de> for Keys {
            type Value = Context;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("the keys of a session's context")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Context, A::Error> {
                let mut context = Context::default();
                while let Some(name) = map.next_key::<Cow<'de, str>>()? {
                    match Key::find(&name) {
                        Some(Key::InputHistory) => context.inputs = map.next_value()?,
                        Some(Key::Meta) => context.history = map.next_value::<Meta<History>>()?.history,
                        Some(key) => context.set(key, map.next_value::<Value>()?),
                        // A key of a later release.
                        None => drop(map.next_value::<IgnoredAny>()?),
                    }
                }
                Ok(context)
            }
        }

        deserializer.deserialize_map(Keys)
    }
}
