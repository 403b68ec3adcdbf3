//! The API of Wigwag. No I/O.
//!
//! Both planes depend on this crate and on nothing of each other: the operator reads [`WhatsAppTenant`] and
//! [`Flow`] from the API server and writes them, as they are, into a folder; the data plane reads that folder.
//! What travels back, from a data plane's admin port to the operator, is [`configz::Configz`] and
//! [`sessions::Standing`].
//!
//! Versioning: `v1alpha1` grows by optional fields only. The YAML beside this crate (`crds/*.yaml`) is generated
//! from these types (`make crds`) and held against them by a test.

// The derive's `printcolumn(...)` is repeated on purpose, once a column.
#![allow(clippy::duplicated_attributes)]

pub mod common;
pub mod condition;
pub mod configz;
pub mod flow;
pub mod labels;
pub mod manifest;
pub mod node;
pub mod reference;
pub mod revision;
pub mod sessions;
pub mod tenant;
pub mod text;

pub use flow::{Flow, FlowSpec, FlowStatus};
pub use tenant::{WhatsAppTenant, WhatsAppTenantSpec, WhatsAppTenantStatus};

use kube::CustomResourceExt;

/// The CustomResourceDefinitions of this version, each with the name of its file in `crds/`.
#[must_use]
pub fn definitions()
-> Vec<(&'static str, k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition)> {
    vec![("whatsapptenants.yaml", WhatsAppTenant::crd()), ("flows.yaml", Flow::crd())]
}
