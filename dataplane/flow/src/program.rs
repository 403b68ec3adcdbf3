//! A Flow, compiled: names resolved to places, texts and expressions parsed. It holds what a step needs and no more.
//! The native form and the editor's compile to the same program.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use serde_json::Value;
use wigwag_domain::MediaKind;

use crate::{
    answer::Wanted,
    escape::Escape,
    expression::Expression,
    path::Path,
    question::Question,
    script::Script,
    template::{Template, Tree, Words},
    trigger::Trigger,
};

/// A revision of a Flow that can run. Cloning it is cheap.
#[derive(Clone, Debug)]
pub struct Program(Arc<Inner>);

/// A program with those that it may call, by name: what a session is pinned to for life.
#[derive(Clone, Debug)]
pub struct Linked {
    root: Program,
    called: BTreeMap<String, Program>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub name: String,
    pub revision: String,
    pub priority: i32,
    pub suspended: bool,
    pub lifetime: Lifetime,
    pub triggers: Vec<Trigger>,
    pub escape: Vec<Escape>,
    /// Whether the tenant's escape words do nothing here.
    pub no_tenant_escape: bool,
    pub start: NodeIndex,
    /// The node at which each trigger begins, where they differ; the editor's form.
    pub entries: Vec<NodeIndex>,
    pub on_error: Option<NodeIndex>,
    pub nodes: Vec<Node>,
    /// Places by name.
    pub places: HashMap<String, NodeIndex>,
}

/// How long sessions wait and live.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lifetime {
    /// How long they wait for the customer.
    pub timeout: Duration,
    pub on_timeout: Option<NodeIndex>,
    pub max_age: Duration,
}

/// Where a node stands in its program.
pub(crate) type NodeIndex = usize;

/// A node.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub name: String,
    pub kind: Kind,
    pub on_error: Option<NodeIndex>,
}

/// What a node does. A `next` that is not there ends the conversation.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Message {
        text: Option<Words>,
        delivery: Delivery,
        next: Option<NodeIndex>,
    },
    Options(Question),
    Ask(Ask),
    Media {
        file: File,
        caption: Option<Words>,
        delivery: Delivery,
        next: Option<NodeIndex>,
    },
    Form(Form),
    Condition {
        cases: Vec<Case>,
        otherwise: Option<NodeIndex>,
    },
    Assign {
        set: Vec<Assignment>,
        next: Option<NodeIndex>,
    },
    Http(Box<Http>),
    Delay {
        span: Duration,
        next: Option<NodeIndex>,
    },
    WaitFor {
        into: Option<Target>,
        timeout: Duration,
        on_timeout: Option<NodeIndex>,
        next: Option<NodeIndex>,
    },
    Split {
        ways: Vec<Way>,
    },
    Call {
        flow: String,
        args: Vec<(String, Expression)>,
        into: Option<Target>,
        next: Option<NodeIndex>,
    },
    Handoff(Handoff),
    /// Nothing happens here; a trigger of the editor's form.
    Trigger {
        next: Option<NodeIndex>,
    },
    Goto {
        node: NodeIndex,
    },
    End {
        reason: Option<Template>,
        result: Vec<(String, Expression)>,
    },
    /// Sets a key and goes on; a form of the editor without its id.
    PendingForm {
        form: Value,
        next: Option<NodeIndex>,
    },
}

/// What a node that sends has beside its words.
#[derive(Clone, Debug, Default)]
pub(crate) struct Delivery {
    /// Goes instead where the customer has not written for 24 hours.
    pub template: Option<Approved>,
    pub on_fail: Option<NodeIndex>,
}

/// An approved template.
#[derive(Clone, Debug)]
pub(crate) struct Approved {
    pub name: String,
    /// The customer's, where none is named.
    pub language: Option<String>,
    pub parameters: Vec<Parameter>,
}

