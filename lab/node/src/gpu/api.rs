//! The kubelet's device plugin API, v1beta1: what goes over the wire. The numbers of the
//! fields are Kubernetes' own (`k8s.io/kubelet/pkg/apis/deviceplugin/v1beta1/api.proto`);
//! fields that nothing here reads or fills in are left out.

use prost::Message;

/// The only version of the API that kubelets speak.
pub(crate) const VERSION: &str = "v1beta1";
/// What a device is that may be given to a pod, and one that may not.
pub(crate) const HEALTHY: &str = "Healthy";
pub(crate) const UNHEALTHY: &str = "Unhealthy";

/// Nothing.
#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub(crate) struct Empty {}

/// What the kubelet is to ask before it gives a device away: with the defaults, nothing.
#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub(crate) struct Options {}

/// A plugin presents itself to the kubelet.
#[derive(Clone, PartialEq, Eq, Message)]
pub(crate) struct RegisterRequest {
    #[prost(string, tag = "1")]
    pub(crate) version: String,
    /// Name of the plugin's socket in the kubelet's folder for them.
    #[prost(string, tag = "2")]
    pub(crate) endpoint: String,
    #[prost(string, tag = "3")]
    pub(crate) resource_name: String,
}

/// Every device that there is.
#[derive(Clone, PartialEq, Eq, Message)]
pub(crate) struct DeviceList {
    #[prost(message, repeated, tag = "1")]
    pub(crate) devices: Vec<Device>,
}

/// One device.
#[derive(Clone, PartialEq, Eq, Message)]
pub(crate) struct Device {
    #[prost(string, tag = "1")]
    pub(crate) id: String,
    #[prost(string, tag = "2")]
    pub(crate) health: String,
}

/// The kubelet gives devices to the containers of a pod.
#[derive(Clone, PartialEq, Eq, Message)]
pub(crate) struct AllocateRequest {
    #[prost(message, repeated, tag = "1")]
    pub(crate) containers: Vec<Wanted>,
}

/// The devices of one container.
#[derive(Clone, PartialEq, Eq, Message)]
pub(crate) struct Wanted {
    #[prost(string, repeated, tag = "1")]
    pub(crate) ids: Vec<String>,
}

/// What each container gets, in the order of the request.
#[derive(Clone, PartialEq, Eq, Message)]
pub(crate) struct AllocateResponse {
    #[prost(message, repeated, tag = "1")]
    pub(crate) containers: Vec<Given>,
}

/// What one container gets.
#[derive(Clone, PartialEq, Eq, Message)]
pub(crate) struct Given {
    #[prost(message, repeated, tag = "2")]
    pub(crate) mounts: Vec<Mount>,
    #[prost(message, repeated, tag = "3")]
    pub(crate) devices: Vec<DeviceFile>,
}

/// A file of the node in the container.
#[derive(Clone, PartialEq, Eq, Message)]
pub(crate) struct Mount {
    #[prost(string, tag = "1")]
    pub(crate) container_path: String,
    #[prost(string, tag = "2")]
    pub(crate) host_path: String,
    #[prost(bool, tag = "3")]
    pub(crate) read_only: bool,
}

/// A device file of the node in the container.
#[derive(Clone, PartialEq, Eq, Message)]
pub(crate) struct DeviceFile {
    #[prost(string, tag = "1")]
    pub(crate) container_path: String,
    #[prost(string, tag = "2")]
    pub(crate) host_path: String,
    /// `r`, `w` and `m` for reading, writing and making it.
    #[prost(string, tag = "3")]
    pub(crate) permissions: String,
}

mod stubs {
    #![allow(
        clippy::all,
        clippy::pedantic,
        clippy::allow_attributes_without_reason,
        missing_docs,
        unreachable_pub,
        reason = "written by tonic-build"
    )]
    include!(concat!(env!("OUT_DIR"), "/v1beta1.Registration.rs"));
    include!(concat!(env!("OUT_DIR"), "/v1beta1.DevicePlugin.rs"));
}

pub(crate) use stubs::{
    device_plugin_server::{DevicePlugin, DevicePluginServer},
    registration_client::RegistrationClient,
};
