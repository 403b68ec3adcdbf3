//! Nodes, compiled: texts and expressions parsed, names resolved. What is wrong is found on the way.

use std::collections::{BTreeSet, HashMap};

use wigwag_crds::flow::{self, Node, NodeKind};
use wigwag_domain::{clean, cut};

use crate::{
    context::Shape,
    expression::{Expression, Path, engine_names, engine_shape, is_identifier},
    findings::{Findings, quoted},
    fold::fold,
    program::{self, Assignment, Kind, NodeIndex, Target},
    question::{
        BUTTON_TITLE, Choice, DESCRIPTION, LIST_BUTTON, MAX_BUTTONS, MESSAGE_TEXT, OPTION_ID, Question, ROW_TITLE,
        shown_titles,
    },
    template::{Template, shown},
};

/// The most options that a provider takes; the limits tell of more.
const MAX_OPTIONS: usize = 10;
/// Patterns of `matches` in one flow: each keeps up to 256 KiB.
const MAX_PATTERNS: usize = 50;

const LIST_CAPTION: &str = "Ver opciones";

/// Compiles nodes; `None` where one of them does not compile.
pub(super) fn nodes(
    nodes: &[Node],
    places: &HashMap<&str, NodeIndex>,
    findings: &mut Findings,
) -> Option<Vec<program::Node>> {
    let assigned = nodes.iter().filter_map(|node| node.assign.as_ref()).flat_map(|assign| assign.set.keys());
    let variables = assigned.map(String::as_str).filter(|name| !name.contains('.')).collect();
    let mut builder = Builder { places, variables, findings, patterns: 0, node: "" };
    let compiled: Vec<_> = nodes.iter().map(|node| builder.node(node)).collect();
    compiled.into_iter().collect()
}

struct Builder<'a> {
    places: &'a HashMap<&'a str, NodeIndex>,
    /// Names that the flow assigns anywhere.
    variables: BTreeSet<&'a str>,
    findings: &'a mut Findings,
    patterns: usize,
    node: &'a str,
}

impl<'a> Builder<'a> {
    fn node(&mut self, node: &'a Node) -> Option<program::Node> {
        self.node = &node.name;
        let Some(kind) = node.kind() else {
            self.error("", "a node has exactly one kind: write one of message, options, condition, assign, goto, end");
            return None;
        };
        let kind = match kind {
            NodeKind::Message(message) => {
                let text = self.template("text", &message.text, MESSAGE_TEXT);
                Kind::Message { text: text?, next: self.place(message.next.as_ref()) }
            }
            NodeKind::Options(options) => Kind::Options(self.question(options)?),
            NodeKind::Condition(condition) => {
                let cases = condition.cases.iter().enumerate().map(|(index, case)| {
                    let when = self.expression(&format!("cases[{index}].when"), &case.when);
                    Some(program::Case { when: when?, next: self.place(Some(&case.next))? })
                });
                let cases: Vec<_> = cases.collect();
                let otherwise = self.place(condition.else_.as_ref());
                Kind::Condition { cases: cases.into_iter().collect::<Option<_>>()?, otherwise }
            }
            NodeKind::Assign(assign) => {
                let set = assign.set.iter().map(|(name, source)| {
                    let target = self.target(name);
                    let value = self.expression(&format!("set.{}", cut(name, 80)), source);
                    Some(Assignment { target: target?, value: value? })
                });
                let set: Vec<_> = set.collect();
                Kind::Assign { set: set.into_iter().collect::<Option<_>>()?, next: self.place(assign.next.as_ref()) }
            }
            NodeKind::Goto(goto) => Kind::Goto { node: self.place(Some(&goto.node))? },
            NodeKind::End(end) => Kind::End { reason: end.reason.as_deref().map(|reason| clean(reason).into_owned()) },
        };
        Some(program::Node { name: node.name.clone(), kind })
    }

