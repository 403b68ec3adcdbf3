//! Templates as Meta approved them: registered with the simulator in the form in which `GET
//! /{waba}/message_templates` shows them. Once one is registered, sends are held against them; before that any name
//! passes.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Platform, graph_error::GraphError};

/// An approved message. Registered again under the same name and language it replaces the first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Template {
    /// Its name.
    pub name: String,
    /// Its language, such as `es_AR`.
    pub language: String,
    /// `APPROVED`; `PAUSED` and `DISABLED` have refusals of their own, any other is as good as unknown.
    #[serde(default = "approved")]
    pub status: String,
    /// Whether `{{…}}` holds names or numbers.
    #[serde(default)]
    pub parameter_format: ParameterFormat,
    /// Its parts.
    pub components: Vec<TemplatePart>,
}

fn approved() -> String {
    "APPROVED".to_owned()
}

/// Whether `{{…}}` holds names or numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ParameterFormat {
    /// `{{1}}`.
    #[default]
    Positional,
    /// `{{first_name}}`.
    Named,
}

/// A part of a template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TemplatePart {
    /// Above the text.
    Header {
        /// `TEXT`, `IMAGE`, `VIDEO` or `DOCUMENT`.
        format: String,
        /// The words of `TEXT`.
        #[serde(default)]
        text: String,
    },
    /// The text.
    Body {
        /// The words.
        text: String,
    },
    /// Below the text.
    Footer {
        /// The words.
        text: String,
    },
    /// What can be tapped, in order.
    Buttons {
        /// The buttons.
        buttons: Vec<TemplateButton>,
    },
}

/// A button of a template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TemplateButton {
    /// Answers.
    QuickReply {
        /// What the customer reads.
        text: String,
    },
    /// Opens a page.
    Url {
        /// What the customer reads.
        text: String,
        /// Where it leads; may end in one parameter.
        url: String,
    },
    /// Any other, which takes no value here.
    #[serde(other)]
    Other,
}

impl Platform {
    /// Registers a template, or replaces the one with the same name and language. From the first one on, sends of
    /// unregistered ones are refused with 132001.
    pub fn register_template(&self, template: Template) {
        self.change(|s| {
            s.templates.retain(|t| !(t.name == template.name && t.language == template.language));
            s.templates.push(template);
        });
    }

    /// The registered template of this send, after holding the send against it; `None` where none is registered at all.
    pub(crate) fn template_of(&self, body: &Value) -> Result<Option<Template>, GraphError> {
        let state = self.state();
        if body["type"] != "template" || state.templates.is_empty() {
            return Ok(None);
        }
        let content = &body["template"];
        let name = content["name"].as_str().unwrap_or_default();
        let language = content["language"]["code"].as_str().unwrap_or_default();
        let template = state.templates.iter().find(|t| t.name == name && t.language == language);
        let unknown = || GraphError::new(132_001, format!("template name ({name}) does not exist in {language}"));
        let template = template.ok_or_else(unknown)?;
        match template.status.as_str() {
            "APPROVED" => template.check(content)?,
            "PAUSED" => return Err(GraphError::new(132_015, "Template is paused due to low quality.")),
            "DISABLED" => return Err(GraphError::new(132_016, "Template has been paused too often.")),
            _ => return Err(unknown()),
        }
        Ok(Some(template.clone()))
    }
}

// === impl Template ===

impl Template {
    /// An approved template with this text.
    pub fn new(name: &str, language: &str, body: &str) -> Self {
        Self {
            name: name.to_owned(),
            language: language.to_owned(),
            status: approved(),
            parameter_format: ParameterFormat::Positional,
            components: vec![TemplatePart::Body { text: body.to_owned() }],
        }
    }

    /// With one more part.
    pub fn with(mut self, part: TemplatePart) -> Self {
        self.components.push(part);
        self
    }

    /// With these quick replies.
    pub fn quick_replies(self, titles: &[&str]) -> Self {
        let buttons = titles.iter().map(|title| TemplateButton::QuickReply { text: (*title).to_owned() }).collect();
        self.with(TemplatePart::Buttons { buttons })
    }

    pub(crate) fn buttons(&self) -> &[TemplateButton] {
        let buttons = self.components.iter().find_map(|part| match part {
            TemplatePart::Buttons { buttons } => Some(buttons.as_slice()),
            _ => None,
        });
        buttons.unwrap_or_default()
    }

