//! Official vectors through our own wrappers: Project Wycheproof's for Ed25519, HMAC and HKDF, and those of the RFCs.
//! The key exchange and the cipher of the card have theirs beside them.
#![allow(clippy::unwrap_used)]

use serde_json::Value;
use shared_proto::crypto::ring::{RingCrypto, RingSigner};
use shared_proto::crypto::{Crypto, CryptoError, PublicKey, RelationshipKey, Signature, Signer};

fn tests(text: &str) -> Vec<Value> {
    let file: Value = serde_json::from_str(text).unwrap();
    let tests = file["tests"].as_array().unwrap().clone();
    assert!(!tests.is_empty());
    tests
}

fn octets(text: &str) -> Vec<u8> {
    assert_eq!(text.len() % 2, 0);
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

fn field(test: &Value, name: &str) -> Vec<u8> {
    octets(test[name].as_str().unwrap())
}

fn array<const N: usize>(text: &str) -> [u8; N] {
    octets(text).try_into().unwrap()
}

#[test]
fn ed25519_verifies_what_wycheproof_says_and_nothing_else() {
    let (mut valid, mut refused) = (0, 0);
    for test in tests(include_str!("wycheproof/ed25519.json")) {
        let key = PublicKey(field(&test, "key").try_into().unwrap());
        // A signature of another length cannot even be written down here.
        let verdict = <[u8; 64]>::try_from(field(&test, "sig"))
            .map_err(|_| CryptoError::BadSignature)
            .and_then(|signature| {
                RingCrypto.verify(&key, &field(&test, "msg"), &Signature(signature))
            });
        assert_eq!(verdict.is_ok(), test["valid"] == true, "{test}");
        *(if verdict.is_ok() {
            &mut valid
        } else {
            &mut refused
        }) += 1;
    }
    assert_eq!((valid, refused), (88, 63));
}

#[test]
fn hmac_gives_the_tags_of_wycheproof_and_a_changed_tag_is_told_from_them() {
    let mut checked = 0;
    for test in tests(include_str!("wycheproof/hmac_sha256.json")) {
        let message = field(&test, "msg");
        let (head, tail) = message.split_at(message.len() / 2);
        let tag = RingCrypto.hmac_sha256(&field(&test, "key"), &[head, tail]);
        let kept = &tag[..test["bits"].as_u64().unwrap() as usize / 8];
        let equal = RingCrypto.constant_time_eq(kept, &field(&test, "tag"));
        assert_eq!(equal, test["valid"] == true, "{test}");
        checked += 1;
    }
    assert_eq!(checked, 174);
}

#[test]
fn hkdf_gives_the_keys_of_wycheproof_and_refuses_lengths_beyond_its_own() {
    let mut checked = 0;
    for test in tests(include_str!("wycheproof/hkdf_sha256.json")) {
        let info = field(&test, "info");
        let (head, tail) = info.split_at(info.len() / 3);
        let mut key = vec![0; test["size"].as_u64().unwrap() as usize];
        let made = RingCrypto.hkdf_sha256(
            &field(&test, "salt"),
            &field(&test, "ikm"),
            &[head, tail],
            &mut key,
        );
        assert_eq!(made.is_ok(), test["valid"] == true, "{test}");
        if made.is_ok() {
            assert_eq!(key, field(&test, "okm"), "{test}");
        }
        checked += 1;
    }
    assert_eq!(checked, 86);
}

/// FIPS 180-2, appendix B, and the empty message.
#[test]
fn sha256_gives_the_digests_of_fips_180() {
    let million = vec![b'a'; 1_000_000];
    let two_blocks = b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    for (message, digest) in [
        (
            &b""[..],
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        ),
        (
            b"abc",
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        ),
        (
            two_blocks,
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
        ),
        (
            &million,
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
        ),
    ] {
        assert_eq!(RingCrypto.sha256(&[message]), array(digest));
        let (head, tail) = message.split_at(message.len() / 3);
        assert_eq!(RingCrypto.sha256(&[head, tail]), array(digest));
    }
}

/// RFC 4231, all seven cases; the fifth is truncated.
#[test]
fn hmac_gives_the_tags_of_rfc_4231() {
    let counting: Vec<u8> = (1..=25).collect();
    let both_long =
        b"This is a test using a larger than block-size key and a larger than block-size data. \
        The key needs to be hashed before being used by the HMAC algorithm.";
    let cases: [(&[u8], &[u8], &str); 7] = [
        (
            &[0x0b; 20],
            b"Hi There",
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
        ),
        (
            b"Jefe",
            b"what do ya want for nothing?",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        ),
        (
            &[0xaa; 20],
            &[0xdd; 50],
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
        ),
        (
            &counting,
            &[0xcd; 50],
            "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
        ),
        (
            &[0x0c; 20],
            b"Test With Truncation",
            "a3b6167473100ee06e0c796c2955552b",
        ),
        (
            &[0xaa; 131],
            b"Test Using Larger Than Block-Size Key - Hash Key First",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
        ),
        (
            &[0xaa; 131],
            both_long,
            "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
        ),
    ];
    for (key, message, tag) in cases {
        let tag = octets(tag);
        assert_eq!(
            RingCrypto.hmac_sha256(key, &[message])[..tag.len()],
            tag[..]
        );
    }
}

/// RFC 5869, A.1 to A.3.
#[test]
fn hkdf_gives_the_keys_of_rfc_5869() {
    let range = |from: u8, to: u8| (from..=to).collect::<Vec<_>>();
    let cases = [
        (
            range(0, 0x0c),
            vec![0x0b; 22],
            range(0xf0, 0xf9),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
        ),
        (
            range(0x60, 0xaf),
            range(0, 0x4f),
            range(0xb0, 0xff),
            "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87",
        ),
        (
            vec![],
            vec![0x0b; 22],
            vec![],
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
        ),
    ];
    for (salt, input, info, key) in cases {
        let key = octets(key);
        let mut made = vec![0; key.len()];
        RingCrypto
            .hkdf_sha256(&salt, &input, &[&info], &mut made)
            .unwrap();
        assert_eq!(made, key);
    }
}

/// RFC 8032, section 7.1: tests 1 to 3 and SHA(abc).
#[test]
fn ed25519_signs_as_rfc_8032_does() {
    let cases = [
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ),
        (
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ),
        (
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
        ),
        (
            "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
            "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
            "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
        ),
    ];
    for (seed, public, message, signature) in cases {
        let signer = RingSigner::new(&RelationshipKey::from_bytes(array(seed)));
        assert_eq!(signer.public_key().0, array(public));
        let message = octets(message);
        assert_eq!(signer.sign(&message).0, array(signature));
        let verdict =
            RingCrypto.verify(&signer.public_key(), &message, &Signature(array(signature)));
        assert_eq!(verdict, Ok(()));
    }
}
