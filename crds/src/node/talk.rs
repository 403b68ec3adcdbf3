//! Nodes that talk to the customer.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Next;
use crate::{
    common::Span,
    text::{AnyValue, Bound, Text},
};

/// A text to the customer, or an approved template.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("anyOf" = [{"required": ["text"]}, {"required": ["template"]}]))]
pub struct MessageNode {
    /// The text, with `{{ expression }}` where a value goes; up to 4096 characters, longer ones go out in parts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<Text>,
    /// Goes out when the customer has not written for 24 hours; always, where there is no text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<Template>,
    /// The node that follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 60))]
    pub next: Next,
    /// The node for when the message could not be sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 60))]
    pub on_fail: Next,
}

/// An approved template with its values.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Template {
    /// Name of the template at the provider.
    #[schemars(length(min = 1, max = 512))]
    pub name: String,
    /// Its language, such as `es_AR`; unless set, the customer's, and the tenant's where theirs is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 2, max = 24))]
    pub language: Option<String>,
    /// Its values, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    pub parameters: Vec<TemplateParameter>,
}

/// A value of a template.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TemplateParameter {
    /// Which part of the template it belongs to.
    #[serde(default)]
    pub component: TemplateComponent,
    /// Place of the button, counted from 0; for buttons only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 9), extend("format" = "int32"))]
    pub index: Option<u8>,
    /// Name of the parameter, where the template names its parameters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 60))]
    pub name: Option<String>,
    /// The value, with `{{ expression }}`; the payload of a quick reply, the end of a button's URL. In a header a URL
    /// of a file where `media` says so.
    pub value: Text,
    /// What sort of file the header is, where it is one: `value` is its URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media: Option<MediaType>,
    /// Goes in where the value is empty; without it the message fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    pub default: Option<String>,
}

/// A part of a template.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum TemplateComponent {
    /// Above the text.
    Header,
    /// The text.
    #[default]
    Body,
    /// The end of a button's URL.
    UrlButton,
    /// What comes back with a tap on a quick reply.
    QuickReply,
}

/// A question with options: up to 3 go out as buttons, up to 10 as a list.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OptionsNode {
    /// Above the question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<Header>,
    /// The question, with `{{ expression }}` where a value goes; up to 1024 characters with buttons, 4096 with a list.
    pub text: Text,
    /// Below the question; up to 60 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub footer: Option<Text>,
    /// The options, by id.
    #[schemars(length(min = 1, max = 10))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["id".into()]))]
    pub options: Vec<Choice>,
    /// Caption of the button that opens the list, 1 to 20 characters (only with more than 3 options).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list_button: Option<Text>,
    /// How often the question is asked again after an answer that is none of the options, before `noMatch`.
    #[serde(default)]
    #[schemars(range(min = 0, max = 10), extend("format" = "int32"))]
    pub retries: u8,
    /// The question when it is asked again; `text` unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_text: Option<Text>,
    /// The node for an answer that is none of the options. Without it the question is asked again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 60))]
    pub no_match: Next,
    /// The node for a tap on a question that is not open any more. Without it the open question is asked again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 60))]
    pub stale: Next,
    /// How long to wait for the answer; the session's `timeout` unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Span>,
    /// The node for when no answer came in time; the session's `onTimeout` unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 60))]
    pub on_timeout: Next,
    /// Goes out when the customer has not written for 24 hours; its quick replies are the options, in order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<Template>,
    /// The node for when the question could not be sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 60))]
    pub on_fail: Next,
}

/// What stands above a question; exactly one of its fields.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("oneOf" = [{"required": ["text"]}, {"required": ["media"]}]))]
pub struct Header {
    /// Words; up to 60 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<Text>,
    /// An image, a video or a document; with up to 3 options.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media: Option<File>,
}

/// One of the options.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Choice {
    /// Id of the option, as expressions see it in `lastInteractiveId`.
    #[schemars(length(min = 1, max = 100), regex(pattern = "^[^~]+$"))]
    pub id: String,
    /// What the customer sees: 20 characters on a button, 24 in a list; longer ones are cut.
    pub title: Text,
    /// A second line, in lists only; up to 72 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Text>,
    /// The node that follows this answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 60))]
    pub next: Next,
}

