//! The nodes of a [`Flow`](crate::Flow): what a conversation is made of.

mod talk;
mod work;

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

pub use talk::*;
pub use work::*;

/// Name of a node that follows.
type Next = Option<String>;

macro_rules! kinds {
    ($($(#[$doc:meta])* $field:ident $kind:ident $type:ident,)*) => {
        /// A step of the conversation: a name and exactly one kind. A node without `next` ends the conversation.
        #[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "camelCase")]
        #[x_kube(validation = Rule::new("[has(self.message), has(self.options), has(self.ask), has(self.media), has(self.whatsappFlow), has(self.condition), has(self.assign), has(self.http), has(self.delay), has(self.waitFor), has(self.split), has(self.call), has(self.handoff), has(self.goto), has(self.end)].filter(x, x).size() == 1").message(Message::Expression("'node \"' + self.name + '\" must have exactly one kind: write one of message, options, ask, media, whatsappFlow, condition, assign, http, delay, waitFor, split, call, handoff, goto, end'".into())))]
        pub struct Node {
            /// Name of the node; others refer to it.
            #[schemars(length(min = 1, max = 60))]
            pub name: String,
            $(
                $(#[$doc])*
                #[serde(default, skip_serializing_if = "Option::is_none")]
                pub $field: Option<$type>,
            )*
            /// The node that follows when this one fails and has no way of its own for it.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            #[schemars(length(min = 1, max = 60))]
            pub on_error: Next,
        }

        /// A node's kind with its fields, for those who match on it.
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub enum NodeKind<'a> {
            $(
                #[doc = concat!("See [`", stringify!($type), "`].")]
                $kind(&'a $type),
            )*
        }

        impl Node {
            /// The one kind of this node; `None` where the manifest has none or several.
            #[must_use]
            pub fn kind(&self) -> Option<NodeKind<'_>> {
                let mut kinds = [$(self.$field.as_ref().map(NodeKind::$kind),)*].into_iter().flatten();
                let kind = kinds.next();
                if kinds.next().is_some() { None } else { kind }
            }
        }
    };
}

kinds! {
    /// Says something.
    message Message MessageNode,
    /// Asks the customer to choose; waits for the answer.
    options Options OptionsNode,
    /// Asks for one answer of a type, and keeps it.
    ask Ask AskNode,
    /// Sends a file.
    media Media MediaNode,
    /// Sends a form (Meta's WhatsApp Flows); waits for it to come back.
    whatsapp_flow WhatsAppFlow WhatsAppFlowNode,
    /// Goes where the first case that holds points.
    condition Condition ConditionNode,
    /// Sets variables.
    assign Assign AssignNode,
    /// Calls an HTTP endpoint; waits for its answer.
    http Http HttpNode,
    /// Waits for a time.
    delay Delay DelayNode,
    /// Waits until a call from outside resumes the conversation.
    wait_for WaitFor WaitForNode,
    /// Parts contacts by weight, each contact always the same way.
    split Split SplitNode,
    /// Runs another Flow of the tenant, and comes back.
    call Call CallNode,
    /// Hands the conversation to people; no Flow speaks until they release it.
    handoff Handoff HandoffNode,
    /// Goes on at another node.
    goto Goto GotoNode,
    /// Ends the conversation, or the called Flow.
    end End EndNode,
}
