//! Receipts, and errors that belong to no message.

use uuid::Uuid;
use wigwag_domain::{OutboundId, ReceiptError, Status};
use wigwag_providers::reason;

use super::*;

fn status(keys: Value) -> Item {
    let mut status = json!({"id": "wamid.OUT", "status": "sent", "timestamp": "1749416383", "recipient_id": "1"});
    status.as_object_mut().unwrap().extend(keys.as_object().unwrap().clone());
    only(handled(statuses(&[status.to_string()]).as_bytes()))
}

#[test]
fn a_receipt_tells_how_far_a_message_got() {
    for (word, expected) in [
        ("sent", Status::Sent),
        ("delivered", Status::Delivered),
        ("read", Status::Read),
        ("played", Status::Played),
        ("failed", Status::Failed),
    ] {
        let receipt = receipt(status(json!({"status": word})));
        assert_eq!((receipt.status, receipt.provider_id.as_str()), (expected, "wamid.OUT"));
        assert_eq!(receipt.at, Timestamp::from_second(1_749_416_383).unwrap());
    }
    assert_eq!(dead(status(json!({"status": "deleted"}))).reason, reason::UNKNOWN_STATUS);
}

#[test]
fn our_id_is_ours_only_where_we_could_have_written_it() {
    let id = Uuid::from_u128(7);
    let ours = |data: Value| receipt(status(json!({"biz_opaque_callback_data": data}))).our_id;
    assert_eq!(ours(json!(id.to_string())), Some(OutboundId(id)));
    assert_eq!(ours(json!("campaign 7")), None);
    assert_eq!(ours(json!(7)), None);
}

#[test]
fn a_failure_carries_metas_code_and_title() {
    let error = |errors: Value| receipt(status(json!({"status": "failed", "errors": errors}))).error;
    let told = ReceiptError { code: 131047, title: "Re-engagement message".into() };
    assert_eq!(error(json!([{"code": 131047, "title": "Re-engagement message"}])), Some(told.clone()));
    assert_eq!(error(json!([{"code": "131047", "message": "Re-engagement message"}])), Some(told));
    assert_eq!(error(json!([7])), Some(ReceiptError { code: 0, title: String::new() }));
    assert_eq!(error(json!([])), None);
}

#[test]
fn an_error_beside_messages_is_a_dead_letter_with_its_code() {
    let errors = change(NUMBER, r#""errors":[{"code":130429,"title":"Rate limit hit"}]"#);
    let letter = dead(only(handled(body(&[errors]).as_bytes())));
    assert_eq!(letter.reason, reason::PROVIDER_ERROR);
    assert_eq!(letter.detail, "entry[0].changes[0].value.errors[0]: 130429 Rate limit hit");
    assert_eq!(letter.raw, br#"{"code":130429,"title":"Rate limit hit"}"#);
}
