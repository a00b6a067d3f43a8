//! The container engine: the only crate that speaks to Docker.
//!
//! One module a noun: containers, volumes, networks, images, commands run inside a
//! container. It knows nothing of clusters, recipes or stacks. Every future may be
//! dropped; removing what is not there is success; ports are published on
//! 127.0.0.1 only.

pub mod connection;
pub mod container;
pub mod error;
pub mod exec;
pub mod image;
mod lines;
pub mod network;
pub mod owner;
pub mod pull;
pub mod push;
pub mod spec;
pub mod volume;

use std::pin::Pin;

use bytes::Bytes;
use futures::Stream;

pub use crate::{
    connection::{Engine, EngineInfo},
    container::{ContainerDetails, ContainerSummary, LogRange},
    error::EngineError,
    exec::{Exec, ExecOutput, ExecSpec},
    image::{ImageConfig, ImageDetails},
    lines::{Line, LineSource},
    network::NetworkSpec,
    pull::{PullError, PullProgress},
    push::{PushError, PushProgress},
    spec::{CgroupNamespace, ContainerSpec, GpuRequest, Mount, Port, Security},
    volume::Labelled,
};

/// Bytes on their way in or out of the engine.
pub type ByteStream = Pin<Box<dyn Stream<Item = std::io::Result<Bytes>> + Send>>;

/// Labels of a container, volume or network.
pub type Labels = std::collections::BTreeMap<String, String>;
