//! Nodes that talk to the customer, compiled from the native form.

use regex::RegexBuilder;
use wigwag_crds::{
    common::Span,
    node::{
        AnswerType, AskNode, File as FileField, FormMode, Header, MediaNode, MessageNode, OptionsNode,
        Template as Approval, TemplateComponent as Component, WhatsAppFlowNode,
    },
    text::{Bound, Text, Variants},
};
use wigwag_domain::{TemplateComponent, clean, cut};

use super::{
    builder::{Builder, at},
    native::media_kind,
};
use crate::{
    answer::{self, Wanted},
    findings::quoted,
    fold::fold,
    program::{Approved, Ask, Delivery, File, FileSource, Form, Kind, NodeIndex, Parameter, Patience},
    question::{
        BUTTON_TITLE, CAPTION, Choice, DESCRIPTION, FOOTER, Face, Faces, HEADER, LIST_BUTTON, MAX_BUTTONS,
        MESSAGE_TEXT, NoMatch, OPTION_ID, Question, QuestionHeader, ROW_TITLE, shown_titles,
    },
    template::Words,
};

/// The most options that a provider takes; the limits tell of more.
const MAX_OPTIONS: usize = 10;
/// The longest title of an option, as a Flow writes it.
const TITLE: usize = 100;
/// What a pattern may keep, in bytes.
const MAX_PATTERN: usize = 256 * 1_024;

impl<'a> Builder<'a> {
    pub(super) fn message(&mut self, node: &'a MessageNode) -> Option<Kind> {
        if node.text.is_none() && node.template.is_none() {
            self.error("text", "a message has a text, a template, or both: write text");
            return None;
        }
        let text = match &node.text {
            Some(text) => self.long_words("text", text).map(Some).ok_or(()),
            None => Ok(None),
        };
        let delivery = self.delivery(node.template.as_ref(), node.on_fail.as_ref());
        Some(Kind::Message { text: text.ok()?, delivery: delivery?, next: self.place(node.next.as_ref()) })
    }

    pub(super) fn media(&mut self, node: &'a MediaNode) -> Option<Kind> {
        let FileField { type_, url, id, filename } = &FileField {
            type_: node.type_,
            url: node.url.clone(),
            id: node.id.clone(),
            filename: node.filename.clone(),
        };
        let file = self.file("", *type_, url.as_ref(), id.as_ref(), filename.as_ref());
        let caption = self.optional_words("caption", node.caption.as_ref(), CAPTION);
        use wigwag_crds::node::MediaType::{Audio, Sticker};
        if node.caption.is_some() && matches!(node.type_, Audio | Sticker) {
            self.warning("caption", "sound files and stickers have none: remove it");
        }
        let delivery = self.delivery(node.template.as_ref(), node.on_fail.as_ref());
        let next = self.place(node.next.as_ref());
        Some(Kind::Media { file: file?, caption: caption.ok()?, delivery: delivery?, next })
    }

    fn file(
        &mut self,
        at: &str,
        kind: wigwag_crds::node::MediaType,
        url: Option<&String>,
        id: Option<&String>,
        filename: Option<&String>,
    ) -> Option<File> {
        let field = |name: &str| if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") };
        let source = match (url, id) {
            (Some(url), None) => {
                let url = self.template(&field("url"), url, 2_000)?;
                let start = url.literal_start();
                if !start.is_empty() && !start.starts_with("https://") && !start.starts_with("http://") {
                    self.error(&field("url"), "it is no URL: write one that begins with https://");
                }
                FileSource::Url(url)
            }
            (None, Some(id)) => FileSource::Id(self.template(&field("id"), id, 500)?),
            _ => {
                self.error(&field("url"), "a file is either at a url or has an id: write one of them");
                return None;
            }
        };
        if filename.is_some() && kind != wigwag_crds::node::MediaType::Document {
            self.warning(&field("filename"), "only a Document has one: remove it");
        }
        let filename = self.optional_template(&field("filename"), filename, 240).ok()?;
        Some(File { kind: media_kind(kind), source, filename })
    }

