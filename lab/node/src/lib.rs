//! The node's first process: certificates, supervision, DNS.
