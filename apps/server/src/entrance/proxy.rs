//! The PROXY protocol, versions 1 and 2: what a balancer says about a connection before the client's first byte
//! (the protocol's specification comes with HAProxy).

use std::io::{Error, ErrorKind};
use std::net::IpAddr;

use ppp::v2::Command;
use ppp::{HeaderResult, v1, v2};
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// The first bytes of version 2; version 1 is longer in any case.
const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";

/// The longest line of version 1, with its end.
const LINE_BYTES_MAX: usize = 107;

/// The most bytes that may follow the head of version 2: addresses, and some additions of which none is used.
const REST_BYTES_MAX: usize = 4096;

/// Reads what is said and not a byte more: the client's address; `None` where the balancer speaks for itself, or does not know it.
pub(super) async fn client(stream: &mut (impl AsyncRead + Unpin)) -> Result<Option<IpAddr>, Error> {
    let mut said = vec![0; SIGNATURE.len()];
    stream.read_exact(&mut said).await?;
    if said == SIGNATURE {
        let mut head = [0; 4];
        stream.read_exact(&mut head).await?;
        said.extend_from_slice(&head);
        let rest = usize::from(u16::from_be_bytes([head[2], head[3]]));
        if rest > REST_BYTES_MAX {
            return Err(malformed());
        }
        let begin = said.len();
        said.resize(begin + rest, 0);
        stream.read_exact(&mut said[begin..]).await?;
    } else if said.starts_with(b"PROXY ") {
        while !said.ends_with(b"\r\n") {
            if said.len() >= LINE_BYTES_MAX {
                return Err(malformed());
            }
            said.push(stream.read_u8().await?);
        }
    } else {
        return Err(malformed());
    }
    read(&said)
}

fn read(said: &[u8]) -> Result<Option<IpAddr>, Error> {
    match HeaderResult::parse(said) {
        HeaderResult::V1(Ok(header)) => Ok(match header.addresses {
            v1::Addresses::Tcp4(addresses) => Some(addresses.source_address.into()),
            v1::Addresses::Tcp6(addresses) => Some(addresses.source_address.into()),
            v1::Addresses::Unknown => None,
        }),
        HeaderResult::V2(Ok(header)) => Ok(match (header.command, header.addresses) {
            (Command::Local, _) => None,
            (Command::Proxy, v2::Addresses::IPv4(addresses)) => Some(addresses.source_address.into()),
            (Command::Proxy, v2::Addresses::IPv6(addresses)) => Some(addresses.source_address.into()),
            (Command::Proxy, v2::Addresses::Unspecified | v2::Addresses::Unix(_)) => None,
        }),
        HeaderResult::V1(Err(_)) | HeaderResult::V2(Err(_)) => Err(malformed()),
    }
}

fn malformed() -> Error {
    Error::new(ErrorKind::InvalidData, "not the PROXY protocol")
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn said(bytes: &[u8]) -> (Result<Option<IpAddr>, ErrorKind>, Vec<u8>) {
        let mut stream = bytes;
        let client = client(&mut stream).await.map_err(|error| error.kind());
        (client, stream.to_vec())
    }

    fn version_2(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
        [&SIGNATURE[..], &[0x20 | command, family], &length, rest].concat()
    }

    #[tokio::test]
    async fn both_versions_say_whose_a_connection_is_and_the_clients_bytes_stay() {
        let addresses = [203, 0, 113, 7, 10, 0, 0, 1, 1, 1, 2, 2];
        let additions = [&addresses[..], &[4, 0, 2, 0, 0]].concat();
        let six = [[0x20; 16], [0x30; 16]].concat();
        let six = [&six[..], &[0, 1, 0, 2]].concat();
        let four: IpAddr = "203.0.113.7".parse().unwrap();
        let cases: [(Vec<u8>, Option<IpAddr>); 8] = [
            (b"PROXY TCP4 203.0.113.7 10.0.0.1 1000 80\r\n".to_vec(), Some(four)),
            (b"PROXY TCP6 2001:db8::7 ::1 1000 80\r\n".to_vec(), Some("2001:db8::7".parse().unwrap())),
            (b"PROXY UNKNOWN\r\n".to_vec(), None),
            (version_2(1, 0x11, &addresses), Some(four)),
            (version_2(1, 0x11, &additions), Some(four)),
            (version_2(1, 0x21, &six), Some([0x20; 16].into())),
            (version_2(0, 0x00, &[]), None),
            (version_2(0, 0x11, &addresses), None),
        ];
        for (bytes, expected) in cases {
            let with_request = [&bytes[..], b"GET / HTTP/1.1\r\n"].concat();
            assert_eq!(
                said(&with_request).await,
                (Ok(expected), b"GET / HTTP/1.1\r\n".to_vec()),
                "{bytes:?}"
            );
            // Whatever is cut off is not taken for a whole.
            for end in 0..bytes.len() {
                assert!(said(&bytes[..end]).await.0.is_err(), "{end} of {bytes:?}");
            }
        }
    }

    #[tokio::test]
    async fn whoever_says_something_else_is_refused() {
        let endless = [b"PROXY TCP4 ".to_vec(), vec![b'1'; 1000]].concat();
        let long = version_2(1, 0x11, &[0; REST_BYTES_MAX + 1]);
        let cases: [&[u8]; 5] = [
            b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
            b"PROXY TCP4 somewhere 10.0.0.1 1000 80\r\n",
            &endless,
            &long,
            &version_2(1, 0x11, &[1, 2, 3]),
        ];
        for bytes in cases {
            assert_eq!(said(bytes).await.0, Err(ErrorKind::InvalidData));
        }
    }
}