    fn question(&mut self, node: &flow::OptionsNode) -> Option<Question> {
        let text = self.template("text", &node.text, Question::text_limit(node.options.len()));
        if node.options.len() > MAX_OPTIONS {
            return None;
        }
        let list = node.options.len() > MAX_BUTTONS;
        if let Some(caption) = &node.list_button {
            self.static_text("listButton", caption);
            if !list {
                self.warning("listButton", "up to 3 options are buttons, and need none: remove it");
            }
        }
        let titles: Vec<_> = node.options.iter().map(|option| clean(&option.title)).collect();
        let titles: Vec<_> = titles.iter().map(|title| title.trim()).collect();
        let shown = shown_titles(&titles, if list { ROW_TITLE } else { BUTTON_TITLE });
        let mut choices: Vec<Choice> = Vec::new();
        for ((index, option), shown) in node.options.iter().enumerate().zip(shown) {
            let field = |name: &str| format!("options[{index}].{name}");
            let id = clean(&option.id).into_owned();
            if choices.iter().any(|other| other.id == id) {
                self.error(&field("id"), "another option has this id too: give one another id");
            }
            if id.contains('~') {
                self.error(&field("id"), "an id may hold no ~, which parts it from the question's own id: remove it");
            }
            if id.encode_utf16().count() > OPTION_ID {
                self.error(
                    &field("id"),
                    format!("the id is longer than the {OPTION_ID} characters that fit: shorten it"),
                );
            }
            if titles[index].is_empty() {
                self.error(&field("title"), "the title is blank: write what the customer sees");
            }
            self.static_text(&field("title"), &option.title);
            if let Some(description) = &option.description {
                self.static_text(&field("description"), description);
                if !list {
                    self.warning(&field("description"), "up to 3 options are buttons, and show none: remove it");
                }
            }
            let folded = [fold(titles[index]), fold(&shown)];
            if let Some(twin) = choices.iter().find(|other| other.folded[0] == folded[0]) {
                let message = format!("customers cannot tell it from {}: write another title", quoted(&twin.title));
                self.warning(&field("title"), message);
            }
            choices.push(Choice {
                id,
                title: titles[index].to_owned(),
                shown,
                folded,
                description: option.description.as_deref().map(|text| cut(&clean(text), DESCRIPTION).into_owned()),
                next: self.place(option.next.as_ref()),
            });
        }
        let caption = node.list_button.as_deref().unwrap_or(LIST_CAPTION);
        let list_button = cut(&clean(caption), LIST_BUTTON).into_owned();
        Some(Question { text: text?, choices, list_button, no_match: self.place(node.no_match.as_ref()) })
    }

    /// The place of a name. A name that is not there was told with the ways between nodes.
    fn place(&self, name: Option<&String>) -> Option<NodeIndex> {
        self.places.get(name?.as_str()).copied()
    }

    fn template(&mut self, field: &str, text: &str, limit: usize) -> Option<Template> {
        let template = match Template::parse(text) {
            Ok(template) => template,
            Err(errors) => {
                for error in errors {
                    self.error(field, error.to_string());
                }
                return None;
            }
        };
        if template.literal_units() > limit {
            self.warning(
                field,
                format!("the text is longer than the {limit} characters that go out, and is cut: shorten it"),
            );
        }
        let known = template.expressions().all(|expression| self.known(field, expression));
        known.then_some(template)
    }

    fn expression(&mut self, field: &str, source: &str) -> Option<Expression> {
        match Expression::compile(source) {
            Ok(expression) => self.known(field, &expression).then_some(expression),
            Err(error) => {
                self.error(field, format!("`{}`: {error}", shown(source)));
                None
            }
        }
    }

    fn target(&mut self, name: &str) -> Option<Target> {
        let field = format!("set.{}", cut(name, 80));
        let (target, word) = match name.strip_prefix("contact.") {
            Some(word) => (Target::Contact(word.to_owned()), word),
            None => (Target::Variable(name.to_owned()), name),
        };
        if !is_identifier(word) {
            self.error(&field, "no variable can have this name: write letters, digits and _, or contact. and a name");
            return None;
        }
        let engines = match &target {
            Target::Variable(name) => engine_shape(name).is_some(),
            Target::Contact(name) => ["id", "phone"].contains(&name.as_str()),
        };
        if engines {
            self.error(&field, format!("{name} is written by the engine alone: choose another name"));
            return None;
        }
        Some(target)
    }

    /// Warns of names that nothing writes, along their whole paths; false where the flow has too many patterns.
    fn known(&mut self, field: &str, expression: &Expression) -> bool {
        self.patterns += expression.patterns();
        if self.patterns > MAX_PATTERNS {
            self.error(field, format!("the flow has more than {MAX_PATTERNS} patterns: compare with == or contains"));
            return false;
        }
        for path in expression.paths() {
            if let Some(message) = self.unknown(path) {
                self.warning(field, message);
            }
        }
        true
    }

    fn unknown(&self, path: &Path) -> Option<String> {
        let (root, fields) = path.split_first()?;
        match (engine_shape(root), fields.first()) {
            (Some(Shape::Plain), Some(first)) => Some(format!("`{root}` has no fields: remove `.{}`", cut(first, 80))),
            (Some(Shape::List), Some(first)) => {
                Some(format!("`{root}` is a list: write `{root}[0].{}` for its first element", cut(first, 80)))
            }
            (Some(_), _) => None,
            (None, _) if self.variables.contains(root.as_str()) => None,
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

    /// Titles, descriptions and captions hold no values.
    fn static_text(&mut self, field: &str, text: &str) {
        if text.contains("{{") {
            self.warning(field, "values go into the node's text alone, and {{ }} is shown here as it is: remove it");
        }
    }

    fn error(&mut self, field: &str, message: impl Into<String>) {
        self.findings.error(Some(self.node), field, message);
    }

    fn warning(&mut self, field: &str, message: impl Into<String>) {
        self.findings.warning(Some(self.node), field, message);
    }
}
