//! Writes the stubs of the kubelet's device plugin API (v1beta1), without `protoc`.

use tonic_build::manual::{Builder, Method, Service};

const CODEC: &str = "tonic_prost::ProstCodec";

fn main() {
    let registration = Service::builder()
        .name("Registration")
        .package("v1beta1")
        .method(method("register", "Register", "RegisterRequest", "Empty").build())
        .build();
    let plugin = Service::builder()
        .name("DevicePlugin")
        .package("v1beta1")
        .method(method("get_options", "GetDevicePluginOptions", "Empty", "Options").build())
        .method(
            method("list_and_watch", "ListAndWatch", "Empty", "DeviceList")
                .server_streaming()
                .build(),
        )
        .method(
            method(
                "allocate",
                "Allocate",
                "AllocateRequest",
                "AllocateResponse",
            )
            .build(),
        )
        .build();
    Builder::new().build_server(false).compile(&[registration]);
    Builder::new().build_client(false).compile(&[plugin]);
}

fn method(
    name: &str,
    route: &str,
    input: &str,
    output: &str,
) -> tonic_build::manual::MethodBuilder {
    let message = |name: &str| format!("crate::gpu::api::{name}");
    Method::builder()
        .name(name)
        .route_name(route)
        .input_type(message(input))
        .output_type(message(output))
        .codec_path(CODEC)
}
