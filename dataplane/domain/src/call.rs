//! Calls to HTTP endpoints of others, as a conversation makes them and as their answers come back.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A call: a node's request, rendered. It stands in `effect.request` until its answer is there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HttpCall {
    /// `GET`, `POST`, `PUT`, `PATCH`, `DELETE` or `HEAD`.
    pub method: String,
    /// Where to; `http` or `https`.
    pub url: String,
    /// Headers, in order. `Idempotency-Key` is added when the call goes out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<CallHeader>,
    /// The body, with its type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<CallBody>,
    /// From the first byte of the connection to the last of the answer, in milliseconds.
    pub timeout_ms: u64,
    /// Whether it may go out again where its answer was lost.
    pub repeatable: bool,
}

/// A header of a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CallHeader {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: CallHeaderValue,
}

/// The value of a header.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallHeaderValue {
    /// As it goes out.
    Plain(String),
    /// A key of a Secret that the tenant lists for flows. The value itself is never stored, and goes to the hosts
    /// alone that the tenant names.
    Secret {
        /// Name of the Secret.
        name: String,
        /// Key within it.
        key: String,
        /// What goes in front of the value, such as `Bearer `.
        prefix: String,
    },
}

/// The body of a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CallBody {
    /// `application/json` or `text/plain; charset=utf-8`, unless the headers say another.
    pub content_type: String,
    /// The text.
    pub text: String,
}

/// What became of a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum CallResult {
    /// The endpoint answered.
    Answered {
        /// HTTP status.
        status: u16,
        /// JSON where the answer is JSON, else text; null where it is empty.
        body: Value,
    },
    /// It did not.
    Failed {
        /// Why.
        class: CallFailure,
        /// What happened and what to do, for the flow's author. It holds no secret and nothing of the customer's.
        message: String,
    },
}

/// Why a call has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CallFailure {
    /// It took too long.
    Timeout,
    /// No connection, or one that broke.
    Network,
    /// The address, or a redirect's, is one that calls may not go to, or a Secret may not go there.
    Refused,
    /// The answer is larger than 256 KiB.
    TooLarge,
    /// What would go out is no valid request.
    Invalid,
    /// It may have gone out, its answer was lost, and it may not be repeated.
    Unknown,
}

impl CallFailure {
    /// The word in `onError`, logs and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Network => "network",
            Self::Refused => "refused",
            Self::TooLarge => "tooLarge",
            Self::Invalid => "invalid",
            Self::Unknown => "unknown",
        }
    }
}
