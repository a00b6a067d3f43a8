//! Images from recipes: base root file system, builds, loading into clusters.
