//! What became of a message of ours, and errors that belong to none (Meta, "Statuses", 2026-09).

use jiff::Timestamp;
use serde_json::{Value, value::RawValue};
use uuid::Uuid;
use wigwag_domain::{Item, OutboundId, Receipt, ReceiptError, Status, cut};

use super::{
    message::instant,
    object::{Fault, Object},
};
use crate::reason;

/// Reads one of `statuses`. Prices and conversations are left out: Meta sends them with some statuses only.
pub(super) fn read(status: &RawValue, received: Timestamp) -> Result<Item, Fault> {
    let status = Object::read(status.get())?;
    let word: String = status.need("status")?;
    let errors: Vec<&RawValue> = status.get("errors").ok().flatten().unwrap_or_default();
    Ok(Item::Receipt(Receipt {
        provider_id: status.need_id("id")?,
        our_id: status
            .adornment("biz_opaque_callback_data")
            .and_then(|ours| Uuid::try_parse(&ours).ok())
            .map(OutboundId),
        status: match word.as_str() {
            "sent" => Status::Sent,
            "delivered" => Status::Delivered,
            "read" => Status::Read,
            "played" => Status::Played,
            "failed" => Status::Failed,
            other => return Err(Fault::new(reason::UNKNOWN_STATUS, cut(other, 100))),
        },
        at: instant(&status, received),
        error: errors.first().map(|error| receipt_error(error)),
    }))
}

/// One of the `errors` that stand beside messages and statuses.
pub(super) fn provider_error(error: &RawValue) -> Fault {
    let ReceiptError { code, title } = receipt_error(error);
    Fault::new(reason::PROVIDER_ERROR, format!("{code} {title}"))
}

/// An error without a code that can be read has code 0.
fn receipt_error(error: &RawValue) -> ReceiptError {
    let Ok(error) = Object::read(error.get()) else {
        return ReceiptError { code: 0, title: String::new() };
    };
    let code = match error.get("code") {
        Ok(Some(Value::Number(code))) => code.as_i64(),
        Ok(Some(Value::String(code))) => code.parse().ok(),
        _ => None,
    };
    let title = error.adornment("title").or_else(|| error.adornment("message")).unwrap_or_default();
    ReceiptError {
        code: code.and_then(|code| i32::try_from(code).ok()).unwrap_or(0),
        title: cut(&title, 200).into_owned(),
    }
}
