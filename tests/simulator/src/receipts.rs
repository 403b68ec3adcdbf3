//! Status webhooks for accepted sends: by themselves as the policy says, or by hand.

use std::sync::Arc;

use anyhow::Context as _;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tokio::time::sleep;

use crate::{Platform, Posted, Sent, Subject, Update, graph_error::title_of};

/// Which receipts follow an accepted send by themselves, each as a webhook of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Receipts {
    /// None: the test posts them with [`Platform::post_status`], or there are none.
    None,
    /// `sent`.
    Sent,
    /// `sent`, `delivered`, `read`.
    #[default]
    All,
}

/// A receipt's status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Left Meta.
    Sent,
    /// Reached the phone.
    Delivered,
    /// Was looked at.
    Read,
    /// A voice message was listened to.
    Played,
    /// Did not arrive, with a Graph error code.
    Failed(i64),
}

impl Status {
    fn name(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Played => "played",
            Self::Failed(_) => "failed",
        }
    }
}

impl Platform {
    /// Posts a receipt for an accepted send and waits until it was answered 200 or given up. Rules apply.
    ///
    /// # Errors
    /// When nothing with this wamid was accepted.
    pub async fn post_status(self: &Arc<Self>, wamid: &str, status: Status) -> anyhow::Result<Posted> {
        let update = self.status_update(wamid, status)?;
        self.publish(update).await?.context("the simulator was stopped")
    }

    /// A receipt that is not posted yet, for [`Platform::post_batch`].
    ///
    /// # Errors
    /// When nothing with this wamid was accepted.
    pub fn status_update(&self, wamid: &str, status: Status) -> anyhow::Result<Update> {
        let sent = self.state().ledger.sent(wamid).cloned();
        let sent = sent.with_context(|| format!("no send with wamid {wamid:?} was accepted"))?;
        let number = self.number(&sent.phone_number_id)?;
        let subject =
            Subject::Status { id: wamid.to_owned(), status: status.name().to_owned(), customer: sent.customer.clone() };
        let value = Map::from_iter([("statuses".to_owned(), json!([status_object(&sent, status)]))]);
        Ok(Update::messages(&number, value, subject))
    }

    /// What follows an acceptance by itself. Each status is posted without waiting for the one before to be answered.
    pub(crate) fn begin_receipts(self: &Arc<Self>, wamid: &str, failing: Option<i64>) {
        let policy = self.state().receipts;
        let statuses = match (failing, policy) {
            (Some(code), _) => vec![Status::Failed(code)],
            (None, Receipts::None) => return,
            (None, Receipts::Sent) => vec![Status::Sent],
            (None, Receipts::All) => vec![Status::Sent, Status::Delivered, Status::Read],
        };
        let updates: Vec<_> = statuses.into_iter().filter_map(|s| self.status_update(wamid, s).ok()).collect();
        let platform = self.clone();
        self.spawn(async move {
            for update in updates {
                platform.publish(update);
                sleep(platform.receipt_gap).await;
            }
        });
    }
}

/// The shape of v25: no `conversation`, `pricing` on `sent` only.
fn status_object(sent: &Sent, status: Status) -> Value {
    let mut object = json!({
        "id": sent.wamid,
        "status": status.name(),
        "timestamp": Timestamp::now().as_second().to_string(),
    });
    if let Some(wa_id) = &sent.wa_id {
        object["recipient_id"] = json!(wa_id);
    }
    // Absent on `failed` when the send went to a phone.
    if let Some(user_id) = &sent.user_id
        && !(matches!(status, Status::Failed(_)) && sent.wa_id.is_some())
    {
        object["recipient_user_id"] = json!(user_id);
    }
    if let Some(own_id) = &sent.biz_opaque_callback_data {
        object["biz_opaque_callback_data"] = json!(own_id);
    }
    if status == Status::Sent {
        object["pricing"] = json!({
            "billable": false, "pricing_model": "PMP", "category": "service", "type": "free_customer_service",
        });
    }
    if let Status::Failed(code) = status {
        let title = title_of(code);
        object["errors"] = json!([{
            "code": code, "title": title, "message": title, "error_data": {"details": title},
            "href": "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/",
        }]);
    }
    object
}
