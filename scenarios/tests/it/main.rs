//! The features and their steps, without a cluster.

mod languages;
mod panels;
