//! `Flow`: a conversation. Triggers start it, nodes carry it.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    common::{LocalRef, Span},
    node::Node,
    text::AnyValue,
};

/// What a conversation is made of.
///
/// References between nodes are not the schema's work: a rule that follows them costs more than the API server
/// allows. `wigwag-dataplane flow check` and the condition `Accepted` report them.
#[derive(CustomResource, KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "wigwag.dev",
    version = "v1alpha1",
    kind = "Flow",
    namespaced,
    status = "FlowStatus",
    derive = "PartialEq",
    shortname = "waf",
    category = "wigwag",
    doc = "A conversation of a WhatsAppTenant: keywords that start it, and the nodes that it walks through.",
    selectable = ".spec.tenantRef.name",
    validation = Rule::new("self.metadata.name.size() <= 200").message("metadata.name is longer than 200 characters: choose a shorter one, it is part of a file's name in the ConfigMap"),
    printcolumn(name = "Ready", type_ = "string", json_path = ".status.conditions[?(@.type==\"Ready\")].status"),
    printcolumn(name = "Tenant", type_ = "string", json_path = ".spec.tenantRef.name"),
    printcolumn(name = "Triggers", type_ = "string", json_path = ".status.summary.triggers"),
    printcolumn(name = "Revision", type_ = "string", json_path = ".status.summary.revision"),
    printcolumn(name = "Sessions", type_ = "string", json_path = ".status.summary.sessions"),
    printcolumn(
        name = "Reason",
        type_ = "string",
        priority = 1,
        json_path = ".status.conditions[?(@.type==\"Ready\")].reason"
    ),
    printcolumn(
        name = "Message",
        type_ = "string",
        priority = 1,
        json_path = ".status.conditions[?(@.type==\"Ready\")].message"
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.definition) ? !has(self.triggers) && !has(self.start) && !has(self.nodes) : has(self.triggers) && has(self.start) && has(self.nodes)").message("a Flow has either triggers, start and nodes, or the editor's definition: write the one or the other"))]
#[x_kube(validation = Rule::new("!has(self.whatsappFlow) || has(self.definition)").message("whatsappFlow goes with the editor's definition: name the form in the node whatsappFlow instead").field_path(".whatsappFlow"))]
#[x_kube(validation = Rule::new("!has(self.nodes) || !has(self.start) || self.nodes.exists(n, n.name == self.start)").message(Message::Expression("'start names node \"' + self.start + '\", which is not among the nodes: add it, or name one that is'".into())).field_path(".start"))]
pub struct FlowSpec {
    /// The tenant whose conversation this is, in the same namespace.
    pub tenant_ref: LocalRef,
    /// Which Flow goes first where two match a message equally well; higher first.
    #[serde(default)]
    #[schemars(range(min = -1000, max = 1000))]
    pub priority: i32,
    /// What starts the conversation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = 50))]
    pub triggers: Vec<Trigger>,
    /// Name of the first node.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(min = 1, max = 60))]
    pub start: String,
    /// The nodes, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = 500))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub nodes: Vec<Node>,
    /// What the drag-and-drop editor saves (`{nodes: [...], edges: [...]}`), as it is, instead of triggers, start and
    /// nodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("type" = "object"))]
    pub definition: Option<AnyValue>,
    /// The form that `whatsapp_flow` nodes of the definition send.
    #[serde(default, rename = "whatsappFlow", skip_serializing_if = "Option::is_none")]
    pub whatsapp_flow: Option<DefinitionForm>,
    /// The node that follows when something fails and its node has no way for it; once in a session. It sees
    /// `error.node`, `error.kind` and `error.message`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 60))]
    pub on_error: Option<String>,
    /// How long a session waits for the customer, and lives.
    #[serde(default)]
    pub session: SessionPolicy,
    /// Words that end the conversation, beside the tenant's or instead of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escape: Option<FlowEscape>,
    /// Takes no new sessions and holds the open ones until it is taken away.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub suspend: bool,
}

/// The form of an editor's `whatsapp_flow` node.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DefinitionForm {
    /// Meta's id of the form.
    #[schemars(length(min = 1, max = 64))]
    pub flow_id: String,
    /// The screen that opens first.
    #[schemars(length(min = 1, max = 80))]
    pub screen: String,
}

/// What a Flow changes about the tenant's escape words.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FlowEscape {
    /// Whether the tenant's words do nothing in this conversation.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub disable: bool,
    /// Words of this conversation; they go before the tenant's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20))]
    pub add: Vec<Escape>,
}

/// Words with which a customer leaves a conversation, whatever it is about. The whole message must be one of them; case
/// and accents do not count.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.flow) != (has(self.end) && self.end)").message("an escape leads to a flow or is the end: write flow: NAME or end: true"))]
pub struct Escape {
    /// The words.
    #[schemars(length(min = 1, max = 20), inner(length(min = 1, max = 64)))]
    pub words: Vec<String>,
    /// The Flow that begins then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 200))]
    pub flow: Option<String>,
    /// Nothing begins then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub end: bool,
    /// Nothing is sent to the customer any more until they write again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub opt_out: bool,
}

