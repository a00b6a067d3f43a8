//! Images from recipes: base root file system, builds, pulls, saving for clusters.
//!
//! A recipe is a folder below `fixtures/images`. Its image is tagged by content, so an
//! image that is there is never made again, and an interrupted build goes on with the
//! recipes that are left. Everything a build needs runs in containers; nothing of the
//! host (proxy, certificates, mirrors) stays in an image. It knows nothing of clusters.

mod base;
mod build;
mod builder;
mod content;
mod disk;
mod error;
mod export;
mod fetch;
mod images;
mod layers;
mod named;
mod progress;
mod pull;
mod push;
mod python;
mod recipe;
mod recipes;
mod reference;
mod settings;
mod site;
mod steps;
mod work;

pub use crate::{
    base::BaseError,
    error::ImageError,
    fetch::FetchError,
    images::{ImageEntry, Images},
    push::Registry,
    recipe::{Config, Estimate, Kind, Origin, Python, Recipe},
    recipes::{BASE, Recipes},
    reference::Pull,
    settings::{Patience, Policy, Settings},
    site::{debian_mirror, python_index},
};
