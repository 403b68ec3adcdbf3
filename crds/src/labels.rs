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
/// Annotation on everything that the operator applies: a hash of what it applied. Where it equals the hash of what
/// should be there, nothing has to be taken away.
pub const APPLIED: &str = "wigwag.dev/applied";
/// Annotation on the Pod template: mark of the database's URL. The data plane reads the URL when it starts, so another
/// URL must be a rollout.
pub const DATABASE: &str = "wigwag.dev/database";
/// Field manager of every object that the operator applies for a tenant.
pub const FIELD_MANAGER: &str = "wigwag-operator";
/// Field manager of the status of both custom resources.
pub const STATUS_MANAGER: &str = "wigwag-operator-status";

/// `app.kubernetes.io/managed-by` of everything that the operator makes.
pub const MANAGED_BY: &str = "wigwag-operator";
