//! Why an update became a dead letter: a closed set, for it is a metric's label and people search for it.

/// The body is no JSON, or not of this provider.
pub const UNREADABLE: &str = "unreadable";
/// A kind of webhook that we do not handle, such as news of the account or of templates.
pub const UNKNOWN_FIELD: &str = "unknown-field";
/// A message of a type that we do not know.
pub const UNKNOWN_TYPE: &str = "unknown-type";
/// A receipt with a status that we do not know.
pub const UNKNOWN_STATUS: &str = "unknown-status";
/// Something lacks what we need of it, or has it in another shape.
pub const UNKNOWN_SHAPE: &str = "unknown-shape";
/// About a number that the tenant does not have.
pub const FOREIGN_NUMBER: &str = "foreign-number";
/// Written in a group: an answer to its writer alone would be out of place.
pub const GROUP_MESSAGE: &str = "group-message";
/// The provider tells of an error that belongs to no message.
pub const PROVIDER_ERROR: &str = "provider-error";
/// More updates in one POST than any provider promises to send.
pub const TOO_MANY_UPDATES: &str = "too-many-updates";

/// All of them.
pub const ALL: [&str; 9] = [
    UNREADABLE,
    UNKNOWN_FIELD,
    UNKNOWN_TYPE,
    UNKNOWN_STATUS,
    UNKNOWN_SHAPE,
    FOREIGN_NUMBER,
    GROUP_MESSAGE,
    PROVIDER_ERROR,
    TOO_MANY_UPDATES,
];
