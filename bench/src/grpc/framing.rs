//! How gRPC delimits messages: one byte that says whether it is compressed, its length
//! in four bytes, big-endian, and the message ("Length-Prefixed-Message" of gRPC's
//! `PROTOCOL-HTTP2`).

use bytes::{Bytes, BytesMut};

/// Bytes before a message.
const PREFIX: usize = 5;

/// A message as it goes into an HTTP/2 body. `None`: it is longer than 4 GiB.
pub fn frame(message: &[u8]) -> Option<Bytes> {
    let length = u32::try_from(message.len()).ok()?;
    let mut framed = BytesMut::with_capacity(PREFIX + message.len());
    framed.extend_from_slice(&[0]);
    framed.extend_from_slice(&length.to_be_bytes());
    framed.extend_from_slice(message);
    Some(framed.freeze())
}

/// The one message of an HTTP/2 body.
///
/// # Errors
/// In plain words, when the body holds less or more than one message, or a compressed
/// one, which nobody asked for.
pub fn unframe(body: &Bytes) -> Result<Bytes, String> {
    let Some((prefix, rest)) = body.split_first_chunk::<PREFIX>() else {
        return Err(format!("{} bytes are no gRPC message", body.len()));
    };
    let [compressed, length @ ..] = *prefix;
    if compressed != 0 {
        return Err("the message is compressed, which was not asked for".to_owned());
    }
    let length = u32::from_be_bytes(length);
    if u64::from(length) != rest.len() as u64 {
        return Err(format!(
            "a message of {length} bytes was announced, {} came",
            rest.len()
        ));
    }
    Ok(body.slice(PREFIX..))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_was_framed_is_found_again(message in prop::collection::vec(any::<u8>(), 0..300)) {
            let framed = frame(&message).unwrap();
            prop_assert_eq!(unframe(&framed).unwrap(), Bytes::from(message));
        }

        #[test]
        fn no_bytes_make_it_panic(body in prop::collection::vec(any::<u8>(), 0..20)) {
            let _ = unframe(&Bytes::from(body));
        }
    }

    #[test]
    fn a_message_is_preceded_by_its_length() {
        assert_eq!(
            frame(b"abc").unwrap(),
            Bytes::from_static(b"\0\0\0\0\x03abc")
        );
    }

    #[test]
    fn what_is_not_one_plain_message_is_told() {
        for (body, reason) in [
            (&b""[..], "0 bytes are no gRPC message"),
            (
                b"\x01\0\0\0\x01a",
                "the message is compressed, which was not asked for",
            ),
            (
                b"\0\0\0\0\x03ab",
                "a message of 3 bytes was announced, 2 came",
            ),
            (
                b"\0\0\0\0\x01ab",
                "a message of 1 bytes was announced, 2 came",
            ),
        ] {
            assert_eq!(unframe(&Bytes::copy_from_slice(body)).unwrap_err(), reason);
        }
    }
}
