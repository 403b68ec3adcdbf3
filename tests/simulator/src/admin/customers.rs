//! What a customer does, as JSON: writes, taps, fills in a form.

use std::time::Duration;

use anyhow::{Context as _, bail};
use axum::{
    Json,
    extract::{Path, State},
};
use serde_json::{Map, Value, json};

use super::{Answer, Shared};
use crate::{Choice, Customer, Inbound, Platform, Posted, Sent, customer::acknowledged};

/// Types whose object is known by its name alone.
const KINDS: [&str; 10] =
    ["image", "video", "audio", "document", "sticker", "location", "contacts", "order", "button", "reaction"];

pub(super) async fn write(
    State(platform): Shared,
    Path(phone): Path<String>,
    Json(mut message): Json<Map<String, Value>>,
) -> Answer<Value> {
    let number = match message.remove("number") {
        Some(Value::String(number)) => number,
        _ => platform.only_number()?,
    };
    let name = message.remove("name").and_then(|n| n.as_str().map(str::to_owned));
    let name = name.or_else(|| Some(platform.state().profile(&phone)?.name.clone()));
    let wait = message.remove("wait_ms").and_then(|ms| ms.as_u64()).unwrap_or(0);
    let customer = platform.customer(&number, &phone, name.as_deref().unwrap_or("Customer"))?;

    let posted = write_as(&platform, &customer, message).await?;
    let mut replies: Vec<String> = Vec::new();
    // The first answer within the time asked for; what belongs to it comes close behind.
    let mut patience = Duration::from_millis(wait);
    while let Ok(reply) = customer.reply(patience).await {
        replies.push(reply.line());
        patience = patience.min(Duration::from_millis(300));
    }
    Ok(Json(json!({"posted": posted, "replies": replies})))
}

async fn write_as(platform: &Platform, customer: &Customer, mut message: Map<String, Value>) -> anyhow::Result<Posted> {
    let on = message.remove("on").and_then(|on| on.as_str().map(str::to_owned));
    if let Some(choice) = message.remove("tap") {
        let choice = match choice {
            Value::String(title) => Choice::Title(title),
            place => {
                Choice::Place(place.as_u64().context("tap is an option's title, its id, or its place from 1")? as usize)
            }
        };
        return match on {
            None => customer.tap(choice).await,
            Some(on) => customer.tap_on(&sent(platform, &on)?, choice).await,
        };
    }
    if let Some(fields) = message.remove("form") {
        return match on {
            None => customer.submit(fields).await,
            Some(on) => customer.submit_to(&sent(platform, &on)?, fields).await,
        };
    }
    let inbound = inbound(message)?;
    match on {
        None => acknowledged(customer.post(inbound).await?),
        Some(on) => customer.quote(&on, inbound).await,
    }
}

fn sent(platform: &Platform, wamid: &str) -> anyhow::Result<Sent> {
    let sent = platform.state().ledger.sent(wamid).cloned();
    sent.with_context(|| format!("no send with wamid {wamid:?} was accepted: `on` names one of the ledger's sends"))
}

/// A message of one type, with other fields of Meta's beside its object.
fn inbound(mut message: Map<String, Value>) -> anyhow::Result<Inbound> {
    let kind = match message.remove("type") {
        Some(Value::String(kind)) => kind,
        _ if message.get("text").is_some_and(Value::is_string) => "text".to_owned(),
        _ => match KINDS.into_iter().find(|kind| message.contains_key(*kind)) {
            Some(kind) => kind.to_owned(),
            None => {
                bail!("write {{\"text\": …}}, {{\"tap\": …}}, {{\"form\": …}}, or {{KIND: …}} with one of {KINDS:?}")
            }
        },
    };
    let content = message.remove(&kind).with_context(|| format!("type {kind:?} without {kind:?} beside"))?;
    let inbound = match content {
        Value::String(text) if kind == "text" => Inbound::text(text),
        content => Inbound::completed(&kind, content),
    };
    Ok(message.into_iter().fold(inbound, |inbound, (key, value)| inbound.with(key, value)))
}
