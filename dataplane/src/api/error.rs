//! What went wrong, as the API tells it: `{"error": {code, message, details, request_id, timestamp}}`. A cause that is
//! ours goes to the log under the same `request_id`, not to the caller.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use jiff::Timestamp;
use serde_json::{Value, json};
use tracing::warn;
use uuid::Uuid;
use wigwag_store::{Error, Fault};

/// A refusal.
#[derive(Debug)]
pub(super) struct ApiError {
    pub status: StatusCode,
    /// A word of a closed set, for programs.
    pub code: &'static str,
    /// What was wrong and what to do, for people.
    pub message: String,
    details: Option<Box<Value>>,
    /// For the log.
    cause: Option<Box<Error>>,
}

impl ApiError {
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), details: None, cause: None }
    }

    /// A request that says something that cannot be.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "VALIDATION_ERROR", message)
    }

    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "NOT_FOUND", message)
    }

    /// A request that does not fit what there is.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "CONFLICT", message)
    }

    /// Facts for programs, an object.
    pub fn with(mut self, details: Value) -> Self {
        self.details = Some(Box::new(details));
        self
    }

    /// What the caller must do differently to be answered at all.
    pub fn headers(&self) -> Option<(header::HeaderName, HeaderValue)> {
        match self.status {
            StatusCode::UNAUTHORIZED => Some((header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))),
            StatusCode::SERVICE_UNAVAILABLE => Some((header::RETRY_AFTER, HeaderValue::from_static("1"))),
            _ => None,
        }
    }

    /// Tells the log what the caller is not told.
    pub fn log(&self, request: Uuid) {
        if let Some(cause) = &self.cause {
            warn!(%request, error = %cause, "request not answered");
        }
    }
}

impl From<Error> for ApiError {
    fn from(cause: Error) -> Self {
        let error = match cause.fault() {
            Fault::Value => Self::invalid("the request holds a value that the database does not take, such as NUL"),
            Fault::Conflict | Fault::Ours => {
                let message = "the database did not answer: try again in a moment";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE", message)
            }
        };
        Self { cause: Some(Box::new(cause)), ..error }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let request = Uuid::now_v7();
        self.log(request);
        let headers = self.headers();
        let Self { status, code, message, details, .. } = self;
        let body = json!({"error": {
            "code": code,
            "message": message,
            "details": details.map_or_else(|| json!({}), |details| *details),
            "request_id": request,
            "timestamp": Timestamp::now(),
        }});
        let mut response = (status, Json(body)).into_response();
        response.headers_mut().extend(headers.map(|(name, value)| (Some(name), value)));
        response
    }
}