    /// That the values of a send are those that it was approved with.
    fn check(&self, content: &Value) -> Result<(), GraphError> {
        let sent = |kind: &str| {
            let components = content["components"].as_array().into_iter().flatten();
            let values = components.filter(|c| c["type"] == kind).flat_map(|c| c["parameters"].as_array());
            values.flatten().collect::<Vec<_>>()
        };
        self.check_header(&sent("header"))?;
        let body = self.components.iter().find_map(|part| match part {
            TemplatePart::Body { text } => Some(text.as_str()),
            _ => None,
        });
        self.check_body(body.unwrap_or_default(), &sent("body"))?;
        self.check_buttons(content)
    }

    fn check_header(&self, values: &[&Value]) -> Result<(), GraphError> {
        let header = self.components.iter().find_map(|part| match part {
            TemplatePart::Header { format, text } => Some((format.as_str(), text.as_str())),
            _ => None,
        });
        match header.unwrap_or(("TEXT", "")) {
            ("TEXT", text) => self.check_values("header", text, values),
            (format, _) if matches!(values, [file] if file["type"] == format.to_lowercase()) => Ok(()),
            (format, _) => {
                let details = format!("header: Format mismatch, expected {format}, received UNKNOWN");
                Err(GraphError::new(132_012, details))
            }
        }
    }

    fn check_body(&self, text: &str, values: &[&Value]) -> Result<(), GraphError> {
        self.check_values("body", text, values)?;
        let holes: usize = holes(text).iter().map(|hole| hole.chars().count() + 4).sum();
        let filled: usize = values.iter().filter_map(|v| v["text"].as_str()).map(|t| t.chars().count()).sum();
        let most = if self.components.len() == 1 { 32_768 } else { 1024 };
        match (text.chars().count() + filled).saturating_sub(holes) {
            length if length > most => Err(GraphError::new(
                132_005,
                format!("body: hydrated text has {length} characters, {most} are allowed"),
            )),
            _ => Ok(()),
        }
    }

    fn check_values(&self, part: &str, text: &str, values: &[&Value]) -> Result<(), GraphError> {
        let expected = holes(text);
        if self.parameter_format == ParameterFormat::Named {
            let names: Vec<_> = values.iter().map(|v| v["parameter_name"].as_str()).collect();
            if names.contains(&None) {
                return Err(GraphError::invalid_parameter(format!("{part}: Parameter name is missing or empty")));
            }
            if names.into_iter().flatten().map(str::to_owned).collect::<BTreeSet<_>>() != expected {
                return Err(GraphError::new(132_000, format!("{part}: expected the parameters {expected:?}")));
            }
        }
        if values.len() != expected.len() {
            let details = format!(
                "{part}: number of localizable_params ({}) does not match the expected number of params ({})",
                values.len(),
                expected.len()
            );
            return Err(GraphError::new(132_000, details));
        }
        Ok(())
    }

    fn check_buttons(&self, content: &Value) -> Result<(), GraphError> {
        let components = content["components"].as_array().into_iter().flatten();
        let sent: Vec<_> = components.filter(|c| c["type"] == "button").map(|c| (place(c), &c["sub_type"])).collect();
        let buttons = self.buttons();
        if let Some((place, _)) = sent.iter().find(|(place, _)| *place >= buttons.len()) {
            return Err(GraphError::invalid_value(format!("buttons: there is no button at index {place}")));
        }
        for (place, button) in buttons.iter().enumerate() {
            let value = sent.iter().find(|(at, _)| *at == place).map(|(_, sub_type)| *sub_type);
            let details = |said: &str| format!("buttons: Button at index {place} {said}");
            match (button, value) {
                (TemplateButton::Url { url, .. }, None) if !holes(url).is_empty() => {
                    return Err(GraphError::new(131_008, details("of type Url requires a parameter")));
                }
                (TemplateButton::Url { url, .. }, Some(_)) if holes(url).is_empty() => {
                    return Err(GraphError::new(132_018, details("of type Url does not require parameters")));
                }
                (TemplateButton::Url { .. }, Some(sub_type)) if sub_type != "url" => {
                    return Err(GraphError::new(132_012, details("is of type Url")));
                }
                (TemplateButton::QuickReply { .. }, Some(sub_type)) if sub_type != "quick_reply" => {
                    return Err(GraphError::new(132_012, details("is of type QuickReply")));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// A button's `index`, written as a number or as text.
pub(crate) fn place(button: &Value) -> usize {
    let index = &button["index"];
    index.as_u64().map(|n| n as usize).or_else(|| index.as_str()?.parse().ok()).unwrap_or(usize::MAX)
}

/// What stands between `{{` and `}}`, each once.
fn holes(text: &str) -> BTreeSet<String> {
    text.split("{{").skip(1).filter_map(|rest| Some(rest.split_once("}}")?.0.trim().to_owned())).collect()
}
