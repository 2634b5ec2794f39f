//! The keys of a relationship, and the channel that they open.

use shared_proto::channel;
use shared_proto::crypto::ring::RingCrypto;
use shared_proto::crypto::{PublicKey, RelationshipKey, TokenSecret};
use shared_proto::token::{self, TokenNonce};

use super::Target;

/// Our seed, the laptop's key and the token secret.
pub(super) type Keys = [[u8; 32]; 3];

pub(super) fn keys_of(target: &Target, renewed: bool) -> Option<Keys> {
    let known = &target.relationship;
    match renewed {
        true => known.next,
        false => Some([known.seed, known.peer, known.token_secret]),
    }
}

pub(super) fn open_channel(keys: &Keys) -> Result<Box<dyn channel::Channel>, String> {
    let [seed, peer, secret] = *keys;
    let nonce = TokenNonce::generate(&RingCrypto).map_err(|e| e.to_string())?;
    let name = token::mint(&RingCrypto, &TokenSecret::from_bytes(secret), nonce);
    let key = RelationshipKey::from_bytes(seed);
    let channel = channel::connect(&key, PublicKey(peer), &name).map_err(|e| e.to_string())?;
    Ok(Box::new(channel))
}
