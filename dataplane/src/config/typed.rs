//! Untyped YAML to our types. Fields that the type does not know and the field that does not fit are named by their
//! whole path.

use std::fmt;

use serde::de::DeserializeOwned;
use serde_ignored::Path;
use serde_json::Value;

/// A field that does not fit, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Misfit {
    /// Path of the field within the manifest, such as `spec.nodes[0].mesage`.
    pub(crate) field: String,
    pub(crate) message: String,
}

/// A value read as a type, and the fields that the type does not know.
pub(super) struct Typed<T> {
    pub(super) value: Result<T, Misfit>,
    pub(super) unknown: Vec<Misfit>,
}

/// Reads the part of a manifest that stands at `at`.
pub(super) fn typed<T: DeserializeOwned>(value: &Value, at: &str) -> Typed<T> {
    let mut unknown = Vec::new();
    let mut note = |path: Path<'_>| {
        let mut field = at.to_owned();
        write(&path, &mut field);
        unknown.push(Misfit::unknown(field));
    };
    let mut track = serde_path_to_error::Track::new();
    let reader = serde_ignored::Deserializer::new(value, &mut note);
    let read = T::deserialize(serde_path_to_error::Deserializer::new(reader, &mut track));
    let value = read.map_err(|error| {
        let path = track.path().to_string();
        let field = match path.as_str() {
            "." => at.to_owned(),
            path if path.starts_with('[') => format!("{at}{path}"),
            path => format!("{at}.{path}"),
        };
        Misfit { field, message: error.to_string() }
    });
    Typed { value, unknown }
}

// === impl Misfit ===

impl Misfit {
    /// A field that is not known.
    pub(super) fn unknown(field: String) -> Self {
        Self { field, message: "unknown field: correct its name, or remove it".to_owned() }
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.message)
    }
}

fn write(path: &Path<'_>, out: &mut String) {
    match path {
        Path::Root => {}
        Path::Seq { parent, index } => {
            write(parent, out);
            out.push_str(&format!("[{index}]"));
        }
        Path::Map { parent, key } => {
            write(parent, out);
            out.push('.');
            out.push_str(key);
        }
        Path::Some { parent } | Path::NewtypeStruct { parent } | Path::NewtypeVariant { parent } => write(parent, out),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use wigwag_crds::FlowSpec;

    use super::*;

    fn read(spec: &Value) -> (Option<String>, Vec<String>) {
        let Typed { value, unknown } = typed::<FlowSpec>(spec, "spec");
        (value.err().map(|misfit| misfit.to_string()), unknown.into_iter().map(|misfit| misfit.field).collect())
    }

    #[test]
    fn an_unknown_field_is_named_by_its_path() {
        let nodes = json!([{"name": "a", "mesage": {"text": "x"}}, {"name": "b", "options": {"text": "?", "options":
            [{"id": "1", "title": "x", "nxt": "a"}]}}]);
        let spec =
            json!({"tenantRef": {"name": "acme"}, "triggers": [{"default": {"x": 1}}], "start": "a", "nodes": nodes});
        let (error, unknown) = read(&spec);
        assert_eq!(error, None);
        assert_eq!(
            unknown,
            ["spec.triggers[0].default.x", "spec.nodes[0].mesage", "spec.nodes[1].options.options[0].nxt"]
        );
    }

    #[test]
    fn a_field_that_does_not_fit_is_named_by_its_path() {
        let spec = json!({"tenantRef": {"name": "acme"}, "triggers": [{"keyword": false}], "start": "a", "nodes": []});
        assert_eq!(
            read(&spec).0.as_deref(),
            Some("spec.triggers[0].keyword: invalid type: boolean `false`, expected a string")
        );
        assert_eq!(read(&json!({})).0.as_deref(), Some("spec: missing field `tenantRef`"));
    }
}
