//! Listing an S3 bucket, signed with AWS Signature Version 4.

use std::fmt::{self, Write as _};

use jiff::Timestamp;
use reqwest::Url;
use sha2::{Digest, Sha256};

use super::{ClientError, Http};

/// SHA-256 of an empty body.
const EMPTY_BODY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// Any region does for a store that has none.
const REGION: &str = "us-east-1";

/// HMAC's block size for SHA-256, bytes.
const BLOCK: usize = 64;

/// A key pair of an S3 store.
#[derive(Clone)]
pub struct Keys {
    /// Its public part.
    pub access: String,
    /// Its secret part.
    pub secret: String,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys")
            .field("access", &self.access)
            .finish_non_exhaustive()
    }
}

/// An S3 store.
#[derive(Debug, Clone)]
pub struct S3 {
    http: Http,
    keys: Keys,
}

impl S3 {
    /// The store at `base`, with these keys.
    ///
    /// # Errors
    /// When no HTTP client can be made in this process.
    pub fn new(base: Url, keys: Keys) -> Result<Self, ClientError> {
        Ok(Self {
            http: Http::new(base)?,
            keys,
        })
    }

    /// The keys and sizes (bytes) of up to 1,000 objects whose key begins so.
    pub async fn list(
        &self,
        bucket: &str,
        prefix: &str,
    ) -> Result<Vec<(String, u64)>, ClientError> {
        let query = format!("list-type=2&prefix={}", uri_encode(prefix));
        let url = self.http.url(&format!("/{bucket}?{query}"));
        let host = authority(&url);
        let signed = sign(
            &self.keys,
            &host,
            &format!("/{bucket}"),
            &query,
            Timestamp::now(),
        );
        let answer = self.http.get_with_headers(url, &signed).await?;
        Ok(objects(&answer))
    }
}

fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port()
        .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// The headers that sign a GET without body.
fn sign(
    keys: &Keys,
    host: &str,
    path: &str,
    query: &str,
    now: Timestamp,
) -> [(&'static str, String); 3] {
    let time = now.strftime("%Y%m%dT%H%M%SZ").to_string();
    let day = &time[..8];
    let scope = format!("{day}/{REGION}/s3/aws4_request");
    let names = "host;x-amz-content-sha256;x-amz-date";
    let canonical = format!(
        "GET\n{path}\n{query}\nhost:{host}\nx-amz-content-sha256:{EMPTY_BODY}\n\
         x-amz-date:{time}\n\n{names}\n{EMPTY_BODY}"
    );
    let to_sign = format!(
        "AWS4-HMAC-SHA256\n{time}\n{scope}\n{}",
        hex(&Sha256::digest(canonical.as_bytes()))
    );
    let mut key = hmac(format!("AWS4{}", keys.secret).as_bytes(), day.as_bytes());
    for part in [REGION, "s3", "aws4_request"] {
        key = hmac(&key, part.as_bytes());
    }
    let signature = hex(&hmac(&key, to_sign.as_bytes()));
    [
        (
            "authorization",
            format!(
                "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, \
                 Signature={signature}",
                keys.access
            ),
        ),
        ("x-amz-content-sha256", EMPTY_BODY.to_owned()),
        ("x-amz-date", time),
    ]
}

/// HMAC-SHA-256 (RFC 2104).
fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut block = [0_u8; BLOCK];
    if key.len() > BLOCK {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let inner = Sha256::new()
        .chain_update(block.map(|byte| byte ^ 0x36))
        .chain_update(message)
        .finalize();
    Sha256::new()
        .chain_update(block.map(|byte| byte ^ 0x5c))
        .chain_update(inner)
        .finalize()
        .into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Percent-encodes as the signature wants it.
fn uri_encode(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}

/// Keys and sizes in a `ListBucketResult`.
fn objects(xml: &str) -> Vec<(String, u64)> {
    xml.split("<Contents>")
        .skip(1)
        .filter_map(|entry| {
            let size = element(entry, "Size")?.parse().ok()?;
            Some((element(entry, "Key")?.to_owned(), size))
        })
        .collect()
}

fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let after = xml.split_once(&format!("<{name}>"))?.1;
    Some(after.split_once(&format!("</{name}>"))?.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example "GET Bucket (List Objects)" of Amazon's own description of the
    /// signature.
    #[test]
    fn signs_as_amazon_does() {
        let keys = Keys {
            access: "AKIAIOSFODNN7EXAMPLE".to_owned(),
            secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned(),
        };
        let now = "2013-05-24T00:00:00Z".parse().unwrap();
        let [(_, authorization), ..] = sign(
            &keys,
            "examplebucket.s3.amazonaws.com",
            "/",
            "max-keys=2&prefix=J",
            now,
        );
        assert!(
            authorization.ends_with(
                "Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
            ),
            "{authorization}"
        );
    }

    #[test]
    fn slash_of_a_prefix_is_encoded() {
        assert_eq!(uri_encode("1/ab-c_d.~"), "1%2Fab-c_d.~");
    }

    #[test]
    fn reads_a_listing() {
        let xml = "<ListBucketResult><Name>mlflow</Name><Contents><Key>1/r/artifacts/model/\
            MLmodel</Key><Size>712</Size></Contents><Contents><Key>x</Key><Size>0</Size>\
            </Contents></ListBucketResult>";
        assert_eq!(
            objects(xml),
            [
                ("1/r/artifacts/model/MLmodel".to_owned(), 712),
                ("x".to_owned(), 0)
            ]
        );
    }
}
