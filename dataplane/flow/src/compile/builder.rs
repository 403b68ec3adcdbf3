//! What both front ends write nodes with: texts and expressions parsed, names resolved, and what is wrong told by node
//! and field.

use std::collections::BTreeSet;

use serde_json::Value;
use wigwag_crds::text::{Text, Variants};
use wigwag_domain::cut;

use super::Places;
use crate::{
    context::Shape,
    expression::{Expression, Path, engine_names, engine_shape, is_identifier},
    findings::Findings,
    path::{Segment, segments},
    program::{NodeIndex, Target},
    question::MESSAGE_TEXT,
    step::MAX_PARTS,
    template::{Form, Template, TemplateError, Tree, Words, shown},
};

/// Patterns of a flow: each keeps up to 256 KiB.
const MAX_PATTERNS: usize = 50;
/// The longest caption of the button that opens a form, in UTF-16 units.
const FORM_BUTTON: usize = 30;
/// What an `http` node keeps of an answer.
const ANSWER: [&str; 2] = ["status", "body"];

pub(super) struct Builder<'a> {
    pub places: &'a Places<'a>,
    pub form: Form,
    /// Names that the flow sets anywhere.
    pub variables: BTreeSet<&'a str>,
    /// Those that nothing but `http` nodes set: they hold `{status, body}`.
    pub answers: BTreeSet<&'a str>,
    /// Names of the `waitFor` nodes.
    pub waits: BTreeSet<&'a str>,
    /// Whether a program may start the flow and give it variables that nothing in it sets.
    pub started_from_outside: bool,
    pub findings: &'a mut Findings,
    pub patterns: usize,
    /// The node that is written.
    pub node: &'a str,
}

impl<'a> Builder<'a> {
    /// The place of a name. A name that is not there was told with the ways between nodes.
    pub fn place(&self, name: Option<&String>) -> Option<NodeIndex> {
        self.place_of(name?)
    }

    /// The same of a name that stands there.
    pub fn place_of(&self, name: &str) -> Option<NodeIndex> {
        self.places.get(name).copied()
    }

    /// A text of one language.
    pub fn template(&mut self, field: &str, text: &str, limit: usize) -> Option<Template> {
        self.no_paths(field, text);
        let template = self.parsed(field, Template::parse(text, self.form))?;
        self.fits(field, &template, limit);
        self.known_in(field, [&template]).then_some(template)
    }

    /// A text, or one for each language.
    pub fn words(&mut self, field: &str, text: &Text, limit: usize) -> Option<Words> {
        let words = self.parsed(field, Words::parse(text, self.form))?;
        if let Some(Variants::One(text)) = text.variants() {
            self.no_paths(field, text);
        }
        for (language, template) in words.variants() {
            if template.is_empty() {
                self.error(&at(field, language), "it is empty: write it, or leave the field out if it may be left out");
            }
            self.fits(&at(field, language), template, limit);
        }
        let templates: Vec<&Template> = words.variants().map(|(_, template)| template).collect();
        self.known_in(field, templates).then_some(words)
    }

    /// A text that goes out in parts where it is long.
    pub fn long_words(&mut self, field: &str, text: &Text) -> Option<Words> {
        let words = self.words(field, text, MESSAGE_TEXT * MAX_PARTS)?;
        for (language, template) in words.variants() {
            if (MESSAGE_TEXT + 1..=MESSAGE_TEXT * MAX_PARTS).contains(&template.literal_units()) {
                let message = format!(
                    "the text is longer than the {MESSAGE_TEXT} characters of a message, and goes out in several: \
                     shorten it, or split it over several nodes where it should be parted"
                );
                self.warning(&at(field, language), message);
            }
        }
        Some(words)
    }

    /// Caption of the button that opens a form.
    pub fn form_button(&mut self, field: &str, text: &Text) -> Option<Words> {
        let words = self.words(field, text, FORM_BUTTON)?;
        if let Some(variants) = text.variants() {
            let variants = match variants {
                Variants::One(text) => vec![("", text)],
                Variants::ByLanguage(variants) => variants,
            };
            for (language, _) in variants.into_iter().filter(|(_, text)| text.chars().any(is_emoji)) {
                self.warning(&at(field, language), "WhatsApp refuses a form whose button has an emoji: remove it");
            }
        }
        Some(words)
    }

