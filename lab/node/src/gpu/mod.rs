//! Offers this node's NVIDIA GPUs to pods, as `nvidia.com/gpu`: a device plugin of the
//! kubelet. Nothing of it shows on a node that never has a GPU's device file.

mod api;
mod devices;
mod door;
mod driver;
mod offer;
mod plugin;

pub(crate) use offer::offer;