    pub(super) fn form_node(&mut self, node: &'a WhatsAppFlowNode) -> Option<Form> {
        let header = self.optional_words("header", node.header.as_ref(), HEADER);
        let text = self.words("body", &node.body, Question::text_limit(1));
        let footer = self.optional_words("footer", node.footer.as_ref(), FOOTER);
        let cta = self.form_button("cta", &node.cta);
        let data = match &node.data {
            Some(data) if data.0.is_object() => Some(self.tree("data", &data.0)?),
            Some(_) => {
                self.error("data", "the first screen starts with a map: write {name: value}");
                return None;
            }
            None => None,
        };
        Some(Form {
            header: header.ok()?,
            text: text?,
            footer: footer.ok()?,
            cta: cta?,
            flow_id: node.flow_id.clone(),
            draft: node.mode == FormMode::Draft,
            screen: node.screen.clone(),
            data,
            into: Some(self.target("into", &node.into)?),
            patience: self.patience(node.timeout, node.on_timeout.as_ref()),
            delivery: self.delivery(node.template.as_ref(), node.on_fail.as_ref())?,
            next: self.place(node.next.as_ref()),
        })
    }

    pub(super) fn question(&mut self, node: &'a OptionsNode) -> Option<Question> {
        let text = self.words("text", &node.text, Question::text_limit(node.options.len()));
        if node.options.len() > MAX_OPTIONS {
            return None;
        }
        let is_list = node.options.len() > MAX_BUTTONS;
        let header = self.header(node.header.as_ref(), is_list);
        let footer = self.optional_words("footer", node.footer.as_ref(), FOOTER);
        let retry_text =
            self.optional_words("retryText", node.retry_text.as_ref(), Question::text_limit(node.options.len()));
        if node.retry_text.is_some() && node.retries == 0 {
            self.warning("retryText", "it is never said without retries: write retries: 2");
        }
        if node.no_match.is_none() {
            self.warning("noMatch", "an answer that is none of the options asks again for ever: name a node for it");
        }
        if node.list_button.is_some() && !is_list {
            self.warning("listButton", "up to 3 options are buttons, and need none: remove it");
        }
        let mut choices: Vec<Choice> = Vec::new();
        for (index, option) in node.options.iter().enumerate() {
            let field = |name: &str| format!("options[{index}].{name}");
            let id = clean(&option.id).into_owned();
            self.option_id(&field("id"), &id, &choices);
            if option.description.is_some() && !is_list {
                self.warning(&field("description"), "up to 3 options are buttons, and show none: remove it");
            }
            choices.push(Choice { id, alias: None, next: self.place(option.next.as_ref()) });
        }
        let faces = self.all_faces(node, is_list);
        Some(Question {
            header: header.ok()?,
            text: text?,
            footer: footer.ok()?,
            choices,
            faces: faces?,
            retries: node.retries,
            retry_text: retry_text.ok()?,
            no_match: match self.place(node.no_match.as_ref()) {
                Some(node) => NoMatch::Go(Some(node)),
                None => NoMatch::AskAgain,
            },
            stale: self.place(node.stale.as_ref()),
            patience: self.patience(node.timeout, node.on_timeout.as_ref()),
            delivery: self.delivery(node.template.as_ref(), node.on_fail.as_ref())?,
        })
    }

    fn header(&mut self, header: Option<&'a Header>, is_list: bool) -> Result<Option<QuestionHeader>, ()> {
        let Some(header) = header else { return Ok(None) };
        match (&header.text, &header.media) {
            (Some(text), None) => Ok(Some(QuestionHeader::Text(self.words("header.text", text, HEADER).ok_or(())?))),
            (None, Some(_)) if is_list => {
                self.error("header.media", "more than 3 options are a list, which shows no file: write header.text");
                Err(())
            }
            (None, Some(file)) => {
                use wigwag_crds::node::MediaType::{Audio, Sticker};
                if matches!(file.type_, Audio | Sticker) {
                    self.error(
                        "header.media.type",
                        "only an Image, a Video or a Document stands above a question: write one of them",
                    );
                }
                let FileField { type_, url, id, filename } = file;
                let file = self.file("header.media", *type_, url.as_ref(), id.as_ref(), filename.as_ref());
                Ok(Some(QuestionHeader::Media(file.ok_or(())?)))
            }
            _ => {
                self.error("header", "a header is either text or media: write one of them");
                Err(())
            }
        }
    }

    pub(super) fn option_id(&mut self, field: &str, id: &str, others: &[Choice]) {
        if others.iter().any(|other| other.id == id) {
            self.error(field, "another option has this id too: give one another id");
        }
        if id.contains('~') {
            self.error(field, "an id may hold no ~, which parts it from the question's own id: remove it");
        }
        if id.encode_utf16().count() > OPTION_ID {
            self.error(field, format!("the id is longer than the {OPTION_ID} characters that fit: shorten it"));
        }
    }

