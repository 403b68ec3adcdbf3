//! JSON one level at a time. The values of an [`Object`] are checked for their syntax only and read when someone asks
//! for them: a number out of range in one update is found when that update is read, not when the webhook is.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::{Value, value::RawValue};

use crate::reason;

/// Levels that a value may have which is kept as the provider sent it: what is stored must be readable again, and
/// readers stop at 128.
const MAX_DEPTH: usize = 64;

/// Keys and unread values, in their order in the document; a repeated key stands there twice.
#[derive(Debug)]
pub(super) struct Object<'a>(Vec<(String, &'a RawValue)>);

/// Why an update cannot be handled: `reason` is one of [`crate::reason`], `detail` holds nothing that a customer wrote.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) reason: &'static str,
    pub(super) detail: String,
}

// === impl Fault ===

impl Fault {
    pub(super) fn new(reason: &'static str, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into() }
    }

    pub(super) fn shape(detail: impl Into<String>) -> Self {
        Self::new(reason::UNKNOWN_SHAPE, detail)
    }

    /// Errors about types quote the value, which may be a customer's words; errors about syntax never do.
    fn of_json(what: &str, error: &serde_json::Error) -> Self {
        match error.is_data() {
            true => Self::shape(format!("{what} is of another type than expected")),
            false => Self::shape(format!("{what} cannot be read: {error}")),
        }
    }
}

// === impl Object ===

impl<'a> Object<'a> {
    pub(super) fn read(json: &'a str) -> Result<Self, Fault> {
        serde_json::from_str(json).map_err(|error| Fault::of_json("object", &error))
    }

    /// All keys and values.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&str, &'a RawValue)> {
        self.0.iter().map(|(key, value)| (key.as_str(), *value))
    }

    /// A value; `null` is as good as none.
    pub(super) fn get<T: Deserialize<'a>>(&self, key: &str) -> Result<Option<T>, Fault> {
        match self.entries().find(|(k, _)| *k == key) {
            Some((_, value)) => {
                serde_json::from_str(value.get()).map_err(|error| Fault::of_json(&format!("`{key}`"), &error))
            }
            None => Ok(None),
        }
    }

    /// A value that must be there.
    pub(super) fn need<T: Deserialize<'a>>(&self, key: &str) -> Result<T, Fault> {
        self.get(key)?.ok_or_else(|| Fault::shape(format!("`{key}` is missing")))
    }

    /// A text that must be there and not be empty: ids.
    pub(super) fn need_id(&self, key: &str) -> Result<String, Fault> {
        let id: String = self.need(key)?;
        if id.is_empty() { Err(Fault::shape(format!("`{key}` is empty"))) } else { Ok(id) }
    }

    /// A text that only adorns: one that cannot be read is as good as none, and so is an empty one.
    pub(super) fn adornment(&self, key: &str) -> Option<String> {
        self.get::<String>(key).ok().flatten().filter(|text| !text.is_empty())
    }

    /// A value that is kept as the provider sent it.
    pub(super) fn need_tree(&self, key: &str) -> Result<Value, Fault> {
        let tree: Value = self.need(key)?;
        if is_shallow(&tree) {
            return Ok(tree);
        }
        Err(Fault::shape(format!("`{key}` has more than {MAX_DEPTH} levels")))
    }
}

/// Whether a value may be stored among others.
pub(super) fn is_shallow(tree: &Value) -> bool {
    fn fits(value: &Value, levels: usize) -> bool {
        match value {
            Value::Array(items) => levels > 0 && items.iter().all(|item| fits(item, levels - 1)),
            Value::Object(map) => levels > 0 && map.values().all(|item| fits(item, levels - 1)),
            _ => true,
        }
    }
    fits(tree, MAX_DEPTH)
}

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;

        impl<'de> Visitor<'de> for Entries {
            type Value = Object<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
                let mut entries = Vec::with_capacity(8);
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Object(entries))
            }
        }

        deserializer.deserialize_map(Entries)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_value_that_cannot_be_read_spoils_nothing_beside_it() {
        let object = Object::read(r#"{"bad": 1e400, "good": "x", "none": null}"#).unwrap();
        assert_eq!(object.need::<String>("good").unwrap(), "x");
        assert_eq!(object.get::<String>("none").unwrap(), None);
        assert!(object.need::<Value>("bad").unwrap_err().detail.contains("number out of range"));
    }

    #[test]
    fn a_fault_quotes_nothing_of_the_value() {
        let object = Object::read(r#"{"timestamp": "private words"}"#).unwrap();
        assert!(!object.need::<i64>("timestamp").unwrap_err().detail.contains("private"));
    }

    #[test]
    fn what_is_too_deep_to_be_read_again_is_not_kept() {
        let nested = |levels: usize| format!(r#"{{"a": {}{}}}"#, "[".repeat(levels), "]".repeat(levels));
        assert!(Object::read(&nested(MAX_DEPTH)).unwrap().need_tree("a").is_ok());
        assert!(Object::read(&nested(MAX_DEPTH + 1)).unwrap().need_tree("a").is_err());
        assert!(Object::read(&nested(100_000)).unwrap().need_tree("a").is_err());
    }
}
