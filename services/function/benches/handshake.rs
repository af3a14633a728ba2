//! What opening a connection costs: `cargo bench -p function`. It is the figure behind not opening any before the first
//! event, see `connections`.

#![expect(clippy::unwrap_used, reason = "a benchmark that unwraps fails with the line that unwrapped")]

use std::sync::Arc;

use divan::{Bencher, black_box};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection};

fn main() {
    divan::main();
}

const HOST: &str = "s3.eu-central-1.amazonaws.com";

/// A client and the server that it trusts, by the functions' own cryptography.
fn configured() -> (Arc<ClientConfig>, Arc<ServerConfig>) {
    let made = rcgen::generate_simple_self_signed([HOST.to_owned()]).unwrap();
    let certificate = made.cert.der().clone();
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    let client = ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
    let mut client = client.unwrap().with_root_certificates(roots).with_no_client_auth();
    // The first connection to a server has no session to take up again.
    client.resumption = rustls::client::Resumption::disabled();
    let server = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let server = server.unwrap().with_no_client_auth().with_single_cert(vec![certificate], key.into()).unwrap();
    (Arc::new(client), Arc::new(server))
}

/// Both sides of it, where a function has one; but with one certificate, where AWS's servers show a chain.
#[divan::bench]
fn tls_handshake_of_both_sides(bencher: Bencher<'_, '_>) {
    let (client, server) = configured();
    bencher.bench_local(|| {
        let mut client = ClientConnection::new(Arc::clone(&client), HOST.try_into().unwrap()).unwrap();
        let mut server = ServerConnection::new(Arc::clone(&server)).unwrap();
        while client.is_handshaking() || server.is_handshaking() {
            let mut sent = Vec::new();
            client.write_tls(&mut sent).unwrap();
            server.read_tls(&mut sent.as_slice()).unwrap();
            server.process_new_packets().unwrap();
            sent.clear();
            server.write_tls(&mut sent).unwrap();
            client.read_tls(&mut sent.as_slice()).unwrap();
            client.process_new_packets().unwrap();
        }
        black_box((client, server))
    });
}
