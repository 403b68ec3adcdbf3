//! What an adapter says: of a webhook, of a message that is to be sent, and of the provider's answer to it.

use std::{borrow::Cow, time::Duration};

use thiserror::Error;

/// What became of a request, told apart by what dispatch does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The provider took the message.
    Accepted {
        /// The provider's id of it.
        provider_id: String,
    },
    /// Certainly not sent; try again with back-off.
    Retry {
        /// The provider's code, else the HTTP status.
        code: i32,
        /// How long the provider asks us to wait.
        after: Option<Duration>,
    },
    /// Certainly not sent: too many messages to this recipient. Others are not concerned.
    PairLimited {
        /// The provider's code.
        code: i32,
    },
    /// Certainly not sent: the number is over its throughput.
    Throttled {
        /// The provider's code.
        code: i32,
        /// How long the provider asks us to wait.
        after: Option<Duration>,
    },
    /// Certainly not sent; trying again sooner would fail again.
    Later {
        /// The provider's code.
        code: i32,
        /// How long to wait.
        after: Duration,
    },
    /// Certainly not sent, and no other message of this number would be: its token or its account is the matter.
    Paused {
        /// The provider's code, else the HTTP status.
        code: i32,
        /// What is wrong and what to do, for people. Never holds a secret.
        reason: String,
    },
    /// Will never be sent.
    Failed {
        /// The provider's code, else the HTTP status.
        code: i32,
        /// The provider's words. Never holds a secret.
        title: String,
    },
    /// Nobody can tell whether it was sent. It must not be sent again; a receipt may settle it.
    Unknown {
        /// What was odd about the answer.
        detail: String,
    },
}

/// Why a message cannot be written as a request. Never holds the message or the recipient.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Unsendable {
    /// The recipient is none.
    #[error("the recipient is no phone number of 1 to 15 digits and no user id: it cannot be written to")]
    Recipient,
    /// A text that must be there is empty.
    #[error("{field} is empty: write at least one character")]
    Empty {
        /// The field in the provider's request.
        field: Cow<'static, str>,
    },
    /// A text is too long.
    #[error("{field} has {length} characters, {limit} are allowed: shorten it")]
    TooLong {
        /// The field in the provider's request.
        field: Cow<'static, str>,
        /// Characters that it has.
        length: usize,
        /// Characters that it may have.
        limit: usize,
    },
    /// Too few or too many buttons or rows.
    #[error("{field} has {count} elements, 1 to {limit} are allowed")]
    Count {
        /// The field in the provider's request.
        field: Cow<'static, str>,
        /// Elements that it has.
        count: usize,
        /// Elements that it may have.
        limit: usize,
    },
    /// Two buttons or rows look or answer alike.
    #[error("{field} has the same value twice: make each different")]
    Repeated {
        /// The field in the provider's request.
        field: Cow<'static, str>,
    },
    /// A field holds something that the provider takes nowhere, or not there.
    #[error("{field} {why}")]
    Malformed {
        /// The field in the provider's request.
        field: Cow<'static, str>,
        /// What is wrong and what to write instead.
        why: &'static str,
    },
    /// The token cannot stand in a header.
    #[error("the access token holds a line break or another character that no HTTP header takes: write it anew")]
    Token,
    /// The URL is none.
    #[error("{0:?} is no URL to send to: correct baseUrl and apiVersion of the provider")]
    Url(String),
}

/// Why a webhook is refused. Never holds a secret, a signature or a part of the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// The POST has no signature.
    #[error("the signature header is missing")]
    SignatureMissing,
    /// The header holds something else than a signature.
    #[error("the signature header is malformed")]
    SignatureMalformed,
    /// Signed with another secret, or other bytes were signed.
    #[error("the signature does not match: wrong app secret, or a proxy changed the body")]
    SignatureWrong,
    /// The secret to verify with is empty; everything would match it.
    #[error("the secret to verify with is empty")]
    SecretEmpty,
    /// The GET is no verification request.
    #[error("the verification request lacks {0}")]
    ParameterMissing(&'static str),
    /// The GET asks for something else than a subscription.
    #[error("the verification request's mode is not \"subscribe\"")]
    ModeUnknown,
    /// The GET carries another token.
    #[error("the verification request carries another verify token")]
    TokenWrong,
}
