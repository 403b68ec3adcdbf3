//! Graph's error envelope: the code decides the HTTP status and the title, as Meta's tables have it.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header::RETRY_AFTER};
use serde_json::json;
use uuid::Uuid;

/// A refused call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GraphError {
    pub(crate) status: u16,
    pub(crate) code: i64,
    pub(crate) details: String,
    pub(crate) retry_after: Option<u32>,
}

impl GraphError {
    pub(crate) fn new(code: i64, details: impl Into<String>) -> Self {
        Self { status: status_of(code), code, details: details.into(), retry_after: None }
    }

    pub(crate) fn invalid_parameter(details: impl Into<String>) -> Self {
        Self::new(100, details)
    }

    pub(crate) fn missing(path: &str) -> Self {
        Self::new(131_008, format!("The parameter {path} is required."))
    }

    pub(crate) fn invalid_value(details: impl Into<String>) -> Self {
        Self::new(131_009, details)
    }
}

impl IntoResponse for GraphError {
    fn into_response(self) -> Response {
        let error = json!({"error": {
            "message": format!("(#{}) {}", self.code, title_of(self.code)),
            "type": "OAuthException",
            "code": self.code,
            "error_data": {"messaging_product": "whatsapp", "details": self.details},
            "fbtrace_id": &Uuid::new_v4().simple().to_string()[..23],
        }});
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(error)).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// The HTTP status that Graph gives with a code. Rate limits come as 400 in Meta's table (429 is seen too): who keys on
/// the status and not on the code takes them for permanent.
fn status_of(code: i64) -> u16 {
    match code {
        0 | 190 => 401,
        3 | 10 | 200..=299 | 368 | 131_005 | 131_031 => 403,
        132_001 => 404,
        131_000 | 131_016 | 131_057 => 500,
        2 | 133_004 => 503,
        _ => 400,
    }
}

pub(crate) fn title_of(code: i64) -> &'static str {
    match code {
        0 => "AuthException",
        1 => "API Unknown",
        2 => "API Service",
        4 => "API Too Many Calls",
        10 | 200..=299 => "Permission Denied",
        100 => "Invalid parameter",
        190 => "Error validating access token",
        368 => "Temporarily blocked for policies violations",
        80_007 => "Rate limit issues",
        130_429 => "Rate limit hit",
        130_472 => "User's number is part of an experiment",
        131_000 => "Something went wrong",
        131_005 => "Access denied",
        131_008 => "Required parameter is missing",
        131_009 => "Parameter value is not valid",
        131_016 => "Service unavailable",
        131_021 => "Recipient cannot be sender",
        131_026 => "Message undeliverable",
        131_030 => "Recipient phone number not in allowed list",
        131_031 => "Account has been locked",
        131_042 => "Business eligibility payment issue",
        131_047 => "Re-engagement message",
        131_048 => "Spam rate limit hit",
        131_049 => "Message was not delivered to maintain healthy ecosystem engagement",
        131_050 => "User has stopped marketing messages",
        131_051 => "Unsupported message type",
        131_053 => "Media upload error",
        131_056 => "(Business Account, Consumer Account) pair rate limit hit",
        131_057 => "Account in maintenance mode",
        132_000 => "Template Param Count Mismatch",
        132_001 => "Template does not exist",
        132_005 => "Template Hydrated Text Too Long",
        132_012 => "Template Parameter Format Mismatch",
        132_015 => "Template is Paused",
        132_016 => "Template is Disabled",
        132_018 => "There's an issue with the parameters in your template",
        133_004 => "Server Temporarily Unavailable",
        133_010 => "Phone number not registered",
        _ => "Error",
    }
}
