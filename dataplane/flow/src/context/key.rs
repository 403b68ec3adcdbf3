//! The engine's keys: what a conversation leaves behind, by the names under which expressions read it.

/// What a name holds, as far as a path into it can be checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Neither fields nor elements: text, numbers, truth values.
    Plain,
    /// Elements, by number.
    List,
    /// These fields.
    Fields(&'static [&'static str]),
    /// Fields that only run time knows.
    Open,
}

macro_rules! keys {
    ($($key:ident $name:literal $shape:expr,)*) => {
        /// A key of a session's context.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Key { $($key,)* }

        impl Key {
            /// Every key, in the order in which a context is written.
            pub const ALL: &[Self] = &[$(Self::$key,)*];

            /// The name in expressions and in the stored context.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$key => $name,)* }
            }

            /// What it holds.
            pub const fn shape(self) -> Shape {
                match self { $(Self::$key => $shape,)* }
            }

            /// The key of a name.
            pub fn find(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$key),)* _ => None }
            }
        }
    };
}

use Shape::{Fields, List, Open, Plain};

/// A file that was sent.
const BOT_MEDIA: [&str; 4] = ["mediaType", "url", "id", "caption"];
/// A form that was sent.
const FORM: [&str; 4] = ["header", "body", "footer", "cta"];
const META: [&str; 1] = ["history"];

keys! {
    Input "input" Plain,
    LastInput "lastInput" Plain,
    LastInputTrimmed "lastInputTrimmed" Plain,
    LastInputNormalized "lastInputNormalized" Plain,
    LastUserMessage "lastUserMessage" Plain,
    LastUserMessageRaw "lastUserMessageRaw" Plain,
    LastUserMessageTrimmed "lastUserMessageTrimmed" Plain,
    LastUserMessageNormalized "lastUserMessageNormalized" Plain,
    LastUserMessageAt "lastUserMessageAt" Plain,
    LastInboundAt "lastInboundAt" Plain,
    LastInboundType "lastInboundType" Plain,
    LastOutboundAt "lastOutboundAt" Plain,
    LastInteractionAt "lastInteractionAt" Plain,
    LastBotMessage "lastBotMessage" Plain,
    LastBotMessageAt "lastBotMessageAt" Plain,
    LastBotMessageType "lastBotMessageType" Plain,
    LastBotOptions "lastBotOptions" List,
    LastBotMedia "lastBotMedia" Fields(&BOT_MEDIA),
    LastUserMedia "lastUserMedia" Open,
    LastSelectedOption "lastSelectedOption" Plain,
    LastSelectedOptionIndex "lastSelectedOptionIndex" Plain,
    LastOptionMatched "lastOptionMatched" Plain,
    LastInteractiveId "lastInteractiveId" Plain,
    LastInteractiveType "lastInteractiveType" Plain,
    LastInteractiveTitle "lastInteractiveTitle" Plain,
    InputHistory "inputHistory" List,
    MessageCount "messageCount" Plain,
    TriggerMessage "triggerMessage" Plain,
    HandoffQueue "handoffQueue" Plain,
    HandoffNote "handoffNote" Plain,
    EndReason "endReason" Plain,
    PendingWhatsAppFlow "pendingWhatsAppFlow" Fields(&FORM),
    Meta "_meta" Fields(&META),
}
