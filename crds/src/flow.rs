//! `Flow`: a conversation. Triggers start it, nodes carry it.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::common::{LocalRef, Span};

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
#[x_kube(validation = Rule::new("self.nodes.exists(n, n.name == self.start)").message(Message::Expression("'start names node \"' + self.start + '\", which is not among the nodes: add it, or name one that is'".into())).field_path(".start"))]
pub struct FlowSpec {
    /// The tenant whose conversation this is, in the same namespace.
    pub tenant_ref: LocalRef,
    /// Which Flow goes first where two match a message equally well; higher first.
    #[serde(default)]
    #[schemars(range(min = -1000, max = 1000))]
    pub priority: i32,
    /// What starts the conversation.
    #[schemars(length(min = 1, max = 50))]
    pub triggers: Vec<Trigger>,
    /// Name of the first node.
    #[schemars(length(min = 1, max = 60))]
    pub start: String,
    /// The nodes, by name.
    #[schemars(length(min = 1, max = 500))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub nodes: Vec<Node>,
    /// How long a session waits for the customer.
    #[serde(default)]
    pub session: SessionPolicy,
}

/// What starts a conversation; exactly one kind.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.keyword) != has(self.default)").message("a trigger is either keyword: WORD or default: {}: write one of them"))]
#[x_kube(validation = Rule::new("!has(self.match) || has(self.keyword)").message("match goes with keyword: remove it, or write the keyword that it is about"))]
pub struct Trigger {
    /// Starts the conversation when the customer writes it. Case and accents do not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    pub keyword: Option<String>,
    /// The weakest form in which the keyword counts: as the whole message, as a word of it, or anywhere within it.
    #[serde(default, rename = "match", skip_serializing_if = "Option::is_none")]
    pub match_: Option<Match>,
    /// Starts the conversation when no other trigger matches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<DefaultTrigger>,
}

/// The trigger that takes what no other takes; it has nothing to set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DefaultTrigger {}

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
    /// How long a session waits for the customer before it is over, from its last message; applied when the next
    /// message arrives.
    #[serde(default = "day")]
    pub timeout: Span,
}

/// A step of the conversation: a name and exactly one kind. A node without `next` ends the conversation.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("[has(self.message), has(self.options), has(self.condition), has(self.assign), has(self.goto), has(self.end)].filter(x, x).size() == 1").message(Message::Expression("'node \"' + self.name + '\" must have exactly one kind: write one of message, options, condition, assign, goto, end'".into())))]
pub struct Node {
    /// Name of the node; others refer to it.
    #[schemars(length(min = 1, max = 60))]
    pub name: String,
    /// Says something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<MessageNode>,
    /// Asks the customer to choose; waits for the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub options: Option<OptionsNode>,
    /// Goes where the first case that holds points.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<ConditionNode>,
    /// Sets variables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assign: Option<AssignNode>,
    /// Goes on at another node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goto: Option<GotoNode>,
    /// Ends the conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<EndNode>,
}

/// A text to the customer.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MessageNode {
    /// The text, with `{{ expression }}` where a value goes.
    #[schemars(length(min = 1, max = 4096))]
    pub text: String,
    /// The node that follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 60))]
    pub next: Option<String>,
}

/// A question with options: up to 3 go out as buttons, up to 10 as a list.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OptionsNode {
    /// The question, with `{{ expression }}` where a value goes.
    #[schemars(length(min = 1, max = 4096))]
    pub text: String,
    /// The options, by id.
    #[schemars(length(min = 1, max = 10))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["id".into()]))]
    pub options: Vec<Choice>,
    /// Caption of the button that opens the list (only with more than 3 options); `Ver opciones` unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 20))]
    pub list_button: Option<String>,
    /// The node for an answer that is none of the options. Without it the question is asked again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 60))]
    pub no_match: Option<String>,
}

/// One of the options.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Choice {
    /// Id of the option, as expressions see it in `lastInteractiveId`.
    #[schemars(length(min = 1, max = 100), regex(pattern = "^[^~]+$"))]
    pub id: String,
    /// What the customer sees: 20 characters on a button, 24 in a list; longer ones are cut.
    #[schemars(length(min = 1, max = 100))]
    pub title: String,
    /// A second line, in lists only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 72))]
    pub description: Option<String>,
    /// The node that follows this answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 60))]
    pub next: Option<String>,
}

/// Branches on expressions.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConditionNode {
    /// Tried in order; the first that holds is taken.
    #[schemars(length(min = 1, max = 50))]
    pub cases: Vec<Case>,
    /// The node for when none holds.
    #[serde(default, rename = "else", skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 60))]
    pub else_: Option<String>,
}

/// A branch.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Case {
    /// A CEL expression, for example `contact.name == 'Ana'` or `int(amount) > 100`.
    #[schemars(length(min = 1, max = 1024))]
    pub when: String,
    /// The node that follows where it holds.
    #[schemars(length(min = 1, max = 60))]
    pub next: String,
}

/// Sets variables.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AssignNode {
    /// Variable to CEL expression, set in the order of their names. `contact.NAME` is kept with the contact beyond
    /// the session.
    #[schemars(length(min = 1, max = 50))]
    pub set: BTreeMap<String, String>,
    /// The node that follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 60))]
    pub next: Option<String>,
}

/// Goes on elsewhere.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GotoNode {
    /// The node to go to.
    #[schemars(length(min = 1, max = 60))]
    pub node: String,
}

/// Ends the conversation.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EndNode {
    /// Why it ended, as reports show it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 200))]
    pub reason: Option<String>,
}

/// A node's kind with its fields, for those who match on it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum NodeKind<'a> {
    /// See [`MessageNode`].
    Message(&'a MessageNode),
    /// See [`OptionsNode`].
    Options(&'a OptionsNode),
    /// See [`ConditionNode`].
    Condition(&'a ConditionNode),
    /// See [`AssignNode`].
    Assign(&'a AssignNode),
    /// See [`GotoNode`].
    Goto(&'a GotoNode),
    /// See [`EndNode`].
    End(&'a EndNode),
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
}

// === impl Node ===

impl Node {
    /// The one kind of this node; `None` where the manifest has none or several.
    #[must_use]
    pub fn kind(&self) -> Option<NodeKind<'_>> {
        let mut kinds = [
            self.message.as_ref().map(NodeKind::Message),
            self.options.as_ref().map(NodeKind::Options),
            self.condition.as_ref().map(NodeKind::Condition),
            self.assign.as_ref().map(NodeKind::Assign),
            self.goto.as_ref().map(NodeKind::Goto),
            self.end.as_ref().map(NodeKind::End),
        ]
        .into_iter()
        .flatten();
        let kind = kinds.next();
        if kinds.next().is_some() { None } else { kind }
    }
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
        Self { timeout: day() }
    }
}

fn day() -> Span {
    Span::from_secs(86_400)
}