/// A question with an answer of a type.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AskNode {
    /// The question, with `{{ expression }}` where a value goes.
    pub text: Text,
    /// What sort of answer counts.
    #[serde(rename = "type", default)]
    pub type_: AnswerType,
    /// The variable that takes the answer; `contact.NAME` is kept with the contact.
    #[schemars(length(min = 1, max = 100))]
    pub into: String,
    /// The answers of a `Choice`: words of which the customer writes one, or its number.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50), inner(length(min = 1, max = 100)))]
    pub choices: Vec<String>,
    /// A regular expression that a `Text` must match as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 500))]
    pub pattern: Option<String>,
    /// The least that counts: of a `Number`, of a `Date` (`2026-12-24` or `today`), of a `Time` (`15:30`), and the
    /// characters of a `Text`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<Bound>,
    /// The most that counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<Bound>,
    /// How often the question is asked again after an answer that does not count, before `onInvalid`.
    #[serde(default = "two")]
    #[schemars(range(min = 0, max = 10), extend("format" = "int32"))]
    pub retries: u8,
    /// The question when it is asked again; `text` unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_text: Option<Text>,
    /// The node for when no answer counted. Without it the question is asked again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 60))]
    pub on_invalid: Next,
    /// How long to wait for the answer; the session's `timeout` unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Span>,
    /// The node for when no answer came in time; the session's `onTimeout` unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 60))]
    pub on_timeout: Next,
    /// The node that follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 60))]
    pub next: Next,
    /// Goes out when the customer has not written for 24 hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<Template>,
    /// The node for when the question could not be sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 60))]
    pub on_fail: Next,
}

/// What sort of answer counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum AnswerType {
    /// Any words.
    #[default]
    Text,
    /// A number, in digits or words.
    Number,
    /// An e-mail address.
    Email,
    /// A phone number; kept with `+` and country.
    Phone,
    /// A day; kept as `2026-12-24`.
    Date,
    /// A time of day; kept as `15:30`.
    Time,
    /// One of `choices`.
    Choice,
    /// A place that the customer shares; kept with `latitude` and `longitude`.
    Location,
    /// A file; kept with `kind` and `id`.
    Media,
}

/// A file to the customer.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.url) != has(self.id)").message("a file is either at a url or has an id: write one of them"))]
pub struct MediaNode {
    /// What sort of file.
    #[serde(rename = "type")]
    pub type_: MediaType,
    /// Where the provider finds it, with `{{ expression }}` where a value goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 2000))]
    pub url: Option<String>,
    /// Its id at the provider, with `{{ expression }}` where a value goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 500))]
    pub id: Option<String>,
    /// Below an image, a video or a document; up to 1024 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caption: Option<Text>,
    /// Name of a document, with `{{ expression }}` where a value goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 240))]
    pub filename: Option<String>,
    /// The node that follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 60))]
    pub next: Next,
    /// Goes out when the customer has not written for 24 hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<Template>,
    /// The node for when the file could not be sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 60))]
    pub on_fail: Next,
}

/// A file above a question.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.url) != has(self.id)").message("a file is either at a url or has an id: write one of them"))]
pub struct File {
    /// What sort of file.
    #[serde(rename = "type")]
    pub type_: MediaType,
    /// Where the provider finds it, with `{{ expression }}` where a value goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 2000))]
    pub url: Option<String>,
    /// Its id at the provider, with `{{ expression }}` where a value goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 500))]
    pub id: Option<String>,
    /// Name of a document, with `{{ expression }}` where a value goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 240))]
    pub filename: Option<String>,
}

/// What sort of file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum MediaType {
    /// A picture.
    #[default]
    Image,
    /// A film.
    Video,
    /// A sound file.
    Audio,
    /// Any other file.
    Document,
    /// A sticker.
    Sticker,
}

/// A form to the customer.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WhatsAppFlowNode {
    /// Above the text; up to 60 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<Text>,
    /// The text, with `{{ expression }}` where a value goes; up to 1024 characters.
    pub body: Text,
    /// Below the text; up to 60 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub footer: Option<Text>,
    /// Caption of the button that opens the form; up to 30 characters, no emoji.
    pub cta: Text,
    /// Meta's id of the form.
    #[schemars(length(min = 1, max = 64))]
    pub flow_id: String,
    /// Whether the form is published.
    #[serde(default)]
    pub mode: FormMode,
    /// The screen that opens first; without it the form asks its own endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 80))]
    pub screen: Option<String>,
    /// What the first screen starts with: a map whose texts may hold `{{ expression }}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<AnyValue>,
    /// The variable that takes the answer.
    #[schemars(length(min = 1, max = 100))]
    pub into: String,
    /// How long to wait for the answer; the session's `timeout` unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Span>,
    /// The node for when no answer came in time; the session's `onTimeout` unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 60))]
    pub on_timeout: Next,
    /// The node that follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 60))]
    pub next: Next,
    /// Goes out when the customer has not written for 24 hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<Template>,
    /// The node for when the form could not be sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 60))]
    pub on_fail: Next,
}

/// Whether a form is published.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum FormMode {
    /// For everybody.
    #[default]
    Published,
    /// For the testers of the form.
    Draft,
}

fn two() -> u8 {
    2
}
