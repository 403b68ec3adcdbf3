//! Approved templates with their values: what goes out when the customer has not written for a day.

use wigwag_domain::{
    MediaSource, OutboundMedia, TemplateComponent, TemplateMessage, TemplateParameter, TemplateValue, WaitId, cut,
};

use super::{Failure, ProblemKind, file::SOURCE, run::Run};
use crate::{
    program::{Approved, Delivery, Parameter},
    question::Question,
    template::{Template, Within},
};

/// The longest value of an approved template, in UTF-16 units.
const PARAMETER: usize = 1_024;

impl Run<'_> {
    /// The template for a shut window; none where there is none, or where a value that it needs is missing.
    pub(super) fn approved(&mut self, delivery: &Delivery) -> Result<Option<TemplateMessage>, Failure> {
        let Some(approved) = &delivery.template else { return Ok(None) };
        let Approved { name, language, parameters } = approved;
        let mut filled = Vec::new();
        for (index, parameter) in parameters.iter().enumerate() {
            let field = format!("template.parameters[{index}].value");
            let Some(parameter) = self.parameter(parameter, &field)? else {
                let message = "the value came out empty, and has no default: the template cannot go out".to_owned();
                self.problem(field, ProblemKind::Empty, message);
                return Ok(None);
            };
            filled.push(parameter);
        }
        let language = language.clone().unwrap_or_else(|| self.languages()[0].replace('-', "_"));
        Ok(Some(TemplateMessage { name: name.clone(), language, parameters: filled }))
    }

    fn parameter(&mut self, parameter: &Parameter, field: &str) -> Result<Option<TemplateParameter>, Failure> {
        let Parameter { component, name, value, media, default } = parameter;
        let template: &Template = value.pick(&self.languages());
        let within =
            if media.is_some() && template.literal_start().starts_with("http") { Within::Url } else { Within::Text };
        let limit = if media.is_some() { SOURCE } else { PARAMETER };
        let text = self.render_whole(template, field, limit, within)?;
        // Meta refuses line breaks, tabs and runs of spaces.
        let mut text = cut(&text.split_whitespace().collect::<Vec<_>>().join(" "), limit).into_owned();
        if text.is_empty() {
            match default {
                Some(default) => text.clone_from(default),
                None => return Ok(None),
            }
        }
        let value = match media {
            Some(kind) => TemplateValue::Media(OutboundMedia {
                kind: *kind,
                source: MediaSource::Url(text),
                caption: None,
                filename: None,
            }),
            None => TemplateValue::Text(text),
        };
        Ok(Some(TemplateParameter { component: *component, name: name.clone(), value }))
    }
}

/// A template's quick replies stand for the options, in order, where the flow gives them no payload of its own.
pub(super) fn add_quick_replies(template: &mut TemplateMessage, question: &Question, wait: WaitId) {
    let is_reply = |parameter: &TemplateParameter| matches!(parameter.component, TemplateComponent::QuickReply(_));
    if template.parameters.iter().any(is_reply) {
        return;
    }
    for (index, choice) in (0..).zip(&question.choices) {
        template.parameters.push(TemplateParameter {
            component: TemplateComponent::QuickReply(index),
            name: None,
            value: TemplateValue::Text(Question::wire_id(&choice.id, wait)),
        });
    }
}
