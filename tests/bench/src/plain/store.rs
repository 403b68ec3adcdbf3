//! One message, row by row, in the tables of the data plane.

use anyhow::{Context, Result};
use sqlx::PgConnection;
use uuid::Uuid;
use wigwag_domain::{ContactId, DedupeKey, Inbound, InboundId, Sender, TenantKey};
use wigwag_providers::Provider;

/// What begins a Flow; see [`crate::tenant::SILENT_FLOW`].
const KEYWORD: &str = "nobody writes this";

/// Stores a message that was not stored before, and routes it.
pub(super) async fn message(
    connection: &mut PgConnection,
    tenant: &TenantKey,
    adapter: &impl Provider,
    message: Inbound,
) -> Result<()> {
    let id = InboundId::now();
    let key = DedupeKey::of_message(tenant, adapter.kind(), &message.channel, &message.provider_id);
    let new = sqlx::query("INSERT INTO dedupe (key, ref) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(Uuid::from_bytes(key.0))
        .bind(id.0)
        .execute(&mut *connection)
        .await?;
    if new.rows_affected() == 0 {
        return Ok(());
    }
    let contact = contact(connection, tenant, &message.from).await?;
    let (provider, provider_id, kind) = (message.provider.clone(), message.provider_id.clone(), message.content.kind());
    let payload = message.into_payload(tenant);
    sqlx::query(
        "INSERT INTO inbound (id, tenant, contact, provider, provider_id, kind, payload)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(id.0)
    .bind(tenant.as_str())
    .bind(contact.0)
    .bind(provider.as_str())
    .bind(provider_id)
    .bind(kind)
    .bind(serde_json::to_string(&payload)?)
    .execute(&mut *connection)
    .await?;
    let seq: i64 =
        sqlx::query_scalar("INSERT INTO job_ready (job, tenant, lane, contact) VALUES ($1, $2, $3, $4) RETURNING seq")
            .bind(id.0)
            .bind(tenant.as_str())
            .bind(contact.lane().0)
            .bind(contact.0)
            .fetch_one(&mut *connection)
            .await?;
    route(connection, contact, &payload.message).await?;
    sqlx::query("DELETE FROM job_ready WHERE seq = $1").bind(seq).execute(connection).await?;
    Ok(())
}

/// The sender's contact, made where nobody knows it.
async fn contact(connection: &mut PgConnection, tenant: &TenantKey, sender: &Sender) -> Result<ContactId> {
    if let Some(contact) = known(connection, tenant, sender).await? {
        return Ok(contact);
    }
    let contact = ContactId::random();
    let mut made = false;
    for (kind, value) in [("bsuid", &sender.user_id), ("phone", &sender.phone)] {
        let Some(value) = value else { continue };
        let inserted = sqlx::query(
            "INSERT INTO contact_identity (tenant, kind, value, contact) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        )
        .bind(tenant.as_str())
        .bind(kind)
        .bind(value)
        .bind(contact.0)
        .execute(&mut *connection)
        .await?;
        made |= inserted.rows_affected() > 0;
    }
    if !made {
        // Another request was faster.
        return known(connection, tenant, sender).await?.context("a sender has neither phone nor user id");
    }
    sqlx::query("INSERT INTO contact (id, tenant, lane, name) VALUES ($1, $2, $3, $4)")
        .bind(contact.0)
        .bind(tenant.as_str())
        .bind(contact.lane().0)
        .bind(&sender.name)
        .execute(&mut *connection)
        .await?;
    Ok(contact)
}

/// The contact of a sender's user id, else that of its phone.
async fn known(connection: &mut PgConnection, tenant: &TenantKey, sender: &Sender) -> Result<Option<ContactId>> {
    let contact: Option<Uuid> = sqlx::query_scalar(
        "SELECT contact FROM contact_identity
          WHERE tenant = $1 AND (kind = 'bsuid' AND value = $2 OR kind = 'phone' AND value = $3)
          ORDER BY kind LIMIT 1",
    )
    .bind(tenant.as_str())
    .bind(&sender.user_id)
    .bind(&sender.phone)
    .fetch_optional(connection)
    .await?;
    Ok(contact.map(ContactId))
}

/// To the conversation that waits for the contact, else to the Flow that its text begins. In a run there is neither.
async fn route(connection: &mut PgConnection, contact: ContactId, text: &str) -> Result<()> {
    let waiting: Vec<(Uuid, String, String)> =
        sqlx::query_as("SELECT id, flow, context FROM session WHERE contact = $1 AND state IN ('Active', 'Paused')")
            .bind(contact.0)
            .fetch_all(connection)
            .await?;
    anyhow::ensure!(waiting.is_empty() && text != KEYWORD, "the comparison holds no conversations");
    Ok(())
}
