//! The tables of fields in `docs/flows.md`: made from the same schema as the CustomResourceDefinitions, so that the page
//! says what the API server takes.
//!
//! A table stands between `<!-- fields: Flow.spec.nodes.http headers onError -->` and `<!-- /fields -->`: the first path
//! is that of a map, each further one that of a map within it, whose fields follow with its name in front. A path goes
//! through a list to its items. What stands between the marks is replaced.

use std::collections::BTreeMap;

use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::Value;

use crate::{FlowSpec, WhatsAppTenantSpec};

const OPEN: &str = "<!-- fields: ";
const OPENED: &str = " -->\n";
const CLOSE: &str = "<!-- /fields -->";
const HEAD: &str = "| field | type | default | limit | what |\n| --- | --- | --- | --- | --- |\n";

/// Fields that take any value; the schema cannot tell them from texts.
const VALUES: [&str; 3] = ["Flow.spec.nodes.http.body", "Flow.spec.nodes.whatsappFlow.data", "Flow.spec.definition"];

/// A page that cannot be filled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPage {
    /// A table is about what is not there.
    #[error("`{0}` has no fields: name a map of the schema, such as Flow.spec.nodes.ask")]
    NoFields(String),
    /// A table does not end.
    #[error("the table of `{0}` does not end: write {CLOSE} behind it")]
    NotClosed(String),
}

/// A map of the schema: its own path, and its fields in the order in which the types have them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fields {
    /// Its path, such as `Flow.spec.nodes.http.headers`.
    pub path: String,
    /// The same as people write it, with `[]` behind lists.
    shown: String,
    rows: Vec<Row>,
}

/// A field.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Row {
    name: String,
    /// Everything behind the name.
    cells: String,
}