    /// How the options look in each language that any of their texts has.
    fn all_faces(&mut self, node: &'a OptionsNode, is_list: bool) -> Option<Vec<Faces>> {
        let texts = node.options.iter().flat_map(|option| [Some(&option.title), option.description.as_ref()]);
        let texts = texts.flatten().chain(&node.list_button);
        let mut languages: Vec<&str> = Vec::new();
        for text in texts {
            if let Some(Variants::ByLanguage(variants)) = text.variants() {
                for (language, _) in variants {
                    if !languages.contains(&language) {
                        languages.push(language);
                    }
                }
            }
        }
        if languages.is_empty() {
            languages.push("");
        }
        let all = languages.into_iter().map(|language| {
            let titles =
                node.options.iter().enumerate().map(|(index, option)| {
                    self.fixed(&format!("options[{index}].title"), &option.title, language, TITLE)
                });
            let titles: Vec<Option<String>> = titles.collect();
            let titles: Vec<String> = titles.into_iter().collect::<Option<_>>()?;
            let descriptions = node.options.iter().enumerate().map(|(index, option)| match &option.description {
                Some(text) => {
                    self.fixed(&format!("options[{index}].description"), text, language, DESCRIPTION).map(Some)
                }
                None => Some(None),
            });
            let descriptions: Vec<Option<Option<String>>> = descriptions.collect();
            let descriptions: Vec<Option<String>> = descriptions.into_iter().collect::<Option<_>>()?;
            let list_button = match &node.list_button {
                Some(text) => self.fixed("listButton", text, language, LIST_BUTTON)?,
                None => list_caption(language).to_owned(),
            };
            let field = |index| at(&format!("options[{index}].title"), language);
            Some(self.faces(language, field, &titles, descriptions, list_button, is_list))
        });
        let all: Vec<_> = all.collect();
        all.into_iter().collect()
    }

    pub(super) fn faces(
        &mut self,
        language: &str,
        field: impl Fn(usize) -> String,
        titles: &[String],
        descriptions: Vec<Option<String>>,
        list_button: String,
        is_list: bool,
    ) -> Faces {
        let titles: Vec<&str> = titles.iter().map(|title| title.trim()).collect();
        let (limit, place) = if is_list { (ROW_TITLE, "a list") } else { (BUTTON_TITLE, "a button") };
        let shown = shown_titles(&titles, limit);
        let mut faces: Vec<Face> = Vec::new();
        for (index, ((title, shown), description)) in titles.iter().zip(shown).zip(descriptions).enumerate() {
            let folded = [fold(title), fold(&shown)];
            if let Some(twin) = faces.iter().find(|other| other.folded[0] == folded[0]) {
                let message = format!("customers cannot tell it from {}: write another title", quoted(&twin.title));
                self.warning(&field(index), message);
            }
            if title.encode_utf16().count() > limit {
                let message = format!(
                    "{place} shows {limit} characters of it, {}, and cuts the rest: shorten it",
                    quoted(&shown)
                );
                self.warning(&field(index), message);
            }
            faces.push(Face { title: (*title).to_owned(), shown, folded, description });
        }
        Faces { language: language.to_owned(), faces, list_button }
    }

    /// A text without values, in a language.
    fn fixed(&mut self, field: &str, text: &Text, language: &str, limit: usize) -> Option<String> {
        let found = match text.variants() {
            Some(Variants::One(text)) => Some(text),
            Some(Variants::ByLanguage(variants)) => {
                crate::template::pick(&[language], variants.iter().map(|(language, text)| (*language, *text)))
            }
            None => None,
        };
        let Some(found) = found else {
            self.error(field, crate::template::TemplateError::NoText.to_string());
            return None;
        };
        self.static_text(&at(field, language), found, limit);
        Some(cut(&clean(found), limit).into_owned())
    }

    pub(super) fn ask(&mut self, node: &'a AskNode) -> Option<Ask> {
        let text = self.words("text", &node.text, MESSAGE_TEXT);
        let wanted = self.wanted(node);
        let into = self.target("into", &node.into);
        let retry_text = self.optional_words("retryText", node.retry_text.as_ref(), MESSAGE_TEXT);
        Some(Ask {
            text: text?,
            wanted: wanted?,
            into: into?,
            retries: node.retries,
            retry_text: retry_text.ok()?,
            on_invalid: self.place(node.on_invalid.as_ref()),
            patience: self.patience(node.timeout, node.on_timeout.as_ref()),
            delivery: self.delivery(node.template.as_ref(), node.on_fail.as_ref())?,
            next: self.place(node.next.as_ref()),
        })
    }

