//! The first root file system: packages unpacked, not yet configured.

use std::{
    collections::BTreeSet,
    io::{self, Write},
    path::{Component, Path, PathBuf},
};

use bytes::Bytes;
use tar::{Archive, Builder, EntryType, Header};

use super::{BaseError, deb::data_tar};

/// Where the package files lie for `dpkg`.
pub(crate) const DEBS: &str = "debs";
/// Folders that Debian 12 has below `/usr`, with links to them from the root.
const MERGED: [&str; 4] = ["bin", "lib", "lib64", "sbin"];
/// Parts of the path `usr/share/doc/PACKAGE`.
const PACKAGE_DOCS_DEPTH: usize = 4;

const SOURCES: &str = "\
Types: deb
URIs: http://deb.debian.org/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://deb.debian.org/debian-security
Suites: bookworm-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
";
/// Manuals and translations are read by no program; licences stay.
const DPKG: &str = "\
force-unsafe-io
path-exclude /usr/share/doc/*
path-include /usr/share/doc/*/copyright
path-exclude /usr/share/info/*
path-exclude /usr/share/locale/*
path-exclude /usr/share/man/*
";
const APT: &str = "\
APT::Install-Recommends \"false\";
APT::Install-Suggests \"false\";
";
/// No package starts a service while it is installed.
const POLICY: &str = "#!/bin/sh\nexit 101\n";

/// A package file, by the name it has in the archive.
pub(crate) struct Deb {
    pub(crate) file: String,
    pub(crate) bytes: Bytes,
}

/// Writes the packages' files, and the packages themselves below [`DEBS`], as a tar.
pub(crate) fn write(debs: &[Deb], out: impl Write) -> Result<(), BaseError> {
    let mut root = Root {
        tar: Builder::new(out),
        folders: BTreeSet::new(),
    };
    root.skeleton().map_err(|source| unpack("base", source))?;
    for deb in debs {
        root.package(deb)
            .map_err(|source| unpack(&deb.file, source))?;
    }
    root.tar
        .into_inner()
        .and_then(|mut out| out.flush())
        .map_err(|source| unpack("base", source))
}

struct Root<W: Write> {
    tar: Builder<W>,
    folders: BTreeSet<PathBuf>,
}

impl<W: Write> Root<W> {
    fn skeleton(&mut self) -> io::Result<()> {
        self.folder("usr")?;
        for name in MERGED {
            self.folder(&format!("usr/{name}"))?;
            let mut header = Header::new_gnu();
            header.set_entry_type(EntryType::Symlink);
            header.set_mode(0o777);
            header.set_size(0);
            self.tar
                .append_link(&mut header, name, format!("usr/{name}"))?;
            self.folders.insert(name.into());
        }
        self.file(
            "etc/apt/sources.list.d/debian.sources",
            0o644,
            SOURCES.as_bytes(),
        )?;
        self.file("etc/apt/apt.conf.d/90lab", 0o644, APT.as_bytes())?;
        self.file("etc/dpkg/dpkg.cfg.d/lab", 0o644, DPKG.as_bytes())?;
        self.file("usr/sbin/policy-rc.d", 0o755, POLICY.as_bytes())?;
        self.file("var/lib/dpkg/status", 0o644, b"")?;
        self.file("var/lib/dpkg/available", 0o644, b"")
    }

    fn package(&mut self, deb: &Deb) -> io::Result<()> {
        let mut archive = Archive::new(data_tar(&deb.bytes)?);
        for entry in archive.entries()? {
            let mut entry = entry?;
            let path = merged(&entry.path()?);
            if path.as_os_str().is_empty() || is_left_out(&path) {
                continue;
            }
            let mut header = entry.header().clone();
            let kind = header.entry_type();
            if kind.is_dir() {
                if self.folders.insert(path.clone()) {
                    self.tar.append_data(&mut header, &path, io::empty())?;
                }
            } else if let Some(target) = entry.link_name()? {
                let target = if kind.is_hard_link() {
                    merged(&target)
                } else {
                    target.into_owned()
                };
                self.tar.append_link(&mut header, &path, target)?;
            } else {
                self.tar.append_data(&mut header, &path, &mut entry)?;
            }
        }
        self.file(&format!("{DEBS}/{}", deb.file), 0o644, &deb.bytes)
    }

    fn folder(&mut self, path: &str) -> io::Result<()> {
        if !self.folders.insert(path.into()) {
            return Ok(());
        }
        let mut header = Header::new_gnu();
        header.set_entry_type(EntryType::Directory);
        header.set_mode(0o755);
        header.set_size(0);
        self.tar.append_data(&mut header, path, io::empty())
    }

    fn file(&mut self, path: &str, mode: u32, data: &[u8]) -> io::Result<()> {
        let folders: Vec<_> = path
            .match_indices('/')
            .map(|(end, _)| &path[..end])
            .collect();
        for folder in folders {
            self.folder(folder)?;
        }
        let mut header = Header::new_gnu();
        header.set_mode(mode);
        header.set_size(data.len() as u64);
        self.tar.append_data(&mut header, path, data)
    }
}

/// The path as it is with the folders of [`MERGED`] below `/usr`.
fn merged(path: &Path) -> PathBuf {
    let plain: PathBuf = path
        .components()
        .filter(|part| matches!(part, Component::Normal(_)))
        .collect();
    let first = plain.components().next();
    match first {
        Some(Component::Normal(first)) if MERGED.iter().any(|name| first == *name) => {
            Path::new("usr").join(plain)
        }
        _ => plain,
    }
}

fn is_left_out(path: &Path) -> bool {
    let below = |folder: &str| path.starts_with(folder) && path != Path::new(folder);
    let document = below("usr/share/doc")
        && path.components().count() > PACKAGE_DOCS_DEPTH
        && !path.ends_with("copyright");
    document || below("usr/share/info") || below("usr/share/locale") || below("usr/share/man")
}

fn unpack(package: &str, source: io::Error) -> BaseError {
    BaseError::Unpack {
        package: package.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moves_merged_folders_below_usr() {
        assert_eq!(merged(Path::new("./bin/sh")), Path::new("usr/bin/sh"));
        assert_eq!(
            merged(Path::new("./lib64/ld.so")),
            Path::new("usr/lib64/ld.so")
        );
        assert_eq!(merged(Path::new("./etc/../x")), Path::new("etc/x"));
        assert_eq!(merged(Path::new("./usr/bin/x")), Path::new("usr/bin/x"));
    }

    #[test]
    fn leaves_out_manuals_and_keeps_licences() {
        assert!(is_left_out(Path::new("usr/share/man/man1/ls.1.gz")));
        assert!(is_left_out(Path::new("usr/share/doc/apt/changelog.gz")));
        assert!(!is_left_out(Path::new("usr/share/doc/apt/copyright")));
        assert!(!is_left_out(Path::new("usr/share/man")));
        assert!(!is_left_out(Path::new("usr/share/perl5/x")));
    }
}
