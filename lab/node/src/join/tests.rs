//! Joining over real TLS on the loopback; only the cluster behind it is made up.

use std::path::Path;

use tokio::net::TcpListener;

use super::*;
use crate::pki::{Authority, NodeKey};

const NAME: &str = "demo-agent-1";
const NETWORK: &str = "10.42.1.0/24";

/// A server's authority and certificate, in a folder.
fn server(folder: &Path) -> Authority {
    let authority = Authority::open(folder, "ca", "kubernetes-ca").unwrap();
    authority.make_server(folder, "127.0.0.1");
    authority
}

/// Asks a server that has `secret` with a token of that authority and secret.
async fn ask_with(
    folder: &Path,
    secret: &Secret,
    token: Token,
    name: &str,
) -> Result<Admission, JoinError> {
    let authority = server(folder);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = Server::at(listener.local_addr().unwrap().port());
    let gate = Gate {
        authority: &authority,
        secret,
        own_name: "demo",
        register: async |_: &str| Ok(NETWORK.to_owned()),
    };
    let key = NodeKey::generate().unwrap().public();
    let (certificate, private) = (folder.join("server.crt"), folder.join("server.key"));
    tokio::select! {
        ended = gate.keep(listener, &certificate, &private) => match ended {
            Err(error) => Err(error),
            Ok(never) => match never {},
        },
        answer = ask(&server, &token, name, &key) => answer,
    }
}

fn token(folder: &Path, secret: &Secret) -> Token {
    Token {
        authority: Some(hash(&server(folder).certificate)),
        secret: secret.clone(),
    }
}

#[tokio::test]
async fn the_right_token_admits() {
    let folder = tempfile::tempdir().unwrap();
    let secret = Secret::new();
    let token = token(folder.path(), &secret);

    let admission = ask_with(folder.path(), &secret, token, NAME).await.unwrap();

    assert_eq!(admission.pod_network, NETWORK);
}

#[tokio::test]
async fn another_secret_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let token = token(folder.path(), &Secret::new());

    let answer = ask_with(folder.path(), &Secret::new(), token, NAME).await;

    assert!(
        matches!(&answer, Err(JoinError::Refused { words }) if words.contains("secret")),
        "{answer:?}"
    );
}

#[tokio::test]
async fn a_server_that_the_token_does_not_name_gets_no_secret() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let secret = Secret::new();
    let token = token(other.path(), &secret);

    let answer = ask_with(folder.path(), &secret, token, NAME).await;

    assert!(
        matches!(answer, Err(JoinError::OtherServer { .. })),
        "{answer:?}"
    );
}

#[tokio::test]
async fn a_secret_alone_is_not_shown_to_anybody() {
    let folder = tempfile::tempdir().unwrap();
    let secret = Secret::new();
    let token = Token::parse(secret.reveal()).unwrap();

    let answer = ask_with(folder.path(), &secret, token, NAME).await;

    assert!(matches!(answer, Err(JoinError::Unpinned)), "{answer:?}");
}

#[tokio::test]
async fn nobody_takes_the_servers_name() {
    let folder = tempfile::tempdir().unwrap();
    let secret = Secret::new();
    let token = token(folder.path(), &secret);

    let answer = ask_with(folder.path(), &secret, token, "demo").await;

    assert!(
        matches!(&answer, Err(JoinError::Refused { words }) if words.contains("name")),
        "{answer:?}"
    );
}

#[test]
fn a_server_is_named_by_its_url() {
    assert_eq!(
        Server::parse("https://demo:6443").unwrap().api,
        "https://demo:6443"
    );
    for odd in ["", "demo", "http://demo:6443", "https://demo:6443/other"] {
        assert!(Server::parse(odd).is_err(), "{odd:?} was accepted");
    }
}