/// Writes the tables of a page anew.
///
/// # Errors
/// See [`BadPage`].
pub fn fill(page: &str) -> Result<String, BadPage> {
    let all = maps();
    let mut out = String::new();
    let mut rest = page;
    while let Some((before, after)) = rest.split_once(OPEN) {
        let not_closed = || BadPage::NotClosed(after.lines().next().unwrap_or_default().to_owned());
        let (paths, after) = after.split_once(OPENED).ok_or_else(not_closed)?;
        let (_, after) = after.split_once(CLOSE).ok_or_else(not_closed)?;
        out.extend([before, OPEN, paths, OPENED, HEAD, &table(paths, &all)?, CLOSE]);
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

/// The maps of both resources of which a page lists no fields, nor those of one that is the same.
#[must_use]
pub fn left_out(page: &str) -> Vec<String> {
    let all = maps();
    let listed: Vec<&Fields> = page
        .split(OPEN)
        .skip(1)
        .filter_map(|part| part.split_once(OPENED))
        .flat_map(|(paths, _)| paths_of(paths))
        .filter_map(|path| all.get(&path))
        .collect();
    let is_listed = |map: &&Fields| listed.iter().any(|other| other.rows == map.rows);
    all.values().filter(|map| !is_listed(map)).map(|map| map.path.clone()).collect()
}

fn table(paths: &str, all: &BTreeMap<String, Fields>) -> Result<String, BadPage> {
    let mut base: Option<&Fields> = None;
    let mut rows = String::new();
    for path in paths_of(paths) {
        let map = all.get(&path).ok_or(BadPage::NoFields(path))?;
        let within = base.and_then(|base| map.shown.strip_prefix(&base.shown)).unwrap_or_default();
        let within = within.trim_start_matches("[]").trim_start_matches('.');
        for Row { name, cells } in &map.rows {
            let dot = if within.is_empty() { "" } else { "." };
            rows.push_str(&format!("| `{within}{dot}{name}` | {cells} |\n"));
        }
        base = base.or(Some(map));
    }
    Ok(rows)
}

/// The paths that a mark names: the first, and those within it.
fn paths_of(mark: &str) -> Vec<String> {
    let mut words = mark.split_whitespace();
    let base = words.next().unwrap_or_default();
    let within = words.map(|word| format!("{base}.{word}"));
    std::iter::once(base.to_owned()).chain(within).collect()
}

/// Every map of the API with its fields, by path.
fn maps() -> BTreeMap<String, Fields> {
    let mut maps = BTreeMap::new();
    add(&mut maps, "Flow.spec", "Flow.spec", &schema::<FlowSpec>());
    add(&mut maps, "WhatsAppTenant.spec", "WhatsAppTenant.spec", &schema::<WhatsAppTenantSpec>());
    maps
}

fn schema<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::openapi3().with(|settings| settings.inline_subschemas = true);
    settings.into_generator().into_root_schema_for::<T>().to_value()
}

fn add(maps: &mut BTreeMap<String, Fields>, path: &str, shown: &str, map: &Value) {
    let Some(fields) = map["properties"].as_object() else { return };
    let is_required = |name: &str| map["required"].as_array().is_some_and(|names| names.iter().any(|one| one == name));
    let mut rows = Vec::new();
    for (name, field) in fields {
        let field = &given(field);
        let (path, shown) = (format!("{path}.{name}"), format!("{shown}.{name}"));
        rows.push(Row { name: name.clone(), cells: cells(&path, field, is_required(name)) });
        match field["items"].as_object() {
            Some(_) => add(maps, &path, &format!("{shown}[]"), &field["items"]),
            None => add(maps, &path, &shown, field),
        }
    }
    let fields = Fields { path: path.to_owned(), shown: shown.to_owned(), rows };
    maps.insert(fields.path.clone(), fields);
}

/// A field as it is where it is there: one that may be left out is either that or null.
fn given(field: &Value) -> Value {
    let mut given = field["anyOf"][0].clone();
    let Some(map) = given.as_object_mut() else { return field.clone() };
    for key in ["description", "default"] {
        map.extend(field.get(key).map(|value| (key.to_owned(), value.clone())));
    }
    given
}

/// Type, default, limit and description.
fn cells(path: &str, field: &Value, is_required: bool) -> String {
    let default = match &field["default"] {
        _ if is_required => "required".to_owned(),
        Value::Null if field["type"] == "boolean" => "`false`".to_owned(),
        Value::Null | Value::Object(_) | Value::Array(_) => "-".to_owned(),
        Value::String(text) => format!("`{text}`"),
        other => format!("`{other}`"),
    };
    let mut what = words(&field["description"]);
    for word in field["oneOf"].as_array().into_iter().flatten() {
        if let Some(name) = word["enum"][0].as_str() {
            what.push_str(&format!(" `{name}`: {}", words(&word["description"])));
        }
    }
    let cells = [type_of(path, field), default, limit_of(path, field), what];
    cells.map(|cell| cell.replace('|', "\\|")).join(" | ")
}

fn words(description: &Value) -> String {
    description.as_str().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
}

fn type_of(path: &str, field: &Value) -> String {
    let name = path.rsplit('.').next().unwrap_or_default();
    let is_word = field["enum"].is_array() || field["oneOf"][0]["enum"].is_array();
    match field["type"].as_str() {
        _ if VALUES.contains(&path) => "any value".to_owned(),
        _ if is_word => "word".to_owned(),
        Some("array") => format!("list of {}s", type_of(path, &field["items"])),
        Some("object") if field["additionalProperties"].is_object() => {
            format!("map of {}s", type_of(path, &field["additionalProperties"]))
        }
        Some("object") => "map".to_owned(),
        // Names of nodes alone have this limit, but for where they are given, and for names of parameters.
        Some("string") if field["maxLength"] == 60 && name != "name" => "node".to_owned(),
        Some("string") if field["pattern"].as_str().is_some_and(|pattern| pattern.contains("[smhd]")) => {
            "span".to_owned()
        }
        Some("integer") => "number".to_owned(),
        Some(other) => other.to_owned(),
        None if field["x-kubernetes-int-or-string"] == true => "number or string".to_owned(),
        None => "text".to_owned(),
    }
}

fn limit_of(path: &str, field: &Value) -> String {
    let number = |key: &str| field[key].as_f64();
    let range = |least: Option<f64>, most: Option<f64>| match (least, most) {
        (Some(least), Some(most)) => Some(format!("{least} to {most}")),
        (Some(least), None) => Some(format!("{least} or more")),
        (None, Some(most)) => Some(format!("up to {most}")),
        (None, None) => None,
    };
    let is_written_otherwise = ["node", "span"].contains(&type_of(path, field).as_str());
    let length = range(number("minLength"), number("maxLength")).filter(|_| !is_written_otherwise);
    let length = length.map(|range| range + " characters");
    let counts = [("minItems", "maxItems"), ("minProperties", "maxProperties")];
    let counts = counts.iter().find_map(|(least, most)| range(number(least), number(most)));
    let listed = field["enum"].as_array().map(|words| {
        let words: Vec<_> = words.iter().filter_map(Value::as_str).map(|word| format!("`{word}`")).collect();
        words.join(" ")
    });
    let limits = [length, range(number("minimum"), number("maximum")), counts, listed];
    let limits: Vec<String> = limits.into_iter().flatten().collect();
    if limits.is_empty() { "-".to_owned() } else { limits.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_written_from_the_schema_and_what_was_there_is_replaced() {
        let page = "# A\n<!-- fields: Flow.spec.nodes.split ways -->\nold\n<!-- /fields -->\nend\n";
        let filled = fill(page).expect("a page");
        let row = "| `ways[].weight` | number | required | 1 to 1000 | Its share, against the sum of all weights. |\n";
        assert!(filled.contains(row), "{filled}");
        assert!(
            !filled.contains("old") && filled.starts_with("# A\n<!--") && filled.ends_with("-->\nend\n"),
            "{filled}"
        );
        assert_eq!(fill(&filled).as_ref(), Ok(&filled));
    }

    #[test]
    fn a_table_of_nothing_and_one_that_does_not_end_are_told() {
        let nothing = fill("<!-- fields: Flow.spec.nodes.aks -->\n<!-- /fields -->");
        assert_eq!(nothing, Err(BadPage::NoFields("Flow.spec.nodes.aks".to_owned())));
        let open = fill("<!-- fields: Flow.spec -->\n| a |");
        assert_eq!(open, Err(BadPage::NotClosed("Flow.spec -->".to_owned())));
    }

    #[test]
    fn a_map_that_no_table_lists_is_found_but_for_its_twins() {
        let left = left_out("<!-- fields: Flow.spec.nodes.message template -->\n<!-- /fields -->");
        assert!(!left.contains(&"Flow.spec.nodes.ask.template".to_owned()), "the same template");
        assert!(left.contains(&"Flow.spec.nodes.ask".to_owned()), "{left:?}");
    }
}