/// A value of an approved template.
#[derive(Clone, Debug)]
pub(crate) struct Parameter {
    pub component: wigwag_domain::TemplateComponent,
    pub name: Option<String>,
    pub value: Words,
    pub media: Option<MediaKind>,
    pub default: Option<String>,
}

/// How long a question waits, and what follows when nobody answers.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Patience {
    /// The flow's, where it is not here.
    pub timeout: Option<Duration>,
    pub on_timeout: Option<NodeIndex>,
}

/// A question with an answer of a type.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub text: Words,
    pub wanted: Wanted,
    pub into: Target,
    pub retries: u8,
    pub retry_text: Option<Words>,
    pub on_invalid: Option<NodeIndex>,
    pub patience: Patience,
    pub delivery: Delivery,
    pub next: Option<NodeIndex>,
}

/// A file to send.
#[derive(Clone, Debug)]
pub(crate) struct File {
    pub kind: MediaKind,
    pub source: FileSource,
    pub filename: Option<Template>,
}

/// Where a file is.
#[derive(Clone, Debug)]
pub(crate) enum FileSource {
    Url(Template),
    Id(Template),
}

/// A form to send.
#[derive(Clone, Debug)]
pub(crate) struct Form {
    pub header: Option<Words>,
    pub text: Words,
    pub footer: Option<Words>,
    pub cta: Words,
    pub flow_id: String,
    pub draft: bool,
    pub screen: Option<String>,
    pub data: Option<Tree>,
    /// The editor's form keeps the answer in its own keys alone.
    pub into: Option<Target>,
    pub patience: Patience,
    pub delivery: Delivery,
    pub next: Option<NodeIndex>,
}

/// A branch of a condition.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub when: Test,
    pub next: Option<NodeIndex>,
}

/// What a branch asks.
#[derive(Clone, Debug)]
pub(crate) enum Test {
    /// Native form.
    Cel(Expression),
    /// The editor's form.
    Script(Script),
    /// The editor's form, where what is written cannot run: a finding told so.
    Never,
}

/// One variable of an `assign`.
#[derive(Clone, Debug)]
pub(crate) struct Assignment {
    pub target: Target,
    pub value: Source,
}

/// Where a value comes from.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// An expression's, of any kind.
    Expression(Expression),
    /// Always a text.
    Text(Template),
}

/// Where a value is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// With the session.
    Variable(String),
    /// With the contact, beyond the session.
    Contact(String),
    /// Within the session's variables; the editor's form.
    Path(Path),
}

/// An HTTP call.
#[derive(Clone, Debug)]
pub(crate) struct Http {
    pub method: &'static str,
    /// Scheme, host and port are literal in it.
    pub url: Template,
    pub headers: Vec<(String, HeaderValue)>,
    pub body: Option<Tree>,
    pub timeout: Duration,
    pub repeatable: bool,
    pub into: Option<Target>,
    pub settles: Settles,
    pub next: Option<NodeIndex>,
}

/// What an answer leads to.
#[derive(Clone, Debug)]
pub(crate) enum Settles {
    /// `{status, body}` is kept, and each class of failure has its way or fails the node.
    ByClass(HashMap<&'static str, NodeIndex>),
    /// The body alone is kept whatever the status is, a failure as `{"error": "API call failed"}`, and the
    /// conversation goes on; the editor's form.
    Always,
}

/// The value of a header.
#[derive(Clone, Debug)]
pub(crate) enum HeaderValue {
    Text(Template),
    Secret { name: String, key: String, prefix: String },
}

/// A way of a split.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Way {
    pub weight: u32,
    pub next: Option<NodeIndex>,
}

/// People take over.
#[derive(Clone, Debug)]
pub(crate) struct Handoff {
    pub queue: Option<Template>,
    pub note: Option<Template>,
    pub timeout: Duration,
    pub on_timeout: Option<NodeIndex>,
    pub next: Option<NodeIndex>,
}

impl Program {
    /// The flow's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The flow's revision.
    #[must_use]
    pub fn revision(&self) -> &str {
        &self.0.revision
    }

