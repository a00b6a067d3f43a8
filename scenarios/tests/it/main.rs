//! The features and their steps, without a cluster.

#[cfg(test)]
mod languages;
#[cfg(test)]
mod panels;
