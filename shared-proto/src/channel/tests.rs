//! Two channels joined in memory, and everything an attacker between them could do.

mod hostile;
mod pair;

use pair::*;

use super::*;
use crate::crypto::Signer;
use crate::crypto::ring::{RingCrypto, RingSigner};
use crate::crypto::{RelationshipKey, TokenSecret};
use crate::token::{self, TokenNonce};

#[test]
fn a_paired_handheld_and_its_laptop_talk_both_ways() {
    let keys = Keys::new();
    let (mut client, mut server) = keys.connected();
    assert_eq!(client.peer_key(), Some(keys.laptop_public()));
    assert_eq!(server.peer_key(), Some(keys.handheld_public()));
    assert_eq!(client.write(b"question"), Ok(8));
    assert_eq!(carry(&mut client, &mut server).unwrap(), b"question");
    assert_eq!(server.write(b"answer"), Ok(6));
    assert_eq!(carry(&mut server, &mut client).unwrap(), b"answer");
}

#[test]
fn nothing_is_known_or_said_before_the_handshake_is_complete() {
    let keys = Keys::new();
    let (mut client, hello) = keys.hello();
    let mut server = hello.accept(&keys.laptop, keys.handheld_public()).unwrap();
    for channel in [&mut client, &mut server] {
        assert!(channel.is_handshaking());
        assert_eq!(channel.write(b"early"), Ok(0));
        assert_eq!(channel.read(&mut [0; 8]), Ok(0));
        assert_eq!(channel.peer_key(), None);
        assert_eq!(channel.exporter(b"label", b""), Err(ChannelError::NotReady));
        assert!(!channel.is_finished());
    }
}

#[test]
fn the_hello_fits_its_bound_and_the_handshake_its_own() {
    let keys = Keys::new();
    let mut client = keys.connect();
    let hello = flight(&mut client);
    assert!(hello.len() < MAX_HELLO_LEN * 3 / 4, "{}", hello.len());
    let mut server = accept(&hello)
        .unwrap()
        .accept(&keys.laptop, keys.handheld_public())
        .unwrap();
    let answer = flight(&mut server);
    assert!(answer.len() < MAX_HANDSHAKE_LEN / 4, "{}", answer.len());
}

#[test]
fn the_token_names_the_relationship_before_any_key_is_computed() {
    let keys = Keys::new();
    let (_, hello) = keys.hello();
    assert_eq!(hello.purpose(), Purpose::Data);
    let found = token::find(&RingCrypto, &hello.server_name(), [&keys.token]).unwrap();
    assert_eq!(found.index, 0);
    let other = TokenSecret::from_bytes([9; 32]);
    assert_eq!(
        token::find(&RingCrypto, &hello.server_name(), [&other]),
        None
    );
}

#[test]
fn a_laptop_with_another_key_is_refused_by_the_handheld() {
    let keys = Keys::new();
    let (mut client, hello) = keys.hello();
    let impostor = RelationshipKey::from_bytes([77; 32]);
    let mut server = hello.accept(&impostor, keys.handheld_public()).unwrap();
    assert_eq!(
        carry(&mut server, &mut client),
        Err(ChannelError::WrongPeerKey)
    );
    assert_eq!(
        carry(&mut client, &mut server),
        Err(ChannelError::RefusedByPeer(PeerReason::KeyRefused))
    );
    assert_dead(&mut client, ChannelError::WrongPeerKey);
}

#[test]
fn a_handheld_with_another_key_is_refused_by_the_laptop() {
    let mut keys = Keys::new();
    let pinned = keys.handheld_public();
    keys.handheld = RelationshipKey::from_bytes([78; 32]);
    let (mut client, hello) = keys.hello();
    let mut server = hello.accept(&keys.laptop, pinned).unwrap();
    assert_eq!(carry(&mut server, &mut client), Ok(vec![]));
    client.write(b"let me in").unwrap();
    assert_eq!(
        carry(&mut client, &mut server),
        Err(ChannelError::WrongPeerKey)
    );
    assert_dead(&mut server, ChannelError::WrongPeerKey);
    assert_eq!(
        carry(&mut server, &mut client),
        Err(ChannelError::RefusedByPeer(PeerReason::KeyRefused))
    );
}

#[test]
fn a_client_without_raw_keys_is_refused_by_its_hello() {
    for with_key in [false, true] {
        let hello = pair::x509_client_hello(with_key);
        let keys = Keys::new();
        let refused = accept(&hello)
            .and_then(|hello| hello.accept(&keys.laptop, keys.handheld_public()))
            .err()
            .expect("certificates are refused");
        assert_eq!(refused.error, ChannelError::Incompatible);
        assert_eq!(refused.alert.first(), Some(&21));
    }
}

