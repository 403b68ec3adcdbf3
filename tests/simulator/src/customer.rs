//! A person who writes to a business number: by phone, by business-scoped id, or both.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, bail, ensure};
use jiff::Timestamp;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::{
    CustomerMessage, Event, Inbound, Number, Platform, Posted, Sent, Subject, Tappable, Update,
    render::written,
    webhook::{Profile, customer_key},
};

/// A customer of one business number.
#[derive(Debug)]
pub struct Customer {
    platform: Arc<Platform>,
    phone_number_id: String,
    profile: Profile,
    /// Sends to this customer that [`Self::reply`] gave out already.
    seen: AtomicUsize,
}

/// What the customer taps.
#[derive(Clone, Debug)]
pub enum Choice {
    /// By its words, or by its id.
    Title(String),
    /// By its place, from 1.
    Place(usize),
}

impl From<&str> for Choice {
    fn from(title: &str) -> Self {
        Self::Title(title.to_owned())
    }
}

impl From<usize> for Choice {
    fn from(place: usize) -> Self {
        Self::Place(place)
    }
}

impl Platform {
    /// A customer of this number. `identity` is a phone (`+34600111222`), whose business-scoped id is made up and always
    /// the same, or a business-scoped id (`ES.1349…`) of somebody who hides the phone.
    ///
    /// # Errors
    /// When the number is not registered.
    pub fn customer(self: &Arc<Self>, phone_number_id: &str, identity: &str, name: &str) -> anyhow::Result<Customer> {
        self.number(phone_number_id)?;
        let key = customer_key(identity);
        let (phone, user_id) = match key == identity && identity.contains('.') {
            true => (None, Some(key)),
            false => (Some(key.clone()), Some(business_scoped_id(&key))),
        };
        let profile = Profile { name: name.to_owned(), phone, user_id };
        let customer = Customer {
            platform: self.clone(),
            phone_number_id: phone_number_id.to_owned(),
            seen: AtomicUsize::new(self.state().ledger.sends_to(identity).len()),
            profile,
        };
        customer.make_known();
        Ok(customer)
    }
}

impl Customer {
    /// The same person under this business-scoped id; `None` as it was before 2026, phone only.
    pub fn with_user_id(mut self, user_id: Option<&str>) -> Self {
        self.profile.user_id = user_id.map(str::to_owned);
        self.make_known();
        self
    }

    /// Phone digits, or the business-scoped id of somebody without a phone: the name in the ledger.
    pub fn key(&self) -> String {
        self.profile.key()
    }

    /// Writes a message and waits until its webhook was answered 200 or given up. It goes on when nobody waits.
    ///
    /// # Errors
    /// When the simulator was stopped. A webhook that was refused is no error here: see [`Posted::acknowledged`].
    pub async fn post(&self, message: Inbound) -> anyhow::Result<Posted> {
        let update = self.update(message)?;
        self.platform.publish(update).await?.context("the simulator was stopped")
    }

    /// Writes a text.
    ///
    /// # Errors
    /// When its webhook was never answered 200.
    pub async fn say(&self, text: &str) -> anyhow::Result<Posted> {
        acknowledged(self.post(Inbound::text(text)).await?)
    }

    /// Taps a button, a list row or a template's quick reply of the last message to this customer that has any: answers
    /// with its real id and title, in reply to that message.
    ///
    /// # Errors
    /// When there is no such thing to tap, naming what there is; or when the webhook was never answered 200.
    pub async fn tap(&self, choice: impl Into<Choice>) -> anyhow::Result<Posted> {
        let sent = self.last(|sent| !sent.options().is_empty());
        let sent = sent.with_context(|| format!("{} has nothing to tap", self.profile.name))?;
        self.tap_on(&sent, choice).await
    }

    /// Taps on this message, however old.
    ///
    /// # Errors
    /// As [`Self::tap`].
    pub async fn tap_on(&self, sent: &Sent, choice: impl Into<Choice>) -> anyhow::Result<Posted> {
        let choice = choice.into();
        let options = sent.options();
        let tapped = match &choice {
            Choice::Place(place) => place.checked_sub(1).and_then(|p| options.get(p)),
            Choice::Title(words) => options.iter().find(|o| o.title == *words || o.id == *words),
        };
        let tapped = tapped.with_context(|| format!("no {choice:?} in {:?}", sent.line()))?;
        let reply = match tapped.kind {
            Tappable::Row => Inbound::list_reply(&tapped.id, &tapped.title, tapped.description.as_deref()),
            Tappable::Button => Inbound::button_reply(&tapped.id, &tapped.title),
            Tappable::QuickReply => Inbound::button(&tapped.id, &tapped.title),
        };
        self.quote(&sent.wamid, reply).await
    }

