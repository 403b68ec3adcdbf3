//! The Service in front of the data plane's Pods.

use k8s_openapi::{
    api::core::v1::{Service, ServicePort, ServiceSpec},
    apimachinery::pkg::util::intstr::IntOrString,
};

use super::{HTTP_PORT, Owner};

/// The port of the Service.
pub const SERVICE_PORT: i32 = 80;

/// The tenant's Service.
#[must_use]
pub fn service(owner: &Owner) -> Service {
    Service {
        metadata: owner.metadata(),
        spec: Some(ServiceSpec {
            selector: Some(owner.selector()),
            ports: Some(vec![ServicePort {
                name: Some(HTTP_PORT.to_owned()),
                port: SERVICE_PORT,
                target_port: Some(IntOrString::String(HTTP_PORT.to_owned())),
                ..ServicePort::default()
            }]),
            ..ServiceSpec::default()
        }),
        ..Service::default()
    }
}
