//! HTTP/1.1 answers, read from the bytes that came.

use std::ops::Range;

use memchr::memmem;

/// Most headers an answer may have.
const HEADERS: usize = 64;
/// Longest head that is read, bytes.
const LONGEST_HEAD: usize = 64 * 1024;

/// Where an answer's body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Length {
    Known(usize),
    Chunked,
    UntilClosed,
}

/// What an answer's head says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Head {
    bytes: usize,
    status: u16,
    length: Length,
    keeps_open: bool,
}

/// Where an answer's body lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Body {
    /// In the buffer.
    Here(Range<usize>),
    /// Put together from chunks.
    Gathered(Vec<u8>),
}

/// A whole answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Whole {
    pub(crate) status: u16,
    pub(crate) body: Body,
    /// The bytes it took of the buffer.
    pub(crate) bytes: usize,
    /// Whether the connection may be used again.
    pub(crate) keeps_open: bool,
}

/// How far an answer is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reading {
    Whole(Whole),
    /// More must come; in all at least so many bytes.
    Partial(usize),
    Malformed(String),
}

/// Reads answers. Servers repeat their heads: one that begins with the bytes of the
/// last one says the same and is not read again.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    last: Vec<u8>,
    says: Option<Head>,
}

impl Reader {
    /// Reads the answer at the buffer's start. `closed` says that nothing more comes.
    pub(crate) fn read(&mut self, buffer: &[u8], closed: bool) -> Reading {
        let head = match self.head(buffer) {
            Ok(Some(head)) => head,
            Ok(None) if buffer.len() > LONGEST_HEAD => {
                return Reading::Malformed(format!("no end of the head in {LONGEST_HEAD} bytes"));
            }
            Ok(None) => return Reading::Partial(0),
            Err(error) => return Reading::Malformed(error),
        };
        let rest = &buffer[head.bytes..];
        let (body, end) = match head.length {
            Length::Known(length) if rest.len() < length => {
                return Reading::Partial(head.bytes + length);
            }
            Length::Known(length) => {
                let end = head.bytes + length;
                (Body::Here(head.bytes..end), end)
            }
            Length::UntilClosed if !closed => return Reading::Partial(0),
            Length::UntilClosed => (Body::Here(head.bytes..buffer.len()), buffer.len()),
            Length::Chunked => match chunks(rest) {
                Ok(Some((body, bytes))) => (Body::Gathered(body), head.bytes + bytes),
                Ok(None) => return Reading::Partial(0),
                Err(error) => return Reading::Malformed(error),
            },
        };
        Reading::Whole(Whole {
            status: head.status,
            body,
            bytes: end,
            keeps_open: head.keeps_open,
        })
    }

    fn head(&mut self, buffer: &[u8]) -> Result<Option<Head>, String> {
        if let Some(head) = self.says
            && buffer.starts_with(&self.last)
        {
            return Ok(Some(head));
        }
        let Some(end) = memmem::find(buffer, b"\r\n\r\n") else {
            return Ok(None);
        };
        let bytes = &buffer[..end + 4];
        let head = parse(bytes)?;
        self.last.clear();
        self.last.extend_from_slice(bytes);
        self.says = Some(head);
        Ok(Some(head))
    }
}

fn parse(bytes: &[u8]) -> Result<Head, String> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    response
        .parse(bytes)
        .map_err(|error| format!("not HTTP/1.1: {error}"))?;
    let status = response.code.unwrap_or_default();
    let mut head = Head {
        bytes: bytes.len(),
        status,
        length: if matches!(status, 100..=199 | 204 | 304) {
            Length::Known(0)
        } else {
            Length::UntilClosed
        },
        keeps_open: response.version == Some(1),
    };
    for header in response.headers.iter() {
        let value = header.value.trim_ascii();
        if header.name.eq_ignore_ascii_case("content-length") {
            let length = std::str::from_utf8(value)
                .ok()
                .and_then(|it| it.parse().ok());
            head.length = Length::Known(length.ok_or("a Content-Length that is no number")?);
        } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
            if !value.eq_ignore_ascii_case(b"chunked") {
                return Err("a Transfer-Encoding other than chunked".to_owned());
            }
            head.length = Length::Chunked;
        } else if header.name.eq_ignore_ascii_case("connection") {
            head.keeps_open = !value.eq_ignore_ascii_case(b"close");
        }
    }
    if head.length == Length::UntilClosed {
        head.keeps_open = false;
    }
    Ok(head)
}