#[test]
fn no_ticket_is_ever_sent_and_none_is_offered() {
    let keys = Keys::new();
    let (mut client, mut server) = keys.connected();
    // After the handshake the server has nothing more to say: a ticket would be here.
    assert!(!server.wants_write());
    client.write(b"x").unwrap();
    carry(&mut client, &mut server).unwrap();
    assert!(!server.wants_write());
    // The next hello has no pre_shared_key (41), psk_key_exchange_modes aside, and no early_data (42).
    let extensions = pair::hello_extensions(&flight(&mut keys.connect()));
    assert!(!extensions.contains(&41) && !extensions.contains(&42));
    assert!(extensions.contains(&0), "the token's server_name is there");
}

#[test]
fn a_revoked_key_stays_out_even_after_an_earlier_session() {
    let keys = Keys::new();
    let (mut client, mut server) = keys.connected();
    client.write(b"as a friend").unwrap();
    assert_eq!(carry(&mut client, &mut server).unwrap(), b"as a friend");
    client.close();
    carry(&mut client, &mut server).unwrap();

    // The laptop pins another key under the same token; the old handheld tries again, and again.
    let (_, successor) = RingSigner::generate().unwrap();
    for _ in 0..3 {
        let (mut client, hello) = keys.hello();
        let mut server = hello.accept(&keys.laptop, successor.public_key()).unwrap();
        assert_eq!(carry(&mut server, &mut client), Ok(vec![]));
        client.write(b"still a friend?").unwrap();
        assert_eq!(
            carry(&mut client, &mut server),
            Err(ChannelError::WrongPeerKey)
        );
    }
}

#[test]
fn an_unknown_token_is_answered_with_a_hint() {
    let keys = Keys::new();
    let (mut client, hello) = keys.hello();
    let refused = hello.refuse_unknown();
    assert_eq!(refused.alert, [21, 3, 3, 0, 2, 2, 112]);
    assert_eq!(
        client.receive(&refused.alert),
        Err(ChannelError::RefusedByPeer(PeerReason::UnknownRelationship))
    );
}

#[test]
fn pairing_and_data_do_not_mix() {
    let keys = Keys::new();
    let mut client = connect_pairing(&keys.handheld).unwrap();
    let hello = accept(&flight(&mut client)).unwrap();
    assert_eq!(hello.purpose(), Purpose::Pairing);
    assert_eq!(hello.server_name(), PAIRING_NAME);
    let refused = hello
        .accept(&keys.laptop, keys.handheld_public())
        .err()
        .unwrap();
    assert_eq!(refused.error, ChannelError::Incompatible);
    assert_eq!(
        client.receive(&refused.alert),
        Err(ChannelError::RefusedByPeer(PeerReason::NothingInCommon))
    );

    let (_, hello) = keys.hello();
    let refused = hello.accept_pairing(&keys.laptop).err().unwrap();
    assert_eq!(refused.error, ChannelError::Incompatible);
}

#[test]
fn pairing_accepts_any_key_but_a_reflection_of_our_own() {
    let keys = Keys::new();
    let mut client = connect_pairing(&keys.handheld).unwrap();
    let hello = accept(&flight(&mut client)).unwrap();
    let mut server = hello.accept_pairing(&keys.laptop).unwrap();
    carry(&mut server, &mut client).unwrap();
    carry(&mut client, &mut server).unwrap();
    assert_eq!(server.peer_key(), Some(keys.handheld_public()));
    assert_eq!(client.peer_key(), Some(keys.laptop_public()));
    assert_eq!(server.purpose(), Purpose::Pairing);

    let mut client = connect_pairing(&keys.handheld).unwrap();
    let hello = accept(&flight(&mut client)).unwrap();
    let mut mirror = hello.accept_pairing(&keys.handheld).unwrap();
    assert_eq!(
        carry(&mut mirror, &mut client),
        Err(ChannelError::WrongPeerKey)
    );
}

#[test]
fn exporters_agree_and_differ_by_label_context_and_channel() {
    let keys = Keys::new();
    let (client, server) = keys.connected();
    let value = client.exporter(EXPORTER_SUBMIT, b"").unwrap();
    assert_eq!(server.exporter(EXPORTER_SUBMIT, b""), Ok(value));
    assert_ne!(client.exporter(b"other", b""), Ok(value));
    assert_ne!(client.exporter(EXPORTER_SUBMIT, b"context"), Ok(value));
    let (again, _) = keys.connected();
    assert_ne!(again.exporter(EXPORTER_SUBMIT, b""), Ok(value));
}