    fn wanted(&mut self, node: &'a AskNode) -> Option<Wanted> {
        let pattern = match &node.pattern {
            Some(pattern) => Some(self.pattern(pattern)?),
            None => None,
        };
        if pattern.is_some() && node.type_ != AnswerType::Text {
            self.warning("pattern", "only an answer of type Text is held against it: remove it");
        }
        if !node.choices.is_empty() && node.type_ != AnswerType::Choice {
            self.warning("choices", "only an answer of type Choice is one of them: write type: Choice");
        }
        let bounds = [("min", node.min.as_ref()), ("max", node.max.as_ref())];
        let [min, max] = bounds.map(|(_, bound)| bound.map(written));
        match Wanted::of(node.type_, pattern, min.as_deref(), max.as_deref(), &node.choices) {
            Ok(wanted) => Some(wanted),
            Err(answer::BadQuestion { field, message }) => {
                self.error(field, message);
                None
            }
        }
    }

    fn pattern(&mut self, pattern: &str) -> Option<regex::Regex> {
        if !self.count_patterns("pattern", 1) {
            return None;
        }
        // The pattern must be one by itself: `a)|(b` is none, and would be two within a group.
        let whole = format!("^(?:{pattern})$");
        let alone = RegexBuilder::new(pattern).size_limit(MAX_PATTERN).build();
        match alone.and_then(|_| RegexBuilder::new(&whole).size_limit(MAX_PATTERN).dfa_size_limit(MAX_PATTERN).build())
        {
            Ok(pattern) => Some(pattern),
            Err(error) => {
                let error = error.to_string();
                let why = error.lines().last().unwrap_or_default().trim_start_matches("error: ");
                self.error(
                    "pattern",
                    format!("it is no regular expression ({}): write one such as [0-9]{{4,8}}", cut(why, 200)),
                );
                None
            }
        }
    }

    pub(super) fn patience(&mut self, timeout: Option<Span>, on_timeout: Option<&String>) -> Patience {
        if timeout.is_some_and(|span| span.duration().is_zero()) {
            self.error("timeout", "no customer can answer in time: write a span such as 20h");
        }
        Patience { timeout: timeout.map(Span::duration), on_timeout: self.place(on_timeout) }
    }

    pub(super) fn delivery(&mut self, template: Option<&'a Approval>, on_fail: Option<&String>) -> Option<Delivery> {
        let template = match template {
            Some(template) => Some(self.approved(template)?),
            None => None,
        };
        let on_fail: Option<NodeIndex> = self.place(on_fail);
        Some(Delivery { template, on_fail })
    }

    fn approved(&mut self, node: &'a Approval) -> Option<Approved> {
        self.template_name("template.name", &node.name);
        let parameters = node.parameters.iter().enumerate().map(|(index, parameter)| {
            let field = format!("template.parameters[{index}]");
            let component = match (parameter.component, parameter.index) {
                (Component::Header, None) => TemplateComponent::Header,
                (Component::Body, None) => TemplateComponent::Body,
                (Component::UrlButton, place) => TemplateComponent::UrlButton(place.unwrap_or(0)),
                (Component::QuickReply, place) => TemplateComponent::QuickReply(place.unwrap_or(0)),
                (Component::Header | Component::Body, Some(_)) => {
                    self.error(&format!("{field}.index"), "only buttons are numbered: remove it");
                    return None;
                }
            };
            if parameter.media.is_some() && component != TemplateComponent::Header {
                self.error(&format!("{field}.media"), "only a header is a file: remove it");
            }
            let value: Words = self.words(&format!("{field}.value"), &parameter.value, 1_024)?;
            Some(Parameter {
                component,
                name: parameter.name.clone(),
                value,
                media: parameter.media.map(media_kind),
                default: parameter.default.clone(),
            })
        });
        let parameters: Vec<_> = parameters.collect();
        let parameters = parameters.into_iter().collect::<Option<_>>()?;
        Some(Approved { name: node.name.clone(), language: node.language.clone(), parameters })
    }
}

fn written(bound: &Bound) -> String {
    match bound {
        Bound::Whole(number) => number.to_string(),
        Bound::Written(text) => text.clone(),
    }
}

/// Caption of the button that opens a list, where the Flow names none.
pub(super) fn list_caption(language: &str) -> &'static str {
    match language.split(['-', '_']).next().unwrap_or_default() {
        "pt" => "Ver opções",
        "en" => "See options",
        _ => "Ver opciones",
    }
}
