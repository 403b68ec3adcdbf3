//! On which line of its file a field stands, so that whoever reads of a finding can go there.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_saphyr::Spanned;

/// A document, as far as it tells where its parts stand.
#[derive(Debug)]
pub(super) struct Part {
    /// Counted from 1.
    line: usize,
    shape: Shape,
}

#[derive(Debug)]
enum Shape {
    Map(Vec<(String, Part)>),
    List(Vec<Part>),
    Text(String),
    Other,
}

/// The documents of a file, in the order in which they are read; none where it is no YAML.
pub(super) fn documents(text: &str) -> Vec<Part> {
    let options = serde_saphyr::options! { with_snippet: false };
    serde_saphyr::from_multiple_with_options(text, options).unwrap_or_default()
}

// === impl Part ===

impl Part {
    /// Where the field of a finding stands, or what is nearest above it. `node` is the node that it is about, by name;
    /// the field is one of the node, else of the spec or of the document.
    pub(super) fn line_of(&self, node: Option<&str>, field: &str) -> usize {
        let steps = steps(field);
        let Some(spec) = self.get("spec") else { return self.line };
        let nearest = match node {
            _ if field.starts_with("spec.") => Some(self.nearest(&steps)),
            Some(_) if field.starts_with("edges[") => spec.get("definition").map(|editors| editors.nearest(&steps)),
            Some(name) => spec.node(name).map(|node| node.nearest_in_kind(&steps)),
            None => Some(later(spec.nearest(&steps), self.nearest(&steps))),
        };
        nearest.map_or(spec.line, |(_, line)| line)
    }

    /// Where the document begins.
    pub(super) fn line(&self) -> usize {
        self.line
    }

    pub(super) fn is_list(&self) -> bool {
        matches!(self.shape, Shape::List(_))
    }

    /// Whether it is what the drag-and-drop editor saves, alone.
    pub(super) fn is_editors(&self) -> bool {
        self.get("kind").is_none() && self.get("edges").is_some() && self.get("nodes").is_some_and(Self::is_list)
    }

    /// A node by its name; in the editor's form by its id.
    fn node(&self, name: &str) -> Option<&Self> {
        let native = self.get("nodes").and_then(|nodes| nodes.items().iter().find(|node| node.says("name", name)));
        native.or_else(|| self.get("definition")?.get("nodes")?.items().iter().find(|node| node.says("id", name)))
    }

    fn says(&self, key: &str, said: &str) -> bool {
        matches!(self.get(key), Some(Self { shape: Shape::Text(text), .. }) if text == said)
    }

    /// Fields of a node are those of its kind, in the editor's form of its `data`; a few are its own.
    fn nearest_in_kind(&self, steps: &[&str]) -> (usize, usize) {
        let Shape::Map(entries) = &self.shape else { return (0, self.line) };
        let of_kind = entries.iter().map(|(_, part)| part.nearest(steps)).fold((0, self.line), later);
        later(self.nearest(steps), of_kind)
    }

    /// How many steps of a path lead on from here, and the line that they lead to.
    fn nearest(&self, steps: &[&str]) -> (usize, usize) {
        let mut at = self;
        for (taken, step) in steps.iter().enumerate() {
            let next = match step.parse::<usize>() {
                Ok(index) if matches!(at.shape, Shape::List(_)) => at.items().get(index),
                _ => at.get(step),
            };
            match next {
                Some(next) => at = next,
                None => return (taken, at.line),
            }
        }
        (steps.len(), at.line)
    }

    fn get(&self, key: &str) -> Option<&Self> {
        let Shape::Map(entries) = &self.shape else { return None };
        entries.iter().find(|(name, _)| name == key).map(|(_, part)| part)
    }

    fn items(&self) -> &[Self] {
        if let Shape::List(items) = &self.shape { items } else { &[] }
    }
}

/// The one of more steps; of equals the first.
fn later(a: (usize, usize), b: (usize, usize)) -> (usize, usize) {
    if b.0 > a.0 { b } else { a }
}