    /// Fills in the last form that was sent to this customer: `fields`, an object, goes back with the form's token.
    ///
    /// # Errors
    /// When no form was sent, `fields` is no object, or the webhook was never answered 200.
    pub async fn submit(&self, fields: Value) -> anyhow::Result<Posted> {
        let sent = self.last(|sent| sent.body["interactive"]["type"] == "flow");
        let sent = sent.with_context(|| format!("{} has no form to fill in", self.profile.name))?;
        self.submit_to(&sent, fields).await
    }

    /// Fills in this form, however old.
    ///
    /// # Errors
    /// As [`Self::submit`].
    pub async fn submit_to(&self, sent: &Sent, fields: Value) -> anyhow::Result<Posted> {
        let mut fields = match fields {
            Value::Object(fields) => fields,
            other => bail!("a form is filled in with an object of its fields, not with {other}"),
        };
        let token = &sent.body["interactive"]["action"]["parameters"]["flow_token"];
        // What Meta gives back where the business sent none.
        let token = token.as_str().unwrap_or("unused");
        fields.insert("flow_token".to_owned(), Value::String(token.to_owned()));
        self.quote(&sent.wamid, Inbound::nfm_reply(&Value::Object(fields))).await
    }

    /// Writes a message in reply to this one of the business.
    ///
    /// # Errors
    /// When the webhook was never answered 200.
    pub async fn quote(&self, wamid: &str, message: Inbound) -> anyhow::Result<Posted> {
        let business = self.number()?.display_phone_number;
        acknowledged(self.post(message.replying_to(&business, wamid)).await?)
    }

    fn last(&self, wanted: impl Fn(&Sent) -> bool) -> Option<Sent> {
        let state = self.platform.state();
        state.ledger.sends_to(&self.key()).into_iter().rev().find(|sent| wanted(sent)).cloned()
    }

    /// The next message to this customer that was not given out yet, in order of acceptance.
    ///
    /// # Errors
    /// When none came within the deadline.
    pub async fn reply(&self, deadline: Duration) -> anyhow::Result<Sent> {
        let place = self.seen.load(Ordering::SeqCst);
        let what = format!("reply {} to {}", place + 1, self.profile.name);
        let sent = self
            .platform
            .wait_for(&what, deadline, |ledger| ledger.sends_to(&self.key()).get(place).map(|s| (*s).clone()))
            .await?;
        self.seen.fetch_add(1, Ordering::SeqCst);
        Ok(sent)
    }

    /// A message of this customer that is not posted yet, for [`Platform::post_batch`]. It counts as written.
    ///
    /// # Errors
    /// When the number is not registered any more.
    pub fn update(&self, message: Inbound) -> anyhow::Result<Update> {
        let number = self.number()?;
        let id = message.id().map_or_else(wamid, str::to_owned);
        let at = Timestamp::now();
        let value = message.into_value(&self.profile, &id, at.as_second());
        let text = value.get("messages").map(|m| written(&m[0])).unwrap_or_default();

        self.platform.change(|s| {
            let order = s.ledger.next_order();
            s.ledger.customer_messages.push(CustomerMessage {
                order,
                at,
                phone_number_id: self.phone_number_id.clone(),
                customer: self.key(),
                name: self.profile.name.clone(),
                id: id.clone(),
                text: text.clone(),
            });
        });
        self.platform.tell(Event::CustomerMessage {
            phone_number_id: self.phone_number_id.clone(),
            customer: self.key(),
            name: self.profile.name.clone(),
            id: id.clone(),
            text,
        });
        Ok(Update::messages(&number, value, Subject::Message { id, customer: self.key() }))
    }

    fn number(&self) -> anyhow::Result<Number> {
        self.platform.number(&self.phone_number_id)
    }

    fn make_known(&self) {
        self.platform.change(|s| {
            s.profiles.retain(|p| p.key() != self.key());
            s.profiles.push(self.profile.clone());
        });
    }
}

/// A new message id. Real ones are base64, with the characters that trip those who put them into a URL or a CSV as
/// they are.
pub(crate) fn wamid() -> String {
    format!("wamid.HBgL{}+/AA==", Uuid::new_v4().simple().to_string().to_uppercase())
}

/// The webhook was answered 200.
pub(crate) fn acknowledged(posted: Posted) -> anyhow::Result<Posted> {
    let last = posted.attempts.last();
    ensure!(
        posted.acknowledged,
        "the webhook of message {} was not answered 200 in {} attempts; the last: {last:?}",
        posted.id,
        posted.attempts.len()
    );
    Ok(posted)
}

fn business_scoped_id(phone: &str) -> String {
    let digest = Sha256::digest(phone);
    let digits: u64 = digest.iter().take(8).fold(0, |n, byte| n << 8 | u64::from(*byte));
    format!("US.{digits:020}")
}
