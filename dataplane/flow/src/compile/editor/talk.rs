//! Nodes of the editor that talk to the customer.

use serde_json::{Value, json};
use wigwag_domain::{MediaKind, TemplateComponent, clean};

use super::{FORM_ANSWER, Node, Reader, number};
use crate::{
    compile::talk::list_caption,
    findings::quoted,
    program::{Approved, Delivery, File, FileSource, Form as FormNode, Kind, NodeIndex, Parameter, Patience, Target},
    question::{CAPTION, Choice, FOOTER, HEADER, MAX_BUTTONS, MESSAGE_TEXT, NoMatch, Question},
    template::Words,
};

impl Reader<'_> {
    pub(super) fn message(&mut self, node: &Node<'_>, next: Option<NodeIndex>) -> Option<Kind> {
        if node.get("useTemplate") == Some(&Value::Bool(true)) {
            let template = Some(self.template(node)?);
            return Some(Kind::Message { text: None, delivery: Delivery { template, on_fail: None }, next });
        }
        let text = self.limited(node, "text", 1, MESSAGE_TEXT)?;
        let text = self.builder.long_words("text", &text.into())?;
        Some(Kind::Message { text: Some(text), delivery: Delivery::default(), next })
    }

    fn template(&mut self, node: &Node<'_>) -> Option<Approved> {
        let name = self.limited(node, "templateName", 1, 512)?;
        let language = self.limited(node, "templateLanguage", 0, 24).filter(|language| !language.is_empty());
        self.builder.template_name("templateName", name);
        let mut parameters = Vec::new();
        let given = node.get("templateParameters").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        for (index, given) in given.iter().enumerate() {
            let field = format!("templateParameters[{index}]");
            let place = given.get("index").and_then(number).and_then(|place| u8::try_from(place).ok()).unwrap_or(0);
            let word = |name: &str| given.get(name).and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase();
            let component = match (word("component").as_str(), word("subType").as_str()) {
                ("header", _) => TemplateComponent::Header,
                ("body" | "", _) => TemplateComponent::Body,
                ("button", "quick_reply") => TemplateComponent::QuickReply(place),
                ("button", _) => TemplateComponent::UrlButton(place),
                (other, _) => {
                    let message = format!("there is no component {}: write header, body or button", quoted(other));
                    self.builder.error(&format!("{field}.component"), message);
                    return None;
                }
            };
            let value = given.get("value").and_then(Value::as_str).unwrap_or_default();
            let value = match value {
                "" => Words::plain(""),
                value => self.builder.words(&format!("{field}.value"), &value.into(), 1_024)?,
            };
            parameters.push(Parameter { component, name: None, value, media: None, default: None });
        }
        Some(Approved { name: name.to_owned(), language: language.map(str::to_owned), parameters })
    }

    pub(super) fn options(&mut self, node: &Node<'_>) -> Option<Question> {
        let given = node.get("options").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        if !(2..=10).contains(&given.len()) {
            let message = format!("there are {} options: write 2 to 10", given.len());
            self.builder.error("options", message);
            return None;
        }
        let mut titles = Vec::new();
        for (index, option) in given.iter().enumerate() {
            let title = option.as_str().map(|title| clean(title).trim().to_owned()).unwrap_or_default();
            if !(1..=30).contains(&title.chars().count()) {
                self.builder.error(
                    &format!("options[{index}]"),
                    "an option has 1 to 30 characters: write what the customer sees",
                );
                return None;
            }
            if title.contains("{{") {
                let message = "values go into the node's text alone, and {{ }} is shown here as it is: remove it";
                self.builder.warning(&format!("options[{index}]"), message);
            }
            titles.push(title);
        }
        let text = node.text("text").unwrap_or_default();
        let text = if text.trim().is_empty() {
            self.builder.warning("text", "it is empty; the node's name is said: write the question");
            Words::plain(node.text("name").filter(|name| !name.trim().is_empty()).unwrap_or(node.id))
        } else {
            self.builder.words("text", &text.into(), Question::text_limit(titles.len()))?
        };
        let is_list = titles.len() > MAX_BUTTONS;
        let choices = titles.iter().enumerate().map(|(index, title)| Choice {
            id: format!("opt-{index}"),
            alias: Some(title.to_lowercase().split_whitespace().collect::<Vec<_>>().join("_")),
            next: self.edge(node, &format!("opt-{index}")),
        });
        let choices = choices.collect();
        let none = vec![None; titles.len()];
        let faces = self.builder.faces(
            "",
            |index| format!("options[{index}]"),
            &titles,
            none,
            list_caption("es").to_owned(),
            is_list,
        );
        let no_match = self.edge(node, "no-match");
        Some(Question {
            header: None,
            text,
            footer: None,
            choices,
            faces: vec![faces],
            retries: 0,
            retry_text: None,
            no_match: NoMatch::Go(no_match),
            stale: None,
            patience: Patience::default(),
            delivery: Delivery::default(),
        })
    }

    pub(super) fn media(&mut self, node: &Node<'_>, next: Option<NodeIndex>) -> Option<Kind> {
        let kind = match node.text("mediaType").unwrap_or("image") {
            "image" => MediaKind::Image,
            "document" => MediaKind::Document,
            "video" => MediaKind::Video,
            "audio" => MediaKind::Audio,
            other => {
                let message = format!("there is no media {}: write image, document, video or audio", quoted(other));
                self.builder.error("mediaType", message);
                return None;
            }
        };
        let given = |field: &str| node.text(field).map(str::trim).filter(|text| !text.is_empty());
        let source = match (given("id"), given("url")) {
            (Some(id), _) => FileSource::Id(self.builder.template("id", id, 500)?),
            (None, Some(url)) => FileSource::Url(self.builder.template("url", url, 2_000)?),
            (None, None) => {
                self.builder.error("url", "a file is either at a url or has an id: write one of them");
                return None;
            }
        };
        let filename = match given("filename") {
            Some(filename) => Some(self.builder.template("filename", filename, 240)?),
            None => None,
        };
        let caption = node.text("caption").filter(|text| !text.trim().is_empty());
        if caption.is_some() && kind == MediaKind::Audio {
            self.builder.warning("caption", "sound files have none: remove it");
        }
        let caption = match caption {
            Some(caption) => Some(self.builder.words("caption", &caption.into(), CAPTION)?),
            None => None,
        };
        Some(Kind::Media { file: File { kind, source, filename }, caption, delivery: Delivery::default(), next })
    }

    /// A line that is left out where nothing is written; the outer `None` where it does not compile.
    fn line(&mut self, field: &str, text: &str, limit: usize) -> Option<Option<Words>> {
        if text.trim().is_empty() {
            return Some(None);
        }
        self.builder.words(field, &text.into(), limit).map(Some)
    }

    pub(super) fn form(&mut self, node: &Node<'_>, next: Option<NodeIndex>) -> Option<Kind> {
        let body = self.limited(node, "body", 1, 1_024)?;
        let cta = self.limited(node, "cta", 1, 40)?;
        let (header, footer) = (self.limited(node, "header", 0, 60)?, self.limited(node, "footer", 0, 60)?);
        let Some(form) = &self.spec.whatsapp_flow else {
            let message = "no form is named: write spec.whatsappFlow: {flowId, screen}; until then nothing is sent";
            self.builder.warning("type", message);
            let form = json!({"header": header, "body": body, "footer": footer, "cta": cta});
            return Some(Kind::PendingForm { form, next });
        };
        Some(Kind::Form(FormNode {
            header: self.line("header", header, HEADER)?,
            text: self.builder.words("body", &body.into(), Question::text_limit(1))?,
            footer: self.line("footer", footer, FOOTER)?,
            cta: self.builder.form_button("cta", &cta.into())?,
            flow_id: form.flow_id.clone(),
            draft: false,
            screen: Some(form.screen.clone()),
            data: None,
            into: Some(Target::Variable(FORM_ANSWER.to_owned())),
            patience: Patience::default(),
            delivery: Delivery::default(),
            next,
        }))
    }
}