    /// Name of an approved template.
    pub fn template_name(&mut self, field: &str, name: &str) {
        if !name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_') {
            self.warning(field, "no template has this name: write small letters, digits and _, as Meta shows it");
        }
    }

    /// `{{ }}` of the editor's form that goes out as it stands.
    fn no_paths(&mut self, field: &str, text: &str) {
        if self.form != Form::Editor {
            return;
        }
        for segment in segments(text) {
            let Segment::Text(literal) = segment else { continue };
            for (start, _) in literal.match_indices("{{") {
                let hole = &literal[start..];
                let hole = hole.find("}}").map_or(hole, |end| &hole[..end + 2]);
                let message = format!(
                    "`{}` is no path, and goes out as it stands: write letters, digits and _, joined by dots, with \
                     [n] for an element of a list, between {{{{ and }}}}",
                    shown(hole)
                );
                self.warning(field, message);
            }
        }
    }

    /// The same of every text in a value.
    pub fn no_paths_within(&mut self, field: &str, value: &Value) {
        match value {
            Value::String(text) => self.no_paths(field, text),
            Value::Array(items) => items.iter().for_each(|item| self.no_paths_within(field, item)),
            Value::Object(fields) => fields.values().for_each(|value| self.no_paths_within(field, value)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// A text that may be left out; `Err` where it does not compile.
    pub fn optional_words(&mut self, field: &str, text: Option<&Text>, limit: usize) -> Result<Option<Words>, ()> {
        let Some(text) = text else { return Ok(None) };
        self.words(field, text, limit).map(Some).ok_or(())
    }

    /// The same of one language.
    pub fn optional_template(
        &mut self,
        field: &str,
        text: Option<&String>,
        limit: usize,
    ) -> Result<Option<Template>, ()> {
        let Some(text) = text else { return Ok(None) };
        self.template(field, text, limit).map(Some).ok_or(())
    }

    /// A YAML value whose texts are templates.
    pub fn tree(&mut self, field: &str, value: &Value) -> Option<Tree> {
        let tree = self.parsed(field, Tree::parse(value, self.form))?;
        let templates = tree.templates();
        self.known_in(field, templates).then_some(tree)
    }

    pub fn expression(&mut self, field: &str, source: &str) -> Option<Expression> {
        match Expression::compile(source) {
            Ok(expression) => self.known(field, [&expression]).then_some(expression),
            Err(error) => {
                self.error(field, format!("`{}`: {error}", shown(source)));
                None
            }
        }
    }

    /// Expressions by name.
    pub fn expressions(
        &mut self,
        field: &str,
        sources: impl Iterator<Item = (&'a String, &'a String)>,
    ) -> Option<Vec<(String, Expression)>> {
        let compiled: Vec<_> = sources
            .map(|(name, source)| {
                if !is_identifier(name) {
                    let message = "no expression can read this name: write letters, digits and _";
                    self.error(&format!("{field}.{}", cut(name, 80)), message);
                }
                let value = self.expression(&format!("{field}.{}", cut(name, 80)), source);
                Some((name.clone(), value?))
            })
            .collect();
        compiled.into_iter().collect()
    }

    /// Where a value is kept.
    pub fn target(&mut self, field: &str, name: &str) -> Option<Target> {
        let (target, word) = match name.strip_prefix("contact.") {
            Some(word) => (Target::Contact(word.to_owned()), word),
            None => (Target::Variable(name.to_owned()), name),
        };
        if !is_identifier(word) {
            self.error(field, "no variable can have this name: write letters, digits and _, or contact. and a name");
            return None;
        }
        let engines = match &target {
            Target::Variable(name) => engine_shape(name).is_some(),
            Target::Contact(name) => ["id", "phone", crate::step::OPTED_OUT].contains(&name.as_str()),
            Target::Path(_) => false,
        };
        if engines {
            self.error(field, format!("{name} is written by the engine alone: choose another name"));
            return None;
        }
        Some(target)
    }

    /// Where a value is kept, if anywhere; `Err` where that is no place.
    pub fn optional_target(&mut self, field: &str, name: Option<&String>) -> Result<Option<Target>, ()> {
        let Some(name) = name else { return Ok(None) };
        self.target(field, name).map(Some).ok_or(())
    }

    /// Counts patterns; false where the flow has too many.
    pub fn count_patterns(&mut self, field: &str, patterns: usize) -> bool {
        self.patterns += patterns;
        if self.patterns > MAX_PATTERNS {
            self.error(field, format!("the flow has more than {MAX_PATTERNS} patterns: compare with == or contains"));
            return false;
        }
        true
    }

    /// Titles, captions and the like hold no values.
    pub fn static_text(&mut self, field: &str, text: &str, limit: usize) {
        if text.contains("{{") {
            self.warning(field, "values go into the node's text alone, and {{ }} is shown here as it is: remove it");
        }
        if text.trim().is_empty() {
            self.error(field, "it is blank: write what the customer sees");
        }
        let count = text.chars().count();
        if count > limit {
            self.error(field, format!("it has {count} characters, and at most {limit} are allowed: shorten it"));
        }
    }

    pub fn error(&mut self, field: &str, message: impl Into<String>) {
        self.findings.error(Some(self.node), field, message);
    }

    pub fn warning(&mut self, field: &str, message: impl Into<String>) {
        self.findings.warning(Some(self.node), field, message);
    }

    fn parsed<T>(&mut self, field: &str, parsed: Result<T, Vec<TemplateError>>) -> Option<T> {
        match parsed {
            Ok(parsed) => Some(parsed),
            Err(errors) => {
                for error in errors {
                    self.error(field, error.to_string());
                }
                None
            }
        }
    }

    fn fits(&mut self, field: &str, template: &Template, limit: usize) {
        if template.literal_units() > limit {
            self.warning(
                field,
                format!("the text is longer than the {limit} characters that go out, and is cut: shorten it"),
            );
        }
    }

    fn known_in<'t>(&mut self, field: &str, templates: impl IntoIterator<Item = &'t Template>) -> bool {
        let templates: Vec<&Template> = templates.into_iter().collect();
        for path in templates.iter().flat_map(|template| template.paths()) {
            if let Some(message) = self.unknown_path(path) {
                self.warning(field, message);
            }
        }
        self.known(field, templates.into_iter().flat_map(Template::expressions))
    }

    /// Warns of names that nothing writes, along their whole paths; false where the flow has too many patterns.
    fn known<'e>(&mut self, field: &str, expressions: impl IntoIterator<Item = &'e Expression>) -> bool {
        for expression in expressions {
            if !self.count_patterns(field, expression.patterns()) {
                return false;
            }
            for path in expression.paths() {
                if let Some(message) = self.unknown(path) {
                    self.warning(field, message);
                }
            }
        }
        true
    }

    /// The same for a path of the editor's form.
    pub fn unknown_path(&self, path: &crate::path::Path) -> Option<String> {
        self.unknown_name(path.root()?)
    }

    pub fn unknown_name(&self, name: &str) -> Option<String> {
        if self.started_from_outside || crate::context::Key::find(name).is_some() || self.variables.contains(name) {
            return None;
        }
        let known = crate::context::Key::ALL.iter().map(|key| key.name()).chain(self.variables.iter().copied());
        let instead = match self.findings.meant(name, known) {
            Some(known) => format!("did you mean `{known}`?"),
            None => "assign it in this flow, or give it when the flow is started".to_owned(),
        };
        Some(format!("nothing in this flow sets `{}`: {instead}", cut(name, 80)))
    }

    fn unknown(&self, path: &Path) -> Option<String> {
        let (root, fields) = path.split_first()?;
        match (engine_shape(root), fields.first()) {
            (Some(_), Some(node)) if root == "resume" && !self.waits.contains(node.as_str()) => {
                let instead = match self.findings.meant(node, self.waits.iter().copied()) {
                    Some(known) => format!("did you mean `resume.{known}`?"),
                    None => "name one that is".to_owned(),
                };
                Some(format!("no waitFor node of this flow is named `{}`: {instead}", cut(node, 80)))
            }
            (Some(Shape::Plain), Some(first)) => Some(format!("`{root}` has no fields: remove `.{}`", cut(first, 80))),
            (Some(Shape::List), Some(first)) => {
                Some(format!("`{root}` is a list: write `{root}[0].{}` for its first element", cut(first, 80)))
            }
            (Some(Shape::Fields(known)), Some(first)) if !known.contains(&first.as_str()) => {
                Some(self.no_field(root, first, known))
            }
            (Some(_), _) => None,
            (None, Some(first)) if self.answers.contains(root.as_str()) && !ANSWER.contains(&first.as_str()) => {
                Some(self.no_field(root, first, &ANSWER))
            }
            (None, _) if self.started_from_outside || self.variables.contains(root.as_str()) => None,
            (None, _) => {
                let known = engine_names().map(|(name, _)| name).chain(self.variables.iter().copied());
                let instead = match self.findings.meant(root, known) {
                    Some(known) => format!("did you mean `{known}`?"),
                    None => "assign it in this flow, or put quotes around a text".to_owned(),
                };
                Some(format!("nothing sets `{}`: {instead}", cut(root, 80)))
            }
        }
    }

    fn no_field(&self, root: &str, field: &str, known: &[&str]) -> String {
        let instead = match self.findings.meant(field, known.iter().copied()) {
            Some(known) => format!("did you mean `{root}.{known}`?"),
            None => format!("name one of {}", known.join(", ")),
        };
        format!("`{root}` has no field `{}`: {instead}", cut(field, 80))
    }
}

/// Pictures live in these blocks; not all of them, but those that people put on buttons.
fn is_emoji(c: char) -> bool {
    matches!(c, '\u{231A}' | '\u{231B}' | '\u{23E9}'..='\u{23FA}' | '\u{2600}'..='\u{27BF}' | '\u{2B00}'..='\u{2BFF}'
        | '\u{20E3}' | '\u{FE0F}' | '\u{1F000}'..='\u{1FAFF}')
}

/// A field in a language.
pub(super) fn at(field: &str, language: &str) -> String {
    if language.is_empty() { field.to_owned() } else { format!("{field}.{language}") }
}
