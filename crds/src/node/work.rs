//! Nodes that work without a word: branches, variables, calls, pauses.

use std::collections::BTreeMap;

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Next;
use crate::{common::Span, text::AnyValue};

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
    pub else_: Next,
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
    #[schemars(extend("minProperties" = 1, "maxProperties" = 50))]
    pub set: BTreeMap<String, String>,
    /// The node that follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 60))]
    pub next: Next,
}

/// A call to an HTTP endpoint.
#[derive(KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpNode {
    /// The method.
    #[serde(default)]
    pub method: Method,
    /// Where to, with `{{ expression }}` in its path and query; values never change scheme, host or port.
    #[schemars(length(min = 1, max = 2000), regex(pattern = "^https?://"))]
    pub url: String,
    /// Headers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 30))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub headers: Vec<HttpHeader>,
    /// The body: a YAML value whose texts may hold `{{ expression }}`, sent as JSON; a text is sent as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<AnyValue>,
    /// How long the whole call may take; at most 2 minutes.
    #[serde(default = "ten_seconds")]
    pub timeout: Span,
    /// Whether it may go out again where its answer was lost. GET, HEAD, PUT and DELETE always may.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub repeatable: bool,
    /// The variable that takes `{status, body}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 100))]
    pub into: Option<String>,
    /// The nodes for what went wrong.
    #[serde(default, skip_serializing_if = "HttpErrors::is_empty")]
    pub on_error: HttpErrors,
    /// The node that follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 60))]
    pub next: Next,
}

/// An HTTP method.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
#[allow(missing_docs, reason = "RFC 9110's own words")]
pub enum Method {
    #[default]
    Get,
    Head,
    Post,
    Put,
    Patch,
    Delete,
}

/// A header of a call; its value is either text or a Secret's.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.value) != has(self.secret)").message("a header has either a value or a secret: write one of them"))]
pub struct HttpHeader {
    /// Its name.
    #[schemars(length(min = 1, max = 100), regex(pattern = "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$"))]
    pub name: String,
    /// Its value, with `{{ expression }}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2000))]
    pub value: Option<String>,
    /// A key of a Secret that the tenant lists in `flowSecrets`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<HeaderSecret>,
}

/// A Secret's value in a header.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HeaderSecret {
    /// Name of the Secret.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// Key within it.
    #[schemars(length(min = 1, max = 253))]
    pub key: String,
    /// What goes in front of the value, such as `"Bearer "`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = 100))]
    pub prefix: String,
}

/// The nodes for what went wrong with a call, by class. A class without a node fails the node.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpErrors {
    /// It took too long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 60))]
    pub timeout: Next,
    /// There was no connection, or it broke.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 60))]
    pub network: Next,
    /// The address is one that calls may not go to, or the Secret may not go there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 60))]
    pub refused: Next,
    /// The answer is larger than 256 KiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 60))]
    pub too_large: Next,
    /// What would go out is no valid request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 60))]
    pub invalid: Next,
    /// The answer's status is 400 to 499.
    #[serde(default, rename = "4xx", skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 60))]
    pub client: Next,
    /// The answer's status is 500 to 599.
    #[serde(default, rename = "5xx", skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 60))]
    pub server: Next,
    /// It may have gone out, its answer was lost, and it may not be repeated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 60))]
    pub unknown: Next,
}

/// A pause.
#[derive(KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DelayNode {
    /// How long, from `1s` to `30d`. During up to 60 seconds the customer's messages wait too; during a longer one
    /// they are handled as if this conversation were not there.
    #[serde(rename = "for")]
    pub for_: Span,
    /// The node that follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 60))]
    pub next: Next,
}

/// A pause until a call from outside: a POST of JSON to `{{ resume.NODE }}`.
#[derive(KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WaitForNode {
    /// The variable that takes the JSON of the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 100))]
    pub into: Option<String>,
    /// How long to wait; at most 30 days.
    #[serde(default = "day")]
    pub timeout: Span,
    /// The node for when no call came in time. Without it the node fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 60))]
    pub on_timeout: Next,
    /// The node that follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 60))]
    pub next: Next,
}

/// Ways by weight.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SplitNode {
    /// The ways.
    #[schemars(length(min = 2, max = 20))]
    pub ways: Vec<Way>,
}

/// One way of a split.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Way {
    /// Its share, against the sum of all weights.
    #[schemars(range(min = 1, max = 1000), extend("format" = "int32"))]
    pub weight: u16,
    /// The node that follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 60))]
    pub next: Next,
}

/// A call of another Flow.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CallNode {
    /// Name of the Flow, of the same tenant.
    #[schemars(length(min = 1, max = 200))]
    pub flow: String,
    /// What it sees as `args`: name to CEL expression.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 50))]
    pub args: BTreeMap<String, String>,
    /// The variable that takes the `result` of its `end`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 100))]
    pub into: Option<String>,
    /// The node that follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 60))]
    pub next: Next,
}

/// People take over.
#[derive(KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HandoffNode {
    /// Whose work it is, with `{{ expression }}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 100))]
    pub queue: Option<String>,
    /// What they should know, with `{{ expression }}`; up to 500 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 500))]
    pub note: Option<String>,
    /// After how long the conversation goes on without them; at most 30 days.
    pub timeout: Span,
    /// The node for when nobody released it in time; `next` unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 60))]
    pub on_timeout: Next,
    /// The node that follows the release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 60))]
    pub next: Next,
}

/// Goes on elsewhere.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GotoNode {
    /// The node to go to.
    #[schemars(length(min = 1, max = 60))]
    pub node: String,
}

/// Ends the conversation; within a called Flow, goes back to the caller.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EndNode {
    /// Why it ended, as reports show it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 200))]
    pub reason: Option<String>,
    /// What a caller gets: name to CEL expression.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 50))]
    pub result: BTreeMap<String, String>,
}

// === impl HttpErrors ===

impl HttpErrors {
    /// Each class with its node, by the words of the manifest.
    #[must_use]
    pub fn by_class(&self) -> [(&'static str, Option<&str>); 8] {
        [
            ("timeout", self.timeout.as_deref()),
            ("network", self.network.as_deref()),
            ("refused", self.refused.as_deref()),
            ("tooLarge", self.too_large.as_deref()),
            ("invalid", self.invalid.as_deref()),
            ("4xx", self.client.as_deref()),
            ("5xx", self.server.as_deref()),
            ("unknown", self.unknown.as_deref()),
        ]
    }

    fn is_empty(&self) -> bool {
        self.by_class().iter().all(|(_, node)| node.is_none())
    }
}

fn ten_seconds() -> Span {
    Span::from_secs(10)
}

fn day() -> Span {
    Span::from_secs(86_400)
}