/// The body of all chunks, and the bytes they took.
fn chunks(bytes: &[u8]) -> Result<Option<(Vec<u8>, usize)>, String> {
    let mut body = Vec::new();
    let mut at = 0;
    loop {
        let size = httparse::parse_chunk_size(&bytes[at..])
            .map_err(|_| "a chunk whose size is no number".to_owned())?;
        let httparse::Status::Complete((taken, size)) = size else {
            return Ok(None);
        };
        at += taken;
        if size == 0 {
            // Trailers, if any, end as a head does.
            let end = match &bytes[at..] {
                rest if rest.starts_with(b"\r\n") => Some(2),
                rest => memmem::find(rest, b"\r\n\r\n").map(|end| end + 4),
            };
            return Ok(end.map(|end| (body, at + end)));
        }
        let size = usize::try_from(size).map_err(|_| "a chunk that is too large".to_owned())?;
        let Some(chunk) = at.checked_add(size).and_then(|end| bytes.get(at..end)) else {
            return Ok(None);
        };
        body.extend_from_slice(chunk);
        at += size;
        match bytes.get(at..at + 2) {
            None => return Ok(None),
            Some(b"\r\n") => at += 2,
            Some(_) => return Err("a chunk that is longer than it says".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn whole(reading: Reading, buffer: &[u8]) -> (u16, Vec<u8>, usize, bool) {
        let Reading::Whole(whole) = reading else {
            panic!("{reading:?}");
        };
        let body = match whole.body {
            Body::Here(range) => buffer[range].to_vec(),
            Body::Gathered(body) => body,
        };
        (whole.status, body, whole.bytes, whole.keeps_open)
    }

    fn chunked(chunks: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
        for chunk in chunks.iter().filter(|chunk| !chunk.is_empty()) {
            bytes.extend(format!("{:x}\r\n", chunk.len()).bytes());
            bytes.extend(chunk);
            bytes.extend(b"\r\n");
        }
        bytes.extend(b"0\r\n\r\n");
        bytes
    }

    proptest! {
        #[test]
        fn an_answer_is_whole_with_its_last_byte_and_not_before(
            body in prop::collection::vec(any::<u8>(), 0..200), cut in any::<prop::sample::Index>()
        ) {
            let mut bytes =
                format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len()).into_bytes();
            bytes.extend(&body);
            let cut = cut.index(bytes.len());
            let mut reader = Reader::default();
            prop_assert!(matches!(reader.read(&bytes[..cut], false), Reading::Partial(_)));
            let length = bytes.len();
            bytes.extend(b"HTTP/1.1 next");
            prop_assert_eq!(whole(reader.read(&bytes, false), &bytes), (200, body, length, true));
        }

        #[test]
        fn chunks_are_put_together(
            chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..50), 0..6),
            cut in any::<prop::sample::Index>()
        ) {
            let bytes = chunked(&chunks);
            let mut reader = Reader::default();
            let cut = cut.index(bytes.len());
            prop_assert!(matches!(reader.read(&bytes[..cut], false), Reading::Partial(_)));
            prop_assert_eq!(
                whole(reader.read(&bytes, false), &bytes),
                (200, chunks.concat(), bytes.len(), true)
            );
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            Reader::default().read(&bytes, false);
            let mut answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
            answer.extend(bytes);
            Reader::default().read(&answer, true);
        }
    }

    #[test]
    fn a_head_that_differs_from_the_last_one_is_read() {
        let mut reader = Reader::default();
        let first = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na";
        let second = b"HTTP/1.1 503 Busy\r\nContent-Length: 2\r\nConnection: close\r\n\r\nbb";
        for _ in 0..2 {
            assert_eq!(whole(reader.read(first, false), first).0, 200);
            let (status, body, _, keeps_open) = whole(reader.read(second, false), second);
            assert_eq!(
                (status, body.as_slice(), keeps_open),
                (503, &b"bb"[..], false)
            );
        }
    }

    #[test]
    fn a_body_without_a_length_ends_with_the_connection() {
        let bytes = b"HTTP/1.0 200 OK\r\n\r\nhello";
        let mut reader = Reader::default();
        assert_eq!(reader.read(bytes, false), Reading::Partial(0));
        let (_, body, _, keeps_open) = whole(reader.read(bytes, true), bytes);
        assert_eq!((body.as_slice(), keeps_open), (&b"hello"[..], false));
    }

    #[test]
    fn what_is_no_answer_is_told() {
        let mut reader = Reader::default();
        for bytes in [
            &b"SSH-2.0-OpenSSH\r\n\r\n"[..],
            b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        ] {
            let reading = reader.read(bytes, false);
            assert!(matches!(reading, Reading::Malformed(_)), "{reading:?}");
        }
    }
}
