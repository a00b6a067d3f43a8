//! A Debian package file: an `ar` archive with a compressed tar of the files in it.

use std::io::{self, Read};

use bytes::Bytes;
use lzma_rust2::XzReader;

const MAGIC: &[u8] = b"!<arch>\n";
const HEADER_BYTES: usize = 60;

/// Reads the tar of a package's files.
pub(crate) fn data_tar(deb: &Bytes) -> io::Result<Box<dyn Read + Send>> {
    let mut rest = deb
        .strip_prefix(MAGIC)
        .ok_or_else(|| invalid("it is no ar archive"))?;
    while rest.len() >= HEADER_BYTES {
        let (header, after) = rest.split_at(HEADER_BYTES);
        let name = text(&header[..16])?.trim_end_matches('/').to_owned();
        let bytes: usize = text(&header[48..58])?
            .parse()
            .map_err(|_| invalid("an ar header has no size"))?;
        if after.len() < bytes {
            return Err(invalid("it is cut off"));
        }
        if let Some(compression) = name.strip_prefix("data.tar") {
            return unpacked(compression, deb.slice_ref(&after[..bytes]));
        }
        // Members start at even positions.
        rest = &after[(bytes + bytes % 2).min(after.len())..];
    }
    Err(invalid("it has no data.tar"))
}

fn unpacked(compression: &str, data: Bytes) -> io::Result<Box<dyn Read + Send>> {
    let data = io::Cursor::new(data);
    match compression {
        "" => Ok(Box::new(data)),
        ".xz" => Ok(Box::new(XzReader::new(data, true))),
        other => Err(invalid(&format!("its compression `{other}` is not known"))),
    }
}

fn text(field: &[u8]) -> io::Result<&str> {
    let text = std::str::from_utf8(field).map_err(|_| invalid("an ar header is no text"))?;
    Ok(text.trim_end())
}

fn invalid(message: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(name: &str, data: &[u8]) -> Vec<u8> {
        let mut bytes = format!("{name:<16}{:<32}{:<10}`\n", 0, data.len()).into_bytes();
        bytes.extend_from_slice(data);
        if data.len() % 2 == 1 {
            bytes.push(b'\n');
        }
        bytes
    }

    #[test]
    fn finds_the_data_behind_members_of_odd_length() {
        let mut deb = MAGIC.to_vec();
        deb.extend(member("debian-binary", b"2.0"));
        deb.extend(member("data.tar", b"files"));

        let mut read = String::new();
        data_tar(&deb.into())
            .unwrap()
            .read_to_string(&mut read)
            .unwrap();

        assert_eq!(read, "files");
    }

    #[test]
    fn refuses_a_file_that_is_cut_off() {
        let mut deb = MAGIC.to_vec();
        deb.extend(member("data.tar", b"files"));
        deb.truncate(deb.len() - 3);

        assert!(data_tar(&deb.into()).is_err());
    }
}
