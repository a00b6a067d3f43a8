//! `lab bench` and servers with TLS: who is believed, and what is told of others.

use std::{net::TcpListener, sync::Arc, thread};

use lab_bench::null::NullServer;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, KeyUsagePurpose};
use rustls::{
    RootCertStore, ServerConfig, ServerConnection,
    crypto::ring,
    pki_types::PrivatePkcs8KeyDer,
    server::{WebPkiClientVerifier, danger::ClientCertVerifier},
};

use crate::checkout::{Checkout, Ended};

/// Makes an authority, called like all that are made so, whose certificate is `<name>.pem` in the checkout.
fn authority(checkout: Checkout, name: &str) -> (Checkout, CertifiedIssuer<'static, KeyPair>) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    (
        checkout.with(&format!("{name}.pem"), &authority.pem()),
        authority,
    )
}

/// Makes a client of an authority, whose certificate is `<name>.pem` in the checkout, and its
/// key `<name>.key`.
fn client(
    checkout: Checkout,
    authority: &CertifiedIssuer<'static, KeyPair>,
    name: &str,
) -> Checkout {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::default().signed_by(&key, authority);
    checkout
        .with(&format!("{name}.pem"), &certificate.unwrap().pem())
        .with(&format!("{name}.key"), &key.serialize_pem())
}

/// Starts a server that shakes hands, and says no more. It ends with the test. Gives its
/// address.
fn server(authority: &CertifiedIssuer<'static, KeyPair>) -> String {
    serve(authority, WebPkiClientVerifier::no_client_auth())
}

/// The same, that speaks only to clients of the same authority.
fn asking_server(authority: &CertifiedIssuer<'static, KeyPair>) -> String {
    let mut authorities = RootCertStore::empty();
    authorities.add(authority.der().clone()).unwrap();
    let provider = Arc::new(ring::default_provider());
    let clients = WebPkiClientVerifier::builder_with_provider(authorities.into(), provider);
    serve(authority, clients.build().unwrap())
}

fn serve(
    authority: &CertifiedIssuer<'static, KeyPair>,
    clients: Arc<dyn ClientCertVerifier>,
) -> String {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, authority).unwrap();
    let key = PrivatePkcs8KeyDer::from(key.serialize_der());
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(clients)
        .with_single_cert(vec![certificate.der().clone()], key.into())
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        while let Ok((mut socket, _)) = listener.accept() {
            let mut tls = ServerConnection::new(Arc::clone(&config)).unwrap();
            let _ = tls.complete_io(&mut socket);
        }
    });
    url
}

/// Benches a server that cannot be measured, on a machine with these authorities.
fn bench(checkout: &Checkout, url: &str, machine: &str, more: &[&str]) -> String {
    let machine = checkout.path(&format!("{machine}.pem"));
    let words = [&["bench", "--url", url], more].concat();
    let variables = [
        ("SSL_CERT_FILE", machine.to_str().unwrap()),
        ("SSL_CERT_DIR", ""),
    ];
    let Ended {
        code,
        stdout,
        stderr,
    } = checkout.lab_with(&words, &variables);
    assert_eq!((code, stdout.as_str()), (Some(12), ""), "{stderr}");
    let place = url.split_once("://").unwrap().1;
    stderr.replace(place, "127.0.0.1:PORT")
}

#[test]
fn a_server_is_believed_whose_authority_is_the_machines_or_is_passed() {
    let (checkout, mine) = authority(Checkout::new(), "mine");
    let (checkout, _) = authority(checkout, "other");
    let url = server(&mine);
    let refused = bench(&checkout, &url, "other", &[]);
    insta::assert_snapshot!(refused);
    let passed = bench(&checkout, &url, "other", &["--cacert", "mine.pem"]);
    let machines = bench(&checkout, &url, "mine", &[]);
    for said in [passed, machines] {
        // Hands were shaken; it is the request that this server does not answer.
        assert!(said.starts_with("lab::bench::wrong_without_load"), "{said}");
    }
}

#[test]
fn a_server_that_asks_for_a_client_is_shown_the_one_that_is_passed() {
    let (checkout, mine) = authority(Checkout::new(), "mine");
    let (checkout, other) = authority(checkout, "other");
    let checkout = client(client(checkout, &mine, "known"), &other, "unknown");
    let url = asking_server(&mine);
    let shown = |name: &str| {
        let (cert, key) = (format!("{name}.pem"), format!("{name}.key"));
        bench(&checkout, &url, "mine", &["--cert", &cert, "--key", &key])
    };
    let refused = [bench(&checkout, &url, "mine", &[]), shown("unknown")];
    insta::assert_snapshot!(refused.join("\n"));
    let taken = shown("known");
    // Hands were shaken; it is the request that this server does not answer.
    assert!(
        taken.starts_with("lab::bench::wrong_without_load"),
        "{taken}"
    );
}

#[test]
fn a_port_without_tls_is_told() {
    let (checkout, _) = authority(Checkout::new(), "mine");
    let plain = NullServer::start(std::time::Duration::ZERO).unwrap();
    let url = plain.url().replace("http", "https");
    insta::assert_snapshot!(bench(&checkout, &url, "mine", &[]));
}

#[test]
fn a_machine_that_knows_no_authority_says_so() {
    let checkout = Checkout::new().with("none.pem", "");
    let url = "https://127.0.0.1:9";
    let machine = checkout.path("none.pem");
    let variables = [
        ("SSL_CERT_FILE", machine.to_str().unwrap()),
        ("SSL_CERT_DIR", ""),
    ];
    let ended = checkout.lab_with(&["bench", "--url", url], &variables);
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    insta::assert_snapshot!(ended.stderr);
}
