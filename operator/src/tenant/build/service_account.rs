//! The account of the data plane's Pods. It has no rights and no token: the data plane speaks to no API server.

use k8s_openapi::api::core::v1::ServiceAccount;

use super::Owner;

/// The tenant's ServiceAccount.
#[must_use]
pub fn service_account(owner: &Owner) -> ServiceAccount {
    ServiceAccount {
        metadata: owner.metadata(),
        automount_service_account_token: Some(false),
        ..ServiceAccount::default()
    }
}