    /// Which flow goes first where two match a message equally well; higher first.
    #[must_use]
    pub fn priority(&self) -> i32 {
        self.0.priority
    }

    /// Whether it takes no new sessions and holds the open ones.
    #[must_use]
    pub fn is_suspended(&self) -> bool {
        self.0.suspended
    }

    /// The flows that it calls by itself, each once.
    #[must_use]
    pub fn calls(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.0.nodes.iter().filter_map(Node::called).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Whether it has a node of this name.
    #[must_use]
    pub fn has_node(&self, name: &str) -> bool {
        self.0.places.contains_key(name)
    }

    /// The names of its nodes, in the order in which they are written.
    pub fn node_names(&self) -> impl Iterator<Item = &str> {
        self.0.nodes.iter().map(|node| node.name.as_str())
    }

    pub(crate) fn triggers(&self) -> &[Trigger] {
        &self.0.triggers
    }

    pub(crate) fn escape(&self) -> &[Escape] {
        &self.0.escape
    }

    pub(crate) fn no_tenant_escape(&self) -> bool {
        self.0.no_tenant_escape
    }

    pub(crate) fn lifetime(&self) -> &Lifetime {
        &self.0.lifetime
    }

    pub(crate) fn on_error(&self) -> Option<NodeIndex> {
        self.0.on_error
    }

    pub(crate) fn start(&self) -> NodeIndex {
        self.0.start
    }

    /// Where the trigger at this place begins.
    pub(crate) fn entry(&self, trigger: Option<usize>) -> NodeIndex {
        trigger.and_then(|trigger| self.0.entries.get(trigger).copied()).unwrap_or(self.0.start)
    }

    pub(crate) fn node(&self, index: NodeIndex) -> Option<&Node> {
        self.0.nodes.get(index)
    }

    pub(crate) fn nodes(&self) -> &[Node] {
        &self.0.nodes
    }

    pub(crate) fn place(&self, name: &str) -> Option<NodeIndex> {
        self.0.places.get(name).copied()
    }
}

impl From<Inner> for Program {
    fn from(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }
}

// === impl Linked ===

impl Linked {
    /// A program with all that it may call, directly or not. A flow that is not there is left out: its call fails.
    pub fn new(root: Program, find: impl Fn(&str) -> Option<Program>) -> Self {
        let mut called = BTreeMap::new();
        let mut wanted: VecDeque<String> = root.calls().into_iter().map(str::to_owned).collect();
        while let Some(name) = wanted.pop_front() {
            if name == root.name() || called.contains_key(&name) {
                continue;
            }
            let Some(program) = find(&name) else { continue };
            wanted.extend(program.calls().into_iter().map(str::to_owned));
            called.insert(name, program);
        }
        Self { root, called }
    }

    /// The flow that was started.
    #[must_use]
    pub fn root(&self) -> &Program {
        &self.root
    }

    /// Names and revisions of what it may call.
    pub fn pins(&self) -> impl Iterator<Item = (&str, &str)> {
        self.called.values().map(|program| (program.name(), program.revision()))
    }

    /// One of them by its name.
    #[must_use]
    pub fn get(&self, flow: &str) -> Option<&Program> {
        if self.root.name() == flow { Some(&self.root) } else { self.called.get(flow) }
    }
}

impl From<Program> for Linked {
    fn from(root: Program) -> Self {
        Self { root, called: BTreeMap::new() }
    }
}

// === impl Node ===

impl Node {
    /// The flow that it calls.
    pub fn called(&self) -> Option<&str> {
        match &self.kind {
            Kind::Call { flow, .. } => Some(flow),
            _ => None,
        }
    }
}

impl Target {
    /// As the flow writes it.
    pub fn written(&self) -> String {
        match self {
            Self::Variable(name) => name.clone(),
            Self::Contact(name) => format!("contact.{name}"),
            Self::Path(path) => path.to_string(),
        }
    }
}