/// `options[2].next` is `options`, `2`, `next`.
fn steps(field: &str) -> Vec<&str> {
    field.split(['.', '[', ']']).filter(|step| !step.is_empty()).collect()
}

impl<'de> Deserialize<'de> for Part {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Spanned { value: shape, referenced, .. } = Spanned::deserialize(deserializer)?;
        Ok(Self { line: usize::try_from(referenced.line()).unwrap_or_default(), shape })
    }
}

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyShape)
    }
}

/// Reads whatever is written.
struct AnyShape;

impl<'de> Visitor<'de> for AnyShape {
    type Value = Shape;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Shape, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Shape::Map(entries))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Shape, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Shape::List(items))
    }

    fn visit_str<E>(self, text: &str) -> Result<Shape, E> {
        Ok(Shape::Text(text.to_owned()))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Shape, E> {
        Ok(Shape::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Shape, E> {
        Ok(Shape::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Shape, E> {
        Ok(Shape::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Shape, E> {
        Ok(Shape::Other)
    }

    fn visit_unit<E>(self) -> Result<Shape, E> {
        Ok(Shape::Other)
    }

    fn visit_none<E>(self) -> Result<Shape, E> {
        Ok(Shape::Other)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Shape, D::Error> {
        Shape::deserialize(deserializer)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Shape, D::Error> {
        IgnoredAny::deserialize(deserializer)?;
        Ok(Shape::Other)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const FLOW: &str = "\
# A comment.
kind: Flow
---
kind: Flow
metadata: {name: welcome}
spec:
  start: hi
  triggers:
  - keyword: hola
  - default: {}
  nodes:
  - name: hi
    options:
      text: Hola
      options:
      - {id: a, title: A, next: bye}
      - id: b
        title: B
        next: nowhere
  - {name: bye, message: {text: ['1', 2, 3.5, null, true]}}
  session:
    timeout: 1h
";

    fn line(node: Option<&str>, field: &str) -> usize {
        documents(FLOW)[1].line_of(node, field)
    }

    #[test]
    fn a_field_is_found_by_its_path_within_its_node_spec_or_document() {
        assert_eq!(line(Some("hi"), "options[1].next"), 19);
        assert_eq!(line(Some("hi"), "text"), 14);
        assert_eq!(line(Some("hi"), "name"), 12);
        assert_eq!(line(Some("bye"), "text[1]"), 20);
        assert_eq!(line(None, "triggers[1]"), 10);
        assert_eq!(line(None, "session.timeout"), 22);
        assert_eq!(line(None, "spec.nodes[0].options.options[1].title"), 18);
        assert_eq!(line(None, "metadata.name"), 5);
    }

    #[test]
    fn a_field_by_its_whole_path_is_found_whatever_node_it_is_of() {
        assert_eq!(line(Some("hi"), "spec.nodes[0].options.options[1].title"), 18);
    }

    #[test]
    fn what_is_not_written_stands_where_it_would_be_written() {
        assert_eq!(line(Some("bye"), "next"), 20);
        assert_eq!(line(Some("hi"), "options[0].description"), 16);
        assert_eq!(line(None, "triggers[7].keyword"), 9);
        assert_eq!(line(None, "escape.add[0]"), 7);
        assert_eq!(line(Some("nobody"), "text"), 7);
    }

    #[test]
    fn a_node_of_the_editor_is_found_by_its_id() {
        let definition = "\
spec:
  definition:
    edges: []
    nodes:
    - {id: '1', type: trigger}
    - id: '2'
      type: options
      data:
        options: [A,
          B]
";
        let flow = &documents(definition)[0];
        assert_eq!(flow.line_of(Some("2"), "options[1]"), 10);
        assert_eq!(flow.line_of(Some("1"), "keyword"), 5);
        assert_eq!(flow.line_of(None, "definition.edges[3].source"), 3);
        assert_eq!(flow.line_of(Some("2"), "edges[3].sourceHandle"), 3);
    }

    #[test]
    fn what_is_no_yaml_has_no_lines() {
        assert!(documents("{").is_empty());
    }
}
