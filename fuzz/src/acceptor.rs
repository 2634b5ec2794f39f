//! A stranger's first octets at the laptop: the hello, the server name and its token, then whatever follows. Nothing is computed for who
//! has no token, and nothing comes out of a channel whose handshake was not ours.

use shared_proto::channel::{Acceptor, Channel, MAX_HELLO_LEN, Purpose};
use shared_proto::crypto::ring::{RingCrypto, RingSigner};
use shared_proto::crypto::{RelationshipKey, Signer, TokenSecret};
use shared_proto::token::{self, NAME_LEN};

/// Cut up as the first octet says: as octets of a connection, or as a server name.
pub fn drive(bytes: &[u8]) {
    let Some((cut, stream)) = bytes.split_first() else {
        return;
    };
    if *cut == 0xff {
        name(&String::from_utf8_lossy(stream));
        return;
    }
    let mut acceptor = Acceptor::new();
    let mut taken = 0;
    let mut pieces = stream.chunks(usize::from(*cut) * 8 + 1);
    let hello = loop {
        let Some(piece) = pieces.next() else { return };
        taken += piece.len();
        match acceptor.receive(piece) {
            Ok(None) => assert!(taken <= MAX_HELLO_LEN, "{taken} octets were held"),
            Ok(Some(hello)) => break hello,
            Err(refused) => {
                // A few octets of alert, whatever was said.
                assert!(refused.alert.len() <= 64);
                return;
            }
        }
    };
    name(&hello.server_name());
    let own = RelationshipKey::from_bytes([3; 32]);
    let peer = RingSigner::new(&RelationshipKey::from_bytes([4; 32])).public_key();
    let accepted = match hello.purpose() {
        Purpose::Data => hello.accept(&own, peer),
        Purpose::Pairing => hello.accept_pairing(&own),
    };
    let Ok(mut channel) = accepted else { return };
    for piece in pieces {
        if channel.receive(piece).is_err() {
            break;
        }
    }
    let mut out = [0; 64];
    assert!(!matches!(channel.read(&mut out), Ok(1..)));
    assert!(channel.is_handshaking() && channel.peer_key().is_none());
}

/// Whatever the name is: if it is one of ours, it has the one spelling that we would give it.
fn name(text: &str) {
    let secrets = [
        TokenSecret::from_bytes([1; 32]),
        TokenSecret::from_bytes([2; 32]),
    ];
    if let Some(found) = token::find(&RingCrypto, text, &secrets) {
        let ours = token::mint(&RingCrypto, &secrets[found.index], found.nonce);
        assert_eq!(ours.as_str(), text);
        assert_eq!(text.len(), NAME_LEN);
    }
}