#[test]
fn an_end_is_told_from_a_cut() {
    let keys = Keys::new();
    let (mut client, mut server) = keys.connected();
    client.write(b"last words").unwrap();
    client.close();
    assert_eq!(client.write(b"more"), Err(ChannelError::Closed));
    let bytes = flight(&mut client);
    assert_eq!(server.receive(&bytes), Ok(bytes.len()));
    assert!(!server.is_finished(), "the last words are still unread");
    assert_eq!(drain(&mut server).unwrap(), b"last words");
    assert!(server.is_finished());
    assert_eq!(server.receive_end(), Ok(()));
    // Whoever has closed hears nothing more, and minds no cut.
    server.write(b"unheard").unwrap();
    assert_eq!(carry(&mut server, &mut client), Ok(vec![]));
    assert_eq!(client.receive(b"not even a record"), Ok(17));
    assert!(client.is_finished());
    assert_eq!(client.receive_end(), Ok(()));

    let (mut client, mut server) = keys.connected();
    server.write(b"half of").unwrap();
    assert_eq!(carry(&mut server, &mut client).unwrap(), b"half of");
    assert_eq!(client.receive_end(), Err(ChannelError::Truncated));
    assert_dead(&mut client, ChannelError::Truncated);
}

#[test]
fn bytes_after_the_close_are_ignored() {
    let keys = Keys::new();
    let (mut client, mut server) = keys.connected();
    client.close();
    let mut bytes = flight(&mut client);
    bytes.extend_from_slice(b"and something else");
    assert_eq!(server.receive(&bytes), Ok(bytes.len()));
    assert_eq!(server.receive(b"and more"), Ok(8));
    assert!(server.is_finished());
    assert_eq!(drain(&mut server), Ok(vec![]));
}

#[test]
fn a_reader_that_lags_bounds_what_is_buffered_and_loses_nothing() {
    let keys = Keys::new();
    let (mut client, mut server) = keys.connected();
    let sent: Vec<u8> = (0..300_000_u32).map(|n| (n % 251) as u8).collect();
    let mut wire = Vec::new();
    let mut rest = &sent[..];
    while !rest.is_empty() {
        let taken = client.write(rest).unwrap();
        assert!(taken > 0 && taken <= MAX_UNSENT);
        rest = &rest[taken..];
        let before = wire.len();
        client.transmit(&mut wire);
        assert!(wire.len() - before <= MAX_UNSENT + 1024);
    }
    let mut got = Vec::new();
    let mut rest = &wire[..];
    while !rest.is_empty() {
        let taken = server.receive(rest).unwrap();
        assert!(taken <= 3 * MAX_UNREAD, "{taken}");
        rest = &rest[taken..];
        assert_eq!(
            server.receive(rest),
            Ok(0),
            "it takes nothing while it is full"
        );
        got.extend(drain(&mut server).unwrap());
    }
    assert!(got == sent);
}

#[test]
fn any_chunking_of_the_wire_gives_the_same_conversation() {
    let keys = Keys::new();
    for chunk in [1, 2, 5, 7, 100, 1000] {
        let mut client = keys.connect();
        let bytes = flight(&mut client);
        let mut acceptor = Acceptor::new();
        let mut hello = None;
        for piece in bytes.chunks(chunk) {
            assert!(hello.is_none());
            hello = acceptor.receive(piece).unwrap();
        }
        let mut server = hello
            .unwrap()
            .accept(&keys.laptop, keys.handheld_public())
            .unwrap();
        let bytes = flight(&mut server);
        for piece in bytes.chunks(chunk) {
            assert_eq!(client.receive(piece), Ok(piece.len()));
        }
        client.write(b"hello").unwrap();
        let bytes = flight(&mut client);
        for piece in bytes.chunks(chunk) {
            assert_eq!(server.receive(piece), Ok(piece.len()));
        }
        assert_eq!(drain(&mut server).unwrap(), b"hello");
    }
}

#[test]
fn a_nonce_gives_a_name_that_tls_can_send() {
    let name = token::mint(
        &RingCrypto,
        &TokenSecret::from_bytes([3; 32]),
        TokenNonce([255; 16]),
    );
    assert!(rustls::pki_types::DnsName::try_from(name.as_str().to_owned()).is_ok());
}
