//! A Flow, compiled: names resolved to places, texts and expressions parsed. It holds what a step needs and no more.

use std::{collections::HashMap, sync::Arc, time::Duration};

use crate::{expression::Expression, question::Question, template::Template, trigger::Trigger};

/// A revision of a Flow that can run. Cloning it is cheap.
#[derive(Clone, Debug)]
pub struct Program(Arc<Inner>);

#[derive(Debug)]
pub(crate) struct Inner {
    pub name: String,
    pub revision: String,
    pub priority: i32,
    pub session_timeout: Duration,
    pub triggers: Vec<Trigger>,
    pub start: NodeIndex,
    pub nodes: Vec<Node>,
    /// Places by name.
    pub places: HashMap<String, NodeIndex>,
}

/// Where a node stands in its program.
pub(crate) type NodeIndex = usize;

/// A node.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub name: String,
    pub kind: Kind,
}

/// What a node does. A `next` that is not there ends the conversation.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Message { text: Template, next: Option<NodeIndex> },
    Options(Question),
    Condition { cases: Vec<Case>, otherwise: Option<NodeIndex> },
    Assign { set: Vec<Assignment>, next: Option<NodeIndex> },
    Goto { node: NodeIndex },
    End { reason: Option<String> },
}

/// A branch of a condition.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub when: Expression,
    pub next: NodeIndex,
}

/// One variable of an `assign`.
#[derive(Clone, Debug)]
pub(crate) struct Assignment {
    pub target: Target,
    pub value: Expression,
}

/// Where a value is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// With the session.
    Variable(String),
    /// With the contact, beyond the session.
    Contact(String),
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

    /// How long a session waits for the customer before it is over.
    #[must_use]
    pub fn session_timeout(&self) -> Duration {
        self.0.session_timeout
    }

    pub(crate) fn triggers(&self) -> &[Trigger] {
        &self.0.triggers
    }

    pub(crate) fn start(&self) -> NodeIndex {
        self.0.start
    }

    pub(crate) fn node(&self, index: NodeIndex) -> Option<&Node> {
        self.0.nodes.get(index)
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

impl Target {
    /// As the flow writes it.
    pub fn written(&self) -> String {
        match self {
            Self::Variable(name) => name.clone(),
            Self::Contact(name) => format!("contact.{name}"),
        }
    }
}