/// What starts a conversation; exactly one kind.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("[has(self.keyword), has(self.default), has(self.media), has(self.location), has(self.order), has(self.referral), has(self.manual)].filter(x, x).size() == 1").message("a trigger is exactly one of keyword: WORD, default: {}, media: {}, location: {}, order: {}, referral: {}, manual: {}: write one of them"))]
#[x_kube(validation = Rule::new("!has(self.match) || has(self.keyword)").message("match goes with keyword: remove it, or write the keyword that it is about"))]
#[x_kube(validation = Rule::new("!(has(self.interrupt) && self.interrupt) || has(self.keyword)").message("interrupt goes with keyword: remove it, or write the keyword that it is about"))]
pub struct Trigger {
    /// Starts the conversation when the customer writes it. Case and accents do not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    pub keyword: Option<String>,
    /// The weakest form in which the keyword counts: as the whole message, as a word of it, or anywhere within it.
    #[serde(default, rename = "match", skip_serializing_if = "Option::is_none")]
    pub match_: Option<Match>,
    /// Whether the keyword, as the whole message, ends a conversation that waits for the customer and begins this one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub interrupt: bool,
    /// Starts the conversation when no other trigger matches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Whatever>,
    /// Starts the conversation when the customer sends a file without words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media: Option<Whatever>,
    /// Starts the conversation when the customer shares a place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Whatever>,
    /// Starts the conversation when the customer orders from a catalogue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<Whatever>,
    /// Starts the conversation when the customer comes from an ad or a post; `event.referral` tells which.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub referral: Option<Whatever>,
    /// No message starts the conversation: another Flow calls it, or a program starts it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manual: Option<Whatever>,
}

/// A trigger that has nothing to set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Whatever {}

/// How a keyword must stand in a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum Match {
    /// The message is the keyword.
    Exact,
    /// The keyword is one of the message's words.
    Word,
    /// The keyword stands anywhere in the message.
    #[default]
    Contains,
}

/// How long sessions live.
#[derive(KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionPolicy {
    /// How long a session waits for the customer before it is over, from its last message.
    #[serde(default = "day")]
    pub timeout: Span,
    /// The node for when the customer did not answer in time; without it the session is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 60))]
    pub on_timeout: Option<String>,
    /// How long a session may live at all.
    #[serde(default = "ninety_days")]
    pub max_age: Span,
}

/// What the operator found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FlowStatus {
    /// Generation of the spec that this status is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Accepted, Resolved, Programmed and Ready.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// The revision that new conversations run; after a broken edit, the last good one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// What is wrong, or deserves a look, by node and field.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
    /// Open sessions by the revision they began with, as `1+`, `10+`, `100+` or `1000+`; looked at once a minute.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sessions: BTreeMap<String, String>,
    /// Where sessions of the last 24 hours could not go on; the most frequent first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errored: Vec<ErroredAt>,
    /// What `kubectl get` prints.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<FlowSummary>,
}

/// Something wrong in a Flow, or worth a look, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// Whether the Flow can run.
    pub severity: Severity,
    /// The node, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// The field within the node or the spec, for example `options[2].next`.
    pub field: String,
    /// What is wrong and what to write instead.
    pub message: String,
}

/// Sessions that ended as `Errored` in the same way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ErroredAt {
    /// The node that failed; of the called Flow, where it was in one.
    pub node: String,
    /// What failed, as `wigwag_flow_errors_total` says it: `http-5xx`, `send`, `timeout` and so on.
    pub kind: String,
    /// How many: `1+`, `10+`, `100+` or `1000+`.
    pub sessions: String,
}

/// How bad a [`Finding`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum Severity {
    /// The Flow runs all the same.
    Warning,
    /// The Flow cannot run.
    Error,
}

/// Columns of `kubectl get waf`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FlowSummary {
    /// The first trigger and how many more: `hola +2`.
    pub triggers: String,
    /// The revision that runs, in parentheses where it is not that of the spec.
    pub revision: String,
    /// Open sessions of all revisions: `0`, `1+`, `10+`, `100+` or `1000+`; `-` before they were counted.
    #[serde(default = "not_counted")]
    pub sessions: String,
}

// === impl Finding ===

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.node {
            Some(node) => write!(f, "node {node:?}, {}: {}", self.field, self.message),
            None => write!(f, "{}: {}", self.field, self.message),
        }
    }
}

// === impl SessionPolicy ===

impl Default for SessionPolicy {
    fn default() -> Self {
        Self { timeout: day(), on_timeout: None, max_age: ninety_days() }
    }
}

fn not_counted() -> String {
    "-".to_owned()
}

fn day() -> Span {
    Span::from_secs(86_400)
}

fn ninety_days() -> Span {
    Span::from_secs(90 * 86_400)
}
