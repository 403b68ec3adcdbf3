//! Names that both planes, the chart and people's selectors rely on, written once.

/// The API group of both custom resources.
pub const GROUP: &str = "wigwag.dev";
/// Label on everything that the operator makes: the tenant that it was made for.
pub const TENANT: &str = "wigwag.dev/tenant";
/// Annotation beside a Flow in the ConfigMap: its revision, computed by the operator from the untyped spec.
pub const REVISION: &str = "wigwag.dev/revision";
/// Annotation that the operator bumps on Pods after it changed a ConfigMap or saw a Secret change, so that the
/// kubelet syncs their volumes at once instead of within its minute.
pub const CONFIG_SYNC: &str = "wigwag.dev/config-sync";
/// Field manager of every object that the operator applies for a tenant.
pub const FIELD_MANAGER: &str = "wigwag-operator";
/// Field manager of the status of both custom resources.
pub const STATUS_MANAGER: &str = "wigwag-operator-status";

/// `app.kubernetes.io/managed-by` of everything that the operator makes.
pub const MANAGED_BY: &str = "wigwag-operator";
